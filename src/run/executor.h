/* The executor carries a memory plan out and runs it: uploads constants, runs the load list (once), makes the
 * kernels of the run list and sets their arguments. A run only enqueues. Belongs to one thread at a time. */
#ifndef OCT_EXECUTOR_H
#define OCT_EXECUTOR_H

#include "device.h"
#include "recipe.h"
#include "store.h"

typedef struct oct_executor oct_executor;

/* The recipe may be freed afterwards. Everything of the load list is complete on return. Retains the device.
 * store: where device memory comes from and what is resident already; it must outlive the executor, and only
 * one of its executors may run at a time. NULL: a store of its own, without a limit. */
octet_status oct_executor_create(oct_device *device, const oct_recipe *recipe, oct_store *store,
                                 oct_executor **executor);
/* Likewise, placed as this plan says, which oct_store_place made for this recipe since anything else changed
 * the store; it may be freed afterwards. NULL: planned here. */
octet_status oct_executor_create_placed(oct_device *device, const oct_recipe *recipe,
                                        const oct_memory_plan *plan, oct_store *store,
                                        oct_executor **executor);
void oct_executor_destroy(oct_executor *executor);

/* Use the caller's buffer for an INPUT / OUTPUT memory, until the next run of runner.h. */
octet_status oct_executor_set_buffer(oct_executor *e, oct_mem mem, cl_mem buffer, size_t offset);
/* Enqueue the run list. event (may be NULL) completes with the last launch; NULL is stored if nothing ran. */
octet_status oct_executor_run(oct_executor *e, cl_event *event);

typedef struct oct_executor_stats {
    size_t arena_bytes, weight_bytes; /* weight_bytes: resident */
    size_t streamed_bytes;            /* of weights, in each run */
    size_t run_launches, load_launches;
} oct_executor_stats;
oct_executor_stats oct_executor_get_stats(const oct_executor *e);

/* Kernel times of the last finished run (device opened with profiling). Launch i ran for node `node`. */
typedef struct oct_launch_time {
    int node;
    const char *kernel;
    uint64_t start_ns, end_ns;
} oct_launch_time;
octet_status oct_executor_times(oct_executor *e, const oct_launch_time **times, size_t *count);

#endif
