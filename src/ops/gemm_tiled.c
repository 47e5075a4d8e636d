#include "gemm_tiled.h"
#include "dtype.h"
#include "sizes.h"

#include <stdio.h>

/* What the kernels of one part of a product have in common. */
typedef struct tiled {
    const oct_gemm_request *q;
    const oct_product *p;
    const oct_part *part;
    oct_mem rowsum;
    int64_t batch, part_ld;
    oct_tiling s;
    char options[96];
} tiled;

static void add_i64s(oct_launch *l, const int64_t *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        oct_launch_i64(l, values[i]);
}

static void add_row_operands(oct_launch *l, const tiled *t)
{
    oct_launch_in(l, t->p->prep);
    oct_launch_in_at(l, t->rowsum, (size_t)(t->part->block * t->q->m) * 4);
    oct_launch_in(l, t->q->a_q.scale);
}

static void add_c(oct_launch *l, const tiled *t)
{
    const oct_gemm_request *q = t->q;
    oct_launch_out_at(l, q->c,
                      (size_t)(t->part->block * q->c_stride + t->part->col) * oct_dtype_bytes(q->c_dtype));
}

/* The product into C, or, in parts of k, into `parts`. */
static void multiply(oct_recipe *r, const tiled *t, const oct_tile *tile, const char *tile_options,
                     const char *file, oct_mem parts)
{
    const oct_gemm_request *q = t->q;
    const oct_product *p = t->p;
    oct_launch *l = parts == OCT_MEM_NONE
                        ? oct_recipe_launch(r, file, "gemm", "%s %s", tile_options, t->options)
                        : oct_recipe_launch(r, file, "gemm", "%s -DOUT=0 -DPARTIAL%s", tile_options,
                                            p->a_dtype == OCTET_S8 ? " -DA_SIGNED" : "");
    oct_launch_in_at(l, q->a, (size_t)(t->part->block * q->a_stride));
    oct_launch_in(l, p->packed);
    add_row_operands(l, t);
    if (parts == OCT_MEM_NONE)
        add_c(l, t);
    else
        oct_launch_out(l, parts);
    oct_launch_i32(l, q->m);
    oct_launch_i32(l, p->n);
    oct_launch_i32(l, q->k);
    add_i64s(l,
             (const int64_t[]){q->lda, parts == OCT_MEM_NONE ? q->ldc : t->part_ld, q->a_stride,
                               p->packed_stride, q->c_stride, p->prep_stride},
             6);
    oct_launch_i32(l, q->clamp_min);
    oct_launch_i32(l, q->clamp_max);
    oct_launch_i32(l, t->s.splits);
    oct_launch_i32(l, t->s.split_groups);
    size_t items = oct_tile_items(tile), down = (size_t)t->s.down, across = (size_t)t->s.across;
    size_t depth = (size_t)(t->batch * t->s.splits);
    const size_t tiles[3] = {down * across * items, 1, depth}, panels[3] = {across * items, down, depth};
    oct_launch_3d(l, tile->bk ? tiles : panels, (size_t[3]){items, 1, 1});
}

/* Add the parts and finish. */
static void reduce(oct_recipe *r, const tiled *t, oct_mem parts)
{
    const oct_gemm_request *q = t->q;
    oct_launch *l = oct_recipe_launch(r, "gemm/gemm_reduce.cl", "reduce", "%s", t->options);
    oct_launch_in(l, parts);
    add_row_operands(l, t);
    add_c(l, t);
    oct_launch_i32(l, q->m);
    oct_launch_i32(l, t->p->n);
    add_i64s(l, (const int64_t[]){q->ldc, q->c_stride, t->p->prep_stride}, 3);
    oct_launch_i32(l, q->clamp_min);
    oct_launch_i32(l, q->clamp_max);
    oct_launch_i32(l, t->s.splits);
    oct_launch_i64(l, t->part_ld);
    oct_launch_3d(l, (size_t[3]){(size_t)t->part_ld / 4, (size_t)q->m, (size_t)t->batch}, NULL);
}

void oct_gemm_tiled(oct_recipe *r, const oct_caps *caps, const oct_gemm_request *q, const oct_product *p,
                    const oct_tile *tile, const char *file, const oct_part *part, oct_mem rowsum)
{
    tiled t = {.q = q, .p = p, .part = part, .rowsum = rowsum};
    t.batch = q->b_stride ? part->blocks : q->batch;
    t.s = q->spread ? oct_tile_spread_parts(tile, q->m, p->n, p->groups, q->spread)
                    : oct_tile_spread(tile, caps, q->m, p->n, p->groups, t.batch);
    t.part_ld = (int64_t)oct_round_up((size_t)p->n, 4);
    char tile_options[128], product_options[64];
    oct_tile_options(tile, caps, tile_options);
    oct_product_options(p, product_options);
    snprintf(t.options, sizeof t.options, "%s%s", product_options,
             q->a_q.scale_count > 1 ? " -DROWSCALE" : "");
    oct_mem parts = OCT_MEM_NONE;
    size_t bytes;
    bool fits = oct_size_mul((size_t)(t.s.splits * t.batch) * 4, (size_t)q->m, &bytes) &&
                oct_size_mul(bytes, (size_t)t.part_ld, &bytes) && bytes <= caps->info.max_alloc_bytes;
    if (t.s.splits > 1 && !fits) {
        t.s.splits = 1;
        t.s.split_groups = p->groups;
    }
    if (t.s.splits > 1)
        parts = oct_recipe_temp(r, bytes);
    multiply(r, &t, tile, tile_options, file, parts);
    if (parts != OCT_MEM_NONE)
        reduce(r, &t, parts);
}
