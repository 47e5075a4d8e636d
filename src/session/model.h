/* octet_model: a graph that was read from a file, and what is known of it before anything runs. Counted:
 * sessions and inspections hold the one that they were made of. Immutable after oct_model_make. */
#ifndef OCT_MODEL_H
#define OCT_MODEL_H

#include "graph.h"
#include "onnx.h"
#include "plan_cache.h"

#include <stdatomic.h>

/* The graph with every shape known. */
typedef struct oct_sizing {
    oct_graph graph; /* inferred and rewritten: what runs */
    bool known;      /* that went through; else the nodes are the file's */
    int *shown;      /* nodes to inspect: those that are not done once, when a session is made */
    int shown_count;
} oct_sizing;

struct octet_model {
    atomic_int references; /* the caller's and one per session */
    oct_device *device;    /* NULL: loaded for inspection only */
    oct_onnx_model *file;
    const oct_graph *graph; /* of the file */
    oct_sizing loaded; /* dynamic dimensions taken as 1; plans begin with it where their shapes are these */
};

/* Takes the file over where it succeeds; retains the device. A network that cannot work is refused: errors
 * are those of oct_graph_infer and oct_graph_rewrite. */
octet_status oct_model_make(oct_device *device, oct_onnx_model *file, octet_model **model);
void oct_model_retain(octet_model *model);
void oct_model_release(octet_model *model); /* NULL is fine */

/* Infer with these dims, one entry per input, all of them checked; NULL: with 1 for what is dynamic, and as
 * that guess may be what does not fit, a failure with it only means that less is known. Free it either way.
 */
octet_status oct_sizing_make(const octet_model *model, const octet_value_info *shapes, oct_sizing *sizing);
void oct_sizing_free(oct_sizing *sizing); /* {0} is fine */

/* Does a shape, does a tensor, fit what the model declares for input i? Else INVALID_ARGUMENT. */
octet_status oct_model_check_shape(const octet_model *model, int i, int rank, const int64_t *dims);
octet_status oct_model_check_input(const octet_model *model, int i, const octet_tensor *tensor);
bool oct_model_is_static(const octet_model *model); /* every dimension of every input is known */

/* A cache of plans of this model within a limit (0: the device's memory), to be opened. */
oct_plan_cache oct_model_plans(octet_model *model, uint64_t memory_limit);
/* Whether conversions at the border are the host's. */
bool oct_model_host_border(const octet_model *model, octet_border border);
/* Plan as a session of this desc would, where it gives no shapes with 1 for what is dynamic; `visit` (may be
 * NULL) is shown the recipe. */
octet_status oct_model_visit_plan(octet_model *model, const octet_session_desc *desc,
                                  oct_plan_visit_fn *visit, void *user, oct_plan_memory *takes);

#endif
