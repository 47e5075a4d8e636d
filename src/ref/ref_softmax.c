/* Softmax in double. QLinearSoftmax: exponentials from a table, a float32 sum in the order of the axis, one
 * exact quotient a value. */
#include "dtype.h"
#include "ref.h"
#include <math.h>

void oct_ref_qsoftmax(const oct_ref_softmax_params *p, const void *x, void *y)
{
    float table[256], scale = floorf(1.0f / p->y_scale);
    int32_t qmin = oct_dtype_min(p->dtype), qmax = oct_dtype_max(p->dtype);
    oct_softmax_table(p->x_scale, p->axis, table);
    for (int64_t row = 0; row < p->outer * p->inner; row++) {
        int64_t base = row / p->inner * p->axis * p->inner + row % p->inner;
        int32_t max = qmin;
        for (int64_t k = 0; k < p->axis; k++) {
            int32_t q = oct_ref_load(p->dtype, x, base + k * p->inner);
            max = q > max ? q : max;
        }
        float sum = 0.0f;
        for (int64_t k = 0; k < p->axis; k++)
            sum += table[255 - max + oct_ref_load(p->dtype, x, base + k * p->inner)];
        for (int64_t k = 0; k < p->axis; k++) {
            float e = table[255 - max + oct_ref_load(p->dtype, x, base + k * p->inner)];
            int32_t q = oct_muldiv_rte(e, scale, sum) + p->y_zero;
            oct_ref_store(p->dtype, y, base + k * p->inner, q > qmax ? qmax : q);
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
