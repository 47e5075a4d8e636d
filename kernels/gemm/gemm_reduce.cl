/* The end of a product whose k was split: adds the parts that gemm_tiled.cl or gemm_small.cl left, [splits]
 * [batch][m][part_ld] int32, and finishes them. int32 sums are exact in any order. One work-item: 4 columns
 * of a row. Options: OUT, ROWSUM, ROWSCALE (gemm.clh). */
#include "gemm/gemm.clh"
#include "product/quad.clh"

__kernel void reduce(MEM(parts), MEM(prep), MEM(rowsum), MEM(a_scale), MEM(c), const int m, const int n,
                     const long ldc, const long c_stride, const long prep_stride, const int clamp_min,
                     const int clamp_max, const int splits, const long part_ld)
{
    const int col = get_global_id(0) * 4, row = get_global_id(1);
    const long batch = get_global_id(2), step = (long)get_global_size(2) * m * part_ld;
    __global const int *from = AT(int, parts) + (batch * m + row) * part_ld + col;
    int4 sum = 0;
    for (int i = 0; i < splits; i++)
        sum += *(__global const int4 *)(from + i * step);
    __global const int *of_block = AT(int, prep) + batch * prep_stride;
    const bool aligned = ((c_offset / sizeof(OUT_T) | (ulong)(ldc | (batch * c_stride))) & 3) == 0;
    const int zero = of_block[3 * ((n + 63) / 64 * 64)];
    quad_store(AT(OUT_T, c) + batch * c_stride + row * ldc + col, NO_CHAIN, sum, quad_load(of_block, col, n),
               GEMM_ROWSUM1(row), GEMM_ROWSCALE(row), zero, (float)(clamp_min - zero),
               (float)(clamp_max - zero), n - col, aligned);
}
