/* Quantization of whole tensors on the host: what oct_quantize_f32 and oct_dequantize do, in blocks of a
 * constant length that compilers turn into vectors. */
#include "dtype.h"
#include "quant.h"

#include <string.h>

enum { BLOCK = 16 };

/* 1.5 * 2^23: a float of small magnitude added to it is rounded to an integer, half to even. */
static const float rounder = 12582912.0f;

static void quantize_block(const float *x, float scale, int32_t zero, float lo, float hi, int32_t *q)
{
    for (int i = 0; i < BLOCK; i++) {
        float v = x[i] / scale;
        v = v < lo ? lo : v;
        v = v > hi ? hi : v;
        v = v == v ? v : 0.0f; /* a NaN gives the zero point */
        q[i] = (int32_t)(v + rounder - rounder) + zero;
    }
}

void oct_quantize_row(const float *x, size_t count, float scale, int32_t zero, octet_dtype dtype, void *y)
{
    const float lo = (float)((int32_t)oct_dtype_min(dtype) - zero);
    const float hi = (float)((int32_t)oct_dtype_max(dtype) - zero);
    unsigned char *bytes = y; /* the low byte is the element, signed or not */
    float padded[BLOCK] = {0};
    int32_t q[BLOCK];
    for (size_t i = 0; i < count; i += BLOCK) {
        size_t n = count - i < BLOCK ? count - i : BLOCK;
        const float *from = x + i;
        if (n < BLOCK)
            from = memcpy(padded, from, n * sizeof *from);
        quantize_block(from, scale, zero, lo, hi, q);
        if (n == BLOCK) {
            for (int j = 0; j < BLOCK; j++)
                bytes[i + (size_t)j] = (unsigned char)q[j];
        } else {
            for (size_t j = 0; j < n; j++)
                bytes[i + j] = (unsigned char)q[j];
        }
    }
}

void oct_dequantize_row(const void *x, size_t count, float scale, int32_t zero, octet_dtype dtype, float *y)
{
    if (dtype == OCTET_U8) {
        const uint8_t *u = x;
        for (size_t i = 0; i < count; i++)
            y[i] = (float)(u[i] - zero) * scale;
    } else {
        const int8_t *s = x;
        for (size_t i = 0; i < count; i++)
            y[i] = (float)(s[i] - zero) * scale;
    }
}
