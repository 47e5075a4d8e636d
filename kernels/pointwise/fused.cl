/* Several element-by-element operators in one launch (FUSED_ARGS). An operand goes on along the inner
 * dimension or is repeated there. Options, made by src/ops/fuse.c: EXPR, what is computed, of
 *     FULL(T, k), REPEATED(T, k)       sixteen elements of operand k, of type T
 *     SCALE(k), ZERO(T, k)             a number from memory k
 *     F(0) to F(15)                    numbers that the host knows
 *     float_of(x, scale, zero)         DequantizeLinear
 *     oct_div_by16(x, b, 1 / b)        Div by a number that the host knows
 *     apply_...(x, ...)                operators (arith.clh, unary.clh)
 * and Y the type of the result; where that is quantized, Y_MIN, Y_MAX, Y_SCALE and Y_ZERO (likewise).
 * Work-item (part of the inner dimension, rows_of_item rows). */
#include "pointwise/arith.clh"
#include "pointwise/pointwise_args.clh"
#include "quantize/quantizer.clh"
#include "unary/unary.clh"

#ifndef EXPR
#define EXPR apply_float_Add(FULL(float, 0), FULL(float, 1))
#define Y    float
#endif

#define F(k)           a.f[k]
#define BEGIN(T, k)    (AT(T, a.x[k]) + outer * a.outer_step[k] + row * a.row_step[k])
#define FULL(T, k)     OCT_PASTE(load16_, T)(BEGIN(T, k) + i, count)
#define REPEATED(T, k) ((OCT_PASTE(T, 16))(BEGIN(T, k)[0]))
#define SCALE(k)       (AT(float, a.x[k])[0])
#define ZERO(T, k)     ((int)AT(T, a.x[k])[0])

/* (float)(q - zero) * scale, for each type there is. */
#define FLOAT_OF(T)                                                                                          \
    static inline float16 float_of_##T(T##16 q, float scale, int zero)                                       \
    {                                                                                                        \
        return convert_float16(convert_int16(q) - zero) * scale;                                             \
    }
FLOAT_OF(uchar)
FLOAT_OF(char)
FLOAT_OF(ushort)
FLOAT_OF(short)

/* Elements i and on, `count` of them. */
#ifdef Y_SCALE
#define STEP(count_)                                                                                         \
    do {                                                                                                     \
        const long count = count_;                                                                           \
        const float16 v = EXPR;                                                                              \
        OCT_PASTE(save16_, Y)                                                                                \
        (to + i, OCT_PASTE(convert_, OCT_PASTE(Y, 16))(oct_quantize_lanes(by, v)), count);                   \
    } while (0)
#else
#define STEP(count_)                                                                                         \
    do {                                                                                                     \
        const long count = count_;                                                                           \
        const float16 v = EXPR;                                                                              \
        save16_float(to + i, v, count);                                                                      \
    } while (0)
#endif

static inline void fused_body(const fused_args a, const long item, const long part)
{
    OCT_STRETCH(item, a.chunk, a.inner)
    const long first_row = part * a.rows_of_item, last_row = min(first_row + a.rows_of_item, a.all_rows);
#ifdef Y_SCALE
    const oct_quantizer by = oct_quantizer_make(Y_SCALE, Y_ZERO, Y_MIN, Y_MAX);
#endif
    for (long at = first_row; at < last_row; at++) {
        const long outer = at / a.rows, row = at % a.rows;
        __global Y *to = AT(Y, a.y) + at * a.inner;
        long i = first;
        for (; i + 16 <= last; i += 16) /* whole vectors, without a look at the end */
            STEP(16);
        if (i < last)
            STEP(last - i);
    }
}
KERNEL_2D(fused, fused, FUSED_ARGS)
