/* octet_gemm: what a desc may say, and the calls. */
#include "api.h"
#include "gemm.h"
#include "gemm_session.h"

#include <limits.h>
#include <octet/experimental.h>
#include <octet/opencl.h>

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

octet_status oct_api_check_gemm(octet_gemm_desc *d)
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

octet_status octet_gemm_create(octet_context *context, const octet_gemm_desc *desc, const void *b,
                               octet_gemm **gemm)
{
    CHECK_ARG(gemm);
    *gemm = NULL;
    CHECK_ARG(context);
    CHECK_ARG(desc);
    octet_gemm_desc d;
    FORWARD(TAKE_DESC(d, desc, octet_gemm_desc));
    FORWARD(oct_api_check_gemm(&d));
    return oct_gemm_session_make(context->device, &d, b, gemm);
}

void octet_gemm_destroy(octet_gemm *g)
{
    oct_gemm_session_free(g);
}

octet_status octet_gemm_run(octet_gemm *g, const void *a, const void *b, void *c)
{
    CHECK_ARG(g);
    RETURN_IF(!a && g->a_bytes, OCTET_INVALID_ARGUMENT, "octet_gemm_run: a is NULL");
    RETURN_IF(!c && g->c_bytes, OCTET_INVALID_ARGUMENT, "octet_gemm_run: c is NULL");
    RETURN_IF(g->b_is_runtime && !b && g->b_bytes, OCTET_INVALID_ARGUMENT, "octet_gemm_run: b is NULL");
    return oct_gemm_session_run(g, a, b, c);
}

octet_status octet_gemm_time(octet_gemm *g, size_t count, double *seconds)
{
    CHECK_ARG(g);
    CHECK_ARG(seconds);
    return oct_runner_time(g->executor, count, seconds);
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
