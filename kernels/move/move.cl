/* Moving elements without arithmetic. Option T: an unsigned type of the element's size. */
#include "lanes.clh"
#include "move/move_args.clh"

#ifndef T
#define T uchar
#endif

static inline void copy_body(const copy_args a, const long item)
{
    OCT_STRETCH(item, a.chunk, a.bytes)
    for (long i = first; i < last; i += 16)
        save16_uchar(AT(uchar, a.y) + i, load16_uchar(AT(uchar, a.x) + i, last - i), last - i);
}
KERNEL_1D(copy, copy, COPY_ARGS)

/* NCHW <-> NHWC. One work-item: a tile of 16 x 16, read and written along rows. */
static inline void transpose_tiles_body(const transpose_args a, const long down, const long across,
                                        const long b)
{
    const long r0 = down * 16, c0 = across * 16;
    __global const T *in = AT(T, a.x) + b * a.rows * a.columns;
    __global T *out = AT(T, a.y) + b * a.rows * a.columns;
    const int nr = (int)min(16L, a.rows - r0), nc = (int)min(16L, a.columns - c0);
    T tile[16][16];
    for (int r = 0; r < nr; r++) {
        for (int c = 0; c < nc; c++)
            tile[c][r] = in[(r0 + r) * a.columns + c0 + c];
    }
    for (int c = 0; c < nc; c++) {
        for (int r = 0; r < nr; r++)
            out[(c0 + c) * a.rows + r0 + r] = tile[c][r];
    }
}
KERNEL_3D(transpose_tiles, transpose, TRANSPOSE_ARGS)
