/* The padding of a convolution. */
#include "conv/conv_args.clh"
#include "lanes.clh"

/* What a convolution reads outside its input: one pixel of zero points as stored, each of `bytes`. */
static inline void padding_row_body(const padding_row_args a, const long i)
{
    a.row[i] = a.has_zero ? a.zero[i % a.bytes] : (uchar)0;
}
KERNEL_1D(padding_row, padding_row, PADDING_ROW_ARGS)

static inline void fill(__global uchar *to, uchar2 value, long count)
{
    for (long i = 0; i < count; i += 16)
        save16_uchar(to + i, value.s0101010101010101, count - i);
}

/* The input with its padding written out, so that the windows' rows are contiguous bytes. One work-item: one
 * row of y of one image. Lengths and left in bytes, elements of `bytes`. pad_row: a pixel of zero points.
 * Rows and columns of x past the end of y are left out. */
static inline void pad_rows_body(const pad_rows_args a, const long row, const long image)
{
    const uchar2 zero = (uchar2)(AT(uchar, a.pad_row)[0], AT(uchar, a.pad_row)[a.bytes - 1]);
    __global uchar *out = AT(uchar, a.y) + (image * a.y_rows + row) * a.length;
    if (row < a.top || row - a.top >= a.rows) {
        fill(out, zero, a.length);
        return;
    }
    __global const uchar *in = AT(uchar, a.x) + (image * a.rows + row - a.top) * a.row_length;
    const long first = min(a.left, a.length), count = min(a.row_length, a.length - first);
    fill(out, zero, first);
    for (long i = 0; i < count; i += 16)
        save16_uchar(out + first + i, load16_uchar(in + i, count - i), count - i);
    fill(out + first + count, zero, a.length - first - count);
}
KERNEL_2D(pad_rows, pad_rows, PAD_ROWS_ARGS)
