/* Depthwise convolution on AVX-512 VNNI through PoCL. Four neighbouring pixels of a row are interleaved, so
 * that a dword holds four taps of one channel; each such row of taps serves all of ROWS output pixels, one
 * below the other, that it is under. One work-item (a work-group of its own) makes ROWS rows of output of 64
 * channels. B packed [c / 64][KH][KW / 4][64][4], signed, one block. dilation_h is 1.
 * Options: ROWS, KH, KW, STRIDE_H; A_SIGNED, OUT, ROWSUM (product.clh). */
#include "conv/conv.clh"
#include "product/x86_vnni512.clh"

#ifndef ROWS
#define ROWS 4
#endif
#ifndef KH
#define KH 3
#endif
#ifndef STRIDE_H
#define STRIDE_H 1
#endif
#ifndef KW
#define KW 3
#endif
#define GROUPS  ((KW + 3) / 4)
#define ROWS_IN ((ROWS - 1) * STRIDE_H + KH)

/* 64 channels of one pixel, unsigned, in the order that interleave() undoes. */
static inline int16 load_pixel(__global const uchar *at, ulong mask)
{
    return transpose_dwords(load_masked(at, mask)) ^ (int16)((int)A_FLIP);
}

/* out[j]: dwords of four taps, channels 16 j and on. */
static inline void interleave(int16 out[4], int16 a, int16 b, int16 c, int16 d)
{
    int16 ab_low, ab_high, cd_low, cd_high;
    VECTOR_OP("vpunpcklbw", ab_low, a, b);
    VECTOR_OP("vpunpckhbw", ab_high, a, b);
    VECTOR_OP("vpunpcklbw", cd_low, c, d);
    VECTOR_OP("vpunpckhbw", cd_high, c, d);
    VECTOR_OP("vpunpcklwd", out[0], ab_low, cd_low);
    VECTOR_OP("vpunpckhwd", out[1], ab_low, cd_low);
    VECTOR_OP("vpunpcklwd", out[2], ab_high, cd_high);
    VECTOR_OP("vpunpckhwd", out[3], ab_high, cd_high);
}

__attribute__((reqd_work_group_size(1, 1, 1))) __kernel void conv(CONV_ARGS)
{
    const int col = get_global_id(1) * 64;
    const int tiles = (oh + ROWS - 1) / ROWS;
    const long image = get_global_id(0) / tiles;
    const int first = (int)(get_global_id(0) % tiles) * ROWS;
    const ulong mask = mask64(c - col);
    __global const int16 *b = (__global const int16 *)(AT(uchar, packed) + (long)col * KH * GROUPS * 4);
    __global const uchar *outside = AT(uchar, pad_row) + col;
    __global const uchar *rows[ROWS_IN];
    long moves[ROWS_IN]; /* -1: the row is there; 0: padding all along */
#pragma unroll
    for (int r = 0; r < ROWS_IN; r++) {
        const int iy = first * STRIDE_H - pad_top + r;
        const bool there = iy >= 0 && iy < h;
        rows[r] = there ? AT(uchar, x) + (image * h + iy) * w * c + col : outside;
        moves[r] = there ? -1 : 0;
    }
    for (int ox = 0; ox < ow; ox++) {
        int16 acc[ROWS][4], sum[ROWS][4];
#pragma unroll
        for (int r = 0; r < ROWS; r++) {
#pragma unroll
            for (int j = 0; j < 4; j++)
                acc[r][j] = sum[r][j] = 0;
        }
#pragma unroll
        for (int g = 0; g < GROUPS; g++) {
            /* Taps past KW are the last one again (the compiler sees that) and meet zeros in B. */
            long at[4];
            bool there[4];
#pragma unroll
            for (int t = 0; t < 4; t++) {
                const int ix = ox * stride_w - pad_left + min(g * 4 + t, KW - 1) * dilation_w;
                there[t] = ix >= 0 && ix < w;
                at[t] = (long)ix * c;
            }
#pragma unroll
            for (int r = 0; r < ROWS_IN; r++) {
                int16 pixels4[4], taps[4];
#pragma unroll
                for (int t = 0; t < 4; t++)
                    pixels4[t] = load_pixel(there[t] ? rows[r] + (at[t] & moves[r]) : outside, mask);
                interleave(taps, pixels4[0], pixels4[1], pixels4[2], pixels4[3]);
#pragma unroll
                for (int o = 0; o < ROWS; o++) {
                    const int ky = r - o * STRIDE_H;
                    if (ky >= 0 && ky < KH) {
                        __global const int16 *bk = b + (ky * GROUPS + g) * 4;
#ifdef ROWSUM
                        const int left = KW - g * 4;
                        const int16 ones = (int)(0x01010101u >> (left < 4 ? 8 * (4 - left) : 0));
#endif
#pragma unroll
                        for (int j = 0; j < 4; j++) {
                            const int16 bv = bk[j];
                            DOT(acc[o][j], taps[j], bv);
#ifdef ROWSUM
                            DOT(sum[o][j], taps[j], ones);
#endif
                        }
                    }
                }
            }
        }
#pragma unroll
        for (int o = 0; o < ROWS; o++) {
            const long at_y = ((image * oh + first + o) * ow + ox) * co + col;
            if (first + o < oh)
                product_store_panel(AT(int, prep), AT(OUT_T, y) + at_y, CHAIN_AT(at_y), acc[o], sum[o], col,
                                    co, clamp_min, clamp_max);
        }
    }
}
