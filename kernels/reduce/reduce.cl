/* Reductions over one run of axes, [outer][axis][inner] -> [outer][inner]. Options: T and what it holds;
 * COMBINE; BEFORE and AFTER, functions of each element and of the result (a reduction over several runs of
 * axes has BEFORE in its first launch and AFTER in its last). */
#include "reduce/reduce_args.clh"

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
static inline void reduce_body(const reduce_args a, const long i, const long o)
{
    __global const float *in = AT(float, a.x) + o * a.axis * a.inner + i;
    float result = before(in[0]);
    for (long k = 1; k < a.axis; k++)
        result = combine(result, before(in[k * a.inner]));
#if AFTER == AFTER_SCALE
    result *= a.scale;
#elif AFTER == AFTER_SQRT
    result = sqrt(result);
#elif AFTER == AFTER_LOG
    result = log(result);
#endif
    AT(float, a.y)[o * a.inner + i] = result;
}
KERNEL_2D(reduce, reduce, REDUCE_ARGS)

/* The position of the largest (smallest) element, the first or the last of equals. A NaN does not win. */
static inline void arg_best_body(const arg_best_args a, const long i, const long o)
{
    __global const T *in = AT(T, a.x) + o * a.axis * a.inner + i;
    T best = in[0];
    long at = 0;
    for (long k = 1; k < a.axis; k++) {
        const T v = in[k * a.inner];
        if ((a.largest ? v > best : v < best) || (a.last && v == best)) {
            best = v;
            at = k;
        }
    }
    AT(long, a.y)[o * a.inner + i] = at;
}
KERNEL_2D(arg_best, arg_best, ARG_BEST_ARGS)
