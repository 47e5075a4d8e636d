#include "gemm_session.h"
#include "dtype.h"
#include "gemm.h"
#include "sizes.h"
#include "trust.h"

#include <stdlib.h>
#include <string.h>

/* Bytes from the first to the last element of `rows` rows of `width` elements, `stride` apart. */
static bool matrix_bytes(int64_t rows, int64_t width, int64_t stride, size_t elem, size_t *bytes)
{
    if (rows == 0 || width == 0) {
        *bytes = 0;
        return true;
    }
    size_t n;
    return oct_size_mul((size_t)(rows - 1), (size_t)stride, &n) && oct_size_add(n, (size_t)width, &n) &&
           oct_size_mul(n, elem, bytes) && *bytes < SIZE_MAX / 4;
}

/* Zero points as bytes of the operand's own type, scales as floats, both constants of the recipe. */
static oct_quant make_quant(oct_recipe *r, octet_dtype dtype, const int32_t *zeros, size_t zero_count,
                            const float *scales, size_t scale_count)
{
    oct_quant q = {.scale = OCT_MEM_NONE, .zero = OCT_MEM_NONE, .zero_dtype = dtype};
    if (zero_count) {
        unsigned char *bytes = oct_arena_alloc(&r->arena, zero_count, 1);
        for (size_t i = 0; bytes && i < zero_count; i++)
            bytes[i] = (unsigned char)zeros[i];
        q.zero = oct_recipe_const(r, bytes, bytes ? zero_count : 0);
        q.zero_count = (int64_t)zero_count;
        q.host_zero = bytes;
    }
    if (scale_count) {
        q.scale = oct_recipe_const(r, scales, scale_count * sizeof *scales);
        q.scale_count = (int64_t)scale_count;
        q.host_scale = scales;
    }
    return q;
}

static octet_dtype c_dtype_of(const octet_gemm_desc *d)
{
    return d->output == OCTET_OUT_S32 ? OCTET_S32 : d->output == OCTET_OUT_F32 ? OCTET_F32 : d->c_dtype;
}

static octet_status measure(octet_gemm *g, const octet_gemm_desc *d)
{
    int64_t b_rows = d->transpose_b ? d->n : d->k, b_width = d->transpose_b ? d->k : d->n;
    int64_t b_batch = d->b_is_runtime ? d->batch : 1;
    size_t elem = oct_dtype_bytes(c_dtype_of(d));
    bool fits = d->batch <= INT64_MAX / (d->m + 1) && b_batch <= INT64_MAX / (b_rows + 1) &&
                matrix_bytes(d->batch * d->m, d->k, d->lda, 1, &g->a_bytes) &&
                matrix_bytes(b_batch * b_rows, b_width, d->ldb, 1, &g->b_bytes) &&
                matrix_bytes(d->batch * d->m, d->n, d->ldc, elem, &g->c_bytes);
    RETURN_IF(!fits, OCTET_OUT_OF_MEMORY, "octet_gemm: the operands exceed the address space");
    g->c_rows = (size_t)(d->batch * d->m);
    g->c_row_bytes = (size_t)d->n * elem;
    g->c_stride_bytes = (size_t)d->ldc * elem;
    if (g->c_bytes && g->c_row_bytes != g->c_stride_bytes) {
        g->c_image = malloc(g->c_bytes);
        RETURN_IF(!g->c_image, OCTET_OUT_OF_MEMORY, "out of host memory for %zu bytes of C", g->c_bytes);
    }
    return OCTET_OK;
}

