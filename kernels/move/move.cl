/* Moving elements without arithmetic. Option T: an unsigned type of the element's size. */
#include "lanes.clh"

#ifndef T
#define T uchar
#endif

/* y = x, n bytes. */
__kernel void copy(MEM(x), MEM(y), const long n, const long chunk)
{
    OCT_SPLIT(get_global_id(0), chunk, n)
    for (long i = first; i < last; i += 16)
        save16_uchar(AT(uchar, y) + i, load16_uchar(AT(uchar, x) + i, last - i), last - i);
}

/* y[b][c][r] = x[b][r][c]: NCHW <-> NHWC. One work-item: a tile of 16 x 16, read and written along rows. */
__kernel void transpose_tiles(MEM(x), MEM(y), const long rows, const long columns)
{
    const long r0 = (long)get_global_id(0) * 16, c0 = (long)get_global_id(1) * 16, b = get_global_id(2);
    __global const T *in = AT(T, x) + b * rows * columns;
    __global T *out = AT(T, y) + b * rows * columns;
    const int nr = (int)min(16L, rows - r0), nc = (int)min(16L, columns - c0);
    T tile[16][16];
    for (int r = 0; r < nr; r++) {
        for (int c = 0; c < nc; c++)
            tile[c][r] = in[(r0 + r) * columns + c0 + c];
    }
    for (int c = 0; c < nc; c++) {
        for (int r = 0; r < nr; r++)
            out[(c0 + c) * rows + r0 + r] = tile[c][r];
    }
}
