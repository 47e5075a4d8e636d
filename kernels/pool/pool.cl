/* Pooling, NHWC. One work-item: item_channels channels of item_pixels output pixels in a row, LANES at a
 * time; COALESCED (lanes.clh), LANES channels of one pixel, neighbouring work-items neighbouring channels,
 * and there may be more work-items than channels and pixels. Options: T uchar, char, ushort, short or float,
 * T_MIN, T_MAX; LANES; GROUP_CHANNELS and GROUP_PIXELS the work-group of global_average_groups. */
#include "div.clh"
#include "lanes.clh"
#include "pool/pool_args.clh"
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

#ifdef COALESCED
#define ITEM_CHANNELS LANES
#define ITEM_PIXELS   1
#else
#define ITEM_CHANNELS g.item_channels
#define ITEM_PIXELS   g.item_pixels
#endif

/* The taps [first, last) of a window that begins at `from` which lie in [0, size). */
static inline int2 taps_inside(int from, int size, int taps, int dilation)
{
    const int first = from < 0 ? (dilation - 1 - from) / dilation : 0;
    const int last = from < size ? (size - from + dilation - 1) / dilation : 0;
    return (int2)(first, min(last, taps));
}

/* Work-item (channels, pixels, n), n the image: for each vector of each of its pixels, with `rows` and
 * `columns`, the taps of its window that lie in the input, `image`, the window's first tap, and `out`. */
#define POOL_EACH                                                                                            \
    const pool_window_numbers g = a.pool_window;                                                             \
    const int first_pixel = pixels * ITEM_PIXELS, first_channel = channels * ITEM_CHANNELS;                  \
    for (int pixel = first_pixel; pixel < min(first_pixel + ITEM_PIXELS, g.oh * g.ow); pixel++) {            \
        const int top = pixel / g.ow * g.stride_h - g.pad_top,                                               \
                  left = pixel % g.ow * g.stride_w - g.pad_left;                                             \
        const int2 rows = taps_inside(top, g.h, g.kh, g.dilation_h),                                         \
                   columns = taps_inside(left, g.w, g.kw, g.dilation_w);                                     \
        for (int channel = first_channel; channel < min(first_channel + ITEM_CHANNELS, g.c);                 \
             channel += LANES) {                                                                             \
            __global const T *image = AT(T, a.x) + (n * g.h * g.w + (long)top * g.w + left) * g.c + channel; \
            __global T *out = AT(T, a.y) + (n * g.oh * g.ow + pixel) * g.c + channel;
#define POOL_END                                                                                             \
    }                                                                                                        \
    }

