/* Byte offsets for things that live for a while: those alive at the same time do not overlap. */
#ifndef OCT_OFFSETS_H
#define OCT_OFFSETS_H

#include <stdbool.h>
#include <stddef.h>

typedef struct oct_span {
    int mem;
    size_t bytes, offset;
    int first, last; /* launch indices, inclusive */
} oct_span;

/* Largest first, then by `first`. */
void oct_sort_spans(oct_span *spans, int count);
/* Sorts the spans, gives them offsets from `base` on and stores where the last one ends (base if there is
 * none). No span crosses a multiple of chunk; one that is larger gets an offset all the same. false: out of
 * host memory. */
bool oct_assign_offsets(oct_span *spans, int count, size_t base, size_t chunk, size_t *end);

#endif
