/* What calibration remembers of one tensor: its extremes and a histogram, whatever the number of samples; and
 * the range that a method makes of them. Adding the same samples in the same order gives the same numbers. */
#ifndef OCT_OBSERVER_H
#define OCT_OBSERVER_H

#include "error.h"
#include <octet/quantize.h>
#include <stdbool.h>
#include <stdint.h>

#define OCT_BINS 4096 /* half of them for numbers below zero */

typedef struct oct_observer {
    uint64_t count, zeros; /* elements; those that are exactly 0 are in no bin */
    double lo, hi;         /* of all samples */
    double lo_sum, hi_sum; /* of each sample's extremes */
    uint64_t samples;
    /* Bin i holds x with floor(x / width) = i - OCT_BINS / 2. The width is a power of two, doubled when a
     * number does not fit: neighbours then become one. */
    double width;
    uint64_t *bins;
    double *channel_sums; /* [channels], for bias correction; NULL: not wanted */
    int64_t channels;
    uint64_t per_channel; /* elements added to each channel */
} oct_observer;

octet_status oct_observer_init(oct_observer *o, int64_t channels); /* channels 0: no sums */
void oct_observer_free(oct_observer *o);
/* One sample of the tensor. Element i is of channel i / inner % channels. Error: INVALID_ARGUMENT (it holds a
 * NaN or an infinity). */
octet_status oct_observer_add(oct_observer *o, const float *x, int64_t count, int64_t inner);

typedef struct oct_range {
    double lo, hi; /* lo <= 0 <= hi, both finite */
} oct_range;

/* The range to quantize. levels: steps that fit in it (255 for 8 bits). percentile: of the method of that
 * name, below 100. */
oct_range oct_observer_range(const oct_observer *o, octet_observer method, double percentile, int levels);
/* Share of the elements outside of a range. */
double oct_observer_outside(const oct_observer *o, oct_range r);

#endif
