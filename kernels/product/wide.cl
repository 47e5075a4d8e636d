/* Products of 16-bit operands with 8-bit ones, in 8-bit products: x = 256 high + low, and so is its zero
 * point, so that sum (x - zx)(w - zw) is 256 times the sum of the high parts plus that of the low ones, each
 * exact in int32, joined in 64 bits before the one rounding. Options: X, the 16-bit type, and H, that of its
 * high part; OUT_T, what is stored, and OUT_FLOAT if that is a float. */
#include "div.clh"
#include "lanes.clh"
#include "product/product_args.clh"
#include "rounding.clh"

#ifndef X
#define X ushort
#endif
#ifndef H
#define H uchar
#endif
#ifndef OUT_T
#define OUT_T ushort
#endif

static inline void split_body(const wide_split_args a, const long item)
{
    OCT_STRETCH(item, a.chunk, a.n)
    for (long i = first; i < last; i += 16) {
        const OCT_PASTE(X, 16) v = OCT_PASTE(load16_, X)(AT(X, a.x) + i, last - i);
        OCT_PASTE(save16_, H)
        (AT(H, a.high) + i, OCT_PASTE(convert_, OCT_PASTE(H, 16))(v >> (OCT_PASTE(X, 16))(8)), last - i);
        save16_uchar(AT(uchar, a.low) + i, convert_uchar16(v & (OCT_PASTE(X, 16))(255)), last - i);
    }
}
KERNEL_1D(split, wide_split, WIDE_SPLIT_ARGS)

/* mult[c] = (sx * sw[c]) / sy, or sx * sw[c] where the result is a float. */
static inline void multipliers_body(const wide_multipliers_args a, const long c)
{
    const float m = AT(float, a.x_scale)[0] * AT(float, a.w_scale)[a.w_scales > 1 ? c : 0];
#ifdef OUT_FLOAT
    AT(float, a.mult)[c] = m;
#else
    AT(float, a.mult)[c] = oct_div_rn(m, AT(float, a.y_scale)[0]);
#endif
}
KERNEL_1D(multipliers, wide_multipliers, WIDE_MULTIPLIERS_ARGS)

/* y[row][c] = clamp(rint((float)(256 high + low + bias[c]) * mult[c]) + zero). Work-item (16 columns, rows).
 */
static inline void join_body(const wide_join_args a, const long across, const long down)
{
    const int column = across * 16, count = a.n - column;
    const long first = down * a.rows_of_item, last = min(first + a.rows_of_item, a.rows);
    const float16 m = load16_float(AT(float, a.mult) + column, count);
    const long16 b = a.has_bias ? convert_long16(load16_int(AT(int, a.bias) + column, count)) : (long16)(0);
#ifndef OUT_FLOAT
    const int z = a.zeros ? (int)AT(OUT_T, a.zero)[0] : 0;
    const float16 lo = (float)(a.clamp_min - z), hi = (float)(a.clamp_max - z);
#endif
    for (long row = first; row < last; row++) {
        const long at = row * a.n + column;
        long16 sum = b + convert_long16(load16_int(AT(int, a.low) + at, count));
        if (a.has_high)
            sum += convert_long16(load16_int(AT(int, a.high) + at, count)) * (long16)(256);
        const float16 v = convert_float16(sum) * m;
#ifdef OUT_FLOAT
        save16_float(AT(float, a.y) + at, v, count);
#else
        const int16 q = round16(fmin(fmax(v, lo), hi)) + z;
        OCT_PASTE(save16_, OUT_T)(AT(OUT_T, a.y) + at, OCT_PASTE(convert_, OCT_PASTE(OUT_T, 16))(q), count);
#endif
    }
}
KERNEL_2D(join, wide_join, WIDE_JOIN_ARGS)
