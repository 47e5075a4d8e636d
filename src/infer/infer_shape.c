/* Shapes of operators that move, rename or combine elements. */
#include "dtype.h"
#include "infer.h"
#include "moves.h"
#include "sizes.h"

#include <string.h>

octet_status oct_infer_same(infer_ctx *c)
{
    static const octet_dtype computes[] = {OCTET_U8, OCTET_S8, OCTET_F32, OCTET_DTYPE_NONE};
    const oct_value *x = oct_infer_in(c, 0);
    bool table_op = c->n->op == OCT_OP_QLinearSigmoid || c->n->op == OCT_OP_QLinearLeakyRelu;
    if (table_op || c->n->op == OCT_OP_QLinearSoftmax) {
        const int scale = 3, zero = 4;
        FORWARD(oct_infer_require_dtype(c, 0, oct_infer_int8));
        FORWARD(oct_infer_require_dtype(c, 1, oct_infer_f32));
        FORWARD(oct_infer_require_dtype(c, scale, oct_infer_f32));
        FORWARD(oct_infer_check_quant(c, 1, 2, x->dtype, 1));
        FORWARD(oct_infer_check_quant(c, scale, zero, x->dtype, 1));
    } else if (c->n->op == OCT_OP_Relu || c->n->op == OCT_OP_Clip) {
        FORWARD(oct_infer_require_dtype(c, 0, computes));
        int since = c->n->op == OCT_OP_Clip ? 12 : 14;
        RETURN_IF(x->dtype != OCTET_F32 && c->n->opset < since, OCTET_UNSUPPORTED,
                  "8-bit %s needs opset %d; the model has %d", c->n->op_type, since, c->n->opset);
    }
    for (int i = 1; c->n->op == OCT_OP_Clip && i < 3; i++) {
        const oct_value *bound = oct_infer_in(c, i);
        int64_t elems;
        RETURN_IF(bound && (bound->dtype != x->dtype || !oct_shape_elems(bound->dims, bound->rank, &elems) ||
                            elems != 1),
                  OCTET_INVALID_ARGUMENT, "bound '%s' must be one %s", bound->name, oct_dtype_name(x->dtype));
    }
    oct_infer_out(c, 0, x->dtype, x->rank, x->dims);
    return OCTET_OK;
}

octet_status oct_infer_unary(infer_ctx *c)
{
    FORWARD(oct_infer_require_dtype(c, 0, oct_infer_f32));
    const oct_value *x = oct_infer_in(c, 0);
    oct_infer_out(c, 0, x->dtype, x->rank, x->dims);
    return OCTET_OK;
}

octet_status oct_infer_float_same(infer_ctx *c)
{
    return oct_infer_unary(c);
}

octet_status oct_infer_reshape(infer_ctx *c)
{
    const oct_value *x = oct_infer_in(c, 0);
    int64_t dims[OCTET_MAX_RANK], elems, known = 1;
    int rank, guess = -1;
    FORWARD(oct_infer_require_input(c, 1));
    FORWARD(oct_infer_const_ints(c, 1, dims, OCTET_MAX_RANK, &rank));
    bool allow_zero = oct_node_int(c->n, "allowzero", 0) != 0;
    RETURN_IF(!oct_shape_elems(x->dims, x->rank, &elems), OCTET_INVALID_ARGUMENT, "the input is too large");
    bool has_zero = false;
    for (int i = 0; i < rank; i++) {
        has_zero = has_zero || dims[i] == 0;
        if (dims[i] == 0 && !allow_zero) {
            RETURN_IF(i >= x->rank, OCTET_INVALID_ARGUMENT, "shape[%d] is 0, but the input has rank %d", i,
                      x->rank);
            dims[i] = x->dims[i];
        }
        RETURN_IF(dims[i] < -1 || (dims[i] == -1 && guess >= 0), OCTET_INVALID_ARGUMENT,
                  "shape[%d] is %lld; one -1 is allowed and no other negative", i, (long long)dims[i]);
        if (dims[i] == -1)
            guess = i;
        else
            RETURN_IF(dims[i] && known > OCT_MAX_ELEMS / dims[i], OCTET_INVALID_ARGUMENT,
                      "the shape is too large");
        if (dims[i] != -1)
            known *= dims[i];
    }
    if (guess >= 0) {
        RETURN_IF(allow_zero && has_zero, OCTET_INVALID_ARGUMENT,
                  "shape has a 0 and a -1, which is not allowed with allowzero");
        RETURN_IF(known == 0 ? elems != 0 : elems % known != 0, OCTET_INVALID_ARGUMENT,
                  "%lld elements do not divide into rows of %lld", (long long)elems, (long long)known);
        dims[guess] = known ? elems / known : 0;
        known *= dims[guess];
    }
    RETURN_IF(known != elems, OCTET_INVALID_ARGUMENT, "the shape has %lld elements, the input %lld",
              (long long)known, (long long)elems);
    oct_infer_out(c, 0, x->dtype, rank, dims);
    return OCTET_OK;
}

