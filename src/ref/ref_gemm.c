/* C = A x B, the three nested loops. */
#include "ref.h"

/* The low 32 bits as a signed number. */
static int32_t wrap(int64_t sum)
{
    uint32_t low = (uint32_t)(uint64_t)sum;
    return low <= INT32_MAX ? (int32_t)low : (int32_t)((int64_t)low - (INT64_C(1) << 32));
}

static int64_t dot(const oct_ref_gemm_params *p, int64_t batch, int64_t row, int64_t col)
{
    int32_t a_zero = oct_ref_zero(&p->a_q, p->a_dtype, 0);
    int32_t b_zero = oct_ref_zero(&p->b_q, p->b_dtype, col);
    int64_t sum = p->bias ? p->bias[col] : 0;
    for (int64_t k = 0; k < p->k; k++) {
        int64_t a_at = batch * p->a_stride + row * p->lda + k;
        int64_t b_at = batch * p->b_stride + (p->transpose_b ? col * p->ldb + k : k * p->ldb + col);
        int64_t a = oct_ref_load(p->a_dtype, p->a, a_at) - a_zero;
        int32_t b = oct_ref_load(p->b_dtype, p->b, b_at) - b_zero;
        sum += a * b;
    }
    return oct_ref_is_wide(p->a_dtype, p->c_dtype) ? sum : wrap(sum);
}

static void store(const oct_ref_gemm_params *p, int64_t row, int64_t col, int64_t at, int64_t acc)
{
    float sa = oct_ref_scale(&p->a_q, row), sb = oct_ref_scale(&p->b_q, col);
    if (p->c_dtype == OCTET_S32) {
        ((int32_t *)p->c)[at] = (int32_t)acc;
    } else if (p->c_dtype == OCTET_F32) {
        ((float *)p->c)[at] = (float)acc * (sa * sb);
    } else {
        float m = oct_multiplier(sa, sb, oct_ref_scale(&p->c_q, 0));
        int32_t zero = oct_ref_zero(&p->c_q, p->c_dtype, 0);
        oct_ref_store(p->c_dtype, p->c, at, oct_requantize(acc, m, zero, p->clamp_min, p->clamp_max));
    }
}

void oct_ref_gemm(const oct_ref_gemm_params *p)
{
    for (int64_t batch = 0; batch < p->batch; batch++)
        for (int64_t row = 0; row < p->m; row++)
            for (int64_t col = 0; col < p->n; col++)
                store(p, row, col, batch * p->c_stride + row * p->ldc + col, dot(p, batch, row, col));
}
