/* Convolution on any device: plain OpenCL C 1.2, implicit GEMM. One work-item makes ROWS neighbouring output
 * pixels of 16 channels of one group; B packed [co / 16][kh kw][c][16]. Options: ROWS; A_SIGNED, B_SIGNED,
 * OUT, ROWSUM (product.clh). */
#include "conv/conv.clh"

#ifndef ROWS
#define ROWS 4
#endif

/* Of a tile: its channels, its pixels, its block of weights. */
static inline void conv_body(const conv_args a, const long across, const long down, const long block)
{
    const geometry_numbers g = a.geometry;
    const int col = across * 16, group = block;
    const long first = down * ROWS;
    const int channel = group * a.group_c;
    __global const B_T *b = AT(B_T, a.packed) + group * a.packed_stride + (long)col * g.kh * g.kw * a.group_c;
    conv_pixel at[ROWS];
    int16 acc[ROWS], sum[ROWS];
#pragma unroll
    for (int r = 0; r < ROWS; r++) {
        at[r] = conv_locate(min(first + r, a.pixels - 1), g, g.c);
        acc[r] = sum[r] = 0;
    }
    for (int ky = 0; ky < g.kh; ky++) {
        for (int kx = 0; kx < g.kw; kx++) {
            __global const A_T *rows[ROWS];
#pragma unroll
            for (int r = 0; r < ROWS; r++)
                rows[r] =
                    (__global const A_T *)conv_tap(AT(uchar, a.x), AT(uchar, a.pad_row), at[r],
                                                   ky * g.dilation_h, kx * g.dilation_w, g.h, g.w, g.c) +
                    channel;
            for (int i = 0; i < a.group_c; i++, b += 16) {
                const int16 bv = convert_int16(vload16(0, b));
#pragma unroll
                for (int r = 0; r < ROWS; r++) {
                    const int av = rows[r][i];
                    acc[r] += bv * av;
#ifdef ROWSUM
                    sum[r] += av;
#endif
                }
            }
        }
    }
#pragma unroll
    for (int r = 0; r < ROWS; r++) {
        const long at_y = (first + r) * g.co + group * a.group_co + col;
        if (first + r < a.pixels)
            product_store16(AT(int, a.prep) + group * a.prep_stride, AT(OUT_T, a.y) + at_y, CHAIN_AT(at_y),
                            acc[r], sum[r], 1.0f, col, a.group_co, a.clamp_min, a.clamp_max);
    }
}
KERNEL_3D(conv, conv, CONV_ARGS)
