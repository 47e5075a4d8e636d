#include "window.h"

#include <string.h>

/* Attribute `name` of two ints a spatial dimension (pads: begins, then ends), into [0] height, [1] width
 * order. */
static octet_status read_ints(const oct_node *n, const char *name, int spatial, int64_t otherwise,
                              int64_t least, int64_t *out)
{
    const oct_attr *a = oct_node_attr(n, name);
    int shift = 2 - spatial;
    out[0] = least > 0 ? 1 : 0; /* the missing height of a 1-D node */
    for (int i = 0; i < spatial; i++)
        out[i + shift] = otherwise;
    if (!a)
        return OCTET_OK;
    RETURN_IF(a->count != (size_t)spatial, OCTET_CORRUPT_FILE, "attribute %s must have %d values", name,
              spatial);
    for (int i = 0; i < spatial; i++) {
        RETURN_IF(a->ints[i] < least || a->ints[i] > INT32_MAX, OCTET_INVALID_ARGUMENT,
                  "attribute %s[%d] is %lld; it must be at least %lld", name, i, (long long)a->ints[i],
                  (long long)least);
        out[i + shift] = a->ints[i];
    }
    return OCTET_OK;
}

static octet_status read_pads(const oct_node *n, oct_window *w)
{
    const oct_attr *a = oct_node_attr(n, "pads");
    if (!a)
        return OCTET_OK;
    RETURN_IF(a->count != 2 * (size_t)w->spatial, OCTET_CORRUPT_FILE, "attribute pads must have %d values",
              2 * w->spatial);
    for (int i = 0; i < 2 * w->spatial; i++) {
        RETURN_IF(a->ints[i] < 0 || a->ints[i] > INT32_MAX / 4, OCTET_INVALID_ARGUMENT,
                  "attribute pads[%d] is %lld; it must not be negative", i, (long long)a->ints[i]);
        int64_t *side = i < w->spatial ? w->pad_begin : w->pad_end;
        side[i % w->spatial + 2 - w->spatial] = a->ints[i];
    }
    return OCTET_OK;
}

static octet_status read_kernel(const oct_node *n, const int64_t *dims, oct_window *w)
{
    RETURN_IF(!dims && !oct_node_attr(n, "kernel_shape"), OCTET_CORRUPT_FILE,
              "attribute kernel_shape is missing");
    FORWARD(read_ints(n, "kernel_shape", w->spatial, 1, 1, w->kernel));
    for (int i = 0; dims && i < w->spatial; i++) {
        int64_t *k = &w->kernel[i + 2 - w->spatial];
        RETURN_IF(oct_node_attr(n, "kernel_shape") && *k != dims[i], OCTET_INVALID_ARGUMENT,
                  "kernel_shape[%d] is %lld, but the weights have %lld", i, (long long)*k,
                  (long long)dims[i]);
        RETURN_IF(dims[i] < 1 || dims[i] > INT32_MAX, OCTET_INVALID_ARGUMENT,
                  "the weights' spatial size %lld is out of range", (long long)dims[i]);
        *k = dims[i];
    }
    return OCTET_OK;
}

/* Padding by auto_pad SAME_*, for an output of in / stride, rounded up. As ONNX Runtime does it: a pool
 * leaves the dilation out of account and may come to a negative padding (pool_attributes.h), a convolution
 * neither (conv_attributes.h). */
static void pad_same(const char *auto_pad, bool is_pool, oct_window *w, int i)
{
    int64_t stride = w->stride[i], dilation = is_pool ? 1 : w->dilation[i];
    w->out[i] = (w->in[i] + stride - 1) / stride;
    int64_t need = (w->out[i] - 1) * stride + (w->kernel[i] - 1) * dilation + 1 - w->in[i];
    need = need > 0 || is_pool ? need : 0;
    w->pad_begin[i] = strcmp(auto_pad, "SAME_LOWER") == 0 ? (need + 1) / 2 : need / 2;
    w->pad_end[i] = need - w->pad_begin[i];
}

/* One spatial dimension: padding after auto_pad, and the output size. */
static octet_status resolve_dim(const char *auto_pad, bool is_pool, bool ceil_mode, oct_window *w, int i)
{
    int64_t extent = (w->kernel[i] - 1) * w->dilation[i] + 1, stride = w->stride[i], in = w->in[i];
    if (strncmp(auto_pad, "SAME_", 5) == 0) {
        pad_same(auto_pad, is_pool, w, i);
        if (!is_pool)
            return OCTET_OK;
    }
    int64_t span = in + w->pad_begin[i] + w->pad_end[i] - extent;
    RETURN_IF(span < 0, OCTET_INVALID_ARGUMENT, "the kernel covers %lld, more than the padded input's %lld",
              (long long)extent, (long long)(span + extent));
    w->out[i] = (ceil_mode ? (span + stride - 1) / stride : span / stride) + 1;
    /* A window must start inside the input or its leading padding. */
    if (ceil_mode && (w->out[i] - 1) * stride >= in + w->pad_begin[i])
        w->out[i]--;
    return OCTET_OK;
}

octet_status oct_window_resolve(const oct_node *n, const oct_value *x, const int64_t *kernel_dims,
                                bool is_pool, oct_window *w)
{
    memset(w, 0, sizeof *w);
    w->spatial = x->rank - 2;
    RETURN_IF(w->spatial < 1 || w->spatial > 2, OCTET_UNSUPPORTED, "%d spatial dimensions; Octet has 1 and 2",
              w->spatial);
    int first = n->channels_last ? 1 : 2;
    w->in[0] = 1;
    for (int i = 0; i < w->spatial; i++)
        w->in[i + 2 - w->spatial] = x->dims[first + i];
    FORWARD(read_kernel(n, kernel_dims, w));
    FORWARD(read_ints(n, "strides", w->spatial, 1, 1, w->stride));
    FORWARD(read_ints(n, "dilations", w->spatial, 1, 1, w->dilation));
    const char *auto_pad = oct_node_string(n, "auto_pad", "NOTSET");
    bool known = strcmp(auto_pad, "NOTSET") == 0 || strcmp(auto_pad, "VALID") == 0 ||
                 strcmp(auto_pad, "SAME_UPPER") == 0 || strcmp(auto_pad, "SAME_LOWER") == 0;
    RETURN_IF(!known, OCTET_CORRUPT_FILE,
              "attribute auto_pad is '%s'; ONNX has NOTSET, SAME_UPPER, SAME_LOWER, VALID", auto_pad);
    if (strcmp(auto_pad, "NOTSET") == 0)
        FORWARD(read_pads(n, w));
    bool ceil_mode = is_pool && oct_node_int(n, "ceil_mode", 0) != 0;
    for (int i = 0; i < 2; i++) {
        RETURN_IF(w->in[i] > INT32_MAX || w->kernel[i] > INT32_MAX / w->dilation[i], OCTET_UNSUPPORTED,
                  "a spatial size is past 2^31");
        FORWARD(resolve_dim(auto_pad, is_pool, ceil_mode, w, i));
    }
    return OCTET_OK;
}