/* Append the product to the recipe. */
static octet_status lower(octet_gemm *g, const octet_gemm_desc *d, const void *b, oct_recipe *r)
{
    const oct_caps *caps = oct_device_caps(g->device);
    int64_t b_rows = d->transpose_b ? d->n : d->k;
    g->a = oct_recipe_input(r, g->a_bytes);
    g->b = d->b_is_runtime ? oct_recipe_input(r, g->b_bytes) : oct_recipe_const(r, b, g->b_bytes);
    g->c = oct_recipe_output(r, g->c_bytes);
    oct_gemm_request q = {.m = d->m,
                          .n = d->n,
                          .k = d->k,
                          .batch = d->batch,
                          .lda = d->lda,
                          .ldb = d->ldb,
                          .ldc = d->ldc,
                          .a_stride = d->m * d->lda,
                          .b_stride = d->b_is_runtime ? b_rows * d->ldb : 0,
                          .c_stride = d->m * d->ldc,
                          .transpose_b = d->transpose_b != 0,
                          .a_dtype = d->a_dtype,
                          .b_dtype = d->b_dtype,
                          .c_dtype = c_dtype_of(d),
                          .a = g->a,
                          .b = g->b,
                          .c = g->c,
                          .bias = OCT_MEM_NONE,
                          .clamp_min = d->c_min,
                          .clamp_max = d->c_max,
                          .force.variant = d->variant};
    if (d->bias && d->n)
        q.bias = oct_recipe_const(r, d->bias, (size_t)d->n * sizeof *d->bias);
    q.a_q = make_quant(r, d->a_dtype, &d->a_zero, d->a_zero != 0, d->a_scales, d->a_scale_count);
    q.b_q = make_quant(r, d->b_dtype, d->b_zeros, d->b_zero_count, d->b_scales, d->b_scale_count);
    if (d->output == OCTET_OUT_Q8)
        q.c_q = make_quant(r, d->c_dtype, &d->c_zero, d->c_zero != 0, &d->c_scale, 1);
    else
        q.c_q = make_quant(r, q.c_dtype, NULL, 0, NULL, 0);
    r->piece_bytes = oct_buffer_largest(g->device, OCT_MEM_ALIGN);
    const oct_variant *v = oct_variant_select(&oct_gemm_family, caps, &q, NULL);
    g->variant = v ? v->name : NULL;
    return oct_gemm(r, caps, &q);
}

octet_status oct_gemm_session_recipe(oct_device *device, const octet_gemm_desc *d, oct_recipe *r)
{
    static const unsigned char none;
    octet_gemm g = {.device = device};
    octet_status status = measure(&g, d);
    if (status == OCTET_OK)
        status = lower(&g, d, &none, r);
    free(g.c_image);
    return status;
}

static octet_status build(octet_gemm *g, const octet_gemm_desc *d, const void *b)
{
    FORWARD(measure(g, d));
    RETURN_IF(!b && !g->b_is_runtime && g->b_bytes, OCTET_INVALID_ARGUMENT,
              "octet_gemm_create: b is NULL; give the weights or set b_is_runtime");
    oct_recipe r;
    oct_recipe_init(&r);
    octet_status status = lower(g, d, b, &r);
    for (bool changed = true; status == OCTET_OK && changed;) {
        status = oct_trust(g->device, &r, &changed);
        if (status == OCTET_OK && changed) {
            oct_recipe_free(&r);
            oct_recipe_init(&r);
            status = lower(g, d, b, &r);
        }
    }
    if (status == OCTET_OK)
        status = oct_executor_create(g->device, &r, NULL, &g->executor);
    oct_recipe_free(&r);
    return status;
}

octet_status oct_gemm_session_make(oct_device *device, const octet_gemm_desc *d, const void *b,
                                   octet_gemm **gemm)
{
    *gemm = NULL;
    octet_gemm *g = calloc(1, sizeof *g);
    RETURN_IF(!g, OCTET_OUT_OF_MEMORY, "out of host memory for a gemm");
    g->device = device;
    oct_device_retain(device);
    g->b_is_runtime = d->b_is_runtime != 0;
    octet_status status = build(g, d, b);
    if (status != OCTET_OK) {
        oct_gemm_session_free(g);
        return status;
    }
    *gemm = g;
    return OCTET_OK;
}

void oct_gemm_session_free(octet_gemm *g)
{
    if (!g)
        return;
    oct_executor_destroy(g->executor);
    free(g->c_image);
    oct_device_release(g->device);
    free(g);
}

octet_status oct_gemm_session_run(octet_gemm *g, const void *a, const void *b, void *c)
{
    const oct_host_memory memories[] = {
        {.mem = g->a, .from = a}, {.mem = g->c, .to = g->c_image ? g->c_image : c}, {.mem = g->b, .from = b}};
    FORWARD(oct_runner_run(g->executor, memories, g->b_is_runtime ? 3 : 2));
    for (size_t i = 0; g->c_image && i < g->c_rows; i++)
        memcpy((char *)c + i * g->c_stride_bytes, g->c_image + i * g->c_stride_bytes, g->c_row_bytes);
    return OCTET_OK;
}
