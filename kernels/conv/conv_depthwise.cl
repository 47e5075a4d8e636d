/* Depthwise convolution (a group per channel, one output each) on any device: plain OpenCL C 1.2. One
 * work-item makes ROWS neighbouring output pixels of 16 channels; B packed [c / 16][kh kw][16], one block.
 * Options: ROWS; A_SIGNED, B_SIGNED, OUT, ROWSUM (product.clh). */
#include "conv/conv.clh"

#ifndef ROWS
#define ROWS 4
#endif

/* Up to 16 channels; what is past the last is not read. */
static inline int16 load_channels(__global const A_T *from, int count)
{
    if (count >= 16)
        return convert_int16(vload16(0, from));
    int lanes[16];
    for (int i = 0; i < 16; i++)
        lanes[i] = i < count ? from[i] : 0;
    return vload16(0, lanes);
}

/* Of a tile: its channels, its pixels, its block of weights. */
static inline void conv_body(const conv_args a, const long across, const long down, const long block)
{
    const geometry_numbers g = a.geometry;
    const int col = across * 16;
    const long first = down * ROWS;
    __global const B_T *b = AT(B_T, a.packed) + (long)col * g.kh * g.kw;
    conv_pixel at[ROWS];
    int16 acc[ROWS], sum[ROWS];
#pragma unroll
    for (int r = 0; r < ROWS; r++) {
        at[r] = conv_locate(min(first + r, a.pixels - 1), g, g.c);
        acc[r] = sum[r] = 0;
    }
    for (int ky = 0; ky < g.kh; ky++) {
        for (int kx = 0; kx < g.kw; kx++, b += 16) {
            const int16 bv = convert_int16(vload16(0, b));
#pragma unroll
            for (int r = 0; r < ROWS; r++) {
                const int16 av = load_channels(
                    (__global const A_T *)conv_tap(AT(uchar, a.x), AT(uchar, a.pad_row), at[r],
                                                   ky * g.dilation_h, kx * g.dilation_w, g.h, g.w, g.c) +
                        col,
                    g.c - col);
                acc[r] += bv * av;
#ifdef ROWSUM
                sum[r] += av;
#endif
            }
        }
    }
#pragma unroll
    for (int r = 0; r < ROWS; r++) {
        const long at_y = (first + r) * g.co + col;
        if (first + r < a.pixels)
            product_store16(AT(int, a.prep), AT(OUT_T, a.y) + at_y, CHAIN_AT(at_y), acc[r], sum[r], 1.0f, col,
                            g.co, a.clamp_min, a.clamp_max);
    }
}
KERNEL_3D(conv, conv, CONV_ARGS)