octet_status oct_infer_flatten(infer_ctx *c)
{
    const oct_value *x = oct_infer_in(c, 0);
    int64_t axis = oct_node_int(c->n, "axis", 1), dims[2];
    axis += axis < 0 ? x->rank : 0;
    RETURN_IF(axis < 0 || axis > x->rank, OCTET_INVALID_ARGUMENT, "axis %lld is out of range for rank %d",
              (long long)axis, x->rank);
    /* Each side by itself may overflow where the other is 0. */
    RETURN_IF(!oct_shape_elems(x->dims, (int)axis, &dims[0]) ||
                  !oct_shape_elems(x->dims + axis, x->rank - (int)axis, &dims[1]),
              OCTET_INVALID_ARGUMENT, "the output is too large");
    oct_infer_out(c, 0, x->dtype, 2, dims);
    return OCTET_OK;
}

/* Axes from the attribute (before opset 13) or from constant input 1; *given: there were any. */
static octet_status read_axes(infer_ctx *c, int64_t *axes, int *count, bool *given)
{
    const oct_attr *a = oct_node_attr(c->n, "axes");
    *count = 0;
    *given = oct_infer_in(c, 1) || a;
    if (oct_infer_in(c, 1))
        return oct_infer_const_ints(c, 1, axes, OCTET_MAX_RANK, count);
    if (!a)
        return OCTET_OK;
    RETURN_IF(a->kind != OCT_ATTR_INTS || a->count > OCTET_MAX_RANK, OCTET_CORRUPT_FILE,
              "attribute axes is not valid");
    *count = (int)a->count;
    memcpy(axes, a->ints, a->count * sizeof *axes);
    return OCTET_OK;
}

octet_status oct_infer_squeeze(infer_ctx *c)
{
    const oct_value *x = oct_infer_in(c, 0);
    int64_t axes[OCTET_MAX_RANK], dims[OCTET_MAX_RANK];
    bool is_axis[OCTET_MAX_RANK] = {false}, given;
    int count, rank = 0;
    FORWARD(read_axes(c, axes, &count, &given));
    FORWARD(oct_infer_axes(axes, count, x->rank, is_axis));
    for (int i = 0; i < x->rank; i++) {
        RETURN_IF(is_axis[i] && x->dims[i] != 1, OCTET_INVALID_ARGUMENT,
                  "axis %d has size %lld; only 1 can be squeezed", i, (long long)x->dims[i]);
        if (!(given ? is_axis[i] : x->dims[i] == 1))
            dims[rank++] = x->dims[i];
    }
    oct_infer_out(c, 0, x->dtype, rank, dims);
    return OCTET_OK;
}

