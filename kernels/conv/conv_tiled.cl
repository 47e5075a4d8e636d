/* Convolution for GPUs as implicit GEMM: the tiles of product/tile.clh, whose rows are output pixels and
 * whose k runs over taps, then channels in groups of 4; the input is read where it lies (NHWC), 16 channels
 * of a tap at a time where 16 bytes are aligned and stay in one tap, else 4.
 *
 * B packed [co / 64][kh kw][c / 4][64][4]. Work-groups: tiles of pixels x output channels (tile_of); groups
 * of the convolution in dimension 2. Options: those of tile.clh; A_SIGNED, OUT, ROWSUM (product.clh). */
#ifdef ROWSUM
#define ROW_SUMS
#endif
#include "conv/conv.clh"
#include "product/tile.clh"

/* Four channels of one tap of a pixel, in the form that dot4 takes; 0 where the group has none. */
static inline uint fetch_dword(__global const uchar *from, int count, bool aligned)
{
    const uint v = aligned && count >= 4 ? *(__global const uint *)from : load_some(from, 0, count);
    return (v ^ A_FLIP) & (count >= 4 ? 0xffffffffu : (1u << (8 * count)) - 1u);
}

__attribute__((reqd_work_group_size(THREADS, 1, 1))) __kernel void conv(CONV_ARGS)
{
    __local uint4 la[2][KW * A_STEP], lb[2][KW * B_STEP];
    const int item = get_local_id(0), ty = item / TX, tx = item % TX;
    const int2 tile = tile_of(get_group_id(0), (int)((pixels + BM - 1) / BM), (group_co + BN - 1) / BN);
    const int group = get_group_id(2), channel = group * group_c;
    const long row0 = (long)tile.x * BM;
    const int col0 = tile.y * BN;
    const int per_tap = (group_c + 3) / 4, groups = kh * kw * per_tap;
    const bool whole = ((x_offset | pad_row_offset | (ulong)(c | group_c)) & 15) == 0;
    const bool words = ((x_offset | pad_row_offset | (ulong)(c | group_c)) & 3) == 0;
    __global const uint4 *b = (__global const uint4 *)(AT(uchar, packed) + group * packed_stride);

    conv_pixel at[A_CHUNKS];
    uint4 next_a[A_CHUNKS], next_b[B_CHUNKS];
    int acc[TM][TN], sums[TM];
    UNROLL
    for (int i = 0; i < A_CHUNKS; i++)
        at[i] = CONV_LOCATE(min(row0 + chunk_row(item, i), pixels - 1), c);
    UNROLL
    for (int i = 0; i < TM; i++) {
        sums[i] = 0;
        UNROLL
        for (int j = 0; j < TN; j++)
            acc[i][j] = 0;
    }

    const int stages = (groups + KW - 1) / KW, panels = (group_co + 63) / 64, panel = col0 / 64;
    for (int s = -1; s < stages; s++) { /* -1: only fetches */
        const int kg = (s + 1) * KW;
        if (s + 1 < stages) {
            UNROLL
            for (int i = 0; i < A_CHUNKS; i++) {
                const int first = kg + chunk_part(item, i) * 4;
                uint4 v = 0;
                if (whole && first < groups) {
                    const int tap = first / per_tap;
                    v = *(__global const uint4 *)(conv_tap(AT(uchar, x), AT(uchar, pad_row), at[i],
                                                           tap / kw * dilation_h, tap % kw * dilation_w, h, w,
                                                           c) +
                                                  channel + (first - tap * per_tap) * 4) ^
                        A_FLIP;
                } else {
                    /* One at a time: unrolled, this path would take the registers of the other. */
                    UNROLL_BY(1)
                    for (int j = 0; j < 4; j++) {
                        const int tap = (first + j) / per_tap, cg = first + j - tap * per_tap;
                        uint next = 0;
                        if (first + j < groups)
                            next =
                                fetch_dword(conv_tap(AT(uchar, x), AT(uchar, pad_row), at[i],
                                                     tap / kw * dilation_h, tap % kw * dilation_w, h, w, c) +
                                                channel + cg * 4,
                                            group_c - cg * 4, words);
                        v = (uint4)(v.yzw, next);
                    }
                }
                next_a[i] = v;
            }
            fetch_b(next_b, b, panel, panels, groups, kg, groups, item);
        }
        if (s >= 0)
            multiply_stage(acc, sums, la[s & 1], lb[s & 1], ty, tx);
        if (s + 1 < stages)
            keep_stage(la[(s + 1) & 1], lb[(s + 1) & 1], next_a, next_b, item);
        barrier(CLK_LOCAL_MEM_FENCE);
    }

    __global const int *of_group = AT(int, prep) + group * prep_stride;
    const bool y_aligned =
        ((y_offset / sizeof(OUT_T) | RESIDUAL_ALIGNMENT | (ulong)(co | (group * group_co))) & 3) == 0;
    const int zero = of_group[3 * ((group_co + 63) / 64 * 64)];
    const float lo = (float)(clamp_min - zero), hi = (float)(clamp_max - zero);
    UNROLL
    for (int j = 0; j < TN; j += 4) {
        const int col = col0 + item_col(tx, j);
        if (col < group_co) {
            const quad_prep q = quad_load(of_group, col, group_co);
            UNROLL
            for (int i = 0; i < TM; i++) {
                const long row = row0 + item_row(ty, i), at_y = row * co + group * group_co + col;
                if (row < pixels)
                    quad_store(AT(OUT_T, y) + at_y, CHAIN_AT(at_y),
                               (int4)(acc[i][j], acc[i][j + 1], acc[i][j + 2], acc[i][j + 3]), q, sums[i],
                               1.0f, zero, lo, hi, group_co - col, y_aligned);
            }
        }
    }
}
