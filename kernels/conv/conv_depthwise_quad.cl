/* Depthwise convolution (a group per channel, one output each) for GPUs: one work-item makes ROWS
 * neighbouring output pixels of 4 channels, neighbouring work-items neighbouring channels, so that a tap of a
 * pixel is read and a result is stored in one piece. B packed [c / 16][kh kw][16], one block. Options: ROWS;
 * A_SIGNED, B_SIGNED, OUT, ROWSUM (product.clh). */
#define ROWSUM_T int4
#include "conv/conv.clh"
#include "product/quad.clh"

#ifndef ROWS
#define ROWS 4
#endif

#define A_T4 OCT_CAT(A_T, 4)
#define B_T4 OCT_CAT(B_T, 4)

/* Four channels, or as many as there are. */
static inline int4 load_quad(__global const A_T *from, int count, bool aligned)
{
    if (aligned)
        return convert_int4(*(__global const A_T4 *)from);
    return (int4)(from[0], count > 1 ? from[1] : 0, count > 2 ? from[2] : 0, count > 3 ? from[3] : 0);
}

/* Of a tile: its channels, its pixels, its block of weights. */
static inline void conv_body(const conv_args a, const long across, const long down, const long block)
{
    const geometry_numbers g = a.geometry;
    const int col = across * 4;
    const long first = down * ROWS;
    if (col >= g.co || first >= a.pixels) /* work-groups are whole */
        return;
    const bool aligned = (((ulong)a.x | (ulong)a.pad_row | (ulong)g.c) & 3) == 0;
    __global const B_T *b = AT(B_T, a.packed) + (long)(col / 16 * 16) * g.kh * g.kw + col % 16;
    conv_pixel at[ROWS];
    int4 acc[ROWS], sum[ROWS];
#pragma unroll
    for (int r = 0; r < ROWS; r++) {
        at[r] = conv_locate(min(first + r, a.pixels - 1), g, g.c);
        acc[r] = sum[r] = 0;
    }
    for (int ky = 0; ky < g.kh; ky++) {
        for (int kx = 0; kx < g.kw; kx++, b += 16) {
            const int4 bv = convert_int4(*(__global const B_T4 *)b);
#pragma unroll
            for (int r = 0; r < ROWS; r++) {
                const int4 av = load_quad((__global const A_T *)conv_tap(AT(uchar, a.x), AT(uchar, a.pad_row),
                                                                         at[r], ky * g.dilation_h,
                                                                         kx * g.dilation_w, g.h, g.w, g.c) +
                                              col,
                                          g.c - col, aligned);
                acc[r] += bv * av;
#ifdef ROWSUM
                sum[r] += av;
#endif
            }
        }
    }
    __global const int *of_block = AT(int, a.prep);
    const int zero = of_block[3 * ((g.co + 63) / 64 * 64)];
    const float lo = (float)(a.clamp_min - zero), hi = (float)(a.clamp_max - zero);
    const bool y_aligned = (((ulong)a.y / sizeof(OUT_T) | RESIDUAL_ALIGNMENT | (ulong)g.co) & 3) == 0;
    const quad_prep q = quad_load(of_block, col, g.co);
#pragma unroll
    for (int r = 0; r < ROWS; r++) {
        const long at_y = (first + r) * g.co + col;
        if (first + r < a.pixels)
            quad_store(AT(OUT_T, a.y) + at_y, CHAIN_AT(at_y), acc[r], q, sum[r], 1.0f, zero, lo, hi,
                       g.co - col, y_aligned);
    }
}
KERNEL_3D(conv, conv, CONV_ARGS)