/* For each tap inside, v its elements. */
#define POOL_TAPS                                                                                            \
    for (int ky = rows.x; ky < rows.y; ky++)                                                                 \
        for (int kx = columns.x; kx < columns.y; kx++) {                                                     \
            const TS v = LOAD_LANES(T)(image + ((long)ky * g.dilation_h * g.w + kx * g.dilation_w) * g.c,    \
                                       g.c - channel);
#define TAPS_END }

/* Positions outside the input do not count. */
static inline void max_pool_body(const pool_args a, const long channels, const long pixels, const long n)
{
    POOL_EACH
    TS best = (TS)(T_MIN);
    POOL_TAPS
    best = v > best ? v : best;
    TAPS_END
    SAVE_LANES(T)(out, best, g.c - channel);
    POOL_END
}
KERNEL_3D(max_pool, pool, POOL_ARGS)

#if !defined(COALESCED) || LANES == 4 /* sums take more registers: short vectors on GPUs */
#ifndef T_IS_FLOAT
#define ZERO_OF(name)        (a.name##s ? (int)AT(T, a.name)[0] : 0)
#define SAVE_QUANTIZED(q, c) SAVE_LANES(T)(out, CONVERT_T(q), c - channel)

/* oct_quotient's steps neither underflow nor meet its limit: a sum is 0 or at least sx, and a mean below 256
 * sx. */
#define QUOTIENTS_ARE_EXACT(sx, sy)                                                                          \
    ((sx) >= OCT_DIV_FAST_MIN && (sx) <= 0x1p10f && (sy) >= OCT_DIV_FAST_MIN && (sy) <= OCT_DIV_FAST_MAX)

/* reciprocals: [0] of sy, [k] of k, to nearest. One work-item an element. */
static inline void prepare_average_body(const prepare_average_args a, const long k)
{
    AT(float, a.reciprocals)[k] = oct_div_rn(1.0f, k ? (float)k : AT(float, a.y_scale)[0]);
}
KERNEL_1D(prepare_average, prepare_average, PREPARE_AVERAGE_ARGS)

/* clamp(rint((sum / count) / sy + zy)), sum of (float)(x - zx) * sx in float, rows first. */
static inline void average_pool_body(const average_pool_args a, const long channels, const long pixels,
                                     const long n)
{
    const float sx = AT(float, a.x_scale)[0], sy = AT(float, a.y_scale)[0];
    const int zx = ZERO_OF(x_zero), zy = ZERO_OF(y_zero);
    POOL_EACH
    const int count = a.include_pad ? g.kh * g.kw : max(rows.y - rows.x, 0) * max(columns.y - columns.x, 0);
    if (count == 0) { /* a window of nothing but padding */
        SAVE_QUANTIZED((INTS)(T_MIN), g.c);
        continue;
    }
    const float divisor = (float)count;
    FLOATS sum = 0.0f;
    POOL_TAPS
    sum += CONVERT_FLOATS(CONVERT_INTS(v) - zx) * sx;
    TAPS_END
    if (QUOTIENTS_ARE_EXACT(sx, sy)) {
        const FLOATS mean = QUOTIENTS(sum, divisor, AT(float, a.reciprocals)[count]);
        const FLOATS v = QUOTIENTS(mean, sy, AT(float, a.reciprocals)[0]) + (float)zy;
        SAVE_QUANTIZED(ROUND_LANES(fmin(fmax(v, (FLOATS)(T_MIN)), (FLOATS)(T_MAX))), g.c);
        continue;
    }
    float lanes[LANES];
    int q[LANES];
    OCT_PASTE(vstore, LANES)(sum, 0, lanes);
    OCT_UNROLL
    for (int i = 0; i < LANES; i++)
        q[i] = round_clamp1(oct_div_rn(oct_div_rn(lanes[i], divisor), sy) + (float)zy, T_MIN, T_MAX);
    SAVE_QUANTIZED(OCT_PASTE(vload, LANES)(0, q), g.c);
    POOL_END
}
KERNEL_3D(average_pool, average_pool, AVERAGE_POOL_ARGS)

/* The result of a sum, m and zy being there. */
#define GLOBAL_AVERAGE(sum)                                                                                  \
    const FLOATS v = CONVERT_FLOATS(sum) * m;                                                                \
    SAVE_QUANTIZED(ROUND_LANES(fmin(fmax(v, (FLOATS)(T_MIN - zy)), (FLOATS)(T_MAX - zy))) + zy, a.c);

/* clamp(rint((float)sum * m) + zy), sum of x - zx exact, m = sx / (sy * (float)pixels). */
static inline void global_average_pool_body(const global_average_args a, const long item, const long n)
{
    const int channel = item * LANES;
    __global const T *image = AT(T, a.x) + n * a.pixels * a.c + channel;
    __global T *out = AT(T, a.y) + n * a.c + channel;
    const float m = oct_div_rn(AT(float, a.x_scale)[0], AT(float, a.y_scale)[0] * (float)a.pixels);
    const int zx = ZERO_OF(x_zero), zy = ZERO_OF(y_zero);
    INTS sum = 0;
    for (long p = 0; p < a.pixels; p++)
        sum += CONVERT_INTS(LOAD_LANES(T)(image + p * a.c, a.c - channel)) - zx;
    GLOBAL_AVERAGE(sum)
}
KERNEL_2D(global_average_pool, global_average, GLOBAL_AVERAGE_ARGS)

#ifdef GROUP_PIXELS
/* The same for GPUs. Work-group (LANES GROUP_CHANNELS channels, image): each of its GROUP_PIXELS rows of
 * work-items sums a share of the pixels. Integers: the order does not matter. */
__kernel void global_average_groups(SIGNATURE(global_average, GLOBAL_AVERAGE_ARGS))
{
    RESOLVE(global_average, GLOBAL_AVERAGE_ARGS)
    __local INTS sums[GROUP_PIXELS][GROUP_CHANNELS];
    const int channel = get_global_id(0) * LANES, share = get_local_id(1), column = get_local_id(0);
    const long n = get_group_id(1);
    const int zx = ZERO_OF(x_zero), zy = ZERO_OF(y_zero);
    INTS sum = 0;
    if (channel < a.c) {
        __global const T *image = AT(T, a.x) + n * a.pixels * a.c + channel;
        for (long p = share; p < a.pixels; p += GROUP_PIXELS)
            sum += CONVERT_INTS(LOAD_LANES(T)(image + p * a.c, a.c - channel)) - zx;
    }
    sums[share][column] = sum;
    for (int half_of = GROUP_PIXELS / 2; half_of > 0; half_of /= 2) {
        barrier(CLK_LOCAL_MEM_FENCE);
        if (share < half_of)
            sums[share][column] += sums[share + half_of][column];
    }
    if (share == 0 && channel < a.c) {
        __global T *out = AT(T, a.y) + n * a.c + channel;
        const float m = oct_div_rn(AT(float, a.x_scale)[0], AT(float, a.y_scale)[0] * (float)a.pixels);
        GLOBAL_AVERAGE(sums[0][column])
    }
}
#endif
#else
/* sum / count. */
static inline void average_pool_float_body(const pool_args a, const long channels, const long pixels,
                                           const long n)
{
    POOL_EACH
    const int count = a.include_pad ? g.kh * g.kw : max(rows.y - rows.x, 0) * max(columns.y - columns.x, 0);
    FLOATS sum = 0.0f;
    POOL_TAPS
    sum += v;
    TAPS_END
    SAVE_LANES(float)(out, sum / (float)count, g.c - channel);
    POOL_END
}
KERNEL_3D(average_pool_float, pool, POOL_ARGS)

static inline void global_average_float_body(const global_average_args a, const long item, const long n)
{
    const int channel = item * LANES;
    __global const float *image = AT(float, a.x) + n * a.pixels * a.c + channel;
    FLOATS sum = 0.0f;
    for (long p = 0; p < a.pixels; p++)
        sum += LOAD_LANES(float)(image + p * a.c, a.c - channel);
    SAVE_LANES(float)(AT(float, a.y) + n * a.c + channel, sum / (float)a.pixels, a.c - channel);
}
KERNEL_2D(global_average_float, global_average, GLOBAL_AVERAGE_ARGS)
#endif
#endif
