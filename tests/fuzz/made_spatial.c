/* See made_graph.h: convolutions and pools. The reference has channels last. */
#include "dtype.h"
#include "made_graph.h"
#include "ref.h"

#include <stdlib.h>
#include <string.h>

/* N, C, H, W to N, H, W, C and back; malloc'd. */
static void *channels_last(const made_tensor *x)
{
    static const int perm[] = {0, 2, 3, 1};
    void *y = malloc((size_t)x->count);
    if (y)
        oct_ref_transpose(x->data, x->dims, 4, perm, 1, y);
    return y;
}

static void channels_second(const void *from, made_tensor *y)
{
    static const int perm[] = {0, 3, 1, 2};
    const int64_t dims[] = {y->dims[0], y->dims[2], y->dims[3], y->dims[1]};
    oct_ref_transpose(from, dims, 4, perm, 1, y->data);
}

/* Kernel, stride, dilation, pads, as attributes have them: height and width each. */
typedef struct window {
    int64_t kernel[2], stride[2], dilation[2], pads[4], out[2];
} window;

static bool choose_window(made_graph *m, const made_tensor *x, window *w)
{
    int pad = made_pick(m, 3);
    for (int i = 0; i < 2; i++) {
        w->kernel[i] = 1 + made_pick(m, 4);
        w->stride[i] = 1 + made_pick(m, 3) / 2;
        w->dilation[i] = 1 + made_pick(m, 4) / 3;
        int64_t extent = (w->kernel[i] - 1) * w->dilation[i] + 1;
        w->pads[i] = pad == 0 ? 0 : (extent - 1) / 2;
        w->pads[i + 2] = pad == 2 ? w->pads[i] : pad == 1 ? extent / 2 : 0;
        int64_t span = x->dims[2 + i] + w->pads[i] + w->pads[i + 2] - extent;
        if (span < 0)
            return false;
        w->out[i] = span / w->stride[i] + 1;
    }
    return true;
}

static void set_window(made_graph *m, const window *w)
{
    made_ints(m, "kernel_shape", w->kernel, 2);
    made_ints(m, "strides", w->stride, 2);
    made_ints(m, "dilations", w->dilation, 2);
    made_ints(m, "pads", w->pads, 4);
}

/* Weights of a convolution, and their values in the graph. */
typedef struct filter {
    octet_dtype dtype;
    int64_t co, channels; /* channels: of a group */
    bool each_scale;
    uint8_t bytes[MADE_MOST];
    float scale[64];
    uint8_t zero;
    int32_t bias[64];
    bool has_bias;
} filter;

static void fill_filter(made_graph *m, const made_tensor *x, int64_t taps, filter *f)
{
    f->dtype = made_pick(m, 3) ? OCTET_S8 : OCTET_U8;
    f->each_scale = made_pick(m, 2);
    f->has_bias = made_pick(m, 2);
    made_fill(m, f->dtype, f->bytes, (size_t)(f->co * taps));
    f->zero = (uint8_t)(made_pick(m, 2) ? made_zero(m, f->dtype) : 0);
    for (int64_t i = 0; i < f->co; i++) {
        f->scale[i] = f->each_scale || !i ? made_scale(m) : f->scale[0];
        f->bias[i] = (int32_t)(made_random(m) % 8192) - 4096;
    }
    (void)x;
}

static void run_conv(const made_tensor *x, const filter *f, const window *w, int64_t group, made_tensor *y)
{
    uint8_t x_zero = (uint8_t)x->zero, y_zero = (uint8_t)y->zero;
    void *in = channels_last(x), *out = malloc((size_t)y->count);
    oct_ref_conv_params p = {
        .g = {.n = x->dims[0],
              .h = x->dims[2],
              .w = x->dims[3],
              .c = x->dims[1],
              .oh = w->out[0],
              .ow = w->out[1],
              .co = f->co,
              .kh = w->kernel[0],
              .kw = w->kernel[1],
              .group = group,
              .stride_h = w->stride[0],
              .stride_w = w->stride[1],
              .dilation_h = w->dilation[0],
              .dilation_w = w->dilation[1],
              .pad_top = w->pads[0],
              .pad_left = w->pads[1]},
        .x_dtype = x->dtype,
        .w_dtype = f->dtype,
        .y_dtype = y->dtype,
        .x = in,
        .weights = f->bytes,
        .y = out,
        .bias = f->has_bias ? f->bias : NULL,
        .x_q = {&x->scale, &x_zero, 1, 1},
        .w_q = {f->scale, &f->zero, f->each_scale ? f->co : 1, 1},
        .y_q = {&y->scale, &y_zero, 1, 1},
        .clamp_min = oct_dtype_min(y->dtype),
        .clamp_max = oct_dtype_max(y->dtype),
    };
    if (in && out) {
        oct_ref_conv(&p);
        channels_second(out, y);
    }
    free(in);
    free(out);
}

