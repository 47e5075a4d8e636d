/* Shapes of comparisons, logic and Where. */
#include "infer.h"

static const octet_dtype bools[] = {OCTET_BOOL, OCTET_DTYPE_NONE};

octet_status oct_infer_logic(infer_ctx *c)
{
    bool boolean = c->n->op == OCT_OP_And || c->n->op == OCT_OP_Or || c->n->op == OCT_OP_Xor;
    int64_t dims[OCTET_MAX_RANK];
    int rank;
    FORWARD(oct_infer_require_input(c, 0));
    FORWARD(oct_infer_require_input(c, 1));
    for (int i = 0; boolean && i < 2; i++)
        FORWARD(oct_infer_require_dtype(c, i, bools));
    RETURN_IF(oct_infer_in(c, 0)->dtype != oct_infer_in(c, 1)->dtype, OCTET_INVALID_ARGUMENT,
              "inputs have different dtypes");
    FORWARD(oct_infer_broadcast(c, oct_infer_in(c, 0), oct_infer_in(c, 1), &rank, dims));
    oct_infer_out(c, 0, OCTET_BOOL, rank, dims);
    return OCTET_OK;
}

octet_status oct_infer_not(infer_ctx *c)
{
    FORWARD(oct_infer_require_dtype(c, 0, bools));
    oct_infer_out(c, 0, OCTET_BOOL, oct_infer_in(c, 0)->rank, oct_infer_in(c, 0)->dims);
    return OCTET_OK;
}

octet_status oct_infer_where(infer_ctx *c)
{
    FORWARD(oct_infer_require_dtype(c, 0, bools));
    FORWARD(oct_infer_require_input(c, 1));
    FORWARD(oct_infer_require_input(c, 2));
    oct_value both = *oct_infer_in(c, 1);
    int64_t dims[OCTET_MAX_RANK];
    int rank;
    RETURN_IF(both.dtype != oct_infer_in(c, 2)->dtype, OCTET_INVALID_ARGUMENT,
              "inputs have different dtypes");
    FORWARD(oct_infer_broadcast(c, oct_infer_in(c, 1), oct_infer_in(c, 2), &both.rank, both.dims));
    FORWARD(oct_infer_broadcast(c, oct_infer_in(c, 0), &both, &rank, dims));
    oct_infer_out(c, 0, both.dtype, rank, dims);
    return OCTET_OK;
}
