/* The biases of a recurrent operator's inputs and of its state, added once. A work-item a sum. */
#include "float/recurrence_args.clh"

static inline void bias_sum_body(const bias_sum_args a, const long i)
{
    const long d = i / a.gates;
    AT(float, a.sum)[i] = AT(float, a.bias)[d * a.gates + i] + AT(float, a.bias)[(d + 1) * a.gates + i];
}
KERNEL_1D(bias_sum, bias_sum, BIAS_SUM_ARGS)
