/* Shapes of comparisons, logic, Where and QLinearWhere. */
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

/* Output 0: a choice between inputs x and y of one dtype by the condition that is input 0. */
static octet_status choice(infer_ctx *c, int x, int y)
{
    FORWARD(oct_infer_require_dtype(c, 0, bools));
    FORWARD(oct_infer_require_input(c, x));
    FORWARD(oct_infer_require_input(c, y));
    oct_value both = *oct_infer_in(c, x);
    int64_t dims[OCTET_MAX_RANK];
    int rank;
    RETURN_IF(both.dtype != oct_infer_in(c, y)->dtype, OCTET_INVALID_ARGUMENT,
              "inputs have different dtypes");
    FORWARD(oct_infer_broadcast(c, oct_infer_in(c, x), oct_infer_in(c, y), &both.rank, both.dims));
    FORWARD(oct_infer_broadcast(c, oct_infer_in(c, 0), &both, &rank, dims));
    oct_infer_out(c, 0, both.dtype, rank, dims);
    return OCTET_OK;
}

octet_status oct_infer_where(infer_ctx *c)
{
    return choice(c, 1, 2);
}

octet_status oct_infer_qwhere(infer_ctx *c)
{
    FORWARD(oct_infer_require_dtype(c, 1, oct_infer_int8));
    FORWARD(oct_infer_check_scales(c, oct_infer_in(c, 1)->dtype));
    return choice(c, 1, 4);
}
