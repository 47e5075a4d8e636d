/* Reductions in double, positions of extremes, softmax. */
#include "ref.h"

#include <math.h>
#include <string.h>

static double before(oct_ref_reduction op, double v)
{
    return op == OCT_REF_L1 ? fabs(v) : op == OCT_REF_L2 || op == OCT_REF_SUM_SQUARE ? v * v : v;
}

void oct_ref_reduce(oct_ref_reduction op, const float *x, int64_t outer, int64_t axis, int64_t inner,
                    float *y)
{
    for (int64_t o = 0; o < outer; o++) {
        for (int64_t i = 0; i < inner; i++) {
            double r = op == OCT_REF_PROD ? 1.0 : 0.0;
            for (int64_t k = 0; k < axis; k++) {
                double v = before(op, (double)x[(o * axis + k) * inner + i]);
                r = op == OCT_REF_PROD ? r * v : r + v;
            }
            r = op == OCT_REF_MEAN      ? r / (double)axis
                : op == OCT_REF_L2      ? sqrt(r)
                : op == OCT_REF_LOG_SUM ? log(r)
                                        : r;
            y[o * inner + i] = (float)r;
        }
    }
}

void oct_ref_arg_best(bool largest, bool last, const float *x, int64_t outer, int64_t axis, int64_t inner,
                      int64_t *y)
{
    for (int64_t o = 0; o < outer; o++) {
        for (int64_t i = 0; i < inner; i++) {
            const float *in = x + o * axis * inner + i;
            int64_t at = 0;
            for (int64_t k = 1; k < axis; k++) {
                float v = in[k * inner], best = in[at * inner];
                at = (largest ? v > best : v < best) || (last && !(v < best) && !(v > best)) ? k : at;
            }
            y[o * inner + i] = at;
        }
    }
}

void oct_ref_softmax(bool logarithm, const float *x, int64_t outer, int64_t axis, int64_t inner, float *y)
{
    for (int64_t o = 0; o < outer; o++) {
        for (int64_t i = 0; i < inner; i++) {
            const float *in = x + o * axis * inner + i;
            double best = (double)in[0], sum = 0.0;
            for (int64_t k = 1; k < axis; k++)
                best = fmax(best, (double)in[k * inner]);
            for (int64_t k = 0; k < axis; k++)
                sum += exp((double)in[k * inner] - best);
            for (int64_t k = 0; k < axis; k++) {
                double v = (double)in[k * inner] - best;
                y[(o * axis + k) * inner + i] = (float)(logarithm ? v - log(sum) : exp(v) / sum);
            }
        }
    }
}
