/* C = A x B on AVX-512 VNNI through PoCL: vpdpbusd multiplies 64 unsigned by 64 signed bytes into 16 int32,
 * without saturation. One work-item (a work-group of its own) makes `block_rows` rows of 64 columns, ROWS
 * rows at a time in ROWS x 4 zmm accumulators; the panel of B stays in the second-level cache between row
 * tiles.
 *
 * B packed [n / 64][k / 4][64][4], signed. A is read where it lies: four neighbouring bytes of a row are
 * broadcast; a signed A has its top bits flipped on the way. The last k % 4 bytes of a row are put together
 * one by one, so nothing outside A is read (B is zero there).
 *
 * Options: ROWS (1 to 6), A_SIGNED, OUT, ROWSUM, ROWSCALE (gemm.clh); WIDE: 16-bit A, two terms at a time
 * (x86_vnni512.clh). */
#include "gemm/gemm.clh"
#include "product/x86_vnni512.clh"

#ifndef ROWS
#define ROWS 6
#endif

/* Of a block of rows, a panel, a batch. */
static inline void gemm_body(const gemm_args a, const long block, const long at, const long batch)
{
    const int panel = at;
    const int col = panel * 64;
    const int groups = (a.k + KB - 1) / KB, whole = a.k / KB;
    const int first = block * a.block_rows, last = min(first + a.block_rows, a.m);
    __global const int16 *b =
        (__global const int16 *)(AT(uchar, a.packed) + batch * a.packed_stride) + (long)panel * groups * 4;
    __global const uchar *a0 = AT(uchar, a.a) + batch * a.a_stride * A_BYTES;
    for (int row = first; row < last; row += ROWS) {
        __global const uchar *rows[ROWS];
        int16 acc[ROWS][VECTORS];
        SUMS_DECLARE
#pragma unroll
        for (int r = 0; r < ROWS; r++) {
            rows[r] = a0 + min(row + r, a.m - 1) * a.lda * A_BYTES;
#pragma unroll
            for (int j = 0; j < 4; j++)
                acc[r][j] = 0;
        }
        for (int from = 0; from < whole; from += SUMS_GROUPS) {
            const int to = from + min(whole - from, SUMS_GROUPS);
            SUMS_ROOM(to - from);
            for (int kg = from; kg < to; kg++) {
                const int16 b0 = b[kg * 4], b1 = b[kg * 4 + 1], b2 = b[kg * 4 + 2], b3 = b[kg * 4 + 3];
#pragma unroll
                for (int r = 0; r < ROWS; r++) {
                    const int16 av = broadcast_dword(rows[r], kg);
                    DOT64(acc[r], av, b0, b1, b2, b3);
                }
            }
        }
        if (whole < groups) {
            SUMS_ROOM(1);
            const int16 b0 = b[whole * 4], b1 = b[whole * 4 + 1], b2 = b[whole * 4 + 2],
                        b3 = b[whole * 4 + 3];
#pragma unroll
            for (int r = 0; r < ROWS; r++) {
                const int16 av = broadcast_tail(rows[r] + whole * 4, a.k - whole * KB);
                DOT64(acc[r], av, b0, b1, b2, b3);
            }
        }
#pragma unroll
        for (int r = 0; r < ROWS; r++) {
            if (row + r < last) {
#ifdef ROWSCALE
#pragma unroll
                for (int j = 0; j < 4; j++) {
                    if (col + j * 16 < a.n)
                        GEMM_STORE16(acc[r][j], row + r, col + j * 16);
                }
#else
                const int16 sum = GEMM_ROWSUM(row + r), sums[4] = {sum, sum, sum, sum};
                product_store_panel(AT(int, a.prep) + batch * a.prep_stride,
                                    AT(OUT_T, a.c) + batch * a.c_stride + (row + r) * a.ldc + col, NO_CHAIN,
                                    acc[r], SUMS_BEYOND(r), sums, col, a.n, a.clamp_min, a.clamp_max);
#endif
            }
        }
    }
}
__attribute__((reqd_work_group_size(1, 1, 1))) KERNEL_3D(gemm, gemm, GEMM_ARGS)
