/* Convolution by its definition: one window at a time. */
#include "ref.h"

/* Sum over the window of output pixel (oh, ow) for output channel co. Positions in the padding hold the zero
 * point and so add nothing. */
static int64_t window(const oct_ref_conv_params *p, int64_t n, int64_t oh, int64_t ow, int64_t co)
{
    const oct_geometry *g = &p->g;
    int64_t channels = g->c / g->group; /* of one group */
    int64_t first = co / (g->co / g->group) * channels;
    int32_t x_zero = oct_ref_zero(&p->x_q, p->x_dtype, 0), w_zero = oct_ref_zero(&p->w_q, p->w_dtype, co);
    int64_t sum = p->bias ? p->bias[co] : 0;
    for (int64_t kh = 0; kh < g->kh; kh++) {
        int64_t h = oh * g->stride_h - g->pad_top + kh * g->dilation_h;
        for (int64_t kw = 0; kw < g->kw; kw++) {
            int64_t w = ow * g->stride_w - g->pad_left + kw * g->dilation_w;
            if (h < 0 || h >= g->h || w < 0 || w >= g->w)
                continue;
            for (int64_t c = 0; c < channels; c++) {
                int64_t x_at = ((n * g->h + h) * g->w + w) * g->c + first + c;
                int64_t w_at = ((co * channels + c) * g->kh + kh) * g->kw + kw;
                int64_t x = oct_ref_load(p->x_dtype, p->x, x_at) - x_zero;
                sum += x * (oct_ref_load(p->w_dtype, p->weights, w_at) - w_zero);
            }
        }
    }
    if (oct_ref_is_wide(p->x_dtype, p->y_dtype))
        return sum;
    uint32_t low = (uint32_t)(uint64_t)sum;
    return low <= INT32_MAX ? (int32_t)low : (int32_t)((int64_t)low - (INT64_C(1) << 32));
}

static void store(const oct_ref_conv_params *p, int64_t at, int64_t co, int64_t acc)
{
    if (p->y_dtype == OCTET_S32) {
        ((int32_t *)p->y)[at] = (int32_t)acc;
        return;
    }
    float m =
        oct_multiplier(oct_ref_scale(&p->x_q, 0), oct_ref_scale(&p->w_q, co), oct_ref_scale(&p->y_q, 0));
    int32_t zero = oct_ref_zero(&p->y_q, p->y_dtype, 0);
    oct_ref_store(p->y_dtype, p->y, at, oct_requantize(acc, m, zero, p->clamp_min, p->clamp_max));
}

void oct_ref_conv(const oct_ref_conv_params *p)
{
    const oct_geometry *g = &p->g;
    int64_t at = 0;
    for (int64_t n = 0; n < g->n; n++)
        for (int64_t oh = 0; oh < g->oh; oh++)
            for (int64_t ow = 0; ow < g->ow; ow++)
                for (int64_t co = 0; co < g->co; co++, at++)
                    store(p, at, co, window(p, n, oh, ow, co));
}
