/* Launches of the GEMM kernels for GPUs: gemm_tiled.cl and gemm_small.cl, with the reduction behind them
 * where k is split. Packing and preparation are those of every product (gemm.c). */
#ifndef OCT_GEMM_TILED_H
#define OCT_GEMM_TILED_H

#include "gemm.h"
#include "product.h"
#include "tile.h"

void oct_gemm_tiled(oct_recipe *r, const oct_caps *caps, const oct_gemm_request *q, const oct_product *p,
                    const oct_tile *tile, const char *file, const oct_part *part, oct_mem rowsum);

#endif
