/* Normalizations in double. */
#include "ref.h"

#include <math.h>

void oct_ref_normalize(int64_t rows, int64_t length, int64_t run, int64_t scales, float epsilon,
                       const float *x, const float *scale, const float *bias, float *y, float *means,
                       float *inverses)
{
    for (int64_t row = 0; row < rows; row++) {
        double mean = 0.0, variance = 0.0;
        for (int64_t i = 0; i < length; i++)
            mean += (double)x[row * length + i] / (double)length;
        for (int64_t i = 0; i < length; i++) {
            double d = (double)x[row * length + i] - mean;
            variance += d * d / (double)length;
        }
        double inverse = 1.0 / sqrt(variance + (double)epsilon);
        for (int64_t i = 0; i < length; i++) {
            int64_t at = row * length + i, which = run ? at / run % scales : i;
            y[at] = (float)(((double)x[at] - mean) * inverse * (double)scale[which] +
                            (bias ? (double)bias[which] : 0.0));
        }
        if (means)
            means[row] = (float)mean;
        if (inverses)
            inverses[row] = (float)inverse;
    }
}

void oct_ref_lrn(int64_t pixels, int64_t c, int64_t size, float alpha, float beta, float bias, const float *x,
                 float *y)
{
    for (int64_t i = 0; i < pixels * c; i++) {
        double sum = 0.0;
        for (int64_t k = i % c - (size - 1) / 2; k <= i % c + size / 2; k++) {
            if (k >= 0 && k < c)
                sum += (double)x[i / c * c + k] * (double)x[i / c * c + k];
        }
        y[i] = (float)((double)x[i] * pow((double)bias + (double)alpha / (double)size * sum, -(double)beta));
    }
}
