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

/* lda and a_stride are in dwords. */
#define A_STORED int
static inline int a_pair(__global const int *row, int i, int k)
{
    return row[i];
}

#include "gemm/gemm_x86_avx2.clh"
