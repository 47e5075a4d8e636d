/* Several element-by-element operators in one launch. The output is [outer][rows][inner]; operand k, of slots
 * 0 to 7, begins at outer * outer_k + row * row_k of its memory and goes on along the inner dimension or is
 * repeated there. Options, made by src/ops/fuse.c: EXPR, what is computed, of FULL(T, k), REPEATED(T, k)
 * sixteen elements of operand k, of type T SCALE(k), ZERO(T, k)              a number from memory k
 *     float_of(x, scale, zero)          DequantizeLinear
 *     oct_div_by16(x, b, 1 / b)         Div by a number that the host knows
 *     apply_...(x, ...), f0 to f15      operators (arith.clh, unary.clh), numbers that the host knows
 * and Y the type of the result; where that is quantized, Y_MIN, Y_MAX, Y_SCALE and Y_ZERO (likewise).
 * Work-item (part of the inner dimension, rows_of_item rows). */
#include "float/arith.clh"
#include "float/unary.clh"
#include "quantize/quantizer.clh"

#ifndef EXPR
#define EXPR apply_float_Add(FULL(float, 0), FULL(float, 1))
#define Y    float
#endif

#define SLOT(k)        MEM(x##k), const int outer##k, const int row##k
#define BEGIN(T, k)    (AT(T, x##k) + outer * outer##k + row * row##k)
#define FULL(T, k)     OCT_PASTE(load16_, T)(BEGIN(T, k) + i, count)
#define REPEATED(T, k) ((OCT_PASTE(T, 16))(BEGIN(T, k)[0]))
#define SCALE(k)       (AT(float, x##k)[0])
#define ZERO(T, k)     ((int)AT(T, x##k)[0])

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

__kernel void fused(MEM(y), SLOT(0), SLOT(1), SLOT(2), SLOT(3), SLOT(4), SLOT(5), SLOT(6), SLOT(7),
                    const long inner, const long chunk, const long rows, const long all_rows,
                    const long rows_of_item, const float f0, const float f1, const float f2, const float f3,
                    const float f4, const float f5, const float f6, const float f7, const float f8,
                    const float f9, const float f10, const float f11, const float f12, const float f13,
                    const float f14, const float f15)
{
    OCT_SPLIT(get_global_id(0), chunk, inner)
    const long first_row = (long)get_global_id(1) * rows_of_item,
               last_row = min(first_row + rows_of_item, all_rows);
#ifdef Y_SCALE
    const oct_quantizer by = oct_quantizer_make(Y_SCALE, Y_ZERO, Y_MIN, Y_MAX);
#endif
    for (long at = first_row; at < last_row; at++) {
        const long outer = at / rows, row = at % rows;
        __global Y *to = AT(Y, y) + at * inner;
        long i = first;
        for (; i + 16 <= last; i += 16) /* whole vectors, without a look at the end */
            STEP(16);
        if (i < last)
            STEP(last - i);
    }
}
