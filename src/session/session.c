#include "session.h"

#include <stdlib.h>
#include <string.h>

struct octet_session {
    octet_model *model;
    oct_plan_cache plans;
    bool host_border; /* what oct_session_run does */
    bool lost_to_others;
    oct_shape *shapes; /* of the call in progress, by input */
    bool *allocated;   /* by output: the run in progress made its memory */
    const oct_launch_time *times;
    size_t time_count;
};

static octet_status use_plan(octet_session *s, bool host_border)
{
    s->time_count = 0; /* they are of a plan that may go */
    if (s->plans.count && oct_plan_is_for(s->plans.plans[0], s->shapes, host_border))
        return OCTET_OK;
    FORWARD(oct_onnx_check(s->model->file));
    FORWARD(oct_plan_cache_use(&s->plans, s->shapes, host_border));
    octet_status status = oct_onnx_check(s->model->file);
    if (status != OCTET_OK) { /* weights may be of two files */
        oct_plan_cache_close(&s->plans);
        oct_plan_cache_open(&s->plans);
    }
    return status;
}

static octet_status take_shapes(octet_session *s, const octet_value_info *infos)
{
    for (int i = 0; i < s->model->graph->input_count; i++) {
        FORWARD(oct_model_check_shape(s->model, i, infos[i].rank, infos[i].dims));
        s->shapes[i].rank = infos[i].rank;
        memcpy(s->shapes[i].dims, infos[i].dims, sizeof s->shapes[i].dims);
    }
    return OCTET_OK;
}

static octet_status plan_ahead(octet_session *s, const octet_value_info *infos)
{
    const oct_graph *g = s->model->graph;
    if (!infos && !oct_model_is_static(s->model))
        return OCTET_OK;
    if (infos)
        FORWARD(take_shapes(s, infos));
    for (int i = 0; !infos && i < g->input_count; i++) {
        s->shapes[i].rank = g->values[g->inputs[i]].rank;
        memcpy(s->shapes[i].dims, g->values[g->inputs[i]].dims, sizeof s->shapes[i].dims);
    }
    return use_plan(s, s->host_border);
}

octet_status oct_session_make(octet_model *model, const octet_session_desc *d, octet_session **session)
{
    *session = NULL;
    octet_session *s = calloc(1, sizeof *s);
    RETURN_IF(!s, OCTET_OUT_OF_MEMORY, "out of host memory for a session");
    s->model = model;
    oct_model_retain(model);
    s->host_border = oct_model_host_border(model, d->border);
    s->lost_to_others = d->lost_to_others != 0;
    s->plans = oct_model_plans(model, d->memory_limit);
    oct_plan_cache_open(&s->plans);
    s->shapes = calloc((size_t)model->graph->input_count + 1, sizeof *s->shapes);
    s->allocated = calloc((size_t)model->graph->output_count + 1, sizeof *s->allocated);
    octet_status status =
        s->shapes && s->allocated ? plan_ahead(s, d->inputs) : oct_out_of_memory("a session");
    if (status != OCTET_OK) {
        oct_session_free(s);
        return status;
    }
    *session = s;
    return OCTET_OK;
}

void oct_session_free(octet_session *s)
{
    if (!s)
        return;
    oct_plan_cache_close(&s->plans);
    oct_model_release(s->model);
    free(s->shapes);
    free(s->allocated);
    free(s);
}

bool oct_session_is_left_out(const octet_session *s)
{
    return s->lost_to_others && oct_device_is_lost(s->model->device);
}

const octet_model *oct_session_model(const octet_session *s)
{
    return s->model;
}

const oct_plan *oct_session_plan(const octet_session *s)
{
    return s->plans.count ? s->plans.plans[0] : NULL;
}

uint64_t oct_session_device_bytes(const octet_session *s)
{
    return s->plans.store.resident_bytes + s->plans.store.scratch.bytes;
}

const oct_launch_time *oct_session_times(const octet_session *s, size_t *count)
{
    *count = s->time_count;
    return s->times;
}

/* ---- running ------------------------------------------------------------------------------------------- */

octet_status oct_session_prepare(octet_session *s, const octet_tensor *inputs)
{
    for (int i = 0; i < s->model->graph->input_count; i++) {
        FORWARD(oct_model_check_input(s->model, i, &inputs[i]));
        s->shapes[i].rank = inputs[i].rank;
        memcpy(s->shapes[i].dims, inputs[i].dims, sizeof s->shapes[i].dims);
    }
    return use_plan(s, s->host_border);
}

static octet_status prepare_outputs(const octet_session *s, const oct_plan *p, octet_tensor *outputs)
{
    const oct_graph *g = s->model->graph;
    for (int i = 0; i < p->output_count; i++)
        s->allocated[i] = !outputs[i].data;
    for (int i = 0; i < p->output_count; i++)
        FORWARD(oct_port_prepare(&p->outputs[i], g->values[g->outputs[i]].name, &outputs[i]));
    return OCTET_OK;
}

octet_status oct_session_run(octet_session *s, const octet_tensor *inputs, octet_tensor *outputs)
{
    FORWARD(oct_session_prepare(s, inputs));
    oct_plan *p = s->plans.plans[0];
    octet_status status = prepare_outputs(s, p, outputs);
    if (status == OCTET_OK)
        status = oct_plan_run(p, inputs, outputs);
    if (status == OCTET_OK && oct_device_profiling(s->model->device))
        status = oct_executor_times(p->executor, &s->times, &s->time_count);
    for (int i = 0; status != OCTET_OK && i < p->output_count; i++) {
        if (s->allocated[i])
            octet_tensor_free(&outputs[i]);
    }
    return status;
}

/* For these shapes, or those of the last plan, with the model's own dtypes at the border. */
static octet_status plan_for_buffers(octet_session *s, const octet_value_info *infos)
{
    const oct_plan *last = oct_session_plan(s);
    RETURN_IF(!infos && !last, OCTET_INVALID_ARGUMENT,
              "octet_session_enqueue: no shape is planned yet; give `shapes`");
    if (infos)
        FORWARD(take_shapes(s, infos));
    for (int i = 0; !infos && i < last->input_count; i++)
        s->shapes[i] = last->inputs[i].shape;
    return use_plan(s, false);
}

octet_status oct_session_enqueue(octet_session *s, const octet_value_info *infos, const cl_mem *inputs,
                                 const cl_mem *outputs, cl_event *event)
{
    FORWARD(plan_for_buffers(s, infos));
    const oct_plan *p = oct_session_plan(s);
    const oct_graph *g = s->model->graph;
    for (int i = 0; i < p->input_count; i++)
        FORWARD(oct_buffer_check(s->model->device, inputs[i], 0, p->inputs[i].bytes,
                                 g->values[g->inputs[i]].name));
    for (int i = 0; i < p->output_count; i++)
        FORWARD(oct_buffer_check(s->model->device, outputs[i], 0, p->outputs[i].bytes,
                                 g->values[g->outputs[i]].name));
    for (int i = 0; i < p->input_count; i++)
        FORWARD(oct_executor_set_buffer(p->executor, p->memories[i].mem, inputs[i], 0));
    for (int i = 0; i < p->output_count; i++)
        FORWARD(oct_executor_set_buffer(p->executor, p->memories[p->input_count + i].mem, outputs[i], 0));
    return oct_executor_run(p->executor, event);
}

octet_status oct_session_finish(octet_session *s)
{
    octet_status status = oct_device_finish(s->model->device);
    for (int i = 0; status == OCTET_OK && i < s->plans.count; i++)
        status = oct_runner_download(s->plans.plans[i]->executor, NULL, 0);
    return status;
}
