/* Convolution on AVX-512 VNNI through PoCL, implicit GEMM without packing the input: for every tap four
 * neighbouring channels of each of ROWS pixels are broadcast against NB output channels. One work-item (a
 * work-group of its own) makes block_pixels output pixels of NB channels of one group, ROWS at a time. B
 * packed [co / NB][kh kw][c / 4][NB][4], signed. Options: ROWS and NB, of which ROWS * NB / 16 accumulators
 * must fit the registers; A_SIGNED, OUT, ROWSUM (product.clh); WIDE: 16-bit x, two channels at a time
 * (x86_vnni512.clh). */
#include "conv/conv.clh"
#include "product/x86_vnni512.clh"

#ifndef ROWS
#define ROWS 6
#endif

#ifdef ROWSUM
#define CONV_SUM(r, av, ones) DOT(sum[r], av, (int16)((int)(ones)))
#else
#define CONV_SUM(r, av, ones)
#endif

/* One k group: NB columns of B at b against all rows. dword: of row r; ones: a one for each of its bytes that
 * counts. */
#define CONV_STEP(dword, ones)                                                                               \
    do {                                                                                                     \
        int16 bv[VECTORS];                                                                                   \
        _Pragma("unroll") for (int j = 0; j < VECTORS; j++) bv[j] = b[j];                                    \
        _Pragma("unroll") for (int r = 0; r < ROWS; r++)                                                     \
        {                                                                                                    \
            const int16 av = dword;                                                                          \
            _Pragma("unroll") for (int j = 0; j < VECTORS; j++) DOT(acc[r][j], av, bv[j]);                   \
            CONV_SUM(r, av, ones);                                                                           \
        }                                                                                                    \
    } while (0)

/* Of a block of pixels, a panel, a group. */
static inline void conv_body(const conv_args a, const long down, const long across, const long block)
{
    const geometry_numbers g = a.geometry;
    const int panel = across, group = block, col = panel * NB;
    const int per_tap = (a.group_c + KB - 1) / KB, whole = a.group_c / KB,
              channel = group * a.group_c * A_BYTES;
    const long first = down * a.block_pixels, last = min(first + a.block_pixels, a.pixels);
    __global const int16 *panel_b = (__global const int16 *)(AT(uchar, a.packed) + group * a.packed_stride) +
                                    (long)panel * g.kh * g.kw * per_tap * VECTORS;
    conv_pixel next = conv_locate(first, g, g.c * A_BYTES);
    int ox = (int)(first % g.ow), oy = (int)(first / g.ow % g.oh);
    for (long pixel = first; pixel < last; pixel += ROWS) {
        __global const int16 *b = panel_b;
        conv_pixel at[ROWS];
        int16 acc[ROWS][VECTORS], sum[ROWS];
        SUMS_DECLARE
#pragma unroll
        for (int r = 0; r < ROWS; r++) {
            at[r] = next;
            if (pixel + r + 1 < a.pixels)
                CONV_ADVANCE(next, ox, oy, g.c * A_BYTES);
            sum[r] = 0;
#pragma unroll
            for (int j = 0; j < VECTORS; j++)
                acc[r][j] = 0;
        }
        for (int ky = 0; ky < g.kh; ky++) {
            for (int kx = 0; kx < g.kw; kx++) {
                __global const uchar *rows[ROWS];
#pragma unroll
                for (int r = 0; r < ROWS; r++)
                    rows[r] = conv_tap(AT(uchar, a.x), AT(uchar, a.pad_row), at[r], ky * g.dilation_h,
                                       kx * g.dilation_w, g.h, g.w, g.c * A_BYTES) +
                              channel;
                for (int from = 0; from < whole; from += SUMS_GROUPS) {
                    const int to = from + min(whole - from, SUMS_GROUPS);
                    SUMS_ROOM(to - from);
                    for (int i = from; i < to; i++, b += VECTORS)
                        CONV_STEP(broadcast_dword(rows[r], i), 0x01010101u);
                }
                if (whole < per_tap) {
                    SUMS_ROOM(1);
                    CONV_STEP(broadcast_tail(rows[r] + whole * 4, a.group_c - whole * KB),
                              0x01010101u >> (8 * (4 - a.group_c % 4)));
                    b += VECTORS;
                }
            }
        }
#pragma unroll
        for (int r = 0; r < ROWS; r++) {
            const int16 sums[4] = {sum[r], sum[r], sum[r], sum[r]};
            const long at_y = (pixel + r) * g.co + group * a.group_co + col;
            if (pixel + r < last)
                product_store_panel(AT(int, a.prep) + group * a.prep_stride, AT(OUT_T, a.y) + at_y,
                                    CHAIN_AT(at_y), acc[r], SUMS_BEYOND(r), sums, col, a.group_co,
                                    a.clamp_min, a.clamp_max);
        }
    }
}
__attribute__((reqd_work_group_size(1, 1, 1))) KERNEL_3D(conv, conv, CONV_ARGS)