bool made_conv(made_graph *m, made_tensor *x)
{
    window w;
    static filter f;
    if (x->rank != 4 || !choose_window(m, x, &w))
        return false;
    bool depthwise = made_pick(m, 4) == 0;
    int64_t group = depthwise ? x->dims[1] : 1, channels = depthwise ? 1 : x->dims[1];
    f.co = depthwise ? group : 1 + made_pick(m, 20);
    f.channels = channels;
    int64_t taps = channels * w.kernel[0] * w.kernel[1];
    if (f.co > 64 || f.co * taps > MADE_MOST)
        return false;
    const int64_t dims[] = {x->dims[0], f.co, w.out[0], w.out[1]};
    const int64_t shape[] = {f.co, channels, w.kernel[0], w.kernel[1]};
    made_tensor *y = made_new(m, x->dtype, 4, dims);
    if (!y)
        return false;
    fill_filter(m, x, taps, &f);
    y->scale = x->scale * f.scale[0] * (float)(16 + made_random(m) % 1024);
    y->zero = made_zero(m, y->dtype);
    run_conv(x, &f, &w, group, y);
    const int in[] = {x->value,
                      made_const_f32(m, x->scale),
                      made_const_zero(m, x->dtype, x->zero),
                      made_const(m, f.dtype, 4, shape, f.bytes),
                      f.each_scale ? made_const(m, OCTET_F32, 1, &f.co, f.scale)
                                   : made_const_f32(m, f.scale[0]),
                      made_const_zero(m, f.dtype, f.zero),
                      made_const_f32(m, y->scale),
                      made_const_zero(m, y->dtype, y->zero),
                      f.has_bias ? made_const(m, OCTET_S32, 1, &f.co, f.bias) : OCT_NO_VALUE};
    if (!made_node(m, OCT_OP_QLinearConv, in, f.has_bias ? 9 : 8, y))
        return false;
    set_window(m, &w);
    made_int(m, "group", group);
    return true;
}

static void run_pool(const made_tensor *x, const window *w, bool with_pads, bool average, made_tensor *y)
{
    oct_ref_pool_params p = {.n = x->dims[0],
                             .h = x->dims[2],
                             .w = x->dims[3],
                             .c = x->dims[1],
                             .oh = w->out[0],
                             .ow = w->out[1],
                             .kh = w->kernel[0],
                             .kw = w->kernel[1],
                             .stride_h = w->stride[0],
                             .stride_w = w->stride[1],
                             .dilation_h = w->dilation[0],
                             .dilation_w = w->dilation[1],
                             .pad_top = w->pads[0],
                             .pad_left = w->pads[1],
                             .pad_bottom = w->pads[2],
                             .pad_right = w->pads[3],
                             .count_include_pad = with_pads,
                             .dtype = x->dtype,
                             .x_scale = x->scale,
                             .y_scale = y->scale,
                             .x_zero = x->zero,
                             .y_zero = y->zero};
    void *in = channels_last(x), *out = malloc((size_t)y->count);
    if (in && out) {
        (average ? oct_ref_qavgpool : oct_ref_maxpool)(&p, in, out);
        channels_second(out, y);
    }
    free(in);
    free(out);
}

bool made_max_pool(made_graph *m, made_tensor *x)
{
    window w;
    if (x->rank != 4 || !choose_window(m, x, &w))
        return false;
    const int64_t dims[] = {x->dims[0], x->dims[1], w.out[0], w.out[1]};
    made_tensor *y = made_new(m, x->dtype, 4, dims);
    if (!y)
        return false;
    y->scale = x->scale;
    y->zero = x->zero;
    run_pool(x, &w, false, false, y);
    if (!made_node(m, OCT_OP_MaxPool, &x->value, 1, y))
        return false;
    set_window(m, &w);
    return true;
}

/* Scale and zero point of x, and of y: what these operators take. */
static void quantized_inputs(made_graph *m, const made_tensor *x, const made_tensor *y, int in[5])
{
    in[0] = x->value;
    in[1] = made_const_f32(m, x->scale);
    in[2] = made_const_zero(m, x->dtype, x->zero);
    in[3] = made_const_f32(m, y->scale);
    in[4] = made_const_zero(m, y->dtype, y->zero);
}

bool made_average_pool(made_graph *m, made_tensor *x)
{
    window w;
    int in[5];
    if (x->rank != 4 || !choose_window(m, x, &w))
        return false;
    w.dilation[0] = w.dilation[1] = 1; /* this operator has none */
    for (int i = 0; i < 2; i++)
        w.out[i] = (x->dims[2 + i] + w.pads[i] + w.pads[i + 2] - w.kernel[i]) / w.stride[i] + 1;
    if (w.pads[0] >= w.kernel[0] || w.pads[1] >= w.kernel[1] || w.pads[2] >= w.kernel[0] ||
        w.pads[3] >= w.kernel[1])
        return false; /* a window of nothing but padding */
    const int64_t dims[] = {x->dims[0], x->dims[1], w.out[0], w.out[1]};
    bool with_pads = made_pick(m, 2);
    made_tensor *y = made_new(m, x->dtype, 4, dims);
    if (!y)
        return false;
    y->scale = made_pick(m, 2) ? x->scale : made_scale(m);
    y->zero = made_zero(m, y->dtype);
    run_pool(x, &w, with_pads, true, y);
    quantized_inputs(m, x, y, in);
    if (!made_node(m, OCT_OP_QLinearAveragePool, in, 5, y))
        return false;
    made_ints(m, "kernel_shape", w.kernel, 2);
    made_ints(m, "strides", w.stride, 2);
    made_ints(m, "pads", w.pads, 4);
    made_int(m, "count_include_pad", with_pads);
    return true;
}

bool made_global_pool(made_graph *m, made_tensor *x)
{
    int in[5];
    if (x->rank != 4)
        return false;
    const int64_t dims[] = {x->dims[0], x->dims[1], 1, 1};
    made_tensor *y = made_new(m, x->dtype, 4, dims);
    void *last = y ? channels_last(x) : NULL;
    if (!last)
        return false;
    y->scale = made_scale(m);
    y->zero = made_zero(m, y->dtype);
    oct_ref_qglobal_avgpool(x->dtype, x->dims[0], x->dims[2] * x->dims[3], x->dims[1], x->scale, x->zero,
                            y->scale, y->zero, last, y->data);
    free(last);
    quantized_inputs(m, x, y, in);
    return made_node(m, OCT_OP_QLinearGlobalAveragePool, in, 5, y);
}
