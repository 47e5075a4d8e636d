/* C = A x B where A has few rows, so that reading B is what it costs: every byte of B is read once, by
 * neighbouring work-items from neighbouring 16 bytes. A work-group makes ROWS rows of COLS columns of a
 * panel: COLS / 4 work-items across, 4 columns each, times SLICES along k, whose sums are added at the end in
 * local memory. The rows of A pass through local memory, CHUNK k groups at a time.
 *
 * A work-item has AHEAD loads of B on their way at all times, from before A is there to the end: up to 32 KiB
 * a work-group, about what a compute unit of a large GPU must have asked for to keep the memory busy. It
 * takes 4 k groups in a row, so that A comes in 16 bytes:
 *
 *     k groups    slice 0: 0 1 2 3, slice 1: 4 5 6 7, ... slice 0 again: 4 SLICES ..., AHEAD of each a round
 *
 * B packed [n / 64][k / 4][64][4]. Work-groups: parts of panels; blocks of ROWS rows; batches times `splits`
 * parts of k (PARTIAL as in gemm_tiled.cl).
 *
 * Options: ROWS, COLS; A_SIGNED, OUT, ROWSUM, ROWSCALE (gemm.clh); PARTIAL; a path of dot4.clh. */
#include "dot4/dot4.clh"
#include "gemm/gemm.clh"
#include "product/bytes.clh"
#include "product/quad.clh"

#ifndef ROWS
#define ROWS 1
#endif
#ifndef COLS
#define COLS 64
#endif

/* In step with src/ops/product/tile.c. */
#define THREADS 256
#define AHEAD   (ROWS < 8 ? 8 : 4) /* of 8 rows the sums take the registers */

#define ACROSS (COLS / 4)
#define SLICES (THREADS / ACROSS)
#define ROUND  (SLICES * AHEAD) /* k groups */
#define CHUNK  512              /* k groups; whole rounds, at most 4 THREADS */

/* The k group of load j of a slice, from the start of its round. */
static inline int group_of(int slice, int j)
{
    return (slice + j / 4 * SLICES) * 4 + j % 4;
}

/* Rows of A, k groups [from, from + CHUNK) of them, into local memory; 0 at and after `last`. */
static inline void keep_a(__local uint *la, __global const uchar *base, long begin, long lda, int row0, int m,
                          int k, int from, int last, int item, bool aligned)
{
    UNROLL
    for (int r = 0; r < ROWS; r++) {
        const long row = begin + min(row0 + r, m - 1) * lda;
        UNROLL
        for (int s = 0; s < CHUNK / THREADS; s++) {
            const int i = item + s * THREADS, left = k - (from + i) * 4;
            uint v = 0;
            if (from + i < last)
                v = (aligned && left >= 4 ? *(__global const uint *)(base + row + (from + i) * 4L)
                                          : load_some(base, row + (from + i) * 4L, left)) ^
                    A_FLIP;
            la[r * CHUNK + i] = v;
        }
    }
}

__attribute__((reqd_work_group_size(THREADS, 1, 1))) __kernel void gemm(SIGNATURE(gemm, GEMM_ARGS))
{
    RESOLVE(gemm, GEMM_ARGS)
    __local int4 sums[ROWS * THREADS];
    __local uint *la = (__local uint *)sums; /* [ROWS][CHUNK], before the sums */
    const int item = get_local_id(0), lane = item % ACROSS, slice = item / ACROSS;
    const int col = get_group_id(0) * COLS + lane * 4, panel = col / 64;
    const int row0 = get_group_id(1) * ROWS, z = get_group_id(2), part = z % a.splits;
    const long batch = z / a.splits;
    const int groups = (a.k + 3) / 4, first = part * a.split_groups,
              last = min(first + a.split_groups, groups);
    const int skew = (int)((ulong)a.a & 15); /* so that a_words is aligned */
    __global const uchar *a_words = a.a - skew;
    const long a_begin = skew + batch * a.a_stride;
    const bool aligned = ((a_begin | a.lda) & 3) == 0;
    __global const uint4 *b = (__global const uint4 *)(AT(uchar, a.packed) + batch * a.packed_stride) +
                              (long)panel * groups * 16 + col % 64 / 4;
    uint4 ahead[AHEAD];
    int4 acc[ROWS];
    UNROLL
    for (int j = 0; j < AHEAD; j++) {
        const int g = first + group_of(slice, j);
        ahead[j] = g < last ? b[g * 16L] : (uint4)(0);
    }
    UNROLL
    for (int r = 0; r < ROWS; r++)
        acc[r] = 0;
    for (int from = first; from < last; from += CHUNK) {
        barrier(CLK_LOCAL_MEM_FENCE);
        keep_a(la, a_words, a_begin, a.lda, row0, a.m, a.k, from, last, item, aligned);
        barrier(CLK_LOCAL_MEM_FENCE);
        for (int i = 0; i < CHUNK && from + i < last; i += ROUND) {
            UNROLL
            for (int j = 0; j < AHEAD; j++) {
                const int at = i + group_of(slice, j), next = from + at + ROUND;
                const uint4 bv = ahead[j];
                UNROLL
                for (int r = 0; r < ROWS; r++) {
                    const uint av = la[r * CHUNK + at];
                    acc[r].x = dot4(acc[r].x, av, bv.x);
                    acc[r].y = dot4(acc[r].y, av, bv.y);
                    acc[r].z = dot4(acc[r].z, av, bv.z);
                    acc[r].w = dot4(acc[r].w, av, bv.w);
                }
                if (next < last)
                    ahead[j] = b[next * 16L];
            }
        }
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
    barrier(CLK_LOCAL_MEM_FENCE);
    UNROLL
    for (int r = 0; r < ROWS; r++)
        sums[r * THREADS + item] = acc[r];
    barrier(CLK_LOCAL_MEM_FENCE);
    const int row = row0 + slice; /* ROWS is at most SLICES: a slice of work-items finishes a row */
    if (slice < ROWS && row < a.m && col < a.n) {
        int4 total = 0;
        for (int s = 0; s < SLICES; s++)
            total += sums[slice * THREADS + s * ACROSS + lane];
#ifdef PARTIAL
        *(__global int4 *)(out + row * a.ldc + col) = total;
#else
        quad_store(out + row * a.ldc + col, NO_CHAIN, total, quad_load(of_block, col, a.n), GEMM_ROWSUM1(row),
                   GEMM_ROWSCALE(row), zero, lo, hi, a.n - col, c_aligned);
#endif
    }
}
