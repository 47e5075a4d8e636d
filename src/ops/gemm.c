#include "gemm.h"
#include "dtype.h"
#include "gemm_tiled.h"
#include "product.h"
#include "sizes.h"
#include "wide.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

typedef struct gemm_variant {
    const char *name, *file;
    int rows, nb, kb;
    oct_form form;
    size_t capability; /* offset of a bool in oct_caps */
    oct_tile tile;     /* bm 0: none */
} gemm_variant;

static const gemm_variant variants[] = {
#define GEMM_VARIANT(name, file, rows, nb, kb, form, capability)                                             \
    {#name, file, rows, nb, kb, form, offsetof(oct_caps, capability), {0}},
#define GEMM_TILE(name, bm, bn, bk, tm, tn)                                                                  \
    {#name, "gemm/gemm_tiled.cl", bm, 64, 4, OCT_DOT4, offsetof(oct_caps, any_device), {bm, bn, bk, tm, tn}},
#define GEMM_SMALL(name, rows, cols)                                                                         \
    {#name, "gemm/gemm_small.cl", rows, 64, 4, OCT_DOT4, offsetof(oct_caps, any_device), {rows, cols}},
#include "gemm_variants.def"
#undef GEMM_VARIANT
#undef GEMM_TILE
#undef GEMM_SMALL
};
#define VARIANT_COUNT (sizeof variants / sizeof variants[0])

static bool runs_on(const gemm_variant *v, const oct_caps *caps)
{
    return oct_product_runs_on(v->capability, caps) && (!v->tile.bm || oct_tile_valid(&v->tile, caps));
}

const char *oct_gemm_variant_name(const oct_caps *caps, size_t index)
{
    for (size_t i = 0; i < VARIANT_COUNT; i++) {
        if (runs_on(&variants[i], caps) && index-- == 0)
            return variants[i].name;
    }
    return NULL;
}

/* What it takes. Kernels of one work-item: m rows in whole tiles, each with the loads of B besides, which are
 * worth about one row. */
static double cost(const gemm_variant *v, const oct_caps *caps, const oct_gemm_request *q)
{
    if (v->tile.bm) {
        oct_tiling s = oct_tile_spread(&v->tile, caps, q->m, q->n, (q->k + 3) / 4, q->batch);
        return oct_tile_cost(&v->tile, caps, &s, q->batch);
    }
    return (double)(q->m / v->rows + (q->m % v->rows != 0)) * (v->rows + 1);
}

/* Devices that are not GPUs take the kernels for GPUs only when asked to. */
static bool may_serve(const gemm_variant *v, const oct_caps *caps)
{
    return runs_on(v, caps) && (!v->tile.bm || caps->prefers_tiles);
}

static const gemm_variant *find_variant(const oct_caps *caps, const char *name)
{
    for (size_t i = 0; i < VARIANT_COUNT; i++) {
        if (strcmp(name, variants[i].name) == 0)
            return runs_on(&variants[i], caps) ? &variants[i] : NULL;
    }
    return NULL;
}

/* The cheapest of the best kind. */
static const gemm_variant *cheapest(const oct_caps *caps, const oct_gemm_request *q)
{
    const gemm_variant *best = NULL;
    for (size_t i = 0; i < VARIANT_COUNT; i++) {
        const gemm_variant *v = &variants[i];
        if (!may_serve(v, caps))
            continue;
        bool same_kind = best && v->capability == best->capability && !v->tile.bm == !best->tile.bm;
        if (!best || (same_kind && cost(v, caps, q) < cost(best, caps, q)))
            best = v;
    }
    return best;
}

/* The forced variant, that of the tuning row, or the cheapest; NULL when the forced one is unknown or cannot
 * run here. *spread: how its work is spread. */
static const gemm_variant *select_variant(const oct_caps *caps, const oct_gemm_request *q, int64_t *spread)
{
    *spread = q->spread;
    if (q->variant)
        return find_variant(caps, q->variant);
    char key[OCT_TUNING_KEY];
    oct_gemm_key(q, key);
    const oct_tuning_row *row = oct_tuning_find(caps->tuning, key);
    const gemm_variant *v = row ? find_variant(caps, row->variant) : NULL;
    *spread = v ? row->spread : 0;
    return v ? v : cheapest(caps, q);
}

/* Does the variant that is chosen take A as it is? */
static bool multiplies_wide(const oct_caps *caps, const oct_gemm_request *q)
{
    int64_t spread;
    const gemm_variant *v = select_variant(caps, q, &spread);
    return v && oct_dtype_is_int16(q->a_dtype) && v->form == OCT_U8S8 && q->a_q.scale_count <= 1;
}

const char *oct_gemm_select(const oct_caps *caps, const oct_gemm_request *q)
{
    int64_t spread;
    const gemm_variant *v = select_variant(caps, q, &spread);
    return v ? v->name : NULL;
}

void oct_gemm_key(const oct_gemm_request *q, char key[OCT_TUNING_KEY])
{
    snprintf(key, OCT_TUNING_KEY, "gemm %lldx%lldx%lld batch %lld%s%s", (long long)q->m, (long long)q->n,
             (long long)q->k, (long long)q->batch, q->b_stride ? " own" : "",
             oct_dtype_is_int16(q->a_dtype) ? " of 16 bits" : "");
}

const char *oct_gemm_candidate(const oct_caps *caps, const oct_gemm_request *q, size_t index)
{
    (void)q; /* any row serves any product */
    for (size_t i = 0; i < VARIANT_COUNT; i++) {
        if (may_serve(&variants[i], caps) && index-- == 0)
            return variants[i].name;
    }
    return NULL;
}

oct_spreads oct_gemm_spreads(const oct_caps *caps, const oct_gemm_request *q, const char *variant)
{
    const gemm_variant *v = find_variant(caps, variant);
    oct_spreads s = {.count = 0};
    if (v && v->tile.bm) {
        int64_t groups = (q->k + 3) / 4;
        int64_t own = oct_tile_spread(&v->tile, caps, q->m, q->n, groups, q->batch).splits;
        for (int64_t parts = 1; parts <= 64; parts *= 2) {
            if (parts == 1 || (parts >= own / 4 && parts <= own * 8))
                oct_spreads_add(&s, own, oct_tile_spread_parts(&v->tile, q->m, q->n, groups, parts).splits);
        }
    } else if (v && v->capability != offsetof(oct_caps, any_device)) {
        int64_t panels = (q->n + v->nb - 1) / v->nb * q->batch;
        s = oct_product_block_choices(q->m, v->rows, oct_product_block_rows(q->m, v->rows, panels));
    }
    return s;
}

/* Pack k groups [group, group + groups) of a slice of a part of B. A slice of a constant is uploaded alone.
 */
static void pack_slice(oct_recipe *r, const oct_gemm_request *q, const oct_product *p, const oct_part *part,
                       const oct_part *slice, int64_t group, int64_t groups)
{
    int64_t k = groups == p->groups ? q->k : groups * p->kb, first_k = group * p->kb;
    k = k < q->k - first_k ? k : q->k - first_k;
    int64_t block = part->block + slice->block, col = part->col + slice->col;
    int64_t rows = q->transpose_b ? slice->cols : k, width = q->transpose_b ? k : slice->cols;
    int64_t at = block * q->b_stride + (q->transpose_b ? col * q->ldb + first_k : first_k * q->ldb + col);
    int64_t ldb = q->ldb, b_stride = q->b_stride;
    bool all = slice->cols == q->n && k == q->k && slice->blocks == (q->b_stride ? q->batch : 1);
    oct_mem b = q->b;
    if (oct_recipe_is_const(r, b) && !all && (slice->blocks == 1 || b_stride == rows * ldb)) {
        b = oct_recipe_const_part(r, b, (size_t)at, (size_t)(slice->blocks * rows), (size_t)width,
                                  (size_t)ldb);
        at = 0;
        ldb = width;
        b_stride = rows * width;
    }
    oct_launch *l = oct_product_launch(r, p, "pack_matrix");
    oct_launch_in_at(l, b, (size_t)at);
    oct_launch_out_at(l, p->packed,
                      oct_product_packed_at(p, slice) + (size_t)group * oct_product_group_bytes(p));
    oct_launch_i32(l, slice->cols);
    oct_launch_i32(l, k);
    oct_launch_i64(l, ldb);
    oct_launch_i64(l, b_stride);
    oct_launch_i64(l, p->packed_stride);
    oct_launch_i32(l, q->transpose_b);
    oct_launch_i32(l, p->groups);
    oct_product_stored_as(l, p, slice->block * (p->channels_follow ? p->n : 0) + slice->col);
    size_t panels = oct_ceil_div((size_t)slice->cols, (size_t)p->nb);
    oct_launch_3d(l, (size_t[3]){(size_t)groups, panels, (size_t)slice->blocks}, NULL);
}

/* Pack a part of B, a constant in slices. These are rows of B as it is stored, so that they are one piece of
 * the file. */
static void pack(oct_recipe *r, const oct_gemm_request *q, const oct_product *p, const oct_part *part)
{
    bool is_const = oct_recipe_is_const(r, q->b);
    size_t limit = is_const ? r->slice_bytes : SIZE_MAX;
    size_t raw = (size_t)(p->blocks * p->n * q->k);
    oct_part slice = {0};
    if (q->transpose_b || raw <= limit) {
        while (oct_product_next_part(p, raw <= limit ? SIZE_MAX : limit, &slice))
            pack_slice(r, q, p, part, &slice, 0, p->groups);
        return;
    }
    size_t fit = limit / (size_t)(p->n * p->kb);
    int64_t step = fit >= (size_t)p->groups ? p->groups : fit ? (int64_t)fit : 1;
    for (slice.cols = p->n, slice.blocks = 1; slice.block < p->blocks; slice.block++) {
        for (int64_t g = 0; g < p->groups; g += step)
            pack_slice(r, q, p, part, &slice, g, step < p->groups - g ? step : p->groups - g);
    }
}

static oct_mem row_sums(oct_recipe *r, const oct_gemm_request *q, const oct_product *p)
{
    oct_mem rowsum = oct_recipe_temp(r, (size_t)(q->batch * q->m) * 4);
    oct_launch *l = oct_recipe_launch(r, "product/row_sums.cl", "row_sums", "%s",
                                      p->a_dtype == OCTET_S8 ? "-DA_SIGNED" : "");
    oct_launch_in(l, q->a);
    oct_launch_out(l, rowsum);
    oct_launch_i32(l, q->m);
    oct_launch_i32(l, q->k);
    oct_launch_i64(l, q->lda);
    oct_launch_i64(l, q->a_stride);
    oct_launch_i32(l, p->a_shift);
    oct_launch_2d(l, (size_t)q->m, (size_t)q->batch, 0, 0);
    return rowsum;
}

static void product(oct_recipe *r, const oct_caps *caps, const oct_gemm_request *q, const oct_product *p,
                    const gemm_variant *v, const oct_part *part, oct_mem rowsum)
{
    int64_t batch = q->b_stride ? part->blocks : q->batch;
    if (v->tile.bm) {
        oct_gemm_tiled(r, caps, q, p, &v->tile, v->file, part, rowsum);
        return;
    }
    char options[64];
    oct_product_options(p, options);
    bool row_scale = q->a_q.scale_count > 1;
    oct_launch *l = oct_recipe_launch(r, v->file, "gemm", "-DROWS=%d %s%s", v->rows, options,
                                      row_scale ? " -DROWSCALE" : "");
    oct_launch_in_at(l, q->a, (size_t)(part->block * q->a_stride) * oct_dtype_bytes(q->a_dtype));
    oct_launch_in(l, p->packed);
    oct_launch_in(l, p->prep);
    oct_launch_in_at(l, rowsum, (size_t)(part->block * q->m) * 4);
    oct_launch_in(l, q->a_q.scale);
    oct_launch_out_at(l, q->c, (size_t)(part->block * q->c_stride + part->col) * oct_dtype_bytes(q->c_dtype));
    oct_launch_i32(l, q->m);
    oct_launch_i32(l, p->n);
    oct_launch_i32(l, q->k);
    const int64_t strides[] = {q->lda, q->ldc, q->a_stride, p->packed_stride, q->c_stride, p->prep_stride};
    for (size_t i = 0; i < sizeof strides / sizeof strides[0]; i++)
        oct_launch_i64(l, strides[i]);
    oct_launch_i32(l, q->clamp_min);
    oct_launch_i32(l, q->clamp_max);
    size_t panels = (size_t)p->panels;
    if (v->capability == offsetof(oct_caps, any_device)) {
        oct_launch_3d(l, (size_t[3]){panels, oct_ceil_div((size_t)q->m, (size_t)v->rows), (size_t)batch},
                      NULL);
        return;
    }
    int64_t rows = q->spread ? (int64_t)oct_round_up((size_t)q->spread, (size_t)v->rows)
                             : oct_product_block_rows(q->m, v->rows, p->panels * batch);
    oct_launch_i32(l, rows);
    oct_launch_3d(l, (size_t[3]){oct_ceil_div((size_t)q->m, (size_t)rows), panels, (size_t)batch},
                  (size_t[3]){1, 1, 1});
}

/* A product with 16 bits on either side that no variant takes: one for each 8-bit part of A. A and C are
 * dense. */
static octet_status gemm_wide(oct_recipe *r, const oct_caps *caps, const oct_gemm_request *q)
{
    int64_t a_batch = q->a_stride || q->batch == 1 ? q->batch : 1, elems, sums;
    RETURN_IF(q->lda != q->k || q->ldc != q->n || (q->batch > 1 && q->c_stride != q->m * q->n) ||
                  (q->a_stride && q->a_stride != q->m * q->k) || q->a_q.scale_count > 1,
              OCTET_UNSUPPORTED, "a product of 16-bit tensors wants dense ones, with one scale");
    RETURN_IF(!oct_shape_elems((int64_t[]){a_batch, q->m, q->k}, 3, &elems) ||
                  !oct_shape_elems((int64_t[]){q->batch, q->m, q->n}, 3, &sums),
              OCTET_OUT_OF_MEMORY, "a product of 16-bit tensors exceeds the address space");
    oct_wide wide;
    FORWARD(oct_wide_split(r, caps, q->a, q->a_dtype, elems, &q->a_q, sums, &wide));
    for (int i = 0; i < wide.count; i++) {
        oct_gemm_request part = *q;
        part.a = wide.parts[i].x;
        part.a_dtype = wide.parts[i].dtype;
        part.a_q = wide.parts[i].q;
        part.b_q.scale = OCT_MEM_NONE;
        part.b_q.scale_count = 0;
        part.c_q = (oct_quant){.scale = OCT_MEM_NONE, .zero = OCT_MEM_NONE};
        part.c = wide.parts[i].sums;
        part.c_dtype = OCTET_S32;
        part.bias = OCT_MEM_NONE;
        FORWARD(oct_gemm(r, caps, &part));
    }
    return oct_wide_join(r, caps, &wide,
                         &(oct_wide_result){.rows = q->batch * q->m,
                                            .n = q->n,
                                            .bias = q->bias,
                                            .x_q = q->a_q,
                                            .w_q = q->b_q,
                                            .y_q = q->c_q,
                                            .y = q->c,
                                            .y_dtype = q->c_dtype,
                                            .clamp_min = q->clamp_min,
                                            .clamp_max = q->clamp_max});
}

octet_status oct_gemm(oct_recipe *r, const oct_caps *caps, const oct_gemm_request *request)
{
    if (oct_is_wide(request->a_dtype, request->c_dtype) && !multiplies_wide(caps, request))
        return gemm_wide(r, caps, request);
    oct_gemm_request chosen = *request;
    const oct_gemm_request *q = &chosen;
    const gemm_variant *v = select_variant(caps, request, &chosen.spread);
    RETURN_IF(!v, OCTET_UNSUPPORTED, "GEMM variant '%s' is unknown or does not run on this device",
              q->variant ? q->variant : "");
    oct_recipe_note(r, OCT_FAMILY_GEMM, q, sizeof *q);
    RETURN_IF(q->m > INT32_MAX - 4096 || q->batch > INT32_MAX, OCTET_UNSUPPORTED,
              "%lld rows or %lld batches are past 2^31", (long long)q->m, (long long)q->batch);
    RETURN_IF(q->a_q.scale_count > 1 && q->c_dtype != OCTET_F32, OCTET_UNSUPPORTED,
              "a scale per row of A needs an f32 output");
    const int kb = oct_product_terms(q->a_dtype, v->kb);
    oct_product p = {.a_dtype = q->a_dtype,
                     .b_dtype = q->b_dtype,
                     .c_dtype = q->c_dtype,
                     .a_q = q->a_q,
                     .b_q = q->b_q,
                     .c_q = q->c_q,
                     .bias = q->bias,
                     .n = q->n,
                     .k = q->k,
                     .groups = (int64_t)oct_ceil_div((size_t)q->k, (size_t)kb),
                     .blocks = q->b_stride ? q->batch : 1,
                     .nb = v->nb,
                     .kb = kb,
                     .form = v->form == OCT_DOT4 ? oct_tile_form(caps) : v->form};
    FORWARD(oct_product_check(&p));
    if (q->m == 0 || q->n == 0 || q->batch == 0)
        return OCTET_OK;
    p.whole = !oct_product_can_split(r, &p, q->b);
    oct_mem rowsum = OCT_MEM_NONE;
    for (oct_part part = {0}; oct_product_next_part(&p, r->piece_bytes, &part);) {
        oct_product piece = oct_product_of_part(r, &p, &part);
        FORWARD(oct_product_begin(r, &piece));
        if (piece.groups)
            pack(r, q, &piece, &part);
        oct_product_prepare(r, &piece);
        if (piece.needs_rowsum && rowsum == OCT_MEM_NONE)
            rowsum = row_sums(r, q, &piece);
        product(r, caps, q, &piece, v, &part, piece.needs_rowsum ? rowsum : OCT_MEM_NONE);
    }
    return r->status;
}
