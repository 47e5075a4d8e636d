/* The biases of a recurrent operator's inputs and of its state, added once where both are added anyhow. A
 * work-item a sum. */
#include "recurrent/recurrence_args.clh"

static inline void bias_sum_body(const bias_sum_args a, const long i)
{
    const long d = i / a.gates;
    __global const float *bias = AT(float, a.bias) + d * a.gates + i;
    AT(float, a.sum)[i] = i - d * a.gates < a.both ? bias[0] + bias[a.gates] : bias[0];
}
KERNEL_1D(bias_sum, bias_sum, BIAS_SUM_ARGS)
