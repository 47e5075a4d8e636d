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

__kernel void gemm(GEMM_ARGS)
{
    const int col = get_global_id(0) * 16, row = get_global_id(1) * ROWS;
    const long batch = get_global_id(2);
    __global const B_T *b = AT(B_T, packed) + batch * packed_stride + (long)col * k;
    __global const A_T *rows[ROWS];
    int16 acc[ROWS];
#pragma unroll
    for (int r = 0; r < ROWS; r++) {
        rows[r] = AT(A_T, a) + batch * a_stride + min(row + r, m - 1) * lda;
        acc[r] = 0;
    }
    for (int i = 0; i < k; i++) {
        const int16 bv = convert_int16(vload16(i, b));
#pragma unroll
        for (int r = 0; r < ROWS; r++)
            acc[r] += bv * (int)rows[r][i];
    }
#pragma unroll
    for (int r = 0; r < ROWS; r++) {
        if (row + r < m)
            GEMM_STORE16(acc[r], row + r, col);
    }
}
