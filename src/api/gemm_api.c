/* octet_gemm: a one-operator network on the executor. */
#include "api.h"
#include "clock.h"
#include "executor.h"
#include "gemm.h"
#include "sizes.h"

#include <limits.h>
#include <octet/opencl.h>
#include <stdlib.h>
#include <string.h>

struct octet_gemm {
    oct_device *device;
    oct_executor *executor;
    const char *variant;
    oct_mem a, b, c;
    size_t a_bytes, b_bytes, c_bytes;
    size_t c_rows, c_row_bytes, c_stride_bytes; /* what a run writes of the caller's C */
    unsigned char *c_image;                     /* C as on the device, when its rows have gaps; else NULL */
    bool b_is_runtime;
};

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

static bool is_count(size_t count, int64_t n)
{
    return count <= 1 || (int64_t)count == n;
}

static octet_status check_scales(const float *scales, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        RETURN_IF(!(scales[i] > 0.0f && scales[i] <= 3.402823466e38f), OCTET_INVALID_ARGUMENT,
                  "octet_gemm: %s[%zu] is %g; scales must be finite and > 0", name, i, (double)scales[i]);
    return OCTET_OK;
}

static octet_status check_types(const octet_gemm_desc *d)
{
    RETURN_IF(!oct_dtype_is_int8(d->a_dtype), OCTET_INVALID_ARGUMENT,
              "octet_gemm: a_dtype is %s; it must be u8 or s8", oct_dtype_name(d->a_dtype));
    RETURN_IF(!oct_dtype_is_int8(d->b_dtype), OCTET_INVALID_ARGUMENT,
              "octet_gemm: b_dtype is %s; it must be u8 or s8", oct_dtype_name(d->b_dtype));
    RETURN_IF(d->output != OCTET_OUT_S32 && d->output != OCTET_OUT_Q8 && d->output != OCTET_OUT_F32,
              OCTET_INVALID_ARGUMENT, "octet_gemm: output is %d; use OCTET_OUT_S32, _Q8 or _F32",
              (int)d->output);
    RETURN_IF(d->output == OCTET_OUT_Q8 && !oct_dtype_is_int8(d->c_dtype), OCTET_INVALID_ARGUMENT,
              "octet_gemm: c_dtype is %s; OCTET_OUT_Q8 needs u8 or s8", oct_dtype_name(d->c_dtype));
    return OCTET_OK;
}

static octet_status check_sizes(const octet_gemm_desc *d)
{
    RETURN_IF(d->m < 0 || d->n < 0 || d->k < 0 || d->batch < 0, OCTET_INVALID_ARGUMENT,
              "octet_gemm: m, n, k, batch are %lld, %lld, %lld, %lld; none may be negative", (long long)d->m,
              (long long)d->n, (long long)d->k, (long long)d->batch);
    const int64_t limit = INT32_MAX - 4096; /* kernels index rows and columns with int */
    RETURN_IF(d->m > limit || d->n > limit || d->k > limit || d->batch > limit, OCTET_UNSUPPORTED,
              "octet_gemm: m, n, k and batch must be below 2^31 - 4096");
    int64_t b_width = d->transpose_b ? d->k : d->n;
    RETURN_IF(d->lda < d->k || d->ldb < b_width || d->ldc < d->n, OCTET_INVALID_ARGUMENT,
              "octet_gemm: lda, ldb, ldc are %lld, %lld, %lld; rows have %lld, %lld and %lld elements",
              (long long)d->lda, (long long)d->ldb, (long long)d->ldc, (long long)d->k, (long long)b_width,
              (long long)d->n);
    return OCTET_OK;
}

