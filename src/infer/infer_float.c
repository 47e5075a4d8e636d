/* Shapes of normalizations, comparisons, logic, Where and Dropout. */
#include "dtype.h"
#include "infer.h"
#include "sizes.h"

#include <string.h>

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

/* Scale and bias (inputs 1 and 2) have `count` elements each. */
static octet_status check_parameters(const infer_ctx *c, int64_t count)
{
    for (int i = 1; i < 3; i++) {
        const oct_value *v = oct_infer_in(c, i);
        int64_t elems;
        if (!v)
            continue;
        FORWARD(oct_infer_require_dtype(c, i, oct_infer_f32));
        RETURN_IF(!oct_shape_elems(v->dims, v->rank, &elems) || elems != count, OCTET_UNSUPPORTED,
                  "'%s' must have %lld elements", v->name, (long long)count);
    }
    return OCTET_OK;
}

octet_status oct_infer_layer_norm(infer_ctx *c)
{
    FORWARD(oct_infer_require_dtype(c, 0, oct_infer_f32));
    FORWARD(oct_infer_require_input(c, 1));
    const oct_value *x = oct_infer_in(c, 0);
    int64_t axis = oct_node_int(c->n, "axis", -1), dims[OCTET_MAX_RANK], length;
    axis += axis < 0 ? x->rank : 0;
    RETURN_IF(axis < 0 || axis >= x->rank, OCTET_INVALID_ARGUMENT, "axis is out of range for rank %d",
              x->rank);
    for (int i = 0; i < x->rank; i++)
        dims[i] = i < axis ? x->dims[i] : 1;
    RETURN_IF(!oct_shape_elems(x->dims + axis, x->rank - (int)axis, &length), OCTET_INVALID_ARGUMENT,
              "the input is too large");
    FORWARD(check_parameters(c, length));
    oct_infer_out(c, 0, OCTET_F32, x->rank, x->dims);
    oct_infer_out(c, 1, OCTET_F32, x->rank, dims);
    oct_infer_out(c, 2, OCTET_F32, x->rank, dims);
    return OCTET_OK;
}

octet_status oct_infer_channel_norm(infer_ctx *c)
{
    FORWARD(oct_infer_require_dtype(c, 0, oct_infer_f32));
    FORWARD(oct_infer_require_input(c, 1));
    FORWARD(oct_infer_require_input(c, 2));
    const oct_value *x = oct_infer_in(c, 0);
    bool by_group = c->n->op == OCT_OP_GroupNormalization;
    RETURN_IF(x->rank < 3, OCTET_INVALID_ARGUMENT, "input '%s' has rank %d; it must be [N, C, spatial...]",
              x->name, x->rank);
    int64_t groups = by_group ? oct_node_int(c->n, "num_groups", 0) : x->dims[1];
    RETURN_IF(by_group && (groups < 1 || x->dims[1] % groups), OCTET_INVALID_ARGUMENT,
              "%lld channels do not divide into %lld groups", (long long)x->dims[1], (long long)groups);
    FORWARD(check_parameters(c, by_group && c->n->opset < 21 ? groups : x->dims[1]));
    oct_infer_out(c, 0, OCTET_F32, x->rank, x->dims);
    return OCTET_OK;
}

octet_status oct_infer_lrn(infer_ctx *c)
{
    FORWARD(oct_infer_require_dtype(c, 0, oct_infer_f32));
    const oct_value *x = oct_infer_in(c, 0);
    RETURN_IF(x->rank < 3, OCTET_INVALID_ARGUMENT, "input '%s' has rank %d; it must be [N, C, spatial...]",
              x->name, x->rank);
    RETURN_IF(oct_node_int(c->n, "size", 0) < 1, OCTET_CORRUPT_FILE, "attribute size must be at least 1");
    oct_infer_out(c, 0, OCTET_F32, x->rank, x->dims);
    return OCTET_OK;
}

octet_status oct_infer_dropout(infer_ctx *c)
{
    const oct_value *x = oct_infer_in(c, 0), *training = oct_infer_in(c, 2);
    RETURN_IF(training && (!training->data || training->data_bytes < 1 || *(const char *)training->data),
              OCTET_UNSUPPORTED, "training_mode must be absent or a constant false");
    RETURN_IF(c->n->output_count > 1 && c->n->opset < 10 && x->dtype != OCTET_F32, OCTET_UNSUPPORTED,
              "a mask of type %s is not supported", oct_dtype_name(x->dtype));
    oct_infer_out(c, 0, x->dtype, x->rank, x->dims);
    oct_infer_out(c, 1, c->n->opset < 10 ? OCTET_F32 : OCTET_BOOL, x->rank, x->dims);
    return OCTET_OK;
}
