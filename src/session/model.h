/* octet_model: a graph that was read from a file, and what is known of it before anything runs. Counted:
 * sessions and inspections hold the one that they were made of. */
#ifndef OCT_MODEL_H
#define OCT_MODEL_H

#include "graph.h"
#include "onnx.h"
#include "plan_cache.h"

#include <stdatomic.h>

/* A network at one set of input shapes. */
typedef struct oct_view {
    oct_graph graph; /* the file's with shapes inferred, rewritten: what runs */
    bool is_sized;   /* that went through; else it holds the nodes of the file */
    int *shown;      /* nodes to inspect: those that are not done once, when a session is made */
    int shown_count;
} oct_view;

struct octet_model {       /* immutable but for references */
    atomic_int references; /* the caller's, one per session and one per inspection */
    oct_device *device;    /* NULL: loaded for inspection only */
    oct_onnx_model *file;
    const oct_graph *graph; /* of the file */
    oct_view view; /* with 1 for every dynamic dimension; plans begin with it where their shapes are these */
};

struct octet_inspection {
    octet_model *model;   /* retained */
    oct_view own;         /* at the caller's shapes */
    const oct_view *view; /* that, or the model's */
};

/* Takes the file over where it succeeds; retains the device. A network that cannot work is refused: errors
 * are those of oct_graph_infer and oct_graph_rewrite. */
octet_status oct_model_make(oct_device *device, oct_onnx_model *file, octet_model **model);
void oct_model_retain(octet_model *model);
void oct_model_release(octet_model *model); /* NULL is fine */

/* View the model at these input dims, one entry per input, all of them checked; NULL: 1 for every dynamic
 * dimension, and as that guess may be what does not fit, a failure with it only means that the view knows
 * less. Errors: those of oct_graph_infer and oct_graph_rewrite. oct_view_free takes what fails, too. */
octet_status oct_view_make(const octet_model *model, const octet_value_info *shapes, oct_view *view);
void oct_view_free(oct_view *view);
/* Likewise, of its own or the model's view. */
octet_status oct_inspection_make(octet_model *model, const octet_value_info *shapes,
                                 octet_inspection **inspection);
void oct_inspection_free(octet_inspection *inspection); /* NULL is fine */

/* Does a shape, does a tensor, fit what the model declares for input i? Else INVALID_ARGUMENT. */
octet_status oct_model_check_shape(const octet_model *model, int i, int rank, const int64_t *dims);
octet_status oct_model_check_input(const octet_model *model, int i, const octet_tensor *tensor);
bool oct_model_is_static(const octet_model *model); /* every dimension of every input is known */

/* A cache of plans of this model within a limit (0: the device's memory), to be opened. */
oct_plan_cache oct_model_plans(octet_model *model, uint64_t memory_limit);
/* Whether conversions at the border are the host's. */
bool oct_model_host_border(const octet_model *model, octet_border border);
/* Plan as a session of this desc would, with 1 for every dynamic dimension where it gives no shapes; `visit`
 * (may be NULL) is shown the recipe. */
octet_status oct_model_visit_plan(octet_model *model, const octet_session_desc *desc,
                                  oct_plan_visit_fn *visit, void *user, oct_plan_memory *takes);

#endif
