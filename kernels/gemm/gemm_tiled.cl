/* C = A x B for GPUs: tiles in local memory and registers (product/tile.clh), 4-way dot products (dot4/).
 * A is read where it lies, at any alignment; rows and columns past the edge of C are computed from what is
 * there and not stored, so edges run the same loop.
 *
 * Work-groups: tiles of C (tile_of), and in dimension 2 batches times `splits` parts of k. With PARTIAL the
 * exact sums of each part are stored, [splits][batch] matrices of int32 with rows of ldc, for gemm_reduce.cl
 * to add and finish.
 *
 * Options: those of tile.clh; A_SIGNED, OUT, ROWSUM, ROWSCALE (gemm.clh); PARTIAL. */
#include "gemm/gemm.clh"
#include "product/tile.clh"

/* This work-item's part of a stage of A: 16 bytes each from `at` + k0. whole: all of the stage, for all
 * work-items alike, is aligned and inside its rows. k past the end: anything, since B is 0. */
static inline void fetch_a(uint4 *to, __global const uchar *base, const long *at, long end, long k0,
                           bool whole)
{
    UNROLL
    for (int i = 0; i < A_CHUNKS; i++) {
        if (whole)
            to[i] = *(__global const uint4 *)(base + at[i] + k0);
        else
            to[i] = load16(base, at[i] + k0, end);
    }
}

__attribute__((reqd_work_group_size(THREADS, 1, 1))) __kernel void gemm(SIGNATURE(gemm, GEMM_ARGS))
{
    RESOLVE(gemm, GEMM_ARGS)
    __local uint4 la[2][KW * A_STEP], lb[2][KW * B_STEP];
    const int item = get_local_id(0), ty = item / TX, tx = item % TX;
    const int2 tile = tile_of(get_group_id(0), (a.m + BM - 1) / BM, (a.n + BN - 1) / BN);
    const int z = get_group_id(2), part = z % a.splits;
    const long batch = z / a.splits;
    const int groups = (a.k + 3) / 4, first = part * a.split_groups,
              last = min(first + a.split_groups, groups);
    const int row0 = tile.x * BM, col0 = tile.y * BN;

    const int skew = (int)((ulong)a.a & 15); /* so that a_words is aligned */
    __global const uchar *a_words = a.a - skew;
    const long a_begin = skew + batch * a.a_stride, a_end = a_begin + (a.m - 1) * a.lda + a.k;
    const bool a_aligned = ((a_begin | a.lda) & 15) == 0;
    __global const uint4 *b = (__global const uint4 *)(AT(uchar, a.packed) + batch * a.packed_stride);
    __global const uint4 *b_from[B_CHUNKS];
    long a_at[A_CHUNKS];
    uint4 next_a[A_CHUNKS], next_b[B_CHUNKS];
    int acc[TM][TN];
    UNROLL
    for (int i = 0; i < A_CHUNKS; i++)
        a_at[i] = a_begin + min(row0 + chunk_row(item, i), a.m - 1) * a.lda + chunk_part(item, i) * 16;
    UNROLL
    for (int i = 0; i < TM; i++) {
        UNROLL
        for (int j = 0; j < TN; j++)
            acc[i][j] = 0;
    }

    const int stages = (last - first + KW - 1) / KW, panels = (a.n + 63) / 64, panel = col0 / 64;
    locate_b(b_from, b, panel, panels, groups, item);
    if (stages > 0) {
        fetch_a(next_a, a_words, a_at, a_end, first * 4L, a_aligned && first * 4 + BK <= a.k);
        fetch_b(next_b, b_from, first, last, item);
        keep_stage(la[0], lb[0], next_a, next_b, item);
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int s = 0; s < stages; s++) {
        const int kg = first + (s + 1) * KW;
        if (s + 1 < stages) {
            fetch_a(next_a, a_words, a_at, a_end, kg * 4L, a_aligned && kg * 4 + BK <= a.k);
            fetch_b(next_b, b_from, kg, last, item);
        }
        multiply_stage(acc, 0, la[s & 1] + ty, lb[s & 1] + tx);
        if (s + 1 < stages)
            keep_stage(la[(s + 1) & 1], lb[(s + 1) & 1], next_a, next_b, item);
        barrier(CLK_LOCAL_MEM_FENCE);
    }

#ifdef PARTIAL
    __global int *out = AT(int, a.c) + ((long)part * a.batches + batch) * a.m * a.ldc;
#else
    __global const int *of_block = AT(int, a.prep) + batch * a.prep_stride;
    __global OUT_T *out = AT(OUT_T, a.c) + batch * a.c_stride;
    const bool c_aligned = (((ulong)a.c / sizeof(OUT_T) | (ulong)(a.ldc | (batch * a.c_stride))) & 3) == 0;
    const int zero = of_block[3 * ((a.n + 63) / 64 * 64)];
    const float lo = (float)(a.clamp_min - zero), hi = (float)(a.clamp_max - zero);
#endif
    UNROLL
    for (int j = 0; j < TN; j += 4) {
        const int col = col0 + item_col(tx, j);
        if (col < a.n) {
#ifndef PARTIAL
            const quad_prep q = quad_load(of_block, col, a.n);
#endif
            UNROLL
            for (int i = 0; i < TM; i++) {
                const int row = row0 + item_row(ty, i);
                const int4 sums = (int4)(acc[i][j], acc[i][j + 1], acc[i][j + 2], acc[i][j + 3]);
                if (row < a.m) {
#ifdef PARTIAL
                    *(__global int4 *)(out + row * a.ldc + col) = sums;
#else
                    quad_store(out + row * a.ldc + col, NO_CHAIN, sums, q, GEMM_ROWSUM1(row),
                               GEMM_ROWSCALE(row), zero, lo, hi, a.n - col, c_aligned);
#endif
                }
            }
        }
    }
}
