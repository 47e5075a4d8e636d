/* 256-entry tables of functions of one byte, in ONNX Runtime's order of float operations. */
#include "dtype.h"
#include "quant.h"
#include <float.h>
#include <math.h>

void oct_lut_make(const oct_lut_params *p, oct_lut_fn fn, const void *user, uint8_t table[256])
{
    int32_t qmin = oct_dtype_min(p->y_dtype), qmax = oct_dtype_max(p->y_dtype);
    for (int bits = 0; bits < 256; bits++) {
        int32_t q = p->x_dtype == OCTET_S8 && bits >= 128 ? bits - 256 : bits;
        float x = oct_dequantize(q, p->x_scale, p->x_zero);
        table[bits] = (uint8_t)oct_quantize_f32(fn(x, user), p->y_scale, p->y_zero, qmin, qmax);
    }
}

/* A rational approximation (the coefficients are Eigen's, as used by ONNX Runtime's MLAS): x P(x^2) / Q(x^2)
 * + 0.5 by Horner's rule with fused multiply-adds. */
float oct_logistic(float x)
{
    static const float alpha[] = {4.37031012579801e-11f, 1.15627324459942e-07f, 6.08574864600143e-05f,
                                  8.51377133304701e-03f, 2.48287947061529e-01f};
    static const float beta[] = {6.10247389755681e-13f, 5.76102136993427e-09f, 6.29106785017040e-06f,
                                 1.70198817374094e-03f, 1.16817656904453e-01f, 9.93151921023180e-01f};
    x = fminf(fmaxf(x, -18.0f), 18.0f);
    float square = x * x, p = alpha[0], q = beta[0];
    for (int i = 1; i < 5; i++)
        p = fmaf(p, square, alpha[i]);
    for (int i = 1; i < 6; i++)
        q = fmaf(q, square, beta[i]);
    return fmaxf(x * p / q + 0.5f, 0.0f);
}

static float sigmoid(float x, const void *user)
{
    (void)user;
    return oct_logistic(x);
}

static float leaky_relu(float x, const void *alpha)
{
    return x >= 0.0f ? x : *(const float *)alpha * x;
}

static float unchanged(float x, const void *user)
{
    (void)user;
    return x;
}

void oct_lut_sigmoid(const oct_lut_params *p, uint8_t table[256])
{
    oct_lut_make(p, sigmoid, NULL, table);
}

void oct_lut_leaky_relu(const oct_lut_params *p, float alpha, uint8_t table[256])
{
    oct_lut_make(p, leaky_relu, &alpha, table);
}

void oct_lut_requantize(const oct_lut_params *p, uint8_t table[256])
{
    if (p->x_scale == p->y_scale && p->x_zero == p->y_zero) {
        for (int i = 0; i < 256; i++)
            table[i] = (uint8_t)i;
        return;
    }
    oct_lut_make(p, unchanged, NULL, table);
}

void oct_softmax_table(float x_scale, int64_t axis_elems, float table[256])
{
    double shift = fmax(0.0, (double)logf(FLT_MAX / (float)axis_elems) - 5.0) / (double)x_scale;
    for (int i = 0; i < 256; i++)
        table[i] = (float)exp(((double)i - 255.0 + shift) * (double)x_scale);
}
