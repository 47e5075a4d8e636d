/* C = A x B where A has few rows, so that reading B is what it costs: every byte of B is read once, by
 * neighbouring work-items from neighbouring 16 bytes. A work-group makes ROWS rows of one panel of 64
 * columns: 16 work-items across, 4 columns each, times SLICES along k, whose sums are added at the end in
 * local memory. The rows of A pass through local memory, CHUNK k groups at a time.
 *
 * B packed [n / 64][k / 4][64][4]. Work-groups: panels; blocks of ROWS rows; batches times `splits` parts of
 * k (PARTIAL as in gemm_tiled.cl).
 *
 * Options: ROWS; A_SIGNED, OUT, ROWSUM, ROWSCALE (gemm.clh); PARTIAL; a path of dot4.clh. */
#include "dot4/dot4.clh"
#include "gemm/gemm.clh"
#include "product/bytes.clh"
#include "product/quad.clh"

#ifndef ROWS
#define ROWS 1
#endif

#define SLICES  16
#define THREADS (16 * SLICES)
#define CHUNK   512 /* k groups; at most 4 THREADS */

__attribute__((reqd_work_group_size(THREADS, 1, 1))) __kernel void gemm(GEMM_ARGS, const int splits,
                                                                        const int split_groups)
{
    __local int4 sums[ROWS * THREADS];
    __local uint *la = (__local uint *)sums; /* [ROWS][CHUNK], before the sums */
    const int item = get_local_id(0), lane = item % 16, slice = item / 16;
    const int panel = get_group_id(0), row0 = get_group_id(1) * ROWS, z = get_group_id(2), part = z % splits;
    const long batch = z / splits;
    const int groups = (k + 3) / 4, first = part * split_groups, last = min(first + split_groups, groups);
    const long a_begin = (long)a_offset + batch * a_stride;
    const bool aligned = ((a_begin | lda) & 3) == 0;
    __global const uint4 *b = (__global const uint4 *)(AT(uchar, packed) + batch * packed_stride) +
                              (long)panel * groups * 16 + lane;
    int4 acc[ROWS];
    UNROLL
    for (int r = 0; r < ROWS; r++)
        acc[r] = 0;
    for (int from = first; from < last; from += CHUNK) {
        const int count = min(last - from, CHUNK);
        barrier(CLK_LOCAL_MEM_FENCE);
        UNROLL
        for (int r = 0; r < ROWS; r++) {
            const long row = a_begin + min(row0 + r, m - 1) * lda;
            for (int i = item; i < count; i += THREADS) {
                const long at = row + (from + i) * 4L;
                const int left = k - (from + i) * 4;
                la[r * CHUNK + i] = (aligned && left >= 4 ? *(__global const uint *)(a_base + at)
                                                          : load_some(a_base, at, left)) ^
                                    A_FLIP;
            }
        }
        barrier(CLK_LOCAL_MEM_FENCE);
        UNROLL_BY(4)
        for (int i = slice; i < count; i += SLICES) {
            const uint4 bv = b[(from + i) * 16L];
            UNROLL
            for (int r = 0; r < ROWS; r++) {
                const uint av = la[r * CHUNK + i];
                acc[r].x = dot4(acc[r].x, av, bv.x);
                acc[r].y = dot4(acc[r].y, av, bv.y);
                acc[r].z = dot4(acc[r].z, av, bv.z);
                acc[r].w = dot4(acc[r].w, av, bv.w);
            }
        }
    }
    const int col = panel * 64 + lane * 4;
#ifdef PARTIAL
    __global int *out = AT(int, c) + ((long)part * (get_num_groups(2) / splits) + batch) * m * ldc;
#else
    __global const int *of_block = AT(int, prep) + batch * prep_stride;
    __global OUT_T *out = AT(OUT_T, c) + batch * c_stride;
    const bool c_aligned = ((c_offset / sizeof(OUT_T) | (ulong)(ldc | (batch * c_stride))) & 3) == 0;
    const int zero = of_block[3 * ((n + 63) / 64 * 64)];
    const float lo = (float)(clamp_min - zero), hi = (float)(clamp_max - zero);
#endif
    barrier(CLK_LOCAL_MEM_FENCE);
    UNROLL
    for (int r = 0; r < ROWS; r++)
        sums[r * THREADS + item] = acc[r];
    barrier(CLK_LOCAL_MEM_FENCE);
    const int row = row0 + slice; /* ROWS is at most SLICES: a slice of work-items finishes a row */
    if (slice < ROWS && row < m && col < n) {
        int4 total = 0;
        for (int s = 0; s < SLICES; s++)
            total += sums[slice * THREADS + s * 16 + lane];
#ifdef PARTIAL
        *(__global int4 *)(out + row * ldc + col) = total;
#else
        quad_store(out + row * ldc + col, NO_CHAIN, total, quad_load(of_block, col, n), GEMM_ROWSUM1(row),
                   GEMM_ROWSCALE(row), zero, lo, hi, n - col, c_aligned);
#endif
    }
}
