/* Convolution on any device: plain OpenCL C 1.2, implicit GEMM. One work-item makes ROWS neighbouring output
 * pixels of 16 channels of one group; B packed [co / 16][kh kw][c][16]. Options: ROWS; A_SIGNED, B_SIGNED,
 * OUT, ROWSUM (product.clh). */
#include "conv/conv.clh"

#ifndef ROWS
#define ROWS 4
#endif

__kernel void conv(CONV_ARGS)
{
    const int col = get_global_id(0) * 16, group = get_global_id(2);
    const long first = (long)get_global_id(1) * ROWS;
    const int channel = group * group_c;
    __global const B_T *b = AT(B_T, packed) + group * packed_stride + (long)col * kh * kw * group_c;
    conv_pixel at[ROWS];
    int16 acc[ROWS], sum[ROWS];
#pragma unroll
    for (int r = 0; r < ROWS; r++) {
        at[r] = CONV_LOCATE(min(first + r, pixels - 1), c);
        acc[r] = sum[r] = 0;
    }
    for (int ky = 0; ky < kh; ky++) {
        for (int kx = 0; kx < kw; kx++) {
            __global const A_T *rows[ROWS];
#pragma unroll
            for (int r = 0; r < ROWS; r++)
                rows[r] = (__global const A_T *)conv_tap(AT(uchar, x), AT(uchar, pad_row), at[r],
                                                         ky * dilation_h, kx * dilation_w, h, w, c) +
                          channel;
            for (int i = 0; i < group_c; i++, b += 16) {
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
        const long at_y = (first + r) * co + group * group_co + col;
        if (first + r < pixels)
            product_store16(AT(int, prep) + group * prep_stride, AT(OUT_T, y) + at_y, CHAIN_AT(at_y), acc[r],
                            sum[r], 1.0f, col, group_co, clamp_min, clamp_max);
    }
}
