/* Depthwise convolution on AVX-512 VNNI through PoCL. KB (four) neighbouring pixels of a row are interleaved,
 * so that a dword holds as many taps of one channel; each such row of taps serves all of ROWS output pixels,
 * one below the other, that it is under. One work-item (a work-group of its own) makes ROWS rows of output of
 * 64 channels. B packed [c / 64][KH][KW / 4][64][4], signed, one block. dilation_h is 1. Options: ROWS, KH,
 * KW, STRIDE_H; A_SIGNED, OUT, ROWSUM (product.clh); WIDE: 16-bit x, two pixels at a time (x86_vnni512.clh),
 * whose sums, of at most 121 terms, int32 holds. */
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
#define GROUPS  ((KW + KB - 1) / KB)
#define ROWS_IN ((ROWS - 1) * STRIDE_H + KH)

#ifdef WIDE
/* The first `count` of 32 channels of a pixel, signed. */
static inline int16 load_side(__global const uchar *at, int count)
{
    return x86_load_bytes(at, mask64(clamp(2 * count, 0, 64))) ^ (int16)((int)A_FLIP);
}

/* out[j]: dwords of two taps, channels 16 j and on, of the `channels` that there are. */
static inline void load_taps(int16 out[4], __global const uchar *const at[KB], int channels)
{
    const int16 pairs = (int16)(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15) * 0x10001 + 0x200000;
#pragma unroll
    for (int side = 0; side < 2; side++) {
        const int16 a = load_side(at[0] + 64 * side, channels - 32 * side),
                    b = load_side(at[1] + 64 * side, channels - 32 * side);
        out[2 * side] = x86_choose_words(pairs, a, b);
        out[2 * side + 1] = x86_choose_words(pairs + 0x100010, a, b);
    }
}
#else
/* 64 channels of one pixel, unsigned, in the order that interleaving undoes. */
static inline int16 load_pixel(__global const uchar *at, ulong mask)
{
    return transpose_dwords(x86_load_bytes(at, mask)) ^ (int16)((int)A_FLIP);
}

/* out[j]: dwords of four taps, channels 16 j and on. */
static inline void load_taps(int16 out[4], __global const uchar *const at[KB], int channels)
{
    const ulong mask = mask64(channels);
    const int16 a = load_pixel(at[0], mask), b = load_pixel(at[1], mask), c = load_pixel(at[2], mask),
                d = load_pixel(at[3], mask);
    const int16 ab_low = x86_unpack_low_bytes(a, b), ab_high = x86_unpack_high_bytes(a, b),
                cd_low = x86_unpack_low_bytes(c, d), cd_high = x86_unpack_high_bytes(c, d);
    out[0] = x86_unpack_low_words(ab_low, cd_low);
    out[1] = x86_unpack_high_words(ab_low, cd_low);
    out[2] = x86_unpack_low_words(ab_high, cd_high);
    out[3] = x86_unpack_high_words(ab_high, cd_high);
}
#endif

/* Of ROWS rows of an image and a panel. */
static inline void conv_body(const conv_args a, const long down, const long across)
{
    const geometry_numbers g = a.geometry;
    const int col = across * 64;
    const int tiles = (g.oh + ROWS - 1) / ROWS;
    const long image = down / tiles;
    const int first = (int)(down % tiles) * ROWS;
    __global const int16 *b = (__global const int16 *)(AT(uchar, a.packed) + (long)col * KH * GROUPS * 4);
    __global const uchar *outside = AT(uchar, a.pad_row) + col * A_BYTES;
    __global const uchar *rows[ROWS_IN];
    long moves[ROWS_IN]; /* -1: the row is there; 0: padding all along */
#pragma unroll
    for (int r = 0; r < ROWS_IN; r++) {
        const int iy = first * STRIDE_H - g.pad_top + r;
        const bool there = iy >= 0 && iy < g.h;
        rows[r] = there ? AT(uchar, a.x) + ((image * g.h + iy) * g.w * g.c + col) * A_BYTES : outside;
        moves[r] = there ? -1 : 0;
    }
    for (int ox = 0; ox < g.ow; ox++) {
        int16 acc[ROWS][4], sum[ROWS][4];
#pragma unroll
        for (int r = 0; r < ROWS; r++) {
#pragma unroll
            for (int j = 0; j < 4; j++)
                acc[r][j] = sum[r][j] = 0;
        }
#pragma unroll
        for (int step = 0; step < GROUPS; step++) {
            int16 bk[KH][4]; /* loaded once: a masked load in between makes the compiler do it again */
            /* Taps past KW are the last one again (the compiler sees that) and meet zeros in B. */
            long at[KB];
            bool there[KB];
#pragma unroll
            for (int t = 0; t < KB; t++) {
                const int ix = ox * g.stride_w - g.pad_left + min(step * KB + t, KW - 1) * g.dilation_w;
                there[t] = ix >= 0 && ix < g.w;
                at[t] = (long)ix * g.c * A_BYTES;
            }
#pragma unroll
            for (int r = 0; r < ROWS_IN; r++) {
                __global const uchar *from[KB];
                int16 taps[4];
#pragma unroll
                for (int t = 0; t < KB; t++)
                    from[t] = there[t] ? rows[r] + (at[t] & moves[r]) : outside;
                load_taps(taps, from, g.c - col);
#pragma unroll
                for (int j = 0; j < 4; j++) {
                    if (r < KH)
                        bk[r][j] = b[(r * GROUPS + step) * 4 + j];
                }
#pragma unroll
                for (int o = 0; o < ROWS; o++) {
                    const int ky = r - o * STRIDE_H;
                    if (ky >= 0 && ky < KH) {
#ifdef ROWSUM
                        const int left = KW - step * 4;
                        const int16 ones = (int)(0x01010101u >> (left < 4 ? 8 * (4 - left) : 0));
#endif
#pragma unroll
                        for (int j = 0; j < 4; j++) {
                            DOT(acc[o][j], taps[j], bk[ky][j]);
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
            const long at_y = ((image * g.oh + first + o) * g.ow + ox) * g.co + col;
            if (first + o < g.oh)
                product_store_panel(AT(int, a.prep), AT(OUT_T, a.y) + at_y, CHAIN_AT(at_y), acc[o], 0, sum[o],
                                    col, g.co, a.clamp_min, a.clamp_max);
        }
    }
}
__attribute__((reqd_work_group_size(1, 1, 1))) KERNEL_2D(conv, conv, CONV_ARGS)
