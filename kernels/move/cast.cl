/* ONNX Cast. Options FROM and TO; FROM_FLOAT; TO_FLOAT or TO_BOOL; for a float that goes to an integer,
 * TO_MIN and TO_MAX: it is truncated toward zero, and what does not fit saturates, NaN gives 0. Integers
 * wrap. */
#include "move/move_args.clh"

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

static inline void cast_body(const cast_args a, const long item)
{
    const long first = item * a.chunk, last = min(first + a.chunk, a.n);
    for (long i = first; i < last; i++)
        AT(TO, a.y)[i] = cast1(AT(FROM, a.x)[i]);
}
KERNEL_1D(cast, cast, CAST_ARGS)
