/* C = A x B on AVX2 through PoCL: bytes are widened to 16 bits, vpmaddwd adds products in pairs into int32,
 * which no pair of bytes can overflow (2 * 255 * 255). One work-item (a work-group of its own) makes
 * block_rows rows of 16 columns, ROWS rows at a time.
 *
 * B packed [n / 16][k / 2][16][2]: 16 bytes are 8 columns of two k. Two neighbouring values of a row of A are
 * broadcast.
 *
 * Options: ROWS, A_SIGNED, B_SIGNED, OUT, ROWSUM, ROWSCALE (gemm.clh). Only for devices with x86_avx2. */
#include "gemm/gemm.clh"
#include "x86_avx2.clh"

#ifndef ROWS
#define ROWS 4
#endif

/* Of a block of rows, a panel, a batch. */
static inline void gemm_body(const gemm_args a, const long block, const long at, const long batch)
{
    const int panel = at;
    const int col = panel * 16;
    const int groups = (a.k + 1) / 2;
    const int first = block * a.block_rows, last = min(first + a.block_rows, a.m);
    __global const B_T *b = AT(B_T, a.packed) + batch * a.packed_stride + (long)panel * groups * 32;
    for (int row = first; row < last; row += ROWS) {
        __global const A_T *rows[ROWS];
        int8 low[ROWS], high[ROWS];
#pragma unroll
        for (int r = 0; r < ROWS; r++) {
            rows[r] = AT(A_T, a.a) + batch * a.a_stride + min(row + r, a.m - 1) * a.lda;
            low[r] = high[r] = 0;
        }
        for (int kg = 0; kg < groups; kg++) {
            const int8 b0 = as_int8(convert_short16(vload16(2 * kg, b))),
                       b1 = as_int8(convert_short16(vload16(2 * kg + 1, b)));
#pragma unroll
            for (int r = 0; r < ROWS; r++) {
                const int a0 = rows[r][2 * kg], a1 = 2 * kg + 1 < a.k ? rows[r][2 * kg + 1] : 0;
                const int8 av = (int8)((a0 & 0xffff) | (a1 << 16));
                low[r] += x86_pair_products(av, b0);
                high[r] += x86_pair_products(av, b1);
            }
        }
#pragma unroll
        for (int r = 0; r < ROWS; r++) {
            if (row + r < last)
                GEMM_STORE16((int16)(low[r], high[r]), row + r, col);
        }
    }
}
__attribute__((reqd_work_group_size(1, 1, 1))) KERNEL_3D(gemm, gemm, GEMM_ARGS)