octet_status oct_infer_unsqueeze(infer_ctx *c)
{
    const oct_value *x = oct_infer_in(c, 0);
    int64_t axes[OCTET_MAX_RANK], dims[OCTET_MAX_RANK];
    bool is_axis[OCTET_MAX_RANK], given;
    int count, from = 0;
    FORWARD(read_axes(c, axes, &count, &given));
    int rank = x->rank + count;
    RETURN_IF(!given || rank > OCTET_MAX_RANK, OCTET_INVALID_ARGUMENT,
              "axes are missing or give more than %d dimensions", OCTET_MAX_RANK);
    FORWARD(oct_infer_axes(axes, count, rank, is_axis));
    for (int i = 0; i < rank; i++)
        dims[i] = is_axis[i] ? 1 : x->dims[from++];
    oct_infer_out(c, 0, x->dtype, rank, dims);
    return OCTET_OK;
}

octet_status oct_infer_transpose(infer_ctx *c)
{
    const oct_value *x = oct_infer_in(c, 0);
    const oct_attr *perm = oct_node_attr(c->n, "perm");
    int64_t dims[OCTET_MAX_RANK];
    bool seen[OCTET_MAX_RANK];
    if (perm) {
        RETURN_IF(perm->kind != OCT_ATTR_INTS || perm->count != (size_t)x->rank, OCTET_INVALID_ARGUMENT,
                  "perm must have %d values", x->rank);
        for (int i = 0; i < x->rank; i++)
            RETURN_IF(perm->ints[i] < 0, OCTET_INVALID_ARGUMENT, "perm[%d] is negative", i);
        FORWARD(oct_infer_axes(perm->ints, x->rank, x->rank, seen));
    }
    for (int i = 0; i < x->rank; i++)
        dims[i] = x->dims[perm ? perm->ints[i] : x->rank - 1 - i];
    oct_infer_out(c, 0, x->dtype, x->rank, dims);
    return OCTET_OK;
}

octet_status oct_infer_cast(infer_ctx *c)
{
    static const octet_dtype types[] = {OCTET_F32, OCTET_U8,  OCTET_S8,   OCTET_U16,       OCTET_S16,
                                        OCTET_S32, OCTET_S64, OCTET_BOOL, OCTET_DTYPE_NONE};
    /* ONNX TensorProto.DataType of `to`. */
    static const octet_dtype by_onnx[] = {
        [1] = OCTET_F32, [2] = OCTET_U8,  [3] = OCTET_S8,  [4] = OCTET_U16,
        [5] = OCTET_S16, [6] = OCTET_S32, [7] = OCTET_S64, [9] = OCTET_BOOL};
    const oct_value *x = oct_infer_in(c, 0);
    int64_t to = oct_node_int(c->n, "to", 0);
    octet_dtype out =
        to > 0 && to < (int64_t)(sizeof by_onnx / sizeof by_onnx[0]) ? by_onnx[to] : OCTET_DTYPE_NONE;
    RETURN_IF(out == OCTET_DTYPE_NONE, OCTET_UNSUPPORTED, "a cast to ONNX type %lld is not supported",
              (long long)to);
    FORWARD(oct_infer_require_dtype(c, 0, types));
    oct_infer_out(c, 0, out, x->rank, x->dims);
    return OCTET_OK;
}

/* Constants have become values with data when the graph was built (oct_graph_fold_constants). */
octet_status oct_infer_constant(infer_ctx *c)
{
    (void)c;
    return oct_fail(OCTET_INTERNAL, "a Constant node was not folded; this is a defect in Octet");
}

static octet_status check_arithmetic(infer_ctx *c, int i)
{
    static const octet_dtype types[] = {OCTET_F32, OCTET_S32, OCTET_DTYPE_NONE};
    FORWARD(oct_infer_require_dtype(c, i, types));
    RETURN_IF(oct_infer_in(c, i)->dtype != oct_infer_in(c, 0)->dtype, OCTET_INVALID_ARGUMENT,
              "inputs have different dtypes");
    return OCTET_OK;
}

octet_status oct_infer_variadic(infer_ctx *c)
{
    oct_value sofar = *oct_infer_in(c, 0);
    FORWARD(check_arithmetic(c, 0));
    for (int i = 1; i < c->n->input_count; i++) {
        int rank;
        int64_t dims[OCTET_MAX_RANK];
        FORWARD(check_arithmetic(c, i));
        FORWARD(oct_infer_broadcast(c, &sofar, oct_infer_in(c, i), &rank, dims));
        sofar.rank = rank;
        memcpy(sofar.dims, dims, (size_t)rank * sizeof *dims);
    }
    oct_infer_out(c, 0, sofar.dtype, sofar.rank, sofar.dims);
    return OCTET_OK;
}

