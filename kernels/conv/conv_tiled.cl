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

#if A_CHUNKS > 1 && BK > 32
#error "the chunks that a work-item fetches of a stage must be of one part of k"
#endif

/* Where a work-item is on its way along k: group `cg` of 4 channels, of tap (ty, tx). */
typedef struct conv_step {
    int cg, ty, tx;
} conv_step;

static inline conv_step step_on(conv_step at, int groups, int per_tap, int kw)
{
    at.cg += groups;
    while (at.cg >= per_tap) {
        at.cg -= per_tap;
        if (++at.tx == kw) {
            at.tx = 0;
            at.ty++;
        }
    }
    return at;
}

/* Four channels of one tap of a pixel, `count` of them in the group: of the others, what A_FLIP makes 0. */
static inline uint fetch_dword(__global const uchar *from, int count, bool aligned)
{
    const uint v = aligned && count >= 4 ? *(__global const uint *)from : load_some(from, 0, count);
    return count >= 4 ? v : v | (A_FLIP & 0xffffffffu << (8 * count));
}

/* Its channels. */
#define TAP(pixel, step)                                                                                     \
    conv_tap(AT(uchar, a.x), AT(uchar, a.pad_row), pixel, (step).ty *g.dilation_h, (step).tx *g.dilation_w,  \
             g.h, g.w, g.c)

__attribute__((reqd_work_group_size(THREADS, 1, 1))) __kernel void conv(SIGNATURE(conv, CONV_ARGS))
{
    RESOLVE(conv, CONV_ARGS)
    const geometry_numbers g = a.geometry;
    __local uint4 la[2][KW * A_STEP], lb[2][KW * B_STEP];
    const int item = get_local_id(0), ty = item / TX, tx = item % TX;
    const int2 tile = tile_of(get_group_id(0), (int)((a.pixels + BM - 1) / BM), (a.group_co + BN - 1) / BN);
    const int group = get_group_id(2), channel = group * a.group_c;
    const long row0 = (long)tile.x * BM;
    const int col0 = tile.y * BN;
    const int per_tap = (a.group_c + 3) / 4, groups = g.kh * g.kw * per_tap;
    const bool whole = (((ulong)a.x | (ulong)a.pad_row | (ulong)(g.c | a.group_c)) & 15) == 0;
    const bool words = (((ulong)a.x | (ulong)a.pad_row | (ulong)(g.c | a.group_c)) & 3) == 0;
    __global const uint4 *b = (__global const uint4 *)(AT(uchar, a.packed) + group * a.packed_stride);

    __global const uint4 *b_from[B_CHUNKS];
    conv_pixel at[A_CHUNKS];
    uint4 next_a[A_CHUNKS], next_b[B_CHUNKS];
    int acc[TM][TN], sums[TM];
    UNROLL
    for (int i = 0; i < A_CHUNKS; i++)
        at[i] = conv_locate(min(row0 + chunk_row(item, i), a.pixels - 1), g, g.c);
    UNROLL
    for (int i = 0; i < TM; i++) {
        sums[i] = 0;
        UNROLL
        for (int j = 0; j < TN; j++)
            acc[i][j] = 0;
    }

    const int stages = (groups + KW - 1) / KW, panels = (a.group_co + 63) / 64, panel = col0 / 64;
    conv_step step = step_on((conv_step){0, 0, 0}, groups > 0 ? chunk_part(item, 0) * 4 : 0, per_tap, g.kw);
    locate_b(b_from, b, panel, panels, groups, item);
    for (int s = -1; s < stages; s++) { /* -1: only fetches */
        const int kg = (s + 1) * KW;
        if (s + 1 < stages) {
            fetch_b(next_b, b_from, kg, groups, item);
            UNROLL
            for (int i = 0; i < A_CHUNKS; i++) {
                if (whole && step.ty < g.kh) {
                    next_a[i] = *(__global const uint4 *)(TAP(at[i], step) + channel + step.cg * 4);
                } else {
                    /* One at a time: unrolled, this path would take the registers of the other. */
                    conv_step next = step;
                    uint4 v = 0;
                    UNROLL_BY(1)
                    for (int j = 0; j < 4; j++) {
                        uint dword = A_FLIP;
                        if (next.ty < g.kh)
                            dword = fetch_dword(TAP(at[i], next) + channel + next.cg * 4,
                                                a.group_c - next.cg * 4, words);
                        v = (uint4)(v.yzw, dword);
                        next = step_on(next, 1, per_tap, g.kw);
                    }
                    next_a[i] = v;
                }
            }
            step = step_on(step, KW, per_tap, g.kw);
        }
        if (s >= 0)
            multiply_stage(acc, sums, la[s & 1] + ty, lb[s & 1] + tx);
        if (s + 1 < stages)
            keep_stage(la[(s + 1) & 1], lb[(s + 1) & 1], next_a, next_b, item);
        barrier(CLK_LOCAL_MEM_FENCE);
    }

    __global const int *of_group = AT(int, a.prep) + group * a.prep_stride;
    const bool y_aligned =
        (((ulong)a.y / sizeof(OUT_T) | RESIDUAL_ALIGNMENT | (ulong)(g.co | (group * a.group_co))) & 3) == 0;
    const int zero = of_group[3 * ((a.group_co + 63) / 64 * 64)];
    const float lo = (float)(a.clamp_min - zero), hi = (float)(a.clamp_max - zero);
    UNROLL
    for (int j = 0; j < TN; j += 4) {
        const int col = col0 + item_col(tx, j);
        if (col < a.group_co) {
            const quad_prep q = quad_load(of_group, col, a.group_co);
            UNROLL
            for (int i = 0; i < TM; i++) {
                const long row = row0 + item_row(ty, i), at_y = row * g.co + group * a.group_co + col;
                if (row < a.pixels)
                    quad_store(AT(OUT_T, a.y) + at_y, CHAIN_AT(at_y),
                               (int4)(acc[i][j], acc[i][j + 1], acc[i][j + 2], acc[i][j + 3]), q, sums[i],
                               1.0f, zero, lo, hi, a.group_co - col, y_aligned);
            }
        }
    }
}
