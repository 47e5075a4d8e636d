/* Shapes of normalizations. */
#include "infer.h"
#include "sizes.h"

octet_status oct_infer_batch_norm(infer_ctx *c)
{
    const oct_value *x = oct_infer_in(c, 0);
    FORWARD(oct_infer_require_dtype(c, 0, oct_infer_f32));
    RETURN_IF(x->rank < 2, OCTET_INVALID_ARGUMENT, "its input must be [N, C, ...]");
    RETURN_IF(oct_node_int(c->n, "training_mode", 0) != 0 || c->n->output_count > 1, OCTET_UNSUPPORTED,
              "training is not supported");
    int64_t channels = x->dims[oct_infer_channel_axis(c, x)];
    for (int i = 1; i < 5; i++) {
        FORWARD(oct_infer_require_dtype(c, i, oct_infer_f32));
        const oct_value *p = oct_infer_in(c, i);
        RETURN_IF(p->rank != 1 || p->dims[0] != channels, OCTET_INVALID_ARGUMENT, "'%s' must be [%lld]",
                  p->name, (long long)channels);
    }
    oct_infer_out(c, 0, OCTET_F32, x->rank, x->dims);
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
    int64_t axis, dims[OCTET_MAX_RANK], length;
    FORWARD(oct_infer_axis(c, -1, x->rank, &axis));
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
    FORWARD(oct_infer_require_spatial(c));
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
    FORWARD(oct_infer_require_spatial(c));
    RETURN_IF(oct_node_int(c->n, "size", 0) < 1, OCTET_CORRUPT_FILE, "attribute size must be at least 1");
    oct_infer_out(c, 0, OCTET_F32, x->rank, x->dims);
    return OCTET_OK;
}
