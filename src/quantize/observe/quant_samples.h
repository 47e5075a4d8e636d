/* The samples that a network is quantized by: copies of its inputs. */
#ifndef OCT_QUANT_SAMPLES_H
#define OCT_QUANT_SAMPLES_H

#include "error.h"
#include <octet/octet.h>

typedef struct oct_samples {
    octet_tensor **inputs; /* by sample: [input_count] */
    size_t count, capacity;
    int input_count;
    uint64_t bytes; /* of all */
} oct_samples;      /* {0}: none */

/* One more, copied; all have as many inputs. Errors: OUT_OF_MEMORY, also where all of them would take more
 * than `limit` bytes. */
octet_status oct_samples_add(oct_samples *samples, const octet_tensor *inputs, int input_count,
                             uint64_t limit);
void oct_samples_drop_last(oct_samples *samples);
void oct_samples_free(oct_samples *samples);

/* Of at most `most` samples, spread evenly over all: how many, and the index of number i. */
size_t oct_samples_used(const oct_samples *samples, size_t most);
size_t oct_samples_spread(const oct_samples *samples, size_t i, size_t used);

/* to: any; memory of its own. */
octet_status oct_tensor_copy(const octet_tensor *from, octet_tensor *to);
void oct_tensors_free(octet_tensor *tensors, int count); /* and the list */

#endif
