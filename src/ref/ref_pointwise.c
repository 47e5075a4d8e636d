/* Element by element: quantized Add and Mul, float arithmetic, tables and clamps. */
#include "ref.h"
#include <math.h>

typedef struct position {
    int64_t a, b;
} position;

/* Where element i of the output finds its operands. */
static position locate(const oct_ref_broadcast *s, int64_t i)
{
    position at = {0, 0};
    int64_t a_step = 1, b_step = 1;
    for (int d = s->rank - 1; d >= 0; d--) {
        int64_t index = i % s->dims[d];
        i /= s->dims[d];
        at.a += s->a_dims[d] == 1 ? 0 : index * a_step;
        at.b += s->b_dims[d] == 1 ? 0 : index * b_step;
        a_step *= s->a_dims[d];
        b_step *= s->b_dims[d];
    }
    return at;
}

static int64_t elems(const oct_ref_broadcast *s)
{
    int64_t n = 1;
    for (int d = 0; d < s->rank; d++)
        n *= s->dims[d];
    return n;
}

bool oct_ref_qadd_swapped(const oct_ref_broadcast *s)
{
    for (int d = s->rank - 1; d >= 0; d--) {
        if (s->dims[d] != 1)
            return s->a_dims[d] == 1;
    }
    return false;
}

void oct_ref_qadd(const oct_ref_qbinary_params *p, const void *a, const void *b, void *y)
{
    float ra = p->a_scale / p->y_scale, rb = p->b_scale / p->y_scale;
    float fixed = (float)p->y_zero - fmaf(ra, (float)p->a_zero, rb * (float)p->b_zero);
    if (p->swapped)
        fixed = (float)p->y_zero - fmaf(rb, (float)p->b_zero, ra * (float)p->a_zero);
    int64_t n = elems(&p->shape);
    for (int64_t i = 0; i < n; i++) {
        position at = locate(&p->shape, i);
        float qa = (float)oct_ref_load(p->dtype, a, at.a), qb = (float)oct_ref_load(p->dtype, b, at.b);
        float sum = p->swapped ? fmaf(qb, rb, fmaf(qa, ra, fixed)) : fmaf(qa, ra, fmaf(qb, rb, fixed));
        oct_ref_store(p->dtype, y, i, oct_round_clamp(sum, p->clamp_min, p->clamp_max));
    }
}

void oct_ref_qmul(const oct_ref_qbinary_params *p, const void *a, const void *b, void *y)
{
    float m = oct_multiplier(p->a_scale, p->b_scale, p->y_scale);
    int64_t n = elems(&p->shape);
    for (int64_t i = 0; i < n; i++) {
        position at = locate(&p->shape, i);
        int32_t qa = oct_ref_load(p->dtype, a, at.a) - p->a_zero;
        int32_t qb = oct_ref_load(p->dtype, b, at.b) - p->b_zero;
        float scaled = (float)(qa * qb) * m;
        int32_t q = oct_round_clamp(scaled + (float)p->y_zero, p->clamp_min, p->clamp_max);
        oct_ref_store(p->dtype, y, i, q);
    }
}

static float apply(oct_ref_float_op op, float a, float b)
{
    switch (op) {
    case OCT_REF_ADD:
        return a + b;
    case OCT_REF_SUB:
        return a - b;
    case OCT_REF_MUL:
        return a * b;
    case OCT_REF_DIV:
        return a / b;
    case OCT_REF_MIN:
        return isnan(a) || isnan(b) ? NAN : b < a ? b : a;
    case OCT_REF_MAX:
        return isnan(a) || isnan(b) ? NAN : b > a ? b : a;
    }
    return NAN;
}

void oct_ref_float_binary(oct_ref_float_op op, const oct_ref_broadcast *shape, const float *a, const float *b,
                          float *y)
{
    int64_t n = elems(shape);
    for (int64_t i = 0; i < n; i++) {
        position at = locate(shape, i);
        y[i] = apply(op, a[at.a], b[at.b]);
    }
}

void oct_ref_clip_f32(const float *x, int64_t n, float min, float max, float *y)
{
    for (int64_t i = 0; i < n; i++) {
        float v = x[i] < min ? min : x[i];
        y[i] = v > max ? max : v;
    }
}

void oct_ref_lut(const uint8_t table[256], const void *x, int64_t n, void *y)
{
    for (int64_t i = 0; i < n; i++)
        ((uint8_t *)y)[i] = table[((const uint8_t *)x)[i]];
}

void oct_ref_clamp8(octet_dtype dtype, const void *x, int64_t n, int32_t min, int32_t max, void *y)
{
    for (int64_t i = 0; i < n; i++) {
        int32_t q = oct_ref_load(dtype, x, i);
        oct_ref_store(dtype, y, i, q < min ? min : q > max ? max : q);
    }
}
