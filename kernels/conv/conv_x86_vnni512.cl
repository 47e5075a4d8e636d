/* Convolution on AVX-512 VNNI through PoCL, implicit GEMM without packing the input: for every tap four
 * neighbouring channels of each of ROWS pixels are broadcast against 64 output channels. One work-item (a
 * work-group of its own) makes block_pixels output pixels of 64 channels of one group, ROWS at a time. B
 * packed [co / 64][kh kw][c / 4][64][4], signed. Options: ROWS (1 to 6), A_SIGNED, OUT, ROWSUM (product.clh).
 */
#include "conv/conv.clh"
#include "product/x86_vnni512.clh"

#ifndef ROWS
#define ROWS 6
#endif

__attribute__((reqd_work_group_size(1, 1, 1))) __kernel void conv(CONV_ARGS, const int block_pixels)
{
    const int panel = get_global_id(1), group = get_global_id(2), col = panel * 64;
    const int per_tap = (group_c + 3) / 4, whole = group_c / 4, channel = group * group_c;
    const long first = (long)get_global_id(0) * block_pixels, last = min(first + block_pixels, pixels);
    __global const int16 *panel_b = (__global const int16 *)(AT(uchar, packed) + group * packed_stride) +
                                    (long)panel * kh * kw * per_tap * 4;
    for (long pixel = first; pixel < last; pixel += ROWS) {
        __global const int16 *b = panel_b;
        conv_pixel at[ROWS];
        int16 acc[ROWS][4], sum[ROWS];
#pragma unroll
        for (int r = 0; r < ROWS; r++) {
            at[r] = CONV_LOCATE(min(pixel + r, pixels - 1));
            acc[r][0] = acc[r][1] = acc[r][2] = acc[r][3] = sum[r] = 0;
        }
        for (int ky = 0; ky < kh; ky++) {
            for (int kx = 0; kx < kw; kx++) {
                __global const uchar *rows[ROWS];
#pragma unroll
                for (int r = 0; r < ROWS; r++)
                    rows[r] = conv_tap(AT(uchar, x), AT(uchar, pad_row), at[r], ky * dilation_h,
                                       kx * dilation_w, h, w, c) +
                              channel;
                for (int i = 0; i < whole; i++, b += 4) {
                    const int16 b0 = b[0], b1 = b[1], b2 = b[2], b3 = b[3];
#pragma unroll
                    for (int r = 0; r < ROWS; r++) {
                        const int16 av = broadcast_dword(rows[r], i);
                        DOT64(acc[r], av, b0, b1, b2, b3);
#ifdef ROWSUM
                        DOT(sum[r], av, (int16)(0x01010101));
#endif
                    }
                }
                if (whole < per_tap) {
                    const int16 b0 = b[0], b1 = b[1], b2 = b[2], b3 = b[3];
                    b += 4;
#pragma unroll
                    for (int r = 0; r < ROWS; r++) {
                        const int16 av = broadcast_tail(rows[r] + whole * 4, group_c - whole * 4);
                        DOT64(acc[r], av, b0, b1, b2, b3);
#ifdef ROWSUM
                        DOT(sum[r], av, (int16)((int)(0x01010101u >> (8 * (4 - group_c % 4)))));
#endif
                    }
                }
            }
        }
#pragma unroll
        for (int r = 0; r < ROWS; r++) {
#pragma unroll
            for (int j = 0; j < 4; j++) {
                if (pixel + r < last && col + j * 16 < group_co)
                    product_store16(AT(int, prep) + group * prep_stride,
                                    AT(OUT_T, y) + (pixel + r) * co + group * group_co + col + j * 16,
                                    acc[r][j], sum[r], 1.0f, col + j * 16, group_co, clamp_min, clamp_max);
            }
        }
    }
}
