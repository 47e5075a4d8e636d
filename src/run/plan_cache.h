/* The plans of one graph, one for each set of input shapes that was used, and the device memory that they
 * share. The plan that was used least recently goes first. Where the device has less memory than it says, or
 * others hold some of it, a plan is made for less. Belongs to one thread at a time. */
#ifndef OCT_PLAN_CACHE_H
#define OCT_PLAN_CACHE_H

#include "plan.h"

#define OCT_MAX_PLANS 8

typedef struct oct_plan_cache {
    /* Set by the owner before oct_plan_cache_open. */
    const oct_graph *graph;
    const oct_graph *sized; /* as in oct_plan_request; may be changed between calls */
    oct_device *device;     /* not retained */
    int most;               /* plans to keep, at most OCT_MAX_PLANS; 0: that many */
    uint64_t memory_limit;  /* bytes; 0: as in oct_store_init */
    bool can_stream;        /* as in oct_store */
    void (*uploaded)(void *user, const void *data, size_t bytes);
    void *user;
    /* Its own. */
    oct_store store;
    size_t limit; /* what the owner allows */
    size_t less;  /* what a plan for less was made for, since the store was opened; 0: there was none */
    oct_plan *plans[OCT_MAX_PLANS]; /* most recently used first */
    int count;
} oct_plan_cache;

void oct_plan_cache_open(oct_plan_cache *c);
void oct_plan_cache_close(oct_plan_cache *c); /* {0} is fine */

/* The plan for these shapes comes to the front, made if need be; what was told of other plans may be gone
 * then. Errors: those of oct_plan_make. */
octet_status oct_plan_cache_use(oct_plan_cache *c, const oct_shape *shapes, bool host_border);
/* See oct_plan_visit. */
octet_status oct_plan_cache_visit(oct_plan_cache *c, const oct_shape *shapes, bool host_border,
                                  oct_plan_visit_fn *visit, void *user, oct_plan_memory *takes);

#endif
