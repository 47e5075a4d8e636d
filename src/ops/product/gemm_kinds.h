/* The kinds of GEMM kernels, and what their launchers are given. A kind's file holds all that is its own:
 * when it is for, its cost, its launch. */
#ifndef OCT_GEMM_KINDS_H
#define OCT_GEMM_KINDS_H

#include "dtype.h"
#include "gemm.h"

/* A part of a product whose B is packed and prepared. */
typedef struct oct_gemm_work {
    const oct_gemm_request *q; /* force.spread is chosen */
    const oct_product *p;      /* of the part */
    const oct_part *part;
    oct_mem rowsum; /* OCT_MEM_NONE unless p->needs_rowsum */
    int64_t batch;  /* of this part */
} oct_gemm_work;

extern const oct_kind oct_gemm_blocks; /* x86: a work-item takes a block of rows (gemm_blocks.c) */
extern const oct_kind oct_gemm_grid;   /* portable: a work-item takes a tile (gemm_blocks.c) */
extern const oct_kind oct_gemm_tiles;  /* GPUs: a work-group takes a tile (gemm_tiles.c) */

/* Where the part begins in A, in the row sums and in C, bytes. */
static inline size_t oct_gemm_a_at(const oct_gemm_work *w)
{
    return (size_t)(w->part->block * w->q->a_stride) * oct_dtype_bytes(w->q->a_dtype);
}
static inline size_t oct_gemm_rowsum_at(const oct_gemm_work *w)
{
    return (size_t)(w->part->block * w->q->m) * sizeof(int32_t);
}
static inline size_t oct_gemm_c_at(const oct_gemm_work *w)
{
    return (size_t)(w->part->block * w->q->c_stride + w->part->col) * oct_dtype_bytes(w->q->c_dtype);
}

#endif
