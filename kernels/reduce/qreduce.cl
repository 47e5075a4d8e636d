/* Reductions of 8- and 16-bit tensors over one run of axes, [outer][axis][inner] -> [outer][inner], in
 * integers. Options: T, what is read: uchar, char, ushort, short, or int for the sums of an earlier run; OUT,
 * what is written: T, int, or with QUANTIZE the type of the result, whose bounds are OUT_MIN and OUT_MAX;
 * COMBINE.
 *
 * Minima and maxima keep the numbers as they are. A sum is one of x - zx, exact in int32 (the host refuses
 * longer ones), and q = clamp(rint((float)sum * m) + zy), m = sx / (sy * divisor). */
#include "div.clh"
#include "lanes.clh"
#include "reduce/reduce_args.clh"
#include "rounding.clh"

#define COMBINE_MIN 0
#define COMBINE_MAX 1
#define COMBINE_SUM 2

#ifndef T
#define T uchar
#endif
#ifndef OUT
#define OUT     uchar
#define OUT_MIN 0
#define OUT_MAX 255
#define QUANTIZE
#endif
#ifndef COMBINE
#define COMBINE COMBINE_SUM
#endif

#if COMBINE == COMBINE_MIN
#define WITH(sofar, v) min(sofar, v)
#define START          INT_MAX
#elif COMBINE == COMBINE_MAX
#define WITH(sofar, v) max(sofar, v)
#define START          INT_MIN
#else
#define WITH(sofar, v) ((sofar) + (v))
#define START          0
#endif

#define LOAD16 OCT_PASTE(load16_, T)
#define SAVE16 OCT_PASTE(save16_, OUT)
#define AS_OUT OCT_PASTE(convert_, OCT_PASTE(OUT, 16))

/* What finish needs. */
#ifdef QUANTIZE
#define PREPARE                                                                                              \
    const float m = oct_div_rn(AT(float, a.x_scale)[0], AT(float, a.y_scale)[0] * a.divisor);                \
    const int zy = a.y_zeros ? (int)AT(OUT, a.y_zero)[0] : 0;
#define FINISH(r)                                                                                            \
    (round16(fmin(fmax(convert_float16(r) * m, (float)(OUT_MIN - zy)), (float)(OUT_MAX - zy))) + zy)
#else
#define PREPARE
#define FINISH(r) (r)
#endif
/* Of T alone: sums of an earlier run have no zero point. */
#define ZERO (a.x_zeros ? (int)AT(T, a.x_zero)[0] : 0)

/* Work-item (16 columns, rows_of_item outer rows). */
static inline void reduce_columns_body(const qreduce_args a, const long across, const long down)
{
    const long column = across * 16, count = a.inner - column;
    const long first = down * a.rows_of_item, last = min(first + a.rows_of_item, a.outer);
    const int offset = COMBINE == COMBINE_SUM ? ZERO * (int)a.axis : 0;
    PREPARE
    for (long row = first; row < last; row++) {
        __global const T *in = AT(T, a.x) + row * a.axis * a.inner + column;
        int16 r = START;
        for (long k = 0; k < a.axis; k++)
            r = WITH(r, convert_int16(LOAD16(in + k * a.inner, count)));
        r -= offset;
        SAVE16(AT(OUT, a.y) + row * a.inner + column, AS_OUT(FINISH(r)), count);
    }
}
KERNEL_2D(reduce_columns, qreduce, QREDUCE_ARGS)

/* inner = 1. Work-item: 16 outer rows. */
static inline void reduce_rows_body(const qreduce_args a, const long item)
{
    const long first = item * 16, count = min(16L, a.outer - first);
    const int offset = COMBINE == COMBINE_SUM ? ZERO * (int)a.axis : 0;
    int results[16];
    PREPARE
    for (long row = 0; row < 16; row++) {
        __global const T *in = AT(T, a.x) + (first + min(row, count - 1)) * a.axis;
        int16 lanes = START;
        long k = 0;
        for (; k + 16 <= a.axis; k += 16)
            lanes = WITH(lanes, convert_int16(vload16(0, in + k)));
        const int8 eight = WITH(lanes.lo, lanes.hi);
        const int4 four = WITH(eight.lo, eight.hi);
        const int2 two = WITH(four.lo, four.hi);
        int r = WITH(two.lo, two.hi);
        for (; k < a.axis; k++)
            r = WITH(r, (int)in[k]);
        results[row] = r - offset;
    }
    const int16 r = vload16(0, results);
    SAVE16(AT(OUT, a.y) + first, AS_OUT(FINISH(r)), count);
}
KERNEL_1D(reduce_rows, qreduce, QREDUCE_ARGS)
