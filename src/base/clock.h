/* Wall time for measurements. */
#ifndef OCT_CLOCK_H
#define OCT_CLOCK_H

#include <time.h>

static inline double oct_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

#endif
