/* Any function of one 8-bit value: y = table[x], 256 bytes. And the table that requantizes from one scale and
 * zero point to another. */
#include "div.clh"
#include "pointwise/table.clh"
#include "rounding.clh"

static inline void table_body(const table_args a, const long item, const long rows, const long input)
{
    const table_part p = table_part_of(a, input);
    const long first = item * a.chunk, last = min(first + a.chunk, p.run);
    const long top = rows * a.rows_of_item, bottom = min(top + a.rows_of_item, a.rows);
    for (long row = top; row < bottom; row++) {
        __global const uchar *in = p.x + row * p.run;
        __global uchar *out = AT(uchar, a.y) + row * a.y_row + p.start;
        for (long i = first; i < last; i++)
            out[i] = p.values[in[i]];
    }
}
KERNEL_3D(table, table, TABLE_ARGS)

/* A table a channel, values_of[byte][channel]. Work-item: `per_item` rows of `run` bytes.
 * table_channels: a row is one channel; channels follow one another, again and again. */
static inline void table_channels_body(const table_channels_args a, const long item)
{
    const long first = item * a.per_item, last = min(first + a.per_item, a.rows);
    for (long row = first; row < last; row++) {
        __global const uchar *in = AT(uchar, a.x) + row * a.run,
                             *values = AT(uchar, a.values_of) + row % a.channels;
        __global uchar *out = AT(uchar, a.y) + row * a.run;
        for (long i = 0; i < a.run; i++)
            out[i] = values[in[i] * a.channels];
    }
}
KERNEL_1D(table_channels, table_channels, TABLE_CHANNELS_ARGS)

/* table_last: a row is one byte of each channel. A few are looked up before any is stored, or each look-up
 * waits for the store before it, which might be to what it reads. */
#define TOGETHER 8
static inline void table_last_body(const table_channels_args a, const long item)
{
    const long first = item * a.per_item, last = min(first + a.per_item, a.rows);
    const long run = a.run, channels = a.channels;
    __global const uchar *values = AT(uchar, a.values_of);
    for (long row = first; row < last; row++) {
        __global const uchar *in = AT(uchar, a.x) + row * run;
        __global uchar *out = AT(uchar, a.y) + row * run;
        long c = 0;
        for (; c + TOGETHER <= run; c += TOGETHER) {
            uchar of[TOGETHER];
#pragma unroll
            for (int i = 0; i < TOGETHER; i++)
                of[i] = values[in[c + i] * channels + (c + i)];
#pragma unroll
            for (int i = 0; i < TOGETHER; i++)
                out[c + i] = of[i];
        }
        for (; c < run; c++)
            out[c] = values[in[c] * channels + c];
    }
}
KERNEL_1D(table_last, table_channels, TABLE_CHANNELS_ARGS)

/* clamp(rint((float)(x - zx) * sx / sy) + zy). One work-item a byte. */
static inline void requantize_table_body(const requantize_table_args a, const long byte)
{
    const int q = a.is_signed ? (int)(char)byte : (int)byte;
    const uchar zx = a.x_zeros ? AT(uchar, a.x_zero)[0] : (uchar)0,
                zy = a.y_zeros ? AT(uchar, a.y_zero)[0] : (uchar)0;
    const int x0 = a.is_signed ? (int)(char)zx : (int)zx, y0 = a.is_signed ? (int)(char)zy : (int)zy;
    const int lo = a.is_signed ? -128 : 0;
    const float sx = AT(float, a.x_scale)[0], sy = AT(float, a.y_scale)[0];
    const float real = (float)(q - x0) * sx;
    /* Equal parameters are a copy, also where the product overflows. */
    AT(uchar, a.values)
    [byte] = sx == sy && x0 == y0 ? (uchar)byte
                                  : (uchar)(round_clamp1(oct_div_rn(real, sy), lo - y0, lo + 255 - y0) + y0);
}
KERNEL_1D(requantize_table, requantize_table, REQUANTIZE_TABLE_ARGS)
