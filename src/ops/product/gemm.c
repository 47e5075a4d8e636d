#include "gemm.h"
#include "dtype.h"
#include "gemm_kinds.h"
#include "sizes.h"
#include "wide.h"

#include <stdio.h>

static const oct_variant variants[] = {
#include "gemm_variants.def"
};

static double macs(const void *request)
{
    const oct_gemm_request *q = request;
    return (double)q->batch * (double)q->m * (double)q->n * (double)q->k;
}

static void key(const void *request, char text[OCT_TUNING_KEY])
{
    const oct_gemm_request *q = request;
    snprintf(text, OCT_TUNING_KEY, "gemm %lldx%lldx%lld batch %lld%s%s", (long long)q->m, (long long)q->n,
             (long long)q->k, (long long)q->batch, q->b_stride ? " own" : "",
             oct_dtype_is_int16(q->a_dtype) ? " of 16 bits" : "");
}

const oct_family oct_gemm_family = {"GEMM", variants, sizeof variants / sizeof variants[0], macs, key};

/* Does the variant that is chosen take A as it is? */
static bool multiplies_wide(const oct_caps *caps, const oct_gemm_request *q)
{
    const oct_variant *v = oct_variant_select(&oct_gemm_family, caps, q, NULL);
    return v && oct_dtype_is_int16(q->a_dtype) && v->form == OCT_U8S8 && q->a_q.scale_count <= 1;
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
    const size_t to = oct_product_packed_at(p, slice) + (size_t)group * oct_product_group_bytes(p);
    const int64_t column = slice->block * (p->channels_follow ? p->n : 0) + slice->col;
    OCT_ARGS(l, pack_matrix, .b = oct_from(b, (size_t)at), .b_zero = oct_product_b_zero(p, column),
             .packed = oct_from(p->packed, to), .n = slice->cols, .k = k, .ldb = ldb, .b_stride = b_stride,
             .packed_stride = p->packed_stride, .transposed = q->transpose_b, .groups = p->groups,
             .stored = oct_product_stored(p));
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
    OCT_ARGS(l, row_sums, .a = oct_whole(q->a), .rowsum = oct_whole(rowsum), .m = q->m, .k = q->k,
             .lda = q->lda, .a_stride = q->a_stride, .a_shift = p->a_shift);
    oct_launch_2d(l, (size_t)q->m, (size_t)q->batch, 0, 0);
    return rowsum;
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
    FORWARD(oct_wide_halves(r, caps, q->a, q->a_dtype, elems, &q->a_q, sums, &wide));
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
    const oct_variant *v;
    FORWARD(oct_variant_choose(&oct_gemm_family, caps, request, &v, &chosen.force.spread));
    oct_recipe_note(r, &oct_gemm_family, q, sizeof *q);
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
                     .blocks = q->b_stride ? q->batch : 1};
    oct_product_pack_for(&p, v, caps);
    p.groups = (int64_t)oct_ceil_div((size_t)q->k, (size_t)p.kb);
    FORWARD(oct_product_check(&p));
    if (q->m == 0 || q->n == 0 || q->batch == 0)
        return OCTET_OK;
    p.whole = !oct_product_can_cut(r, &p, q->b);
    oct_mem rowsum = OCT_MEM_NONE;
    for (oct_part part = {0}; oct_product_next_part(&p, r->piece_bytes, &part);) {
        oct_product piece = oct_product_of_part(r, &p, &part);
        FORWARD(oct_product_begin(r, &piece));
        if (piece.groups)
            pack(r, q, &piece, &part);
        oct_product_prepare(r, &piece);
        if (piece.needs_rowsum && rowsum == OCT_MEM_NONE)
            rowsum = row_sums(r, q, &piece);
        oct_gemm_work work = {q, &piece, &part, piece.needs_rowsum ? rowsum : OCT_MEM_NONE,
                              q->b_stride ? part.blocks : q->batch};
        FORWARD(v->kind->launch(r, caps, v, &work));
    }
    return r->status;
}
