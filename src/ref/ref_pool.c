/* Pooling on 8-bit data, NHWC. */
#include "dtype.h"
#include "ref.h"

typedef struct window {
    float sum;
    int32_t max;
    int64_t count; /* positions inside the input */
} window;

/* Walk one window, rows first; the float sum depends on this order. */
static window walk(const oct_ref_pool_params *p, const void *x, int64_t n, int64_t oh, int64_t ow, int64_t c)
{
    window r = {0.0f, oct_dtype_min(p->dtype), 0};
    for (int64_t kh = 0; kh < p->kh; kh++) {
        int64_t h = oh * p->stride_h - p->pad_top + kh * p->dilation_h;
        for (int64_t kw = 0; kw < p->kw; kw++) {
            int64_t w = ow * p->stride_w - p->pad_left + kw * p->dilation_w;
            if (h < 0 || h >= p->h || w < 0 || w >= p->w)
                continue;
            int32_t q = oct_ref_load(p->dtype, x, ((n * p->h + h) * p->w + w) * p->c + c);
            r.sum += oct_dequantize(q, p->x_scale, p->x_zero);
            r.max = q > r.max ? q : r.max;
            r.count++;
        }
    }
    return r;
}

static void pool(const oct_ref_pool_params *p, const void *x, void *y,
                 int32_t (*result)(const oct_ref_pool_params *, const window *))
{
    int64_t at = 0;
    for (int64_t n = 0; n < p->n; n++)
        for (int64_t oh = 0; oh < p->oh; oh++)
            for (int64_t ow = 0; ow < p->ow; ow++)
                for (int64_t c = 0; c < p->c; c++, at++) {
                    window w = walk(p, x, n, oh, ow, c);
                    oct_ref_store(p->dtype, y, at, result(p, &w));
                }
}

static int32_t average(const oct_ref_pool_params *p, const window *w)
{
    int64_t count = p->count_include_pad ? p->kh * p->kw : w->count;
    float mean = w->sum / (float)count;
    return oct_round_clamp(mean / p->y_scale + (float)p->y_zero, oct_dtype_min(p->dtype),
                           oct_dtype_max(p->dtype));
}

static int32_t maximum(const oct_ref_pool_params *p, const window *w)
{
    (void)p;
    return w->max;
}

void oct_ref_qavgpool(const oct_ref_pool_params *p, const void *x, void *y)
{
    bool global = p->kh == p->h && p->kw == p->w && p->pad_top == 0 && p->pad_left == 0 &&
                  p->pad_bottom == 0 && p->pad_right == 0;
    if (global)
        oct_ref_qglobal_avgpool(p->dtype, p->n, p->h * p->w, p->c, p->x_scale, p->x_zero, p->y_scale,
                                p->y_zero, x, y);
    else
        pool(p, x, y, average);
}

void oct_ref_maxpool(const oct_ref_pool_params *p, const void *x, void *y)
{
    pool(p, x, y, maximum);
}

void oct_ref_qglobal_avgpool(octet_dtype dtype, int64_t n, int64_t pixels, int64_t c, float x_scale,
                             int32_t x_zero, float y_scale, int32_t y_zero, const void *x, void *y)
{
    float m = x_scale / (y_scale * (float)pixels);
    for (int64_t i = 0; i < n; i++) {
        for (int64_t channel = 0; channel < c; channel++) {
            int32_t sum = 0;
            for (int64_t k = 0; k < pixels; k++)
                sum += oct_ref_load(dtype, x, (i * pixels + k) * c + channel) - x_zero;
            int32_t q = oct_requantize(sum, m, y_zero, oct_dtype_min(dtype), oct_dtype_max(dtype));
            oct_ref_store(dtype, y, i * c + channel, q);
        }
    }
}
