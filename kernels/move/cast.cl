/* ONNX Cast. Options FROM and TO; FROM_FLOAT; TO_FLOAT or TO_BOOL; for a float that goes to an integer,
 * TO_MIN and TO_MAX: it is truncated toward zero, and what does not fit saturates, NaN gives 0. Integers
 * wrap. */
#include "common.clh"

#ifndef FROM
#define FROM float
#define FROM_FLOAT
#define TO     uchar
#define TO_MIN 0
#define TO_MAX 255
#endif

static inline TO cast1(FROM v)
{
#if defined(TO_BOOL)
    return v != 0;
#elif defined(FROM_FLOAT) && !defined(TO_FLOAT)
    if (isnan(v))
        return 0;
    /* The float next to the largest long is 2^63, so compare before converting. */
    if (v >= (float)TO_MAX)
        return TO_MAX;
    if (v <= (float)TO_MIN)
        return TO_MIN;
    return (TO)v;
#else
    return (TO)v;
#endif
}

__kernel void cast(MEM(x), MEM(y), const long n, const long chunk)
{
    const long first = get_global_id(0) * chunk, last = min(first + chunk, n);
    for (long i = first; i < last; i++)
        AT(TO, y)[i] = cast1(AT(FROM, x)[i]);
}
