/* octet_model and octet_inspection, shared by model_api.c, inspection.c and the session's files. */
#ifndef OCT_MODEL_API_H
#define OCT_MODEL_API_H

#include "api.h"
#include "graph.h"
#include "onnx.h"
#include "plan.h"

#include <stdatomic.h>

/* A network at one set of input shapes. */
typedef struct oct_view {
    oct_graph graph; /* the file's with shapes inferred, rewritten: what runs */
    bool is_sized;   /* that went through; else it holds the nodes of the file */
    int *shown;      /* nodes to inspect: those that are not done once, when a session is made */
    int shown_count;
} oct_view;

struct octet_model {       /* immutable but for references */
    atomic_int references; /* the caller's and one per session */
    oct_device *device;    /* NULL: loaded for inspection only */
    oct_onnx_model *file;
    const oct_graph *graph; /* of the file */
    oct_view view;          /* with 1 for every dynamic dimension */
};

struct octet_inspection {
    octet_model *model;   /* retained */
    oct_view own;         /* at the caller's shapes */
    const oct_view *view; /* that, or the model's */
};

/* Plan a session as octet_model_plan does; `visit` (may be NULL) is shown its recipe. */
octet_status oct_api_visit_plan(octet_model *model, const octet_session_desc *desc, oct_plan_visit_fn *visit,
                                void *user, oct_plan_memory *takes);

/* For octet_sessions_run: the model of a session; check inputs and plan for them, outputs[i] is what output i
 * will be, valid until the session is used again. */
octet_model *oct_session_model(octet_session *session);
octet_status oct_session_prepare(octet_session *session, const octet_tensor *inputs, size_t input_count,
                                 const oct_plan_port **outputs);

void oct_model_retain(octet_model *model);
/* View the model at these input dims, one entry per input, all of them checked; NULL: 1 for every dynamic
 * dimension, and as that guess may be what does not fit, a failure with it only means that the view knows
 * less. Errors: those of oct_graph_infer and oct_graph_rewrite. oct_view_free takes what fails, too. */
octet_status oct_view_make(const octet_model *model, const octet_value_info *shapes, oct_view *view);
void oct_view_free(oct_view *view);
/* An input or output of the file, as far as that tells it, else of a view. */
octet_status oct_model_give_value(const oct_value *v, const oct_value *viewed, octet_value_info *info);
/* Does a shape fit what the model declares for input i? Else INVALID_ARGUMENT. */
octet_status oct_model_check_shape(const octet_model *model, int i, int rank, const int64_t *dims);

#endif
