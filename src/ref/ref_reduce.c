/* Reductions in double and of integers, positions of extremes. */
#include "dtype.h"
#include "quant.h"
#include "ref.h"

#include <math.h>

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

void oct_ref_q_reduce(oct_ref_q_reduction op, const oct_ref_q_parameters *p, const void *x, int64_t outer,
                      int64_t axis, int64_t inner, void *y)
{
    bool sums = op == OCT_REF_Q_SUM || op == OCT_REF_Q_MEAN;
    float m = p->x_scale / (p->y_scale * (op == OCT_REF_Q_MEAN ? (float)axis : 1.0f));
    for (int64_t o = 0; o < outer; o++) {
        for (int64_t i = 0; i < inner; i++) {
            int32_t r = sums ? 0 : oct_ref_load(p->dtype, x, o * axis * inner + i);
            for (int64_t k = 0; k < axis; k++) {
                int32_t v = oct_ref_load(p->dtype, x, (o * axis + k) * inner + i);
                r = sums ? r + v - p->x_zero : (op == OCT_REF_Q_MIN ? v < r : v > r) ? v : r;
            }
            if (sums)
                r = oct_requantize(r, m, p->y_zero, oct_dtype_min(p->dtype), oct_dtype_max(p->dtype));
            oct_ref_store(p->dtype, y, o * inner + i, r);
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

void oct_ref_reduce_minmax(bool max, const float *x, int64_t outer, int64_t axis, int64_t inner, float *y)
{
    static const oct_ref_broadcast one = {0};
    for (int64_t o = 0; o < outer; o++) {
        for (int64_t i = 0; i < inner; i++) {
            float best = max ? -INFINITY : INFINITY;
            for (int64_t k = 0; k < axis; k++)
                oct_ref_float_binary(max ? OCT_REF_MAX : OCT_REF_MIN, &one, &best,
                                     &x[(o * axis + k) * inner + i], &best);
            y[o * inner + i] = best;
        }
    }
}
