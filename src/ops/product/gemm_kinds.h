/* The kinds of GEMM kernels, and what their launchers are given. A kind's file holds all that is its own:
 * when it is for, its cost, its launch. */
#ifndef OCT_GEMM_KINDS_H
#define OCT_GEMM_KINDS_H

#include "dtype.h"
#include "gemm.h"
#include "gemm/gemm_args.clh"

/* A part of a product whose B is packed and prepared. */
typedef struct oct_gemm_work {
    const oct_gemm_request *q; /* force.spread is chosen */
    const oct_product *p;      /* of the part */
    const oct_part *part;
    oct_mem rowsum; /* OCT_MEM_NONE unless p->needs_rowsum */
    int64_t batch;  /* of this part */
} oct_gemm_work;

extern const oct_kind oct_gemm_blocks; /* x86: a work-item takes a block of rows (gemm_blocks.c) */
extern const oct_kind oct_gemm_words;  /* x86: likewise, of an A widened to 16 bits before (gemm_blocks.c) */
extern const oct_kind oct_gemm_grid;   /* portable: a work-item takes a tile (gemm_blocks.c) */
extern const oct_kind oct_gemm_tiles;  /* GPUs: a work-group takes a tile (gemm_tiles.c) */

/* Where the part begins in the row sums and in C. */
static inline oct_ref oct_gemm_rowsum(const oct_gemm_work *w)
{
    return oct_from(w->rowsum, (size_t)(w->part->block * w->q->m) * sizeof(int32_t));
}
static inline oct_ref oct_gemm_c(const oct_gemm_work *w)
{
    const int64_t at = w->part->block * w->q->c_stride + w->part->col;
    return oct_from(w->q->c, (size_t)at * oct_dtype_bytes(w->q->c_dtype));
}

/* What every kernel is given, but for how its work is spread. */
static inline gemm_args oct_gemm_args(const oct_gemm_work *w)
{
    const oct_gemm_request *q = w->q;
    const oct_product *p = w->p;
    const size_t a_at = (size_t)(w->part->block * q->a_stride) * oct_dtype_bytes(q->a_dtype);
    return (gemm_args){.a = oct_from(q->a, a_at),
                       .packed = oct_whole(p->packed),
                       .prep = oct_whole(p->prep),
                       .rowsum = oct_gemm_rowsum(w),
                       .a_scale = oct_whole(q->a_q.scale),
                       .c = oct_gemm_c(w),
                       .m = q->m,
                       .n = p->n,
                       .k = q->k,
                       .batches = w->batch,
                       .lda = q->lda,
                       .ldc = q->ldc,
                       .a_stride = q->a_stride,
                       .packed_stride = p->packed_stride,
                       .c_stride = q->c_stride,
                       .prep_stride = p->prep_stride,
                       .clamp_min = q->clamp_min,
                       .clamp_max = q->clamp_max};
}

#endif
