/* Recurrent operators in double, by ONNX's definitions; a clip is of the arguments of all functions. */
#include "ref.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static double apply(const oct_ref_recurrent *q, int d, int which, double x)
{
    float in = (float)(q->clip > 0 ? fmax(-(double)q->clip, fmin((double)q->clip, x)) : x), out = 0;
    (void)oct_ref_unary(q->functions[d][which].name, &in, 1, q->functions[d][which].alpha,
                        q->functions[d][which].beta, &out);
    return (double)out;
}

/* What x gives to gate g of unit u, of `gates`. */
static double from_input(const oct_ref_recurrent *q, int gates, int d, int g, int64_t u, const float *x)
{
    int64_t row = (d * gates + g) * q->hidden + u;
    double sum = q->bias ? (double)q->bias[row + d * gates * q->hidden] : 0;
    for (int64_t k = 0; k < q->inputs; k++)
        sum += (double)x[k] * (double)q->w[row * q->inputs + k];
    return sum;
}

/* Likewise the state. */
static double from_state(const oct_ref_recurrent *q, int gates, int d, int g, int64_t u, const double *h)
{
    int64_t row = (d * gates + g) * q->hidden + u;
    double sum = q->bias ? (double)q->bias[row + (d + 1) * gates * q->hidden] : 0;
    for (int64_t k = 0; k < q->hidden; k++)
        sum += h[k] * (double)q->r[row * q->hidden + k];
    return sum;
}

/* One step of an operator: h to next; *c is what it keeps besides. */
typedef void step_fn(const oct_ref_recurrent *q, int d, const float *x, const double *h, double *c,
                     double *next);

/* Gate g (i, o, f, c) of unit u without a peephole. */
static double lstm_gate(const oct_ref_recurrent *q, int d, int g, int64_t u, const float *x, const double *h)
{
    return from_input(q, 4, d, g, u, x) + from_state(q, 4, d, g, u, h);
}

static double peephole(const oct_ref_recurrent *q, int d, int64_t which, int64_t u, double c)
{
    return q->peepholes ? (double)q->peepholes[(d * 3 + which) * q->hidden + u] * c : 0;
}

static void lstm_step(const oct_ref_recurrent *q, int d, const float *x, const double *h, double *c,
                      double *next)
{
    for (int64_t u = 0; u < q->hidden; u++) {
        double i = apply(q, d, 0, lstm_gate(q, d, 0, u, x, h) + peephole(q, d, 0, u, c[u]));
        double f = q->input_forget ? 1 - i
                                   : apply(q, d, 0, lstm_gate(q, d, 2, u, x, h) + peephole(q, d, 2, u, c[u]));
        c[u] = f * c[u] + i * apply(q, d, 1, lstm_gate(q, d, 3, u, x, h));
        double o = apply(q, d, 0, lstm_gate(q, d, 1, u, x, h) + peephole(q, d, 1, u, c[u]));
        next[u] = o * apply(q, d, 2, c[u]);
    }
}

/* What a GRU keeps besides is its reset gate, or its state behind it. */
static void gru_step(const oct_ref_recurrent *q, int d, const float *x, const double *h, double *reset,
                     double *next)
{
    for (int64_t u = 0; u < q->hidden; u++) {
        double r = apply(q, d, 0, from_input(q, 3, d, 1, u, x) + from_state(q, 3, d, 1, u, h));
        reset[u] = q->linear_before_reset ? r : r * h[u];
    }
    for (int64_t u = 0; u < q->hidden; u++) {
        double z = apply(q, d, 0, from_input(q, 3, d, 0, u, x) + from_state(q, 3, d, 0, u, h));
        double state = q->linear_before_reset ? reset[u] * from_state(q, 3, d, 2, u, h)
                                              : from_state(q, 3, d, 2, u, reset);
        next[u] = (1 - z) * apply(q, d, 1, from_input(q, 3, d, 2, u, x) + state) + z * h[u];
    }
}

static void run_sequence(const oct_ref_recurrent *q, step_fn *step, int d, int64_t b, double *h, double *c,
                         double *next)
{
    int64_t n = q->hidden, dirs = q->directions, length = q->lengths ? q->lengths[b] : q->steps;
    int64_t state = (q->batch_first ? b * dirs + d : d * q->batch + b) * n;
    length = length < 0 ? 0 : length > q->steps ? q->steps : length;
    for (int64_t u = 0; u < n; u++) {
        h[u] = q->h ? (double)q->h[state + u] : 0;
        c[u] = q->c ? (double)q->c[state + u] : 0;
    }
    for (int64_t s = 0; s < q->steps; s++) {
        int64_t t = s < length && (q->reverse || d == 1) ? length - 1 - s : s;
        int64_t x = q->batch_first ? b * q->steps + t : t * q->batch + b;
        int64_t y = q->batch_first ? (b * q->steps + t) * dirs + d : (t * dirs + d) * q->batch + b;
        if (s < length) {
            step(q, d, q->x + x * q->inputs, h, c, next);
            memcpy(h, next, (size_t)n * sizeof *h);
        }
        for (int64_t u = 0; q->y && u < n; u++)
            q->y[y * n + u] = s < length ? (float)h[u] : 0.0f;
    }
    for (int64_t u = 0; u < n; u++) {
        if (q->y_h)
            q->y_h[state + u] = (float)h[u];
        if (q->y_c)
            q->y_c[state + u] = (float)c[u];
    }
}

static bool run(const oct_ref_recurrent *q, step_fn *step)
{
    double *h = calloc((size_t)q->hidden * 3, sizeof *h);
    if (!h)
        return false;
    for (int d = 0; d < q->directions; d++) {
        for (int64_t b = 0; b < q->batch; b++)
            run_sequence(q, step, d, b, h, h + q->hidden, h + 2 * q->hidden);
    }
    free(h);
    return true;
}

bool oct_ref_lstm(const oct_ref_recurrent *q)
{
    return run(q, lstm_step);
}

bool oct_ref_gru(const oct_ref_recurrent *q)
{
    return run(q, gru_step);
}
