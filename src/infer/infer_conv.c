/* Shapes of convolutions. */
#include "dtype.h"
#include "infer.h"
#include "op_facts.h"
#include "window.h"

#include <string.h>

static octet_status check_bias(const infer_ctx *c, int i, octet_dtype dtype, int64_t channels)
{
    const oct_value *bias = oct_infer_in(c, i);
    RETURN_IF(bias && (bias->dtype != dtype || bias->rank != 1 || bias->dims[0] != channels),
              OCTET_INVALID_ARGUMENT, "the bias must be %s [%lld]", oct_dtype_name(dtype),
              (long long)channels);
    return OCTET_OK;
}

octet_status oct_infer_conv(infer_ctx *c)
{
    const oct_facts *f = oct_op_facts(c->n->op);
    FORWARD(oct_infer_product_operands(c));
    const oct_value *x = oct_infer_in(c, f->operands[0].value), *w = oct_infer_in(c, f->operands[1].value);
    FORWARD(oct_infer_require_spatial(c));
    RETURN_IF(w->rank != x->rank, OCTET_INVALID_ARGUMENT, "weights '%s' have rank %d; the input has %d",
              w->name, w->rank, x->rank);
    int64_t group = oct_node_int(c->n, "group", 1), channels = x->dims[oct_infer_channel_axis(c, x)];
    RETURN_IF(group < 1 || group > INT32_MAX, OCTET_INVALID_ARGUMENT, "group is %lld; it must be at least 1",
              (long long)group);
    RETURN_IF(channels % group || channels / group != w->dims[1] || w->dims[0] % group,
              OCTET_INVALID_ARGUMENT, "weights [%lld, %lld, ...] do not fit %lld channels in %lld groups",
              (long long)w->dims[0], (long long)w->dims[1], (long long)channels, (long long)group);
    oct_window win;
    FORWARD(oct_window_resolve(c->n, x, &w->dims[2], false, &win));
    octet_dtype out;
    FORWARD(oct_infer_product_result(c, w->dims[0], &out));
    FORWARD(check_bias(c, f->bias, x->dtype == OCTET_F32 ? OCTET_F32 : OCTET_S32, w->dims[0]));
    oct_infer_spatial_out(c, out, x, w->dims[0], &win);
    return OCTET_OK;
}

/* Attribute `name` of `count` ints, each at least `least`; otherwise where it is missing. */
static octet_status ints_or(const infer_ctx *c, const char *name, int count, int64_t otherwise, int64_t least,
                            int64_t *out)
{
    const oct_attr *a = oct_node_attr(c->n, name);
    RETURN_IF(a && a->count != (size_t)count, OCTET_CORRUPT_FILE, "attribute %s must have %d values", name,
              count);
    for (int i = 0; i < count; i++) {
        out[i] = a ? a->ints[i] : otherwise;
        RETURN_IF(out[i] < least || out[i] > INT32_MAX / 4, OCTET_INVALID_ARGUMENT,
                  "attribute %s[%d] is %lld, which is out of range", name, i, (long long)out[i]);
    }
    return OCTET_OK;
}

octet_status oct_infer_conv_transpose(infer_ctx *c)
{
    FORWARD(oct_infer_require_dtype(c, 0, oct_infer_f32));
    FORWARD(oct_infer_require_dtype(c, 1, oct_infer_f32));
    const oct_value *x = oct_infer_in(c, 0), *w = oct_infer_in(c, 1);
    RETURN_IF(x->rank < 3 || x->rank > 4 || w->rank != x->rank, OCTET_UNSUPPORTED,
              "input and weights have ranks %d and %d; Octet takes 3 and 4", x->rank, w->rank);
    int spatial = x->rank - 2;
    int64_t group = oct_node_int(c->n, "group", 1), channels = x->dims[oct_infer_channel_axis(c, x)];
    RETURN_IF(group < 1 || channels % group || channels != w->dims[0] || w->dims[1] > INT32_MAX / group,
              OCTET_INVALID_ARGUMENT, "weights [%lld, %lld, ...] do not fit %lld channels in %lld groups",
              (long long)w->dims[0], (long long)w->dims[1], (long long)channels, (long long)group);
    const char *auto_pad = oct_node_string(c->n, "auto_pad", "NOTSET");
    RETURN_IF((strcmp(auto_pad, "NOTSET") != 0 && strcmp(auto_pad, "VALID") != 0) ||
                  oct_node_attr(c->n, "output_shape"),
              OCTET_UNSUPPORTED, "auto_pad SAME_* and output_shape are not supported; give pads");
    int64_t stride[2], dilation[2], pads[4], extra[2], dims[OCTET_MAX_RANK] = {x->dims[0]};
    FORWARD(ints_or(c, "strides", spatial, 1, 1, stride));
    FORWARD(ints_or(c, "dilations", spatial, 1, 1, dilation));
    FORWARD(ints_or(c, "pads", 2 * spatial, 0, 0, pads));
    FORWARD(ints_or(c, "output_padding", spatial, 0, 0, extra));
    int first = c->n->channels_last ? 1 : 2;
    dims[oct_infer_channel_axis(c, x)] = w->dims[1] * group;
    for (int i = 0; i < spatial; i++) {
        int64_t kernel = w->dims[2 + i], in = x->dims[first + i];
        RETURN_IF(kernel < 1 || kernel > INT32_MAX / dilation[i] || in > INT32_MAX / stride[i],
                  OCTET_UNSUPPORTED, "a spatial size is past 2^31");
        dims[first + i] =
            (in - 1) * stride[i] + extra[i] + (kernel - 1) * dilation[i] + 1 - pads[i] - pads[i + spatial];
        RETURN_IF(dims[first + i] < 1, OCTET_INVALID_ARGUMENT, "its output would have size %lld",
                  (long long)dims[first + i]);
    }
    FORWARD(check_bias(c, 2, OCTET_F32, w->dims[1] * group));
    oct_infer_out(c, 0, OCTET_F32, x->rank, dims);
    return OCTET_OK;
}
