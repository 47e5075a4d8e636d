/* Softmax and LogSoftmax of floats over one run of axes. Work-item (i, o): one row along the axis. */
#include "softmax/softmax_args.clh"

/* exp(x - max) / sum, or its logarithm. */
static inline void softmax_body(const softmax_args a, const long i, const long o)
{
    __global const float *in = AT(float, a.x) + o * a.axis * a.inner + i;
    __global float *out = AT(float, a.y) + o * a.axis * a.inner + i;
    float best = in[0], sum = 0.0f;
    for (long k = 1; k < a.axis; k++)
        best = fmax(best, in[k * a.inner]);
    for (long k = 0; k < a.axis; k++)
        sum += exp(in[k * a.inner] - best);
    for (long k = 0; k < a.axis; k++) {
        const float v = in[k * a.inner] - best;
        out[k * a.inner] = a.logarithm ? v - log(sum) : exp(v) / sum;
    }
}
KERNEL_2D(softmax, softmax, SOFTMAX_ARGS)
