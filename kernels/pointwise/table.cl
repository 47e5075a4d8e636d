/* Any function of one 8-bit value: y = table[x], 256 bytes. And the table that requantizes from one scale and
 * zero point to another. */
#include "common.clh"
#include "div.clh"
#include "pointwise/table.clh"
#include "rounding.clh"

__kernel void table(TABLE_ARGS)
{
    const table_part p = TABLE_PART;
    const long first = get_global_id(0) * chunk, last = min(first + chunk, p.run);
    const long top = get_global_id(1) * rows_of_item, bottom = min(top + rows_of_item, rows);
    for (long row = top; row < bottom; row++) {
        __global const uchar *in = p.x + row * p.run;
        __global uchar *out = AT(uchar, y) + row * y_row + p.start;
        for (long i = first; i < last; i++)
            out[i] = p.values[in[i]];
    }
}

/* A table a channel, values_of[byte][channel]. Work-item: `per_item` rows of `run` bytes.
 * table_channels: a row is one channel; channels follow one another, again and again. */
__kernel void table_channels(MEM(x), MEM(values_of), MEM(y), const long rows, const long run,
                             const long channels, const long per_item)
{
    const long first = get_global_id(0) * per_item, last = min(first + per_item, rows);
    for (long row = first; row < last; row++) {
        __global const uchar *in = AT(uchar, x) + row * run, *values = AT(uchar, values_of) + row % channels;
        __global uchar *out = AT(uchar, y) + row * run;
        for (long i = 0; i < run; i++)
            out[i] = values[in[i] * channels];
    }
}

/* table_last: a row is one byte of each channel. */
__kernel void table_last(MEM(x), MEM(values_of), MEM(y), const long rows, const long run, const long channels,
                         const long per_item)
{
    const long first = get_global_id(0) * per_item, last = min(first + per_item, rows);
    __global const uchar *values = AT(uchar, values_of);
    for (long row = first; row < last; row++) {
        __global const uchar *in = AT(uchar, x) + row * run;
        __global uchar *out = AT(uchar, y) + row * run;
        for (long c = 0; c < run; c++)
            out[c] = values[in[c] * channels + c];
    }
}

/* clamp(rint((float)(x - zx) * sx / sy) + zy). One work-item a byte. */
__kernel void requantize_table(MEM(x_scale), MEM(x_zero), MEM(y_scale), MEM(y_zero), MEM(values),
                               const int is_signed, const int x_zeros, const int y_zeros)
{
    const int byte = get_global_id(0), q = is_signed ? (int)(char)byte : byte;
    const uchar zx = x_zeros ? AT(uchar, x_zero)[0] : (uchar)0,
                zy = y_zeros ? AT(uchar, y_zero)[0] : (uchar)0;
    const int x0 = is_signed ? (int)(char)zx : (int)zx, y0 = is_signed ? (int)(char)zy : (int)zy;
    const int lo = is_signed ? -128 : 0;
    const float sx = AT(float, x_scale)[0], sy = AT(float, y_scale)[0];
    const float real = (float)(q - x0) * sx;
    /* Equal parameters are a copy, also where the product overflows. */
    AT(uchar, values)
    [byte] = sx == sy && x0 == y0 ? (uchar)byte
                                  : (uchar)(round_clamp1(oct_div_rn(real, sy), lo - y0, lo + 255 - y0) + y0);
}
