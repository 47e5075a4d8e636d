/* A plan: one network at one set of input shapes on one device, ready to run. Immutable but for the
 * executor's state; belongs to one thread at a time. */
#ifndef OCT_PLAN_H
#define OCT_PLAN_H

#include "executor.h"
#include "graph.h"
#include "passes.h"

typedef struct oct_plan_port {
    oct_mem mem;
    octet_dtype dtype;
    int rank;
    int64_t dims[OCTET_MAX_RANK];
    size_t bytes;      /* of the tensor as the caller knows it */
    oct_border border; /* of a plan with host_border: what the device takes or gives instead */
    void *inside;      /* with a border: that tensor, for the run in progress */
    bool allocated;    /* outputs: the run in progress made this tensor's memory */
} oct_plan_port;

typedef struct oct_plan {
    oct_executor *executor;
    oct_plan_port *inputs, *outputs; /* in the order of the graph's */
    int input_count, output_count;
    bool host_border; /* conversions at the border are the session's */
    int64_t macs;
    char **node_names; /* by the node index in oct_launch_time */
    int node_count;
} oct_plan;

/* `shapes` has one entry per graph input: rank and dims, no -1. The graph is not changed and must outlive the
 * call only. host_border: quantizing inputs and dequantizing outputs, where the network begins or ends with
 * it, is left to whoever runs the plan. Errors: those of oct_graph_infer and of the operators, the node
 * named; OUT_OF_MEMORY, among others where the store's limit is too small: the text then says what it would
 * have to be. */
octet_status oct_plan_make(const oct_graph *graph, const oct_value *shapes, bool host_border,
                           oct_device *device, oct_store *store, oct_plan **plan);
void oct_plan_destroy(oct_plan *plan);

/* What such a plan would take, with nothing uploaded or compiled. The same errors. */
typedef struct oct_plan_memory {
    size_t arena_bytes, weight_bytes, device_bytes, streamed_bytes, launches;
} oct_plan_memory;
octet_status oct_plan_measure(const oct_graph *graph, const oct_value *shapes, bool host_border,
                              oct_device *device, const oct_store *store, oct_plan_memory *takes);
/* Likewise; `visit` is shown the recipe and its status is given back. */
typedef octet_status oct_plan_visit_fn(void *user, const oct_recipe *recipe);
octet_status oct_plan_visit(const oct_graph *graph, const oct_value *shapes, bool host_border,
                            oct_device *device, const oct_store *store, oct_plan_visit_fn *visit, void *user,
                            oct_plan_memory *takes);

#endif
