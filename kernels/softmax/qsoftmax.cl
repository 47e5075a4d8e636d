/* QLinearSoftmax over `axis` of [outer][axis][inner]: exponentials from a table of 256 floats, their float32
 * sum in the order of the axis, one exactly rounded quotient a value (docs/numerics.md). Options: T uchar or
 * char; ROWS that a work-item takes, whose sums, each a chain of additions, run beside each other; INNER 1
 * where the axis is the last, so that vectors are loaded and stored. */
#include "div.clh"
#include "lanes.clh"
#include "rounding.clh"
#include "softmax/softmax_args.clh"

#ifndef T
#define T     uchar
#define T_MIN 0
#define T_MAX 255
#endif
#ifndef ROWS
#define ROWS 4
#endif
#ifdef INNER
#define STEP INNER
#else
#define STEP a.inner
#endif

/* Up to 16 elements along the axis; behind the last one any of them. */
static inline int16 load_axis(__global const T *from, long count, long inner)
{
#if INNER == 1
    return convert_int16(OCT_PASTE(load16_, T)(from, count));
#else
    int v[16];
    for (int i = 0; i < 16; i++)
        v[i] = from[min((long)i, count - 1) * inner];
    return vload16(0, v);
#endif
}

static inline void save_axis(__global T *to, int16 v, long count, long inner)
{
#if INNER == 1
    OCT_PASTE(save16_, T)(to, OCT_PASTE(convert_, OCT_PASTE(T, 16))(v), count);
#else
    int lanes[16];
    vstore16(v, 0, lanes);
    for (int i = 0; i < 16 && i < count; i++)
        to[i * inner] = (T)lanes[i];
#endif
}

/* min(rint(e c / sum), 256) of 16 values, r = RN(1 / sum). (e r) c is less than 2^-14 from the quotient:
 * three roundings of at most 2^-24 of 256. So close to the middle of two integers only the exact function
 * tells. */
static inline int16 quotients(const float *e, float c, float sum, float r)
{
    const float16 v = fmin(vload16(0, e) * r * c, 256.0f);
    const int16 near = round16(v), unsure = fabs(v - convert_float16(near)) > 0.5f - 0x1p-13f;
    const int8 eight = unsure.lo | unsure.hi; /* any() is slow in PoCL */
    const int4 four = eight.lo | eight.hi;
    const int2 two = four.lo | four.hi;
    if (!(two.x | two.y))
        return near;
    int q[16];
    for (int i = 0; i < 16; i++)
        q[i] = oct_muldiv_rte(e[i], c, sum);
    return vload16(0, q);
}

static inline void qsoftmax_body(const qsoftmax_args a, const long item)
{
    const float c = floor(oct_div_rn(1.0f, AT(float, a.y_scale)[0]));
    const int zero = a.y_zeros ? (int)AT(T, a.y_zero)[0] : 0;
    __global const T *in[ROWS];
    __global const float *table[ROWS]; /* moved so that an element is its index */
    float sum[ROWS];
    for (int n = 0; n < ROWS; n++) {
        const long row = min(item * ROWS + n, a.rows - 1);
        in[n] = AT(T, a.x) + row / STEP * a.axis * STEP + row % STEP;
        int16 largest = T_MIN;
        for (long k = 0; k < a.axis; k += 16)
            largest = max(largest, load_axis(in[n] + k * STEP, a.axis - k, a.inner));
        const int8 eight = max(largest.lo, largest.hi);
        const int4 four = max(eight.lo, eight.hi);
        const int2 two = max(four.lo, four.hi);
        table[n] = AT(float, a.exponentials) + (255 - max(two.x, two.y));
        sum[n] = 0.0f;
    }
    for (long k = 0; k < a.axis; k++) {
        for (int n = 0; n < ROWS; n++)
            sum[n] += table[n][in[n][k * STEP]];
    }
    for (int n = 0; n < ROWS; n++) {
        __global T *out = AT(T, a.y) + (in[n] - AT(T, a.x));
        const float r = oct_div_rn(1.0f, sum[n]);
        for (long k = 0; k < a.axis; k += 16) {
            int index[16];
            float e[16];
            vstore16(load_axis(in[n] + k * STEP, a.axis - k, a.inner), 0, index);
            for (int i = 0; i < 16; i++)
                e[i] = table[n][index[i]];
            save_axis(out + k * STEP, min(quotients(e, c, sum[n], r) + zero, T_MAX), a.axis - k, a.inner);
        }
    }
}
KERNEL_1D(qsoftmax, qsoftmax, QSOFTMAX_ARGS)