octet_status oct_infer_binary(infer_ctx *c)
{
    FORWARD(oct_infer_require_input(c, 1));
    for (int i = 0; i < 2 && (c->n->op == OCT_OP_Pow || c->n->op == OCT_OP_PRelu); i++)
        FORWARD(oct_infer_require_dtype(c, i, oct_infer_f32));
    return oct_infer_variadic(c);
}

static octet_status reduced_shape(infer_ctx *c)
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
    bool chooses = c->n->op == OCT_OP_ReduceMin || c->n->op == OCT_OP_ReduceMax;
    FORWARD(oct_infer_require_dtype(c, 0, chooses ? chosen : oct_infer_f32));
    return reduced_shape(c);
}

octet_status oct_infer_qreduce(infer_ctx *c)
{
    FORWARD(oct_infer_require_dtype(c, 0, oct_infer_int16));
    for (int i = 1; i < 5; i += 2) {
        FORWARD(oct_infer_require_dtype(c, i, oct_infer_f32));
        FORWARD(oct_infer_check_quant(c, i, i + 1, oct_infer_in(c, 0)->dtype, 1));
    }
    return reduced_shape(c);
}

octet_status oct_infer_arg(infer_ctx *c)
{
    static const octet_dtype types[] = {OCTET_F32, OCTET_U8, OCTET_S8, OCTET_DTYPE_NONE};
    const oct_value *x = oct_infer_in(c, 0);
    FORWARD(oct_infer_require_dtype(c, 0, types));
    int64_t axis = oct_node_int(c->n, "axis", 0), dims[OCTET_MAX_RANK];
    int rank = 0;
    axis += axis < 0 ? x->rank : 0;
    RETURN_IF(axis < 0 || axis >= x->rank, OCTET_INVALID_ARGUMENT, "axis is out of range for rank %d",
              x->rank);
    RETURN_IF(x->dims[axis] == 0, OCTET_INVALID_ARGUMENT, "the axis has no elements");
    for (int i = 0; i < x->rank; i++) {
        if (i != axis || oct_node_int(c->n, "keepdims", 1) != 0)
            dims[rank++] = i == axis ? 1 : x->dims[i];
    }
    oct_infer_out(c, 0, OCTET_S64, rank, dims);
    return OCTET_OK;
}

octet_status oct_infer_concat(infer_ctx *c)
{
    oct_value sum = *oct_infer_in(c, 0);
    int64_t axis = oct_node_int(c->n, "axis", 1);
    axis += axis < 0 ? sum.rank : 0;
    RETURN_IF(axis < 0 || axis >= sum.rank, OCTET_INVALID_ARGUMENT, "axis is out of range for rank %d",
              sum.rank);
    for (int i = 1; i < c->n->input_count; i++) {
        FORWARD(oct_infer_require_input(c, i));
        const oct_value *x = oct_infer_in(c, i);
        RETURN_IF(x->dtype != sum.dtype || x->rank != sum.rank, OCTET_INVALID_ARGUMENT,
                  "'%s' has another dtype or rank than the first input", x->name);
        for (int d = 0; d < sum.rank; d++)
            RETURN_IF(d != axis && x->dims[d] != sum.dims[d], OCTET_INVALID_ARGUMENT,
                      "'%s' has %lld in dimension %d, not %lld", x->name, (long long)x->dims[d], d,
                      (long long)sum.dims[d]);
        RETURN_IF(sum.dims[axis] > OCT_MAX_ELEMS - x->dims[axis], OCTET_INVALID_ARGUMENT,
                  "the output is too large");
        sum.dims[axis] += x->dims[axis];
    }
    oct_infer_out(c, 0, sum.dtype, sum.rank, sum.dims);
    return OCTET_OK;
}
