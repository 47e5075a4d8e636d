/* The device memory of one session: the buffers of resident weights, the scratch memory that its plans take
 * turns in (activations while one runs, staging while one is made), and the limit on all of it. A region
 * larger than one buffer may be spans several, each `chunk` bytes; no memory crosses a boundary. Belongs to
 * one thread at a time. */
#ifndef OCT_STORE_H
#define OCT_STORE_H

#include "device.h"
#include "memory_plan.h"
#include "weights.h"

typedef struct oct_region_buffers {
    cl_mem *at;
    size_t count, bytes; /* bytes: of all of them, without padding */
} oct_region_buffers;

typedef struct oct_store {
    oct_device *device; /* not retained */
    size_t chunk;       /* bytes of the largest buffer, a multiple of OCT_MEM_ALIGN */
    size_t limit;       /* device bytes; SIZE_MAX: none */
    bool can_stream;    /* constants stay where they are on the host while plans live */
    /* Called when the host bytes of a constant have been uploaded; NULL: nobody cares. */
    void (*uploaded)(void *user, const void *data, size_t bytes);
    void *user;
    oct_weights weights;
    oct_region_buffers *resident; /* of each plan that made some */
    int resident_count, resident_capacity;
    size_t resident_bytes; /* with padding */
    oct_region_buffers scratch;
    uint64_t scratch_generation; /* changes when its buffers do */
    uint64_t memory_plans;       /* made so far, for tests: one for each plan that fits at once */
} oct_store;

/* memory_limit 0: the device's memory is the limit, or half of it where it is the host's. */
void oct_store_init(oct_store *s, oct_device *device, uint64_t memory_limit);
void oct_store_free(oct_store *s); /* {0} is fine */

/* What a plan made now has to keep to. */
oct_memory_limits oct_store_limits(const oct_store *s);
/* Plan where the memories of a recipe go within these limits: oct_memory_plan_make, counted. */
octet_status oct_store_place(oct_store *s, const oct_recipe *recipe, oct_memory_plan *plan, size_t *least);

octet_status oct_region_make(const oct_store *s, size_t bytes, oct_region_buffers *region);
void oct_region_free(const oct_store *s, oct_region_buffers *region);

/* Make the scratch memory at least this large. What it held is lost when it grows. */
octet_status oct_store_reserve(oct_store *s, size_t bytes);
/* Take over a region of resident weights. */
octet_status oct_store_keep(oct_store *s, oct_region_buffers *region);

#endif
