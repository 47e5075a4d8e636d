/* C = A x B on AVX2 through PoCL, for many rows and columns: gemm_x86_avx2.cl with A widened to words (16
 * bits) before, once for all panels of B, so that a row of a step is a broadcast of a dword and two vpmaddwd.
 * One work-item (a work-group of its own) makes block_rows rows of 16 columns, ROWS rows at a time.
 *
 *     A, widened      s16 [batches][m][pairs][2]      pairs = (k + 1) / 2, 0 past k
 *     B packed        [n / 16][pairs][16][2]          bytes, 0 past n or k
 *
 * What a step (a pair of k) of 4 rows takes: 2 vpmovsxbw, 8 vpmaddwd, 8 vpaddd and 4 broadcasts, 22
 * instructions on vectors for 128 multiply-adds. 6 rows would fill all 16 registers; on Zen 3 they are
 * slower.
 *
 * Options: ROWS, A_SIGNED, B_SIGNED, OUT, ROWSUM, ROWSCALE (gemm.clh). Only for devices with x86_avx2. */
#include "gemm/gemm.clh"
#include "x86_avx2.clh"

#ifndef ROWS
#define ROWS 4
#endif

/* Of a row, a batch. */
static inline void widen_body(const gemm_widen_args a, const long row, const long batch)
{
    const int pairs = (a.k + 1) / 2;
    __global const A_T *in = AT(A_T, a.a) + batch * a.a_stride + row * a.lda;
    __global short *out = AT(short, a.words) + (batch * a.m + row) * pairs * 2;
    int i = 0;
    for (; i + 16 <= a.k; i += 16)
        vstore16(convert_short16(vload16(0, in + i)), 0, out + i);
    for (; i < pairs * 2; i++)
        out[i] = i < a.k ? in[i] : 0;
}
KERNEL_2D(widen, gemm_widen, GEMM_WIDEN_ARGS)

/* Of a block of rows, a panel, a batch. A is widened: lda and a_stride are in dwords. */
static inline void gemm_body(const gemm_args a, const long block, const long at, const long batch)
{
    const int panel = at;
    const int col = panel * 16;
    const int pairs = (a.k + 1) / 2;
    const int first = block * a.block_rows, last = min(first + a.block_rows, a.m);
    __global const B_T *b = AT(B_T, a.packed) + batch * a.packed_stride + (long)panel * pairs * 32;
    for (int row = first; row < last; row += ROWS) {
        __global const int *rows[ROWS];
        int8 low[ROWS], high[ROWS];
#pragma unroll
        for (int r = 0; r < ROWS; r++) {
            rows[r] = AT(int, a.a) + batch * a.a_stride + min(row + r, a.m - 1) * a.lda;
            low[r] = high[r] = 0;
        }
        for (int i = 0; i < pairs; i++) {
            const int8 b0 = as_int8(convert_short16(vload16(2 * i, b))),
                       b1 = as_int8(convert_short16(vload16(2 * i + 1, b)));
#pragma unroll
            for (int r = 0; r < ROWS; r++) {
                const int8 pair = rows[r][i];
                low[r] += x86_pair_products(pair, b0);
                high[r] += x86_pair_products(pair, b1);
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
