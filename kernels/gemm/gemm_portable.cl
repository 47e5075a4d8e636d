/* C = A x B on any device: plain OpenCL C 1.2. One work-item makes ROWS rows of 16 columns; per k it loads 16
 * bytes of packed B [n / 16][k][16] and one byte of each of its rows of A.
 *
 *            k ->                 16 columns
 *     A    [ a a a a ... ]   B  [ b b b ... b ]  k
 *     ROWS [ a a a a ... ]      [ b b b ... b ]  |
 *                               [    ...      ]  v
 *
 * Options: ROWS; A_SIGNED, B_SIGNED; OUT, ROWSUM, ROWSCALE (gemm.clh). */
#include "gemm/gemm.clh"

#ifndef ROWS
#define ROWS 4
#endif

/* All rows by one k. */
#define GEMM_STEP(i)                                                                                         \
    do {                                                                                                     \
        const int16 bv = convert_int16(vload16(i, b));                                                       \
        _Pragma("unroll") for (int r = 0; r < ROWS; r++) acc[r] += bv * (int)rows[r][i];                     \
    } while (0)

/* Of a tile: its columns, its rows, its batch. */
static inline void gemm_body(const gemm_args a, const long across, const long down, const long batch)
{
    const int col = across * 16, row = down * ROWS;
    __global const B_T *b = AT(B_T, a.packed) + batch * a.packed_stride + (long)col * a.k;
    __global const A_T *rows[ROWS];
    int16 acc[ROWS];
#pragma unroll
    for (int r = 0; r < ROWS; r++) {
        rows[r] = AT(A_T, a.a) + batch * a.a_stride + min(row + r, a.m - 1) * a.lda;
        acc[r] = 0;
    }
    /* Four at a time: llvmpipe ends a kernel's loops after 65,535 rounds, without a word. */
    int i = 0;
    for (; i + 4 <= a.k; i += 4) {
#pragma unroll
        for (int u = 0; u < 4; u++)
            GEMM_STEP(i + u);
    }
    for (; i < a.k; i++)
        GEMM_STEP(i);
#pragma unroll
    for (int r = 0; r < ROWS; r++) {
        if (row + r < a.m)
            GEMM_STORE16(acc[r], row + r, col);
    }
}
KERNEL_3D(gemm, gemm, GEMM_ARGS)