static octet_status check_quant(const octet_gemm_desc *d)
{
    int32_t a_lo = oct_dtype_min(d->a_dtype), a_hi = oct_dtype_max(d->a_dtype);
    RETURN_IF(d->a_zero < a_lo || d->a_zero > a_hi, OCTET_INVALID_ARGUMENT,
              "octet_gemm: a_zero is %d; %s holds %d..%d", d->a_zero, oct_dtype_name(d->a_dtype), a_lo, a_hi);
    RETURN_IF(!is_count(d->b_zero_count, d->n) || !is_count(d->b_scale_count, d->n), OCTET_INVALID_ARGUMENT,
              "octet_gemm: b_zero_count and b_scale_count must be 0, 1 or n = %lld", (long long)d->n);
    RETURN_IF(!is_count(d->a_scale_count, d->m) || (d->a_scale_count > 1 && d->output != OCTET_OUT_F32),
              OCTET_INVALID_ARGUMENT,
              "octet_gemm: a_scale_count must be 0 or 1, or m = %lld with OCTET_OUT_F32", (long long)d->m);
    RETURN_IF((d->b_zero_count && !d->b_zeros) || (d->b_scale_count && !d->b_scales) ||
                  (d->a_scale_count && !d->a_scales),
              OCTET_INVALID_ARGUMENT, "octet_gemm: a count is set but its array is NULL");
    for (size_t i = 0; i < d->b_zero_count; i++)
        RETURN_IF(d->b_zeros[i] < oct_dtype_min(d->b_dtype) || d->b_zeros[i] > oct_dtype_max(d->b_dtype),
                  OCTET_INVALID_ARGUMENT, "octet_gemm: b_zeros[%zu] is %d; %s holds %d..%d", i, d->b_zeros[i],
                  oct_dtype_name(d->b_dtype), oct_dtype_min(d->b_dtype), oct_dtype_max(d->b_dtype));
    FORWARD(check_scales(d->a_scales, d->a_scale_count, "a_scales"));
    FORWARD(check_scales(d->b_scales, d->b_scale_count, "b_scales"));
    if (d->output != OCTET_OUT_Q8)
        return OCTET_OK;
    FORWARD(check_scales(&d->c_scale, 1, "c_scale"));
    int32_t lo = oct_dtype_min(d->c_dtype), hi = oct_dtype_max(d->c_dtype);
    RETURN_IF(d->c_zero < lo || d->c_zero > hi, OCTET_INVALID_ARGUMENT,
              "octet_gemm: c_zero is %d; %s holds %d..%d", d->c_zero, oct_dtype_name(d->c_dtype), lo, hi);
    RETURN_IF(d->c_min < lo || d->c_max > hi || d->c_min > d->c_max, OCTET_INVALID_ARGUMENT,
              "octet_gemm: the clamp is %d..%d; it must lie within %d..%d", d->c_min, d->c_max, lo, hi);
    return OCTET_OK;
}

