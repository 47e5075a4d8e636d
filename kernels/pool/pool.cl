/* Pooling, NHWC. One work-item: 16 channels of one output pixel. Options: T uchar, char or float,
 * T_MIN, T_MAX. */
#include "div.clh"
#include "lanes.clh"
#include "rounding.clh"

#ifndef T
#define T     uchar
#define T_MIN 0
#define T_MAX 255
#endif
#define T16    OCT_PASTE(T, 16)
#define LOAD16 OCT_PASTE(load16_, T)
#define SAVE16 OCT_PASTE(save16_, T)

#define POOL_ARGS                                                                                            \
    const int h, const int w, const int c, const int oh, const int ow, const int kh, const int kw,           \
        const int stride_h, const int stride_w, const int dilation_h, const int dilation_w,                  \
        const int pad_top, const int pad_left

/* Work-item (16 channels, output pixel, image). */
#define POOL_LOCATE                                                                                          \
    const int channel = get_global_id(0) * 16, pixel = get_global_id(1);                                     \
    const long n = get_global_id(2);                                                                         \
    const int top = pixel / ow * stride_h - pad_top, left = pixel % ow * stride_w - pad_left;                \
    __global const T *image = AT(T, x) + n * h * w * c + channel;                                            \
    __global T *out = AT(T, y) + (n * oh * ow + pixel) * c + channel;

/* Positions outside the input do not count. */
__kernel void max_pool(MEM(x), MEM(y), POOL_ARGS)
{
    POOL_LOCATE
    T16 best = (T16)(T_MIN);
    for (int ky = 0; ky < kh; ky++) {
        const int iy = top + ky * dilation_h;
        for (int kx = 0; kx < kw; kx++) {
            const int ix = left + kx * dilation_w;
            if (iy >= 0 && iy < h && ix >= 0 && ix < w) {
                const T16 v = LOAD16(image + ((long)iy * w + ix) * c, c - channel);
                best = v > best ? v : best;
            }
        }
    }
    SAVE16(out, best, c - channel);
}

#ifndef T_IS_FLOAT
#define ZERO_OF(name)     (name##s ? (int)AT(T, name)[0] : 0)
#define SAVE_QUANTIZED(q) SAVE16(out, OCT_PASTE(convert_, T16)(q), c - channel)

/* oct_quotient's steps neither underflow nor meet its limit: a sum is 0 or at least sx, and a mean below 256
 * sx. */
#define QUOTIENTS_ARE_EXACT(sx, sy)                                                                          \
    ((sx) >= OCT_DIV_FAST_MIN && (sx) <= 0x1p10f && (sy) >= OCT_DIV_FAST_MIN && (sy) <= OCT_DIV_FAST_MAX)

/* reciprocals: [0] of sy, [k] of k, to nearest. One work-item an element. */
__kernel void prepare_average(MEM(y_scale), MEM(reciprocals))
{
    const int k = get_global_id(0);
    AT(float, reciprocals)[k] = oct_div_rn(1.0f, k ? (float)k : AT(float, y_scale)[0]);
}

/* clamp(rint((sum / count) / sy + zy)), sum of (float)(x - zx) * sx in float, rows first. */
__kernel void average_pool(MEM(x), MEM(x_scale), MEM(x_zero), MEM(y_scale), MEM(y_zero), MEM(reciprocals),
                           MEM(y), POOL_ARGS, const int x_zeros, const int y_zeros, const int include_pad)
{
    POOL_LOCATE
    const float sx = AT(float, x_scale)[0], sy = AT(float, y_scale)[0];
    const int zx = ZERO_OF(x_zero), zy = ZERO_OF(y_zero);
    float16 sum = 0.0f;
    int count = 0;
    for (int ky = 0; ky < kh; ky++) {
        const int iy = top + ky * dilation_h;
        for (int kx = 0; kx < kw; kx++) {
            const int ix = left + kx * dilation_w;
            if (iy >= 0 && iy < h && ix >= 0 && ix < w) {
                sum += convert_float16(convert_int16(LOAD16(image + ((long)iy * w + ix) * c, c - channel)) -
                                       zx) *
                       sx;
                count++;
            }
        }
    }
    count = include_pad ? kh * kw : count;
    const float divisor = (float)count;
    if (count == 0) { /* a window of nothing but padding */
        SAVE_QUANTIZED((int16)(T_MIN));
        return;
    }
    if (QUOTIENTS_ARE_EXACT(sx, sy)) {
        const float16 mean = oct_quotient16(sum, divisor, AT(float, reciprocals)[count]);
        const float16 v = oct_quotient16(mean, sy, AT(float, reciprocals)[0]) + (float)zy;
        SAVE_QUANTIZED(round16(fmin(fmax(v, (float16)(T_MIN)), (float16)(T_MAX))));
        return;
    }
    float lanes[16];
    int q[16];
    vstore16(sum, 0, lanes);
    for (int i = 0; i < 16; i++)
        q[i] = round_clamp1(oct_div_rn(oct_div_rn(lanes[i], divisor), sy) + (float)zy, T_MIN, T_MAX);
    SAVE_QUANTIZED(vload16(0, q));
}

/* clamp(rint((float)sum * m) + zy), sum of x - zx exact, m = sx / (sy * (float)pixels). */
__kernel void global_average_pool(MEM(x), MEM(x_scale), MEM(x_zero), MEM(y_scale), MEM(y_zero), MEM(y),
                                  const long pixels, const int c, const int x_zeros, const int y_zeros)
{
    const int channel = get_global_id(0) * 16;
    __global const T *image = AT(T, x) + (long)get_global_id(1) * pixels * c + channel;
    __global T *out = AT(T, y) + (long)get_global_id(1) * c + channel;
    const float m = oct_div_rn(AT(float, x_scale)[0], AT(float, y_scale)[0] * (float)pixels);
    const int zx = ZERO_OF(x_zero), zy = ZERO_OF(y_zero);
    int16 sum = 0;
    for (long p = 0; p < pixels; p++)
        sum += convert_int16(LOAD16(image + p * c, c - channel)) - zx;
    const float16 v = convert_float16(sum) * m;
    SAVE_QUANTIZED(round16(fmin(fmax(v, (float16)(T_MIN - zy)), (float16)(T_MAX - zy))) + zy);
}
#else
/* sum / count. */
__kernel void average_pool_float(MEM(x), MEM(y), POOL_ARGS, const int include_pad)
{
    POOL_LOCATE
    float16 sum = 0.0f;
    int count = 0;
    for (int ky = 0; ky < kh; ky++) {
        const int iy = top + ky * dilation_h;
        for (int kx = 0; kx < kw; kx++) {
            const int ix = left + kx * dilation_w;
            if (iy >= 0 && iy < h && ix >= 0 && ix < w) {
                sum += load16_float(image + ((long)iy * w + ix) * c, c - channel);
                count++;
            }
        }
    }
    save16_float(out, sum / (float)(include_pad ? kh * kw : count), c - channel);
}

__kernel void global_average_float(MEM(x), MEM(y), const long pixels, const int c)
{
    const int channel = get_global_id(0) * 16;
    __global const float *image = AT(float, x) + (long)get_global_id(1) * pixels * c + channel;
    float16 sum = 0.0f;
    for (long p = 0; p < pixels; p++)
        sum += load16_float(image + p * c, c - channel);
    save16_float(AT(float, y) + (long)get_global_id(1) * c + channel, sum / (float)pixels, c - channel);
}
#endif
