/* Reductions over one run of axes, [outer][axis][inner] -> [outer][inner]. Options: T and what it holds;
 * COMBINE; BEFORE and AFTER, functions of each element and of the result (a reduction over several runs of
 * axes has BEFORE in its first launch and AFTER in its last). */
#include "common.clh"

#define COMBINE_MIN  0
#define COMBINE_MAX  1
#define COMBINE_SUM  2
#define COMBINE_PROD 3

#define BEFORE_NOTHING 0
#define BEFORE_ABS     1
#define BEFORE_SQUARE  2

#define AFTER_NOTHING 0
#define AFTER_SCALE   1
#define AFTER_SQRT    2
#define AFTER_LOG     3

#ifndef T
#define T float
#endif
#ifndef COMBINE
#define COMBINE COMBINE_SUM
#endif
#ifndef BEFORE
#define BEFORE BEFORE_NOTHING
#endif
#ifndef AFTER
#define AFTER AFTER_NOTHING
#endif

static inline float before(float v)
{
#if BEFORE == BEFORE_ABS
    return fabs(v);
#elif BEFORE == BEFORE_SQUARE
    return v * v;
#else
    return v;
#endif
}

static inline float combine(float sofar, float v)
{
#if COMBINE == COMBINE_MIN
    return isnan(v) || v < sofar ? (isnan(sofar) ? sofar : v) : sofar;
#elif COMBINE == COMBINE_MAX
    return isnan(v) || v > sofar ? (isnan(sofar) ? sofar : v) : sofar;
#elif COMBINE == COMBINE_SUM
    return sofar + v;
#else
    return sofar * v;
#endif
}

/* One work-item: one output. */
__kernel void reduce(MEM(x), MEM(y), const long axis, const long inner, const float scale)
{
    const long o = get_global_id(1), i = get_global_id(0);
    __global const float *in = AT(float, x) + o * axis * inner + i;
    float result = before(in[0]);
    for (long k = 1; k < axis; k++)
        result = combine(result, before(in[k * inner]));
#if AFTER == AFTER_SCALE
    result *= scale;
#elif AFTER == AFTER_SQRT
    result = sqrt(result);
#elif AFTER == AFTER_LOG
    result = log(result);
#endif
    AT(float, y)[o * inner + i] = result;
}

/* The position of the largest (smallest) element, the first or the last of equals. A NaN does not win. */
__kernel void arg_best(MEM(x), MEM(y), const long axis, const long inner, const int largest, const int last)
{
    const long o = get_global_id(1), i = get_global_id(0);
    __global const T *in = AT(T, x) + o * axis * inner + i;
    T best = in[0];
    long at = 0;
    for (long k = 1; k < axis; k++) {
        const T v = in[k * inner];
        if ((largest ? v > best : v < best) || (last && v == best)) {
            best = v;
            at = k;
        }
    }
    AT(long, y)[o * inner + i] = at;
}

/* exp(x - max) / sum, or its logarithm. */
__kernel void softmax(MEM(x), MEM(y), const long axis, const long inner, const int logarithm)
{
    const long o = get_global_id(1), i = get_global_id(0);
    __global const float *in = AT(float, x) + o * axis * inner + i;
    __global float *out = AT(float, y) + o * axis * inner + i;
    float best = in[0], sum = 0.0f;
    for (long k = 1; k < axis; k++)
        best = fmax(best, in[k * inner]);
    for (long k = 0; k < axis; k++)
        sum += exp(in[k * inner] - best);
    for (long k = 0; k < axis; k++) {
        const float v = in[k * inner] - best;
        out[k * inner] = logarithm ? v - log(sum) : exp(v) / sum;
    }
}
