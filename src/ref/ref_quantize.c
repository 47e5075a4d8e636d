/* Between float and integers: QuantizeLinear, DequantizeLinear, DynamicQuantizeLinear. */
#include "dtype.h"
#include "ref.h"
#include <math.h>

void oct_ref_quantize(const oct_ref_quantize_params *p, const float *x, void *y)
{
    int32_t qmin = oct_dtype_min(p->q_dtype), qmax = oct_dtype_max(p->q_dtype);
    int64_t n = p->outer * p->axis * p->inner;
    for (int64_t i = 0; i < n; i++) {
        int64_t channel = i / p->inner % p->axis;
        float scale = oct_ref_scale(&p->q, channel);
        int32_t zero = oct_ref_zero(&p->q, p->q_dtype, channel);
        oct_ref_store(p->q_dtype, y, i, oct_quantize_f32(x[i], scale, zero, qmin, qmax));
    }
}

void oct_ref_dequantize(const oct_ref_quantize_params *p, const void *x, float *y)
{
    int64_t n = p->outer * p->axis * p->inner;
    for (int64_t i = 0; i < n; i++) {
        int64_t channel = i / p->inner % p->axis;
        y[i] = oct_dequantize(oct_ref_load(p->q_dtype, x, i), oct_ref_scale(&p->q, channel),
                              oct_ref_zero(&p->q, p->q_dtype, channel));
    }
}

void oct_ref_dynamic_quantize(const float *x, int64_t n, uint8_t *y, float *scale, uint8_t *zero)
{
    float min = 0.0f, max = 0.0f;
    for (int64_t i = 0; i < n; i++) {
        min = fminf(min, x[i]);
        max = fmaxf(max, x[i]);
    }
    oct_dynamic_params(min, max, scale, zero);
    for (int64_t i = 0; i < n; i++)
        y[i] = (uint8_t)oct_quantize_f32(x[i], *scale, *zero, 0, 255);
}
