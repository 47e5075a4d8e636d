/* Pooling, NHWC. One work-item: item_channels channels of item_pixels output pixels in a row, LANES at a
 * time; COALESCED (lanes.clh), LANES channels of one pixel, neighbouring work-items neighbouring channels,
 * and there may be more work-items than channels and pixels. Options: T uchar, char, ushort, short or float,
 * T_MIN, T_MAX; LANES; GROUP_CHANNELS and GROUP_PIXELS the work-group of global_average_groups. */
#include "div.clh"
#include "lanes.clh"
#include "rounding.clh"

#ifndef T
#define T     uchar
#define T_MIN 0
#define T_MAX 255
#endif
#define TS             LANES_OF(T)
#define FLOATS         LANES_OF(float)
#define INTS           LANES_OF(int)
#define CONVERT_FLOATS OCT_PASTE(convert_, FLOATS)
#define CONVERT_INTS   OCT_PASTE(convert_, INTS)
#define CONVERT_T      OCT_PASTE(convert_, TS)
#define QUOTIENTS      OCT_PASTE(oct_quotient, LANES)

#define POOL_ARGS                                                                                            \
    const int h, const int w, const int c, const int oh, const int ow, const int kh, const int kw,           \
        const int stride_h, const int stride_w, const int dilation_h, const int dilation_w,                  \
        const int pad_top, const int pad_left, const int item_channels, const int item_pixels

#ifdef COALESCED
#define ITEM_CHANNELS LANES
#define ITEM_PIXELS   1
#else
#define ITEM_CHANNELS item_channels
#define ITEM_PIXELS   item_pixels
#endif

/* The taps [first, last) of a window that begins at `from` which lie in [0, size). */
static inline int2 taps_inside(int from, int size, int taps, int dilation)
{
    const int first = from < 0 ? (dilation - 1 - from) / dilation : 0;
    const int last = from < size ? (size - from + dilation - 1) / dilation : 0;
    return (int2)(first, min(last, taps));
}

/* Work-item (channels, output pixels, image): for each vector of each of its pixels, with `rows` and
 * `columns`, the taps of its window that lie in the input, `image`, the window's first tap, and `out`. */
#define POOL_EACH                                                                                            \
    const long n = get_global_id(2);                                                                         \
    const int first_pixel = get_global_id(1) * ITEM_PIXELS,                                                  \
              first_channel = get_global_id(0) * ITEM_CHANNELS;                                              \
    for (int pixel = first_pixel; pixel < min(first_pixel + ITEM_PIXELS, oh * ow); pixel++) {                \
        const int top = pixel / ow * stride_h - pad_top, left = pixel % ow * stride_w - pad_left;            \
        const int2 rows = taps_inside(top, h, kh, dilation_h),                                               \
                   columns = taps_inside(left, w, kw, dilation_w);                                           \
        for (int channel = first_channel; channel < min(first_channel + ITEM_CHANNELS, c);                   \
             channel += LANES) {                                                                             \
            __global const T *image = AT(T, x) + (n * h * w + (long)top * w + left) * c + channel;           \
            __global T *out = AT(T, y) + (n * oh * ow + pixel) * c + channel;
#define POOL_END                                                                                             \
    }                                                                                                        \
    }

/* For each tap inside, v its elements. */
#define POOL_TAPS                                                                                            \
    for (int ky = rows.x; ky < rows.y; ky++)                                                                 \
        for (int kx = columns.x; kx < columns.y; kx++) {                                                     \
            const TS v =                                                                                     \
                LOAD_LANES(T)(image + ((long)ky * dilation_h * w + kx * dilation_w) * c, c - channel);
#define TAPS_END }

/* Positions outside the input do not count. */
__kernel void max_pool(MEM(x), MEM(y), POOL_ARGS)
{
    POOL_EACH
    TS best = (TS)(T_MIN);
    POOL_TAPS
    best = v > best ? v : best;
    TAPS_END
    SAVE_LANES(T)(out, best, c - channel);
    POOL_END
}

#if !defined(COALESCED) || LANES == 4 /* sums take more registers: short vectors on GPUs */
#ifndef T_IS_FLOAT
#define ZERO_OF(name)     (name##s ? (int)AT(T, name)[0] : 0)
#define SAVE_QUANTIZED(q) SAVE_LANES(T)(out, CONVERT_T(q), c - channel)

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
    const float sx = AT(float, x_scale)[0], sy = AT(float, y_scale)[0];
    const int zx = ZERO_OF(x_zero), zy = ZERO_OF(y_zero);
    POOL_EACH
    const int count = include_pad ? kh * kw : max(rows.y - rows.x, 0) * max(columns.y - columns.x, 0);
    if (count == 0) { /* a window of nothing but padding */
        SAVE_QUANTIZED((INTS)(T_MIN));
        continue;
    }
    const float divisor = (float)count;
    FLOATS sum = 0.0f;
    POOL_TAPS
    sum += CONVERT_FLOATS(CONVERT_INTS(v) - zx) * sx;
    TAPS_END
    if (QUOTIENTS_ARE_EXACT(sx, sy)) {
        const FLOATS mean = QUOTIENTS(sum, divisor, AT(float, reciprocals)[count]);
        const FLOATS v = QUOTIENTS(mean, sy, AT(float, reciprocals)[0]) + (float)zy;
        SAVE_QUANTIZED(ROUND_LANES(fmin(fmax(v, (FLOATS)(T_MIN)), (FLOATS)(T_MAX))));
        continue;
    }
    float lanes[LANES];
    int q[LANES];
    OCT_PASTE(vstore, LANES)(sum, 0, lanes);
    OCT_UNROLL
    for (int i = 0; i < LANES; i++)
        q[i] = round_clamp1(oct_div_rn(oct_div_rn(lanes[i], divisor), sy) + (float)zy, T_MIN, T_MAX);
    SAVE_QUANTIZED(OCT_PASTE(vload, LANES)(0, q));
    POOL_END
}

