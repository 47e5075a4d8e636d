/* Float functions of one element, by ONNX's definitions, in double where no order of float operations is
 * prescribed. */
#include "quant.h"
#include "ref.h"

#include <math.h>
#include <string.h>

typedef double unary_fn(double x, double a, double b);

static double sigmoid(double x, double a, double b)
{
    (void)a, (void)b;
    return (double)oct_logistic((float)x);
}

static double hard_sigmoid(double x, double a, double b)
{
    return fmax(0.0, fmin(1.0, a * x + b));
}

static double hard_swish(double x, double a, double b)
{
    return x * hard_sigmoid(x, a, b);
}

static double leaky_relu(double x, double a, double b)
{
    (void)b;
    return x >= 0.0 ? x : a * x;
}

static double thresholded_relu(double x, double a, double b)
{
    (void)b;
    return x > a ? x : 0.0;
}

static double elu(double x, double a, double b)
{
    (void)b;
    return x >= 0.0 ? x : a * expm1(x);
}

static double celu(double x, double a, double b)
{
    (void)b;
    return fmax(0.0, x) + fmin(0.0, a * expm1(x / a));
}

static double selu(double x, double a, double b)
{
    return b * (x > 0.0 ? x : a * expm1(x));
}

static double softplus(double x, double a, double b)
{
    (void)a, (void)b;
    return x > 0.0 ? x + log1p(exp(-x)) : log1p(exp(x));
}

static double softsign(double x, double a, double b)
{
    (void)a, (void)b;
    return x / (1.0 + fabs(x));
}

static double mish(double x, double a, double b)
{
    return x * tanh(softplus(x, a, b));
}

static double gelu(double x, double a, double b)
{
    (void)b;
    return a != 0.0 ? 0.5 * x * (1.0 + tanh(0.7978845608028654 * (x + 0.044715 * x * x * x)))
                    : 0.5 * x * (1.0 + erf(x * 0.7071067811865476));
}

static double sign(double x, double a, double b)
{
    (void)a, (void)b;
    return x > 0.0 ? 1.0 : x < 0.0 ? -1.0 : x;
}

static double reciprocal(double x, double a, double b)
{
    (void)a, (void)b;
    return 1.0 / x;
}

static double negate(double x, double a, double b)
{
    (void)a, (void)b;
    return -x;
}

static double relu(double x, double a, double b)
{
    (void)a, (void)b;
    return fmax(0.0, x);
}

static double affine(double x, double a, double b)
{
    return a * x + b;
}

static double scaled_tanh(double x, double a, double b)
{
    return a * tanh(b * x);
}

static const struct {
    const char *name;
    unary_fn *fn;           /* with attributes a and b */
    double (*libm)(double); /* or plain */
} functions[] = {
    {"Sigmoid", sigmoid, NULL},
    {"HardSigmoid", hard_sigmoid, NULL},
    {"HardSwish", hard_swish, NULL},
    {"LeakyRelu", leaky_relu, NULL},
    {"ThresholdedRelu", thresholded_relu, NULL},
    {"Elu", elu, NULL},
    {"Celu", celu, NULL},
    {"Selu", selu, NULL},
    {"Softplus", softplus, NULL},
    {"Softsign", softsign, NULL},
    {"Mish", mish, NULL},
    {"Gelu", gelu, NULL},
    {"Sign", sign, NULL},
    {"Reciprocal", reciprocal, NULL},
    {"Neg", negate, NULL},
    {"Relu", relu, NULL},
    {"Affine", affine, NULL},
    {"ScaledTanh", scaled_tanh, NULL},
    {"Tanh", NULL, tanh},
    {"Erf", NULL, erf},
    {"Exp", NULL, exp},
    {"Log", NULL, log},
    {"Sqrt", NULL, sqrt},
    {"Abs", NULL, fabs},
    {"Floor", NULL, floor},
    {"Ceil", NULL, ceil},
    {"Round", NULL, rint},
    {"Sin", NULL, sin},
    {"Cos", NULL, cos},
};

bool oct_ref_unary(const char *name, const float *x, int64_t n, float a, float b, float *y)
{
    for (size_t f = 0; f < sizeof functions / sizeof functions[0]; f++) {
        if (strcmp(functions[f].name, name) != 0)
            continue;
        for (int64_t i = 0; i < n; i++) {
            double v = (double)x[i];
            y[i] = (float)(functions[f].fn ? functions[f].fn(v, (double)a, (double)b) : functions[f].libm(v));
        }
        return true;
    }
    return false;
}

void oct_ref_round(const float *x, int64_t n, float *y)
{
    for (int64_t i = 0; i < n; i++)
        y[i] = rintf(x[i]);
}
