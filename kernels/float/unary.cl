/* Float functions of one element. Option OP: an operator by its ONNX name; a and b are its attributes, in the
 * order of the table in src/plan/lower_float.c. The order of operations is ONNX Runtime's where that is
 * known; OpenCL's own functions are within a few ulp. */
#include "lanes.clh"

/* MLAS's rational approximation: see oct_logistic() in src/quant/lut.c. */
static inline float16 apply_Sigmoid(float16 x, float a, float b)
{
    x = clamp(x, -18.0f, 18.0f);
    const float16 s = x * x;
    float16 p = fma((float16)(4.37031012579801e-11f), s, (float16)(1.15627324459942e-07f));
    p = fma(p, s, (float16)(6.08574864600143e-05f));
    p = fma(p, s, (float16)(8.51377133304701e-03f));
    p = fma(p, s, (float16)(2.48287947061529e-01f));
    float16 q = fma((float16)(6.10247389755681e-13f), s, (float16)(5.76102136993427e-09f));
    q = fma(q, s, (float16)(6.29106785017040e-06f));
    q = fma(q, s, (float16)(1.70198817374094e-03f));
    q = fma(q, s, (float16)(1.16817656904453e-01f));
    q = fma(q, s, (float16)(9.93151921023180e-01f));
    return fmax(x * p / q + 0.5f, (float16)(0.0f));
}

static inline float16 apply_HardSigmoid(float16 x, float a, float b)
{
    return fmax(fmin(x * a + b, (float16)(1.0f)), (float16)(0.0f));
}

static inline float16 apply_HardSwish(float16 x, float a, float b)
{
    return x * apply_HardSigmoid(x, a, b);
}

static inline float16 apply_LeakyRelu(float16 x, float a, float b)
{
    return x >= 0.0f ? x : a * x;
}

static inline float16 apply_ThresholdedRelu(float16 x, float a, float b)
{
    return x > a ? x : (float16)(0.0f);
}

static inline float16 apply_Elu(float16 x, float a, float b)
{
    return x >= 0.0f ? x : a * expm1(x);
}

static inline float16 apply_Celu(float16 x, float a, float b)
{
    return fmax(x, (float16)(0.0f)) + fmin(a * expm1(x / a), (float16)(0.0f));
}

static inline float16 apply_Selu(float16 x, float a, float b)
{
    return b * (x > 0.0f ? x : a * expm1(x));
}

static inline float16 apply_Softplus(float16 x, float a, float b)
{
    return x > 0.0f ? x + log1p(exp(-x)) : log1p(exp(x));
}

static inline float16 apply_Softsign(float16 x, float a, float b)
{
    return x / (1.0f + fabs(x));
}

static inline float16 apply_Mish(float16 x, float a, float b)
{
    return x * tanh(apply_Softplus(x, a, b));
}

static inline float16 apply_Gelu(float16 x, float a, float b)
{
    if (a != 0.0f) /* approximate = "tanh" */
        return 0.5f * x * (1.0f + tanh(0.7978845608f * (x + 0.044715f * x * x * x)));
    return 0.5f * x * (1.0f + erf(x * 0.7071067812f));
}

static inline float16 apply_Tanh(float16 x, float a, float b)
{
    return tanh(x);
}

static inline float16 apply_Erf(float16 x, float a, float b)
{
    return erf(x);
}

static inline float16 apply_Exp(float16 x, float a, float b)
{
    return exp(x);
}

static inline float16 apply_Log(float16 x, float a, float b)
{
    return log(x);
}

static inline float16 apply_Sqrt(float16 x, float a, float b)
{
    return sqrt(x);
}

static inline float16 apply_Reciprocal(float16 x, float a, float b)
{
    return 1.0f / x;
}

static inline float16 apply_Neg(float16 x, float a, float b)
{
    return -x;
}

static inline float16 apply_Abs(float16 x, float a, float b)
{
    return fabs(x);
}

static inline float16 apply_Floor(float16 x, float a, float b)
{
    return floor(x);
}

static inline float16 apply_Ceil(float16 x, float a, float b)
{
    return ceil(x);
}

static inline float16 apply_Round(float16 x, float a, float b)
{
    return rint(x); /* half to even */
}

static inline float16 apply_Sign(float16 x, float a, float b)
{
    return x > 0.0f ? (float16)(1.0f) : x < 0.0f ? (float16)(-1.0f) : x;
}

static inline float16 apply_Sin(float16 x, float a, float b)
{
    return sin(x);
}

static inline float16 apply_Cos(float16 x, float a, float b)
{
    return cos(x);
}

#ifndef OP
#define OP Abs
#endif

__kernel void unary(MEM(x), MEM(y), const long n, const long chunk, const float a, const float b)
{
    OCT_SPLIT(get_global_id(0), chunk, n)
    for (long i = first; i < last; i += 16)
        save16_float(AT(float, y) + i, OCT_PASTE(apply_, OP)(load16_float(AT(float, x) + i, last - i), a, b),
                     last - i);
}
