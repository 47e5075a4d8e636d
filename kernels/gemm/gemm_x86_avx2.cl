/* C = A x B on AVX2 through PoCL: bytes are widened to 16 bits, vpmaddwd adds products in pairs into int32,
 * which no pair of bytes can overflow (2 * 255 * 255). One work-item (a work-group of its own) makes
 * block_rows rows of 16 columns, ROWS rows at a time.
 *
 * B packed [n / 16][k / 2][16][2]: 16 bytes are 8 columns of two k. Two neighbouring values of a row of A are
 * broadcast.
 *
 * Options: ROWS, A_SIGNED, B_SIGNED, OUT, ROWSUM, ROWSCALE (gemm.clh). Only for devices with x86_avx2. */
#include "gemm/gemm.clh"

#define A_STORED A_T
static inline int a_pair(__global const A_T *row, int i, int k)
{
    const int a0 = row[2 * i], a1 = 2 * i + 1 < k ? row[2 * i + 1] : 0;
    return (a0 & 0xffff) | (a1 << 16);
}

#include "gemm/gemm_x86_avx2.clh"
