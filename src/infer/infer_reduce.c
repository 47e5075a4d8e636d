/* Shapes of reductions, ArgMax and ArgMin. */
#include "infer.h"
#include "moves.h"
#include "op_facts.h"

octet_status oct_infer_reduced(infer_ctx *c)
{
    const oct_value *x = oct_infer_in(c, 0);
    int64_t dims[OCTET_MAX_RANK];
    bool reduced[OCTET_MAX_RANK], keep = oct_node_int(c->n, "keepdims", 1) != 0;
    int rank = 0;
    FORWARD(oct_reduced_axes(c->g, c->n, reduced));
    for (int i = 0; i < x->rank; i++) {
        RETURN_IF(reduced[i] && x->dims[i] == 0, OCTET_UNSUPPORTED,
                  "a reduction over no elements is not supported");
        if (!reduced[i] || keep)
            dims[rank++] = reduced[i] ? 1 : x->dims[i];
    }
    oct_infer_out(c, 0, x->dtype, rank, dims);
    return OCTET_OK;
}

octet_status oct_infer_reduce(infer_ctx *c)
{
    static const octet_dtype chosen[] = {OCTET_F32, OCTET_U8,  OCTET_S8,
                                         OCTET_U16, OCTET_S16, OCTET_DTYPE_NONE};
    bool chooses = oct_op_facts(c->n->op)->result_kind == OCT_RESULT_LIKE;
    FORWARD(oct_infer_require_dtype(c, 0, chooses ? chosen : oct_infer_f32));
    return oct_infer_reduced(c);
}

octet_status oct_infer_q_reduce(infer_ctx *c)
{
    FORWARD(oct_infer_require_dtype(c, 0, oct_infer_int16));
    FORWARD(oct_infer_check_scales(c, oct_infer_in(c, 0)->dtype));
    return oct_infer_reduced(c);
}

octet_status oct_infer_arg(infer_ctx *c)
{
    static const octet_dtype types[] = {OCTET_F32, OCTET_U8, OCTET_S8, OCTET_DTYPE_NONE};
    const oct_value *x = oct_infer_in(c, 0);
    FORWARD(oct_infer_require_dtype(c, 0, types));
    int64_t axis, dims[OCTET_MAX_RANK];
    int rank = 0;
    FORWARD(oct_infer_axis(c, 0, x->rank, &axis));
    RETURN_IF(x->dims[axis] == 0, OCTET_INVALID_ARGUMENT, "the axis has no elements");
    for (int i = 0; i < x->rank; i++) {
        if (i != axis || oct_node_int(c->n, "keepdims", 1) != 0)
            dims[rank++] = i == axis ? 1 : x->dims[i];
    }
    oct_infer_out(c, 0, OCTET_S64, rank, dims);
    return OCTET_OK;
}
