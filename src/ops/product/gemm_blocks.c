/* GEMM kernels of one work-item that makes a tile at a time: where the device is a CPU, of as many rows as
 * keep A in its cache, as it is or widened before; the portable ones, of one tile. */
#include "gemm_kinds.h"
#include "sizes.h"

#include <stdio.h>

/* m rows in whole tiles, each with the loads of B besides, which are worth about one row. */
static double cost(const oct_variant *v, const oct_caps *caps, const void *request)
{
    const oct_gemm_request *q = request;
    (void)caps;
    return (double)(q->m / v->rows + (q->m % v->rows != 0)) * (v->rows + 1);
}

static oct_spreads spreads(const oct_variant *v, const oct_caps *caps, const void *request)
{
    const oct_gemm_request *q = request;
    int64_t panels = (q->n + v->nb - 1) / v->nb * q->batch;
    (void)caps;
    return oct_product_block_choices(q->m, v->rows, oct_product_block_rows(q->m, v->rows, panels));
}

static void options(const oct_variant *v, const void *request, char text[OCT_VARIANT_OPTIONS])
{
    (void)request;
    snprintf(text, OCT_VARIANT_OPTIONS, "-DROWS=%d", v->rows);
}

static oct_launch *append(oct_recipe *r, const oct_variant *v, const oct_gemm_work *w, const char *entry)
{
    char own[OCT_VARIANT_OPTIONS], of_product[64];
    oct_variant_options(v, w->q, own);
    oct_product_options(w->p, of_product);
    return oct_recipe_launch(r, v->file, entry, "%s %s%s", own, of_product,
                             w->q->a_q.scale_count > 1 ? " -DROWSCALE" : "");
}

static octet_status launch_grid(oct_recipe *r, const oct_caps *caps, const oct_variant *v, const void *work)
{
    const oct_gemm_work *w = work;
    const gemm_args args = oct_gemm_args(w);
    size_t tiles = oct_ceil_div((size_t)w->q->m, (size_t)v->rows);
    (void)caps;
    oct_launch *l = append(r, v, w, "gemm");
    oct_launch_gemm(l, &args);
    oct_launch_3d(l, (size_t[3]){(size_t)w->p->panels, tiles, (size_t)w->batch}, NULL);
    return r->status;
}

static octet_status multiply_blocks(oct_recipe *r, const oct_variant *v, const oct_gemm_work *w,
                                    gemm_args args)
{
    int64_t wanted = w->q->force.spread;
    args.block_rows = wanted ? (int64_t)oct_round_up((size_t)wanted, (size_t)v->rows)
                             : oct_product_block_rows(w->q->m, v->rows, w->p->panels * w->batch);
    size_t blocks = oct_ceil_div((size_t)w->q->m, (size_t)args.block_rows);
    oct_launch *l = append(r, v, w, "gemm");
    oct_launch_gemm(l, &args);
    oct_launch_3d(l, (size_t[3]){blocks, (size_t)w->p->panels, (size_t)w->batch}, (size_t[3]){1, 1, 1});
    return r->status;
}

static octet_status launch_blocks(oct_recipe *r, const oct_caps *caps, const oct_variant *v, const void *work)
{
    (void)caps;
    return multiply_blocks(r, v, work, oct_gemm_args(work));
}

/* Bytes of A in 16 bits. false: past the address space. */
static bool words_bytes(const oct_gemm_request *q, size_t *bytes)
{
    const size_t rows = (size_t)q->m, batches = q->a_stride ? (size_t)q->batch : 1;
    return oct_size_mul(oct_ceil_div((size_t)q->k, 2) * sizeof(int32_t), rows, bytes) &&
           oct_size_mul(*bytes, batches, bytes);
}

/* Widening is one launch more; what it saves, each panel of B saves again. Measured on two cores of Zen 3:
 * even at two panels or half a million multiply-adds. */
static bool suits_words(const oct_caps *caps, const void *request)
{
    const oct_gemm_request *q = request;
    const double macs = oct_gemm_family.macs(q);
    size_t bytes;
    return q->m >= 8 && q->n >= 64 && macs >= 1 << 20 && words_bytes(q, &bytes) &&
           bytes <= caps->info.max_alloc_bytes;
}

/* One A for all batches is widened once; a part of a product that is split widens its own. */
static octet_status launch_words(oct_recipe *r, const oct_caps *caps, const oct_variant *v, const void *work)
{
    const oct_gemm_work *w = work;
    const oct_gemm_request *q = w->q;
    gemm_args args = oct_gemm_args(w);
    size_t bytes;
    (void)caps;
    RETURN_IF(!words_bytes(q, &bytes), OCTET_OUT_OF_MEMORY, "A in 16 bits exceeds the address space");
    const oct_mem words = oct_recipe_temp(r, bytes);
    oct_launch *l = append(r, v, w, "widen");
    OCT_ARGS(l, gemm_widen, .a = args.a, .words = oct_whole(words), .m = q->m, .k = q->k, .lda = q->lda,
             .a_stride = q->a_stride);
    oct_launch_2d(l, (size_t)q->m, q->a_stride ? (size_t)w->batch : 1, 0, 0);
    args.a = oct_whole(words);
    args.lda = w->p->groups;
    args.a_stride = q->a_stride ? q->m * w->p->groups : 0;
    return multiply_blocks(r, v, w, args);
}

const oct_kind oct_gemm_blocks = {
    .cost = cost, .spreads = spreads, .options = options, .launch = launch_blocks};
const oct_kind oct_gemm_words = {
    .suits = suits_words, .cost = cost, .spreads = spreads, .options = options, .launch = launch_words};
const oct_kind oct_gemm_grid = {.cost = cost, .options = options, .launch = launch_grid};
