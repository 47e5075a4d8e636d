/* Shapes of operators that pick, repeat and rearrange elements. */
#include "dtype.h"
#include "infer.h"
#include "moves.h"
#include "sizes.h"

#include <string.h>

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
    int channels = c->n->channels_last ? 3 : 1, rows = c->n->channels_last ? 1 : 2;
    RETURN_IF(x->rank != 4, OCTET_INVALID_ARGUMENT, "its input must have 4 dimensions, not %d", x->rank);
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

octet_status oct_infer_batch_norm(infer_ctx *c)
{
    const oct_value *x = oct_infer_in(c, 0);
    FORWARD(oct_infer_require_dtype(c, 0, oct_infer_f32));
    RETURN_IF(x->rank < 2, OCTET_INVALID_ARGUMENT, "its input must be [N, C, ...]");
    RETURN_IF(oct_node_int(c->n, "training_mode", 0) != 0 || c->n->output_count > 1, OCTET_UNSUPPORTED,
              "training is not supported");
    int64_t channels = x->dims[c->n->channels_last ? x->rank - 1 : 1];
    for (int i = 1; i < 5; i++) {
        FORWARD(oct_infer_require_dtype(c, i, oct_infer_f32));
        const oct_value *p = oct_infer_in(c, i);
        RETURN_IF(p->rank != 1 || p->dims[0] != channels, OCTET_INVALID_ARGUMENT, "'%s' must be [%lld]",
                  p->name, (long long)channels);
    }
    oct_infer_out(c, 0, OCTET_F32, x->rank, x->dims);
    return OCTET_OK;
}

/* Shape and Size. */
octet_status oct_infer_shape(infer_ctx *c)
{
    int64_t from = 0, to = 0, dim;
    FORWARD(oct_infer_require_input(c, 0));
    oct_shape_range(c->n, oct_infer_in(c, 0)->rank, &from, &to);
    dim = to - from;
    oct_infer_out(c, 0, OCTET_S64, c->n->op == OCT_OP_Shape, &dim);
    return OCTET_OK;
}

/* More would be a tensor for the device to make. */
#define MOST_MADE ((int64_t)1 << 16)

octet_status oct_infer_range(infer_ctx *c)
{
    int64_t ints[3], count;
    double numbers[3];
    for (int i = 0; i < 3; i++) {
        const oct_value *v = oct_infer_in(c, i);
        int one;
        float f;
        FORWARD(oct_infer_require_input(c, i));
        RETURN_IF(v->dtype != oct_infer_in(c, 0)->dtype, OCTET_INVALID_ARGUMENT,
                  "inputs have different dtypes");
        if (v->dtype == OCTET_F32 && v->data && v->data_bytes == sizeof f) {
            memcpy(&f, v->data, sizeof f);
            numbers[i] = (double)f;
            continue;
        }
        FORWARD(oct_infer_const_ints(c, i, &ints[i], 1, &one));
        RETURN_IF(one != 1, OCTET_INVALID_ARGUMENT, "input %d ('%s') must be one number", i, v->name);
        numbers[i] = (double)ints[i];
    }
    double steps = (numbers[1] - numbers[0]) / numbers[2];
    RETURN_IF(!(steps <= (double)MOST_MADE), OCTET_UNSUPPORTED, "from %g to %g by %g: at most %lld numbers",
              numbers[0], numbers[1], numbers[2], (long long)MOST_MADE);
    for (count = 0; (double)count < steps; count++) {
    }
    oct_infer_out(c, 0, oct_infer_in(c, 0)->dtype, 1, &count);
    return OCTET_OK;
}

octet_status oct_infer_constant_of_shape(infer_ctx *c)
{
    const oct_attr *value = oct_node_attr(c->n, "value");
    int64_t dims[OCTET_MAX_RANK], elems;
    int rank;
    FORWARD(oct_infer_require_input(c, 0));
    FORWARD(oct_infer_const_ints(c, 0, dims, OCTET_MAX_RANK, &rank));
    RETURN_IF(!oct_shape_elems(dims, rank, &elems) || elems > MOST_MADE, OCTET_UNSUPPORTED,
              "at most %lld elements are supported", (long long)MOST_MADE);
    RETURN_IF(value && (value->kind != OCT_ATTR_TENSOR || !value->tensor->data ||
                        value->tensor->data_bytes < oct_dtype_bytes(value->tensor->dtype)),
              OCTET_CORRUPT_FILE, "attribute value must be a tensor of one element");
    oct_infer_out(c, 0, value ? value->tensor->dtype : OCTET_F32, rank, dims);
    return OCTET_OK;
}

octet_status oct_infer_gather(infer_ctx *c)
{
    static const octet_dtype indices[] = {OCTET_S64, OCTET_S32, OCTET_DTYPE_NONE};
    FORWARD(oct_infer_require_input(c, 0));
    FORWARD(oct_infer_require_dtype(c, 1, indices));
    const oct_value *x = oct_infer_in(c, 0), *at = oct_infer_in(c, 1);
    int64_t axis = oct_node_int(c->n, "axis", 0), dims[OCTET_MAX_RANK];
    int rank = 0;
    axis += axis < 0 ? x->rank : 0;
    RETURN_IF(axis < 0 || axis >= x->rank, OCTET_INVALID_ARGUMENT, "axis is out of range for rank %d",
              x->rank);
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
    oct_infer_out(c, 0, x->dtype, rank, dims);
    return OCTET_OK;
}
