/* GEMM kernels for GPUs, gemm_tiled.cl and gemm_small.cl, with the reduction behind them where k is split. */
#include "gemm_kinds.h"
#include "sizes.h"
#include "tile.h"

#include <stdio.h>

static double cost(const oct_variant *v, const oct_caps *caps, const void *request)
{
    const oct_gemm_request *q = request;
    oct_tiling s = oct_tile_spread(&v->tile, caps, q->m, q->n, (q->k + 3) / 4, q->batch);
    return oct_tile_cost(&v->tile, caps, &s, q->batch);
}

static oct_spreads spreads(const oct_variant *v, const oct_caps *caps, const void *request)
{
    const oct_gemm_request *q = request;
    oct_spreads s = {.count = 0};
    int64_t groups = (q->k + 3) / 4;
    int64_t own = oct_tile_spread(&v->tile, caps, q->m, q->n, groups, q->batch).splits;
    for (int64_t parts = 1; parts <= 64; parts *= 2) {
        if (parts == 1 || (parts >= own / 4 && parts <= own * 8))
            oct_spreads_add(&s, own, oct_tile_spread_parts(&v->tile, q->m, q->n, groups, parts).splits);
    }
    return s;
}

/* What the kernels of one part of a product have in common. */
typedef struct tiled {
    const oct_gemm_work *w;
    int64_t part_ld;
    oct_tiling s;
    char options[96];
} tiled;

/* The product into C, or, in parts of k, into `parts`. */
static void multiply(oct_recipe *r, const oct_caps *caps, const oct_variant *v, const tiled *t, oct_mem parts)
{
    const oct_gemm_request *q = t->w->q;
    const oct_product *p = t->w->p;
    const oct_tile *tile = &v->tile;
    bool whole = parts == OCT_MEM_NONE;
    char own[OCT_VARIANT_OPTIONS], of_device[64];
    oct_variant_options(v, q, own);
    oct_tile_device_options(tile, caps, of_device);
    oct_launch *l = oct_recipe_launch(r, v->file, "gemm", "%s %s %s%s", of_device, own,
                                      whole ? t->options : "-DOUT=0 -DPARTIAL",
                                      whole || p->a_dtype != OCTET_S8 ? "" : " -DA_SIGNED");
    gemm_args args = oct_gemm_args(t->w);
    if (!whole) {
        args.c = oct_whole(parts);
        args.ldc = t->part_ld;
    }
    args.splits = t->s.splits;
    args.split_groups = t->s.split_groups;
    oct_launch_gemm(l, &args);
    size_t items = oct_tile_items(tile), down = (size_t)t->s.down, across = (size_t)t->s.across;
    size_t depth = (size_t)(t->w->batch * t->s.splits);
    const size_t tiles[3] = {down * across * items, 1, depth}, panels[3] = {across * items, down, depth};
    oct_launch_3d(l, tile->bk ? tiles : panels, (size_t[3]){items, 1, 1});
}

/* Add the parts and finish. */
static void reduce(oct_recipe *r, const tiled *t, oct_mem parts)
{
    const oct_gemm_request *q = t->w->q;
    const oct_product *p = t->w->p;
    oct_launch *l = oct_recipe_launch(r, "gemm/gemm_reduce.cl", "reduce", "%s", t->options);
    OCT_ARGS(l, gemm_reduce, .parts = oct_whole(parts), .prep = oct_whole(p->prep),
             .rowsum = oct_gemm_rowsum(t->w), .a_scale = oct_whole(q->a_q.scale), .c = oct_gemm_c(t->w),
             .m = q->m, .n = p->n, .batches = t->w->batch, .ldc = q->ldc, .c_stride = q->c_stride,
             .prep_stride = p->prep_stride, .part_ld = t->part_ld, .clamp_min = q->clamp_min,
             .clamp_max = q->clamp_max, .splits = t->s.splits);
    oct_launch_3d(l, (size_t[3]){(size_t)t->part_ld / 4, (size_t)q->m, (size_t)t->w->batch}, NULL);
}

static octet_status launch(oct_recipe *r, const oct_caps *caps, const oct_variant *v, const void *work)
{
    const oct_gemm_work *w = work;
    const oct_gemm_request *q = w->q;
    const oct_product *p = w->p;
    const oct_tile *tile = &v->tile;
    tiled t = {.w = w, .part_ld = (int64_t)oct_round_up((size_t)p->n, 4)};
    t.s = q->force.spread ? oct_tile_spread_parts(tile, q->m, p->n, p->groups, q->force.spread)
                          : oct_tile_spread(tile, caps, q->m, p->n, p->groups, w->batch);
    char of_product[64];
    oct_product_options(p, of_product);
    snprintf(t.options, sizeof t.options, "%s%s", of_product, q->a_q.scale_count > 1 ? " -DROWSCALE" : "");
    oct_mem parts = OCT_MEM_NONE;
    size_t bytes = 0;
    bool fits = oct_size_mul((size_t)(t.s.splits * w->batch) * 4, (size_t)q->m, &bytes) &&
                oct_size_mul(bytes, (size_t)t.part_ld, &bytes) && bytes <= caps->info.max_alloc_bytes;
    if (t.s.splits > 1 && !fits)
        t.s = oct_tile_spread_whole(tile, q->m, p->n, p->groups);
    if (t.s.splits > 1)
        parts = oct_recipe_temp(r, bytes);
    multiply(r, caps, v, &t, parts);
    if (parts != OCT_MEM_NONE)
        reduce(r, &t, parts);
    return r->status;
}

const oct_kind oct_gemm_tiles = {.fits = oct_tile_fits,
                                 .suits = oct_suits_gpu,
                                 .cost = cost,
                                 .spreads = spreads,
                                 .options = oct_tile_options,
                                 .launch = launch};
