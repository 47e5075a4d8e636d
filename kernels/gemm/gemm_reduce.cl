/* The end of a product whose k was split: adds the parts that gemm_tiled.cl or gemm_small.cl left, [splits]
 * [batch][m][part_ld] int32, and finishes them. int32 sums are exact in any order. One work-item: 4 columns
 * of a row. Options: OUT, ROWSUM, ROWSCALE (gemm.clh). */
#include "gemm/gemm.clh"
#include "product/quad.clh"

/* Of 4 columns, a row, a batch. */
static inline void reduce_body(const gemm_reduce_args a, const long across, const long row, const long batch)
{
    const int col = across * 4;
    const long step = (long)a.batches * a.m * a.part_ld;
    __global const int *from = AT(int, a.parts) + (batch * a.m + row) * a.part_ld + col;
    int4 sum = 0;
    for (int i = 0; i < a.splits; i++)
        sum += *(__global const int4 *)(from + i * step);
    __global const int *of_block = AT(int, a.prep) + batch * a.prep_stride;
    const bool aligned = (((ulong)a.c / sizeof(OUT_T) | (ulong)(a.ldc | (batch * a.c_stride))) & 3) == 0;
    const int zero = of_block[3 * ((a.n + 63) / 64 * 64)];
    quad_store(AT(OUT_T, a.c) + batch * a.c_stride + row * a.ldc + col, NO_CHAIN, sum,
               quad_load(of_block, col, a.n), GEMM_ROWSUM1(row), GEMM_ROWSCALE(row), zero,
               (float)(a.clamp_min - zero), (float)(a.clamp_max - zero), a.n - col, aligned);
}
KERNEL_3D(reduce, gemm_reduce, GEMM_REDUCE_ARGS)