/* The result of a sum, m and zy being there. */
#define GLOBAL_AVERAGE(sum)                                                                                  \
    const FLOATS v = CONVERT_FLOATS(sum) * m;                                                                \
    SAVE_QUANTIZED(ROUND_LANES(fmin(fmax(v, (FLOATS)(T_MIN - zy)), (FLOATS)(T_MAX - zy))) + zy);

/* clamp(rint((float)sum * m) + zy), sum of x - zx exact, m = sx / (sy * (float)pixels). */
__kernel void global_average_pool(MEM(x), MEM(x_scale), MEM(x_zero), MEM(y_scale), MEM(y_zero), MEM(y),
                                  const long pixels, const int c, const int x_zeros, const int y_zeros)
{
    const int channel = get_global_id(0) * LANES;
    __global const T *image = AT(T, x) + (long)get_global_id(1) * pixels * c + channel;
    __global T *out = AT(T, y) + (long)get_global_id(1) * c + channel;
    const float m = oct_div_rn(AT(float, x_scale)[0], AT(float, y_scale)[0] * (float)pixels);
    const int zx = ZERO_OF(x_zero), zy = ZERO_OF(y_zero);
    INTS sum = 0;
    for (long p = 0; p < pixels; p++)
        sum += CONVERT_INTS(LOAD_LANES(T)(image + p * c, c - channel)) - zx;
    GLOBAL_AVERAGE(sum)
}

#ifdef GROUP_PIXELS
/* The same for GPUs. Work-group (LANES GROUP_CHANNELS channels, image): each of its GROUP_PIXELS rows of
 * work-items sums a share of the pixels. Integers: the order does not matter. */
__kernel void global_average_groups(MEM(x), MEM(x_scale), MEM(x_zero), MEM(y_scale), MEM(y_zero), MEM(y),
                                    const long pixels, const int c, const int x_zeros, const int y_zeros)
{
    __local INTS sums[GROUP_PIXELS][GROUP_CHANNELS];
    const int channel = get_global_id(0) * LANES, share = get_local_id(1), column = get_local_id(0);
    const long n = get_group_id(1);
    const int zx = ZERO_OF(x_zero), zy = ZERO_OF(y_zero);
    INTS sum = 0;
    if (channel < c) {
        __global const T *image = AT(T, x) + n * pixels * c + channel;
        for (long p = share; p < pixels; p += GROUP_PIXELS)
            sum += CONVERT_INTS(LOAD_LANES(T)(image + p * c, c - channel)) - zx;
    }
    sums[share][column] = sum;
    for (int half_of = GROUP_PIXELS / 2; half_of > 0; half_of /= 2) {
        barrier(CLK_LOCAL_MEM_FENCE);
        if (share < half_of)
            sums[share][column] += sums[share + half_of][column];
    }
    if (share == 0 && channel < c) {
        __global T *out = AT(T, y) + n * c + channel;
        const float m = oct_div_rn(AT(float, x_scale)[0], AT(float, y_scale)[0] * (float)pixels);
        GLOBAL_AVERAGE(sums[0][column])
    }
}
#endif
#else
/* sum / count. */
__kernel void average_pool_float(MEM(x), MEM(y), POOL_ARGS, const int include_pad)
{
    POOL_EACH
    const int count = include_pad ? kh * kw : max(rows.y - rows.x, 0) * max(columns.y - columns.x, 0);
    FLOATS sum = 0.0f;
    POOL_TAPS
    sum += v;
    TAPS_END
    SAVE_LANES(float)(out, sum / (float)count, c - channel);
    POOL_END
}

__kernel void global_average_float(MEM(x), MEM(y), const long pixels, const int c)
{
    const int channel = get_global_id(0) * LANES;
    __global const float *image = AT(float, x) + (long)get_global_id(1) * pixels * c + channel;
    FLOATS sum = 0.0f;
    for (long p = 0; p < pixels; p++)
        sum += LOAD_LANES(float)(image + p * c, c - channel);
    SAVE_LANES(float)(AT(float, y) + (long)get_global_id(1) * c + channel, sum / (float)pixels, c - channel);
}
#endif
#endif