/* Replace defaults by what they stand for, then check everything. */
static octet_status normalize(octet_gemm_desc *d)
{
    FORWARD(check_types(d));
    d->batch = d->batch ? d->batch : 1;
    d->lda = d->lda ? d->lda : d->k;
    d->ldb = d->ldb ? d->ldb : d->transpose_b ? d->k : d->n;
    d->ldc = d->ldc ? d->ldc : d->n;
    d->c_scale = d->c_scale != 0.0f ? d->c_scale : 1.0f;
    if (d->output == OCTET_OUT_Q8 && d->c_min == 0 && d->c_max == 0) {
        d->c_min = oct_dtype_min(d->c_dtype);
        d->c_max = oct_dtype_max(d->c_dtype);
    }
    FORWARD(check_sizes(d));
    return check_quant(d);
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

static octet_status build(octet_gemm *g, const octet_gemm_desc *d, const void *b, oct_recipe *r)
{
    FORWARD(lower(g, d, b, r));
    return oct_executor_create(g->device, r, NULL, &g->executor);
}

octet_status oct_api_gemm_recipe(oct_device *device, const octet_gemm_desc *desc, oct_recipe *r)
{
    static const unsigned char none;
    octet_gemm_desc d = *desc;
    octet_gemm g = {.device = device};
    FORWARD(normalize(&d));
    FORWARD(measure(&g, &d));
    octet_status status = lower(&g, &d, &none, r);
    free(g.c_image);
    return status;
}

octet_status octet_gemm_create(octet_context *context, const octet_gemm_desc *desc, const void *b,
                               octet_gemm **gemm)
{
    CHECK_ARG(gemm);
    *gemm = NULL;
    CHECK_ARG(context);
    CHECK_ARG(desc);
    octet_gemm_desc d;
    FORWARD(TAKE_DESC(d, desc, octet_gemm_desc));
    FORWARD(normalize(&d));
    octet_gemm *g = calloc(1, sizeof *g);
    RETURN_IF(!g, OCTET_OUT_OF_MEMORY, "out of host memory for a gemm");
    g->device = context->device;
    oct_device_retain(g->device);
    g->b_is_runtime = d.b_is_runtime != 0;
    oct_recipe r;
    oct_recipe_init(&r);
    octet_status status = measure(g, &d);
    if (status == OCTET_OK && !b && !g->b_is_runtime && g->b_bytes)
        status = oct_fail(OCTET_INVALID_ARGUMENT,
                          "octet_gemm_create: b is NULL; give the weights or set b_is_runtime");
    if (status == OCTET_OK)
        status = build(g, &d, b, &r);
    oct_recipe_free(&r);
    if (status != OCTET_OK) {
        octet_gemm_destroy(g);
        return status;
    }
    *gemm = g;
    return OCTET_OK;
}

void octet_gemm_destroy(octet_gemm *g)
{
    if (!g)
        return;
    oct_executor_destroy(g->executor);
    free(g->c_image);
    oct_device_release(g->device);
    free(g);
}

/* Everything enqueued refers to the caller's memory: wait for it even when something failed in between. */
static octet_status run_and_wait(octet_gemm *g, const void *a, const void *b, void *c)
{
    octet_status status = oct_executor_upload(g->executor, g->a, a);
    if (status == OCTET_OK && g->b_is_runtime)
        status = oct_executor_upload(g->executor, g->b, b);
    if (status == OCTET_OK)
        status = oct_executor_run(g->executor, NULL);
    if (status == OCTET_OK)
        status = oct_executor_download(g->executor, g->c, c);
    return oct_device_settle(g->device, status);
}

octet_status octet_gemm_run(octet_gemm *g, const void *a, const void *b, void *c)
{
    CHECK_ARG(g);
    RETURN_IF(!a && g->a_bytes, OCTET_INVALID_ARGUMENT, "octet_gemm_run: a is NULL");
    RETURN_IF(!c && g->c_bytes, OCTET_INVALID_ARGUMENT, "octet_gemm_run: c is NULL");
    RETURN_IF(g->b_is_runtime && !b && g->b_bytes, OCTET_INVALID_ARGUMENT, "octet_gemm_run: b is NULL");
    FORWARD(oct_executor_use_own_buffers(g->executor));
    FORWARD(run_and_wait(g, a, b, g->c_image ? g->c_image : c));
    for (size_t i = 0; g->c_image && i < g->c_rows; i++)
        memcpy((char *)c + i * g->c_stride_bytes, g->c_image + i * g->c_stride_bytes, g->c_row_bytes);
    return OCTET_OK;
}

octet_status octet_gemm_time(octet_gemm *g, size_t count, double *seconds)
{
    CHECK_ARG(g);
    CHECK_ARG(seconds);
    FORWARD(oct_executor_use_own_buffers(g->executor));
    FORWARD(oct_device_finish(g->device));
    double start = oct_seconds();
    octet_status status = OCTET_OK;
    for (size_t i = 0; i < count && status == OCTET_OK; i++)
        status = oct_executor_run(g->executor, NULL);
    status = oct_device_settle(g->device, status);
    *seconds = oct_seconds() - start;
    return status;
}

octet_status octet_gemm_enqueue(octet_gemm *g, cl_mem a, size_t a_offset, cl_mem b, size_t b_offset, cl_mem c,
                                size_t c_offset, cl_event *event)
{
    CHECK_ARG(g);
    FORWARD(oct_buffer_check(g->device, a, a_offset, g->a_bytes, "a"));
    FORWARD(oct_buffer_check(g->device, c, c_offset, g->c_bytes, "c"));
    FORWARD(oct_executor_set_buffer(g->executor, g->a, a, a_offset));
    FORWARD(oct_executor_set_buffer(g->executor, g->c, c, c_offset));
    if (g->b_is_runtime) {
        FORWARD(oct_buffer_check(g->device, b, b_offset, g->b_bytes, "b"));
        FORWARD(oct_executor_set_buffer(g->executor, g->b, b, b_offset));
    }
    return oct_executor_run(g->executor, event);
}

const char *octet_gemm_variant(const octet_gemm *g)
{
    return g ? g->variant : "";
}

const char *octet_gemm_variant_name(octet_context *context, size_t index)
{
    const oct_variant *v =
        context ? oct_variant_at(&oct_gemm_family, oct_device_caps(context->device), index) : NULL;
    return v ? v->name : NULL;
}
