/* Shapes of operators that move, rename, pick and repeat elements. */
#include "dtype.h"
#include "infer.h"
#include "moves.h"
#include "op_facts.h"
#include "sizes.h"

#include <string.h>

octet_status oct_infer_same(infer_ctx *c)
{
    return oct_infer_like(c, NULL);
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
    RETURN_IF(a->count > OCTET_MAX_RANK, OCTET_CORRUPT_FILE, "attribute axes has %zu values", a->count);
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
        RETURN_IF(perm->count != (size_t)x->rank, OCTET_INVALID_ARGUMENT, "perm must have %d values",
                  x->rank);
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

octet_status oct_infer_concat(infer_ctx *c)
{
    oct_value sum = {.rank = 0};
    int64_t axis = 0;
    for (int k = 0; k < oct_node_operands(c->n); k++) {
        int at = oct_op_operand(c->n->op, k).value;
        FORWARD(oct_infer_require_input(c, at));
        const oct_value *x = oct_infer_in(c, at);
        if (k == 0) {
            sum = *x;
            FORWARD(oct_infer_axis(c, 1, sum.rank, &axis));
            continue;
        }
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

octet_status oct_infer_q_concat(infer_ctx *c)
{
    const oct_at y = oct_op_facts(c->n->op)->result;
    FORWARD(oct_infer_require_dtype(c, y.scale, oct_infer_f32));
    FORWARD(oct_infer_require_dtype(c, y.zero, oct_infer_int8));
    octet_dtype out = oct_infer_in(c, y.zero)->dtype;
    FORWARD(oct_infer_check_quant(c, y.scale, y.zero, out, 1));
    RETURN_IF((c->n->input_count - 2) % 3 != 0, OCTET_CORRUPT_FILE,
              "its inputs must come in threes: tensor, scale, zero point");
    for (int k = 0; k < oct_node_operands(c->n); k++) {
        oct_at at = oct_op_operand(c->n->op, k);
        FORWARD(oct_infer_require_dtype(c, at.value, oct_infer_int8));
        FORWARD(oct_infer_require_dtype(c, at.scale, oct_infer_f32));
        FORWARD(oct_infer_require_dtype(c, at.zero, oct_infer_int8));
        const oct_value *x = oct_infer_in(c, at.value);
        RETURN_IF(x->dtype != out, OCTET_INVALID_ARGUMENT, "'%s' is %s, the output %s", x->name,
                  oct_dtype_name(x->dtype), oct_dtype_name(out));
        FORWARD(oct_infer_check_quant(c, at.scale, at.zero, x->dtype, 1));
    }
    return oct_infer_concat(c);
}

octet_status oct_infer_slice(infer_ctx *c)
{
    oct_slice s;
    const oct_value *x = oct_infer_in(c, 0);
    FORWARD(oct_slice_resolve(c->g, c->n, &s));
    oct_infer_out(c, 0, x->dtype, x->rank, s.dims);
    return OCTET_OK;
}

octet_status oct_infer_split(infer_ctx *c)
{
    oct_split s;
    const oct_value *x = oct_infer_in(c, 0);
    FORWARD(oct_split_resolve(c->g, c->n, &s));
    int64_t dims[OCTET_MAX_RANK];
    memcpy(dims, x->dims, sizeof dims);
    for (int i = 0; i < c->n->output_count; i++) {
        dims[s.axis] = s.sizes[i];
        oct_infer_out(c, i, x->dtype, x->rank, dims);
    }
    return OCTET_OK;
}

octet_status oct_infer_pad(infer_ctx *c)
{
    oct_pad p;
    const oct_value *x = oct_infer_in(c, 0), *value = oct_infer_in(c, 2);
    int64_t dims[OCTET_MAX_RANK] = {0}, elems;
    FORWARD(oct_pad_resolve(c->g, c->n, &p));
    RETURN_IF(value && (value->dtype != x->dtype || !oct_shape_elems(value->dims, value->rank, &elems) ||
                        elems != 1),
              OCTET_INVALID_ARGUMENT, "the padding value must be one %s", oct_dtype_name(x->dtype));
    for (int d = 0; d < x->rank; d++) {
        dims[d] = x->dims[d] + p.begin[d] + p.end[d];
        RETURN_IF(dims[d] < 0, OCTET_INVALID_ARGUMENT, "negative pads cut off more than dimension %d has", d);
    }
    oct_infer_out(c, 0, x->dtype, x->rank, dims);
    return OCTET_OK;
}

octet_status oct_infer_expand(infer_ctx *c)
{
    oct_value target = {.name = "shape"};
    int rank;
    int64_t dims[OCTET_MAX_RANK];
    FORWARD(oct_infer_require_input(c, 1));
    FORWARD(oct_infer_const_ints(c, 1, target.dims, OCTET_MAX_RANK, &target.rank));
    for (int d = 0; d < target.rank; d++)
        RETURN_IF(target.dims[d] < 0 || target.dims[d] > OCT_MAX_ELEMS, OCTET_INVALID_ARGUMENT,
                  "shape[%d] is %lld", d, (long long)target.dims[d]);
    FORWARD(oct_infer_broadcast(c, oct_infer_in(c, 0), &target, &rank, dims));
    oct_infer_out(c, 0, oct_infer_in(c, 0)->dtype, rank, dims);
    return OCTET_OK;
}

octet_status oct_infer_tile(infer_ctx *c)
{
    const oct_value *x = oct_infer_in(c, 0);
    int count;
    int64_t repeats[OCTET_MAX_RANK], dims[OCTET_MAX_RANK] = {0};
    FORWARD(oct_infer_require_input(c, 1));
    FORWARD(oct_infer_const_ints(c, 1, repeats, OCTET_MAX_RANK, &count));
    RETURN_IF(count != x->rank || x->rank > OCTET_MAX_RANK / 2, OCTET_UNSUPPORTED,
              "%d repeats for rank %d; at most %d dimensions are supported", count, x->rank,
              OCTET_MAX_RANK / 2);
    for (int d = 0; d < x->rank; d++) {
        RETURN_IF(repeats[d] < 0 || (repeats[d] && x->dims[d] > OCT_MAX_ELEMS / repeats[d]),
                  OCTET_INVALID_ARGUMENT, "repeats[%d] is %lld", d, (long long)repeats[d]);
        dims[d] = x->dims[d] * repeats[d];
    }
    oct_infer_out(c, 0, x->dtype, x->rank, dims);
    return OCTET_OK;
}

/* DepthToSpace and SpaceToDepth. */
octet_status oct_infer_block(infer_ctx *c)
{
    const oct_value *x = oct_infer_in(c, 0);
    int64_t b = oct_node_int(c->n, "blocksize", 0), dims[OCTET_MAX_RANK];
    bool to_space = c->n->op == OCT_OP_DepthToSpace;
    const char *mode = oct_node_string(c->n, "mode", "DCR");
    int channels = c->n->channels_last ? 3 : 1, rows = c->n->channels_last ? 1 : 2;
    RETURN_IF(x->rank != 4, OCTET_INVALID_ARGUMENT, "its input must have 4 dimensions, not %d", x->rank);
    RETURN_IF(strcmp(mode, "DCR") != 0 && strcmp(mode, "CRD") != 0, OCTET_UNSUPPORTED,
              "mode '%.40s' is none of DCR and CRD", mode);
    RETURN_IF(b < 1 || b > 1 << 15, OCTET_INVALID_ARGUMENT, "blocksize is %lld", (long long)b);
    memcpy(dims, x->dims, sizeof dims);
    if (to_space) {
        RETURN_IF(dims[channels] % (b * b), OCTET_INVALID_ARGUMENT, "%lld channels are no multiple of %lld",
                  (long long)dims[channels], (long long)(b * b));
        dims[channels] /= b * b;
        dims[rows] *= b;
        dims[rows + 1] *= b;
    } else {
        RETURN_IF(dims[rows] % b || dims[rows + 1] % b, OCTET_INVALID_ARGUMENT,
                  "%lld x %lld pixels are no multiple of blocksize %lld", (long long)dims[rows],
                  (long long)dims[rows + 1], (long long)b);
        dims[channels] *= b * b;
        dims[rows] /= b;
        dims[rows + 1] /= b;
    }
    oct_infer_out(c, 0, x->dtype, x->rank, dims);
    return OCTET_OK;
}

octet_status oct_infer_gather(infer_ctx *c)
{
    static const octet_dtype indices[] = {OCTET_S64, OCTET_S32, OCTET_DTYPE_NONE};
    FORWARD(oct_infer_require_input(c, 0));
    FORWARD(oct_infer_require_dtype(c, 1, indices));
    const oct_value *x = oct_infer_in(c, 0), *at = oct_infer_in(c, 1);
    int64_t axis, dims[OCTET_MAX_RANK];
    int rank = 0;
    FORWARD(oct_infer_axis(c, 0, x->rank, &axis));
    RETURN_IF(x->rank - 1 + at->rank > OCTET_MAX_RANK, OCTET_UNSUPPORTED,
              "a result of %d dimensions; at most %d are supported", x->rank - 1 + at->rank, OCTET_MAX_RANK);
    for (int d = 0; d < axis; d++)
        dims[rank++] = x->dims[d];
    for (int d = 0; d < at->rank; d++)
        dims[rank++] = at->dims[d];
    for (int d = (int)axis + 1; d < x->rank; d++)
        dims[rank++] = x->dims[d];
    int64_t elems;
    RETURN_IF(x->dims[axis] == 0 && oct_shape_elems(dims, rank, &elems) && elems, OCTET_INVALID_ARGUMENT,
              "the axis has no elements");
    FORWARD(oct_const_in_range(c->g, c->n, 1, -x->dims[axis], x->dims[axis] - 1));
    oct_infer_out(c, 0, x->dtype, rank, dims);
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
