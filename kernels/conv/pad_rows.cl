/* The padding of a convolution. */
#include "lanes.clh"

/* What a convolution reads outside its input: one pixel of zero points as stored, each of `bytes`. */
__kernel void padding_row(MEM(a_zero), MEM(row), const int a_zeros, const int bytes)
{
    const int i = get_global_id(0);
    AT(uchar, row)[i] = a_zeros ? AT(uchar, a_zero)[i % bytes] : (uchar)0;
}

static inline void fill(__global uchar *to, uchar2 value, long count)
{
    for (long i = 0; i < count; i += 16)
        save16_uchar(to + i, value.s0101010101010101, count - i);
}

/* The input with its padding written out, so that the windows' rows are contiguous bytes. One work-item: one
 * row of y of one image. Lengths and left in bytes, elements of `bytes`. pad_row: a pixel of zero points.
 * Rows and columns of x past the end of y are left out. */
__kernel void pad_rows(MEM(x), MEM(pad_row), MEM(y), const int rows, const long row_length, const long length,
                       const int top, const long left, const int bytes)
{
    const int row = get_global_id(0);
    const long image = get_global_id(1);
    const uchar2 zero = (uchar2)(AT(uchar, pad_row)[0], AT(uchar, pad_row)[bytes - 1]);
    __global uchar *out = AT(uchar, y) + (image * get_global_size(0) + row) * length;
    if (row < top || row - top >= rows) {
        fill(out, zero, length);
        return;
    }
    __global const uchar *in = AT(uchar, x) + (image * rows + row - top) * row_length;
    const long first = min(left, length), count = min(row_length, length - first);
    fill(out, zero, first);
    for (long i = 0; i < count; i += 16)
        save16_uchar(out + first + i, load16_uchar(in + i, count - i), count - i);
    fill(out + first + count, zero, length - first - count);
}
