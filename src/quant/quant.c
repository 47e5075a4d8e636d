/* Affine quantization and requantization in the ONNX way. */
#include "quant.h"
#include <math.h>

bool oct_scale_valid(float scale)
{
    return isfinite(scale) && scale > 0.0f;
}

int32_t oct_round_then_zero(float x, int32_t zero, int32_t qmin, int32_t qmax)
{
    if (isnan(x))
        return zero < qmin ? qmin : zero > qmax ? qmax : zero;
    float lo = (float)(qmin - zero), hi = (float)(qmax - zero);
    float clamped = fminf(fmaxf(x, lo), hi);
    return (int32_t)rintf(clamped) + zero;
}

int32_t oct_round_clamp(float x, int32_t qmin, int32_t qmax)
{
    float clamped = fminf(fmaxf(x, (float)qmin), (float)qmax); /* fmaxf drops a NaN */
    return (int32_t)rintf(clamped);
}

int32_t oct_quantize_f32(float x, float scale, int32_t zero, int32_t qmin, int32_t qmax)
{
    return oct_round_then_zero(x / scale, zero, qmin, qmax);
}

float oct_dequantize(int32_t q, float scale, int32_t zero)
{
    return (float)((int64_t)q - zero) * scale;
}

float oct_multiplier(float sx, float sw, float sy)
{
    return sx * sw / sy;
}

int32_t oct_requantize(int64_t acc, float m, int32_t zero, int32_t qmin, int32_t qmax)
{
    return oct_round_then_zero((float)acc * m, zero, qmin, qmax);
}

int64_t oct_sum_most(octet_dtype dtype)
{
    return dtype == OCTET_U16 || dtype == OCTET_S16 ? 1 << 15
                                                    : (1 << 23) - 1; /* numbers of 16 and of 8 bits */
}

void oct_dynamic_params(float min, float max, float *scale, uint8_t *zero)
{
    min = fminf(min, 0.0f);
    max = fmaxf(max, 0.0f);
    *scale = max == min ? 1.0f : (max - min) / 255.0f;
    *zero = (uint8_t)oct_round_clamp(0.0f - min / *scale, 0, 255);
}
