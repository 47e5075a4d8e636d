/* octet_model, shared by model_api.c and session_api.c. */
#ifndef OCT_MODEL_API_H
#define OCT_MODEL_API_H

#include "api.h"
#include "graph.h"
#include "onnx.h"
#include "plan.h"

#include <stdatomic.h>

struct octet_model {
    atomic_int references; /* the caller's and one per session */
    oct_device *device;    /* NULL: loaded for inspection only */
    oct_onnx_model *file;
    const oct_graph *graph; /* of the file */
    oct_graph
        sized;     /* a copy with shapes inferred (dynamic dimensions taken as 1) and rewritten: what runs */
    bool is_sized; /* that went through; else inspection shows the nodes of the file */
    int *shown;    /* nodes to inspect: those that are not done once, when a session is made */
    int shown_count;
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
/* Does a shape fit what the model declares for input i? Else INVALID_ARGUMENT. */
octet_status oct_model_check_shape(const octet_model *model, int i, int rank, const int64_t *dims);

#endif
