/* Products of 16-bit operands with 8-bit ones, in 8-bit products: x = 256 high + low, and so is its zero
 * point, so that sum (x - zx)(w - zw) is 256 times the sum of the high parts plus that of the low ones, each
 * exact in int32, joined in 64 bits before the one rounding. Options: X, the 16-bit type, and H, that of its
 * high part; OUT_T, what is stored, and OUT_FLOAT if that is a float. */
#include "div.clh"
#include "lanes.clh"
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

__kernel void split(MEM(x), MEM(high), MEM(low), const long n, const long chunk)
{
    OCT_SPLIT(get_global_id(0), chunk, n)
    for (long i = first; i < last; i += 16) {
        const OCT_PASTE(X, 16) v = OCT_PASTE(load16_, X)(AT(X, x) + i, last - i);
        OCT_PASTE(save16_, H)
        (AT(H, high) + i, OCT_PASTE(convert_, OCT_PASTE(H, 16))(v >> (OCT_PASTE(X, 16))(8)), last - i);
        save16_uchar(AT(uchar, low) + i, convert_uchar16(v & (OCT_PASTE(X, 16))(255)), last - i);
    }
}

/* mult[c] = (sx * sw[c]) / sy, or sx * sw[c] where the result is a float. */
__kernel void multipliers(MEM(x_scale), MEM(w_scale), MEM(y_scale), MEM(mult), const int w_scales)
{
    const int c = get_global_id(0);
    const float m = AT(float, x_scale)[0] * AT(float, w_scale)[w_scales > 1 ? c : 0];
#ifdef OUT_FLOAT
    AT(float, mult)[c] = m;
#else
    AT(float, mult)[c] = oct_div_rn(m, AT(float, y_scale)[0]);
#endif
}

/* y[row][c] = clamp(rint((float)(256 high + low + bias[c]) * mult[c]) + zero). Work-item (16 columns, rows).
 */
__kernel void join(MEM(high), MEM(low), MEM(bias), MEM(mult), MEM(zero), MEM(y), const long rows,
                   const long rows_of_item, const int n, const int has_high, const int has_bias,
                   const int zeros, const int clamp_min, const int clamp_max)
{
    const int column = get_global_id(0) * 16, count = n - column;
    const long first = get_global_id(1) * rows_of_item, last = min(first + rows_of_item, rows);
    const float16 m = load16_float(AT(float, mult) + column, count);
    const long16 b = has_bias ? convert_long16(load16_int(AT(int, bias) + column, count)) : (long16)(0);
#ifndef OUT_FLOAT
    const int z = zeros ? (int)AT(OUT_T, zero)[0] : 0;
    const float16 lo = (float)(clamp_min - z), hi = (float)(clamp_max - z);
#endif
    for (long row = first; row < last; row++) {
        const long at = row * n + column;
        long16 sum = b + convert_long16(load16_int(AT(int, low) + at, count));
        if (has_high)
            sum += convert_long16(load16_int(AT(int, high) + at, count)) * (long16)(256);
        const float16 v = convert_float16(sum) * m;
#ifdef OUT_FLOAT
        save16_float(AT(float, y) + at, v, count);
#else
        const int16 q = round16(fmin(fmax(v, lo), hi)) + z;
        OCT_PASTE(save16_, OUT_T)(AT(OUT_T, y) + at, OCT_PASTE(convert_, OCT_PASTE(OUT_T, 16))(q), count);
#endif
    }
}
