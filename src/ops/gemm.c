#include "gemm.h"
#include "product.h"
#include "sizes.h"

#include <stddef.h>
#include <string.h>

typedef struct gemm_variant {
    const char *name, *file;
    int rows, nb, kb;
    oct_form form;
    size_t capability; /* offset of a bool in oct_caps */
} gemm_variant;

static const gemm_variant variants[] = {
#define GEMM_VARIANT(name, file, rows, nb, kb, form, capability)                                             \
    {#name, file, rows, nb, kb, form, offsetof(oct_caps, capability)},
#include "gemm_variants.def"
#undef GEMM_VARIANT
};
#define VARIANT_COUNT (sizeof variants / sizeof variants[0])

const char *oct_gemm_variant_name(const oct_caps *caps, size_t index)
{
    for (size_t i = 0; i < VARIANT_COUNT; i++) {
        if (oct_product_runs_on(variants[i].capability, caps) && index-- == 0)
            return variants[i].name;
    }
    return NULL;
}

/* What m rows take: whole tiles, each with the loads of B besides, which are worth about one row. */
static int64_t tile_cost(const gemm_variant *v, int64_t m)
{
    return (m / v->rows + (m % v->rows != 0)) * (v->rows + 1);
}

/* The forced variant, or the cheapest of the best capability; NULL when the forced one is unknown or cannot
 * run here. */
static const gemm_variant *select_variant(const oct_caps *caps, const oct_gemm_request *q)
{
    const gemm_variant *best = NULL;
    for (size_t i = 0; i < VARIANT_COUNT; i++) {
        const gemm_variant *v = &variants[i];
        if (!oct_product_runs_on(v->capability, caps))
            continue;
        if (q->variant) {
            if (strcmp(q->variant, v->name) == 0)
                return v;
            continue;
        }
        if (!best || (v->capability == best->capability && tile_cost(v, q->m) < tile_cost(best, q->m)))
            best = v;
    }
    return best;
}

const char *oct_gemm_select(const oct_caps *caps, const oct_gemm_request *q)
{
    const gemm_variant *v = select_variant(caps, q);
    return v ? v->name : NULL;
}

static void pack(oct_recipe *r, const oct_gemm_request *q, const oct_product *p)
{
    oct_launch *l = oct_product_launch(r, p, "pack_matrix");
    oct_launch_in(l, q->b);
    oct_launch_out(l, p->packed);
    oct_launch_i32(l, q->n);
    oct_launch_i32(l, q->k);
    oct_launch_i64(l, q->ldb);
    oct_launch_i64(l, q->b_stride);
    oct_launch_i64(l, p->packed_stride);
    oct_launch_i32(l, q->transpose_b);
    oct_launch_i32(l, p->b_flip);
    oct_launch_3d(l, (size_t[3]){(size_t)p->groups, (size_t)p->panels, (size_t)p->blocks}, NULL);
}

static oct_mem row_sums(oct_recipe *r, const oct_gemm_request *q, const oct_product *p)
{
    oct_mem rowsum = oct_recipe_temp(r, (size_t)(q->batch * q->m) * 4);
    oct_launch *l = oct_product_launch(r, p, "row_sums");
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

static void product(oct_recipe *r, const oct_gemm_request *q, const oct_product *p, const gemm_variant *v,
                    oct_mem rowsum)
{
    char options[64];
    oct_product_options(p, options);
    bool row_scale = q->a_q.scale_count > 1;
    oct_launch *l = oct_recipe_launch(r, v->file, "gemm", "-DROWS=%d %s%s", v->rows, options,
                                      row_scale ? " -DROWSCALE" : "");
    oct_launch_in(l, q->a);
    oct_launch_in(l, p->packed);
    oct_launch_in(l, p->prep);
    oct_launch_in(l, rowsum);
    oct_launch_in(l, q->a_q.scale);
    oct_launch_out(l, q->c);
    oct_launch_i32(l, q->m);
    oct_launch_i32(l, q->n);
    oct_launch_i32(l, q->k);
    const int64_t strides[] = {q->lda, q->ldc, q->a_stride, p->packed_stride, q->c_stride, p->prep_stride};
    for (size_t i = 0; i < sizeof strides / sizeof strides[0]; i++)
        oct_launch_i64(l, strides[i]);
    oct_launch_i32(l, q->clamp_min);
    oct_launch_i32(l, q->clamp_max);
    size_t batch = (size_t)q->batch, panels = (size_t)p->panels;
    if (v->capability == offsetof(oct_caps, any_device)) {
        oct_launch_3d(l, (size_t[3]){panels, oct_ceil_div((size_t)q->m, (size_t)v->rows), batch}, NULL);
        return;
    }
    int64_t rows = oct_product_block_rows(q->m, v->rows, p->panels * q->batch);
    oct_launch_i32(l, rows);
    oct_launch_3d(l, (size_t[3]){oct_ceil_div((size_t)q->m, (size_t)rows), panels, batch},
                  (size_t[3]){1, 1, 1});
}

octet_status oct_gemm(oct_recipe *r, const oct_caps *caps, const oct_gemm_request *q)
{
    const gemm_variant *v = select_variant(caps, q);
    RETURN_IF(!v, OCTET_UNSUPPORTED, "GEMM variant '%s' is unknown or does not run on this device",
              q->variant ? q->variant : "");
    RETURN_IF(q->m > INT32_MAX - 4096 || q->batch > INT32_MAX, OCTET_UNSUPPORTED,
              "%lld rows or %lld batches are past 2^31", (long long)q->m, (long long)q->batch);
    RETURN_IF(q->a_q.scale_count > 1 && q->c_dtype != OCTET_F32, OCTET_UNSUPPORTED,
              "a scale per row of A needs an f32 output");
    oct_product p = {.a_dtype = q->a_dtype,
                     .b_dtype = q->b_dtype,
                     .c_dtype = q->c_dtype,
                     .a_q = q->a_q,
                     .b_q = q->b_q,
                     .c_q = q->c_q,
                     .bias = q->bias,
                     .n = q->n,
                     .k = q->k,
                     .groups = (int64_t)oct_ceil_div((size_t)q->k, (size_t)v->kb),
                     .blocks = q->b_stride ? q->batch : 1,
                     .nb = v->nb,
                     .kb = v->kb,
                     .form = v->form};
    FORWARD(oct_product_begin(r, &p));
    if (q->m == 0 || q->n == 0 || q->batch == 0)
        return OCTET_OK;
    if (p.groups)
        pack(r, q, &p);
    oct_product_prepare(r, &p);
    product(r, q, &p, v, p.needs_rowsum ? row_sums(r, q, &p) : OCT_MEM_NONE);
    return r->status;
}
