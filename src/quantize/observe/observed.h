/* Third stage: what the tensors of the prepared network hold on the samples, and its results there, which
 * quantized networks are compared with. Made as samples come; read-only from the first search on. */
#ifndef OCT_OBSERVED_H
#define OCT_OBSERVED_H

#include "observer.h"
#include "placed.h"
#include "taps.h"

/* What quantized networks are compared by: the outputs, then what goes into those that a Softmax or Sigmoid
 * makes. Such a function hides the noise of what it saturates. */
typedef struct oct_yardstick {
    int *values, count;
    int *judged;           /* by output: the place in `values` of what stands for it */
    octet_tensor **wanted; /* by sample: [count], what the float network makes of it */
} oct_yardstick;

typedef struct oct_observed {
    const oct_prepared *net; /* it and the samples outlive this */
    const oct_samples *samples;
    size_t seen; /* samples so far */
    int *watched, watched_count;
    oct_observer *observers; /* by value; those watched are in use */
    oct_yardstick by;
    oct_taps *taps; /* of the watched values, then those of the yardstick that are not watched */
    int *tapped, tapped_count;
} oct_observed;

/* Whatever the placement has in pairs is watched. Error: UNSUPPORTED (it has no product). samples: may grow
 * later. */
octet_status oct_observed_open(const oct_placed *placed, const oct_samples *samples, oct_observed *o);
/* See the next sample. After an error `o` is of no use. Errors: those of running; INVALID_ARGUMENT (a tensor
 * holds a NaN or an infinity: it is named). */
octet_status oct_observed_next(oct_observed *o);
void oct_observed_free(oct_observed *o);

/* Values of the float network beside those of another one, on at most `most` of the samples, spread evenly
 * over all. step: what progress is told; NULL: nothing. */
octet_status oct_observed_beside(const oct_observed *o, const int *values, const oct_graph *g,
                                 const int *theirs, int count, size_t most, const char *step,
                                 oct_tap_pair_fn *show, void *user);

#endif
