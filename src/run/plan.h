/* A plan: one network at one set of input shapes on one device, ready to run. Immutable but for the
 * executor's state; belongs to one thread at a time. */
#ifndef OCT_PLAN_H
#define OCT_PLAN_H

#include "executor.h"
#include "graph.h"
#include "passes.h"
#include "runner.h"

typedef struct oct_shape {
    int rank;
    int64_t dims[OCTET_MAX_RANK];
} oct_shape;

bool oct_shape_equal(int rank, const int64_t *dims, const oct_shape *shape);

/* An input or output, as the caller knows it. */
typedef struct oct_plan_port {
    octet_dtype dtype;
    oct_shape shape;
    size_t bytes;
    oct_border border; /* of a plan with host_border: what the device takes or gives instead */
    void *inside;      /* with a border: that tensor, for the run in progress */
} oct_plan_port;

typedef struct oct_plan {
    oct_arena arena; /* of all arrays */
    oct_executor *executor;
    oct_plan_port *inputs, *outputs; /* in the order of the graph's */
    int input_count, output_count;
    oct_host_memory *memories; /* of the inputs, then of the outputs */
    bool host_border;          /* conversions at the border are oct_plan_run's */
    bool reused;               /* made from request.sized: nothing was inferred or rewritten for it */
    size_t memory_limit;       /* what it had to fit in; SIZE_MAX: nothing */
    int64_t macs;
    const char **node_names; /* by the node index in oct_launch_time */
    int node_count;
} oct_plan;

/* Which plan of which graph, and where its device memory comes from. */
typedef struct oct_plan_request {
    const oct_graph *graph; /* not changed; must outlive the call only */
    const oct_graph
        *sized; /* NULL, or the graph inferred and rewritten for some shapes: taken where they are these */
    const oct_shape *shapes; /* one for each graph input, no -1 */
    bool host_border; /* quantizing inputs and dequantizing outputs, where the network begins or ends with it,
                         is done on the host, by oct_plan_run */
    oct_store *store;
} oct_plan_request;

/* Errors: those of oct_graph_infer and of the operators, the node named; OUT_OF_MEMORY, among others where
 * the store's limit is too small: the text then says what it would have to be. */
octet_status oct_plan_make(const oct_plan_request *request, oct_plan **plan);
void oct_plan_destroy(oct_plan *plan);
bool oct_plan_is_for(const oct_plan *plan, const oct_shape *shapes, bool host_border);

/* Make a tensor what this output is: dtype and shape, and memory where it has none. Errors: INVALID_ARGUMENT
 * (its memory is too small), OUT_OF_MEMORY. */
octet_status oct_port_prepare(const oct_plan_port *port, const char *name, octet_tensor *tensor);
/* Run on host tensors, which have the plan's dtypes and shapes, outputs their memory too, and wait. */
octet_status oct_plan_run(oct_plan *plan, const octet_tensor *inputs, const octet_tensor *outputs);

/* What such a plan would take, with nothing uploaded or compiled; `visit` (NULL: nobody) is shown its recipe,
 * and its status is given back. The same errors. */
typedef struct oct_plan_memory {
    size_t arena_bytes, weight_bytes, device_bytes, streamed_bytes, launches;
    size_t memory_limit; /* as in oct_plan */
} oct_plan_memory;
typedef octet_status oct_plan_visit_fn(void *user, const oct_recipe *recipe);
octet_status oct_plan_visit(const oct_plan_request *request, oct_plan_visit_fn *visit, void *user,
                            oct_plan_memory *takes);

#endif
