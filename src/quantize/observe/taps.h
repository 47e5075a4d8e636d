/* Runs a graph on the device with any of its values observable: they are made outputs of a copy, in several
 * copies where all of them at once would be too much memory. Belongs to one thread at a time. */
#ifndef OCT_TAPS_H
#define OCT_TAPS_H

#include "device.h"
#include "graph.h"

typedef struct oct_taps oct_taps;

/* values: which to show. memory_limit: device bytes, 0: as in oct_store_init. The graph (sorted, not
 * inferred) must outlive the taps. */
octet_status oct_taps_make(const oct_graph *graph, oct_device *device, uint64_t memory_limit,
                           const int *values, int count, oct_taps **taps);
void oct_taps_destroy(oct_taps *taps);

/* Called with each value of a run: index into `values`, and its contents, which are good during the call. */
typedef octet_status oct_tap_fn(void *user, int index, const octet_tensor *tensor);

/* Inputs in the order of the graph's, dims and data checked by the caller. Errors: those of planning and
 * running, and what `show` returns. */
octet_status oct_taps_run(oct_taps *taps, const octet_tensor *inputs, oct_tap_fn *show, void *user);

/* Value `index` of one graph and of another, good during the call. */
typedef octet_status oct_tap_pair_fn(void *user, int index, const octet_tensor *a, const octet_tensor *b);
/* Run both, which show as many values, on the same inputs; those of `a` are all held meanwhile. */
octet_status oct_taps_run_both(oct_taps *a, oct_taps *b, const octet_tensor *inputs, oct_tap_pair_fn *show,
                               void *user);

#endif
