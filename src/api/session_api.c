/* octet_session: checks of what callers give, and what they are told. */
#include "api.h"
#include "batch.h"

#include <octet/experimental.h>
#include <octet/opencl.h>

octet_status oct_api_take_session_desc(octet_session_desc *d, const octet_session_desc *desc,
                                       const octet_model *model, const char *caller)
{
    RETURN_IF(!model->device, OCTET_INVALID_ARGUMENT,
              "%s: the model was loaded without a context; load it with one", caller);
    FORWARD(TAKE_DESC(*d, desc, octet_session_desc));
    RETURN_IF(d->border != OCTET_BORDER_AUTO && d->border != OCTET_BORDER_HOST &&
                  d->border != OCTET_BORDER_DEVICE,
              OCTET_INVALID_ARGUMENT, "octet_session_desc.border: %d is no octet_border", (int)d->border);
    RETURN_IF(d->inputs && d->input_count != (size_t)model->graph->input_count, OCTET_INVALID_ARGUMENT,
              "%s: %zu input shapes given; the model has %d inputs", caller, d->input_count,
              model->graph->input_count);
    return OCTET_OK;
}

octet_status octet_session_create(octet_model *model, const octet_session_desc *desc, octet_session **session)
{
    CHECK_ARG(session);
    *session = NULL;
    CHECK_ARG(model);
    octet_session_desc d;
    FORWARD(oct_api_take_session_desc(&d, desc, model, __func__));
    return oct_session_make(model, &d, session);
}

void octet_session_destroy(octet_session *s)
{
    oct_session_free(s);
}

/* ---- running ------------------------------------------------------------------------------------------- */

static octet_status check_operands(const octet_session *s, const void *inputs, size_t input_count,
                                   const void *outputs, size_t output_count, const char *caller)
{
    const oct_graph *g = oct_session_model(s)->graph;
    RETURN_IF(input_count != (size_t)g->input_count || output_count != (size_t)g->output_count,
              OCTET_INVALID_ARGUMENT, "%zu inputs and %zu outputs given; the model has %d and %d",
              input_count, output_count, g->input_count, g->output_count);
    RETURN_IF((!inputs && input_count) || (!outputs && output_count), OCTET_INVALID_ARGUMENT,
              "%s: inputs or outputs is NULL", caller);
    return OCTET_OK;
}

octet_status octet_session_run(octet_session *s, const octet_tensor *inputs, size_t input_count,
                               octet_tensor *outputs, size_t output_count)
{
    CHECK_ARG(s);
    FORWARD(check_operands(s, inputs, input_count, outputs, output_count, __func__));
    return oct_session_run(s, inputs, outputs);
}

octet_status octet_session_enqueue(octet_session *s, const octet_value_info *infos, const cl_mem *inputs,
                                   size_t input_count, const cl_mem *outputs, size_t output_count,
                                   cl_event *event)
{
    CHECK_ARG(s);
    FORWARD(check_operands(s, inputs, input_count, outputs, output_count, __func__));
    return oct_session_enqueue(s, infos, inputs, outputs, event);
}

octet_status octet_sessions_run(octet_session *const *sessions, size_t session_count, const double *shares,
                                const octet_tensor *inputs, size_t input_count, octet_tensor *outputs,
                                size_t output_count)
{
    RETURN_IF(!sessions || !session_count, OCTET_INVALID_ARGUMENT,
              "octet_sessions_run: there are no sessions");
    for (size_t i = 0; i < session_count; i++) {
        RETURN_IF(!sessions[i], OCTET_INVALID_ARGUMENT, "octet_sessions_run: session %zu is NULL", i);
        for (size_t j = 0; j < i; j++)
            RETURN_IF(sessions[i] == sessions[j], OCTET_INVALID_ARGUMENT,
                      "octet_sessions_run: sessions %zu and %zu are the same", j, i);
    }
    FORWARD(check_operands(sessions[0], inputs, input_count, outputs, output_count, __func__));
    return session_count == 1 ? oct_session_run(sessions[0], inputs, outputs)
                              : oct_batch_run(sessions, session_count, shares, inputs, outputs);
}

/* ---- what there is to tell ----------------------------------------------------------------------------- */

octet_status octet_model_plan(octet_model *model, const octet_session_desc *desc, octet_session_info *info)
{
    CHECK_ARG(model);
    octet_session_desc d;
    FORWARD(oct_api_take_session_desc(&d, desc, model, __func__));
    oct_plan_memory takes = {0};
    FORWARD(oct_model_visit_plan(model, &d, NULL, NULL, &takes));
    octet_session_info mine;
    OCTET_INIT(mine);
    mine.arena_bytes = takes.arena_bytes;
    mine.weight_bytes = takes.weight_bytes;
    mine.streamed_bytes = takes.streamed_bytes;
    mine.device_bytes = takes.device_bytes;
    mine.launches = takes.launches;
    mine.planned_limit = takes.memory_limit == SIZE_MAX ? 0 : takes.memory_limit;
    return GIVE_INFO(info, mine, octet_session_info);
}

octet_status octet_session_finish(octet_session *s)
{
    CHECK_ARG(s);
    return oct_session_finish(s);
}

octet_status octet_session_get_info(const octet_session *s, octet_session_info *info)
{
    CHECK_ARG(s);
    octet_session_info mine;
    OCTET_INIT(mine);
    const oct_plan *p = oct_session_plan(s);
    if (p) {
        oct_executor_stats stats = oct_executor_get_stats(p->executor);
        mine.arena_bytes = stats.arena_bytes;
        mine.weight_bytes = stats.weight_bytes;
        mine.streamed_bytes = stats.streamed_bytes;
        mine.device_bytes = oct_session_device_bytes(s);
        mine.launches = stats.run_launches;
        mine.macs = p->macs;
        mine.planned_limit = p->memory_limit == SIZE_MAX ? 0 : p->memory_limit;
    }
    return GIVE_INFO(info, mine, octet_session_info);
}

size_t octet_session_kernel_count(const octet_session *s)
{
    size_t count = 0;
    if (s)
        (void)oct_session_times(s, &count);
    return count;
}

octet_status octet_session_kernel_time(const octet_session *s, size_t index, octet_kernel_time *time)
{
    CHECK_ARG(s);
    size_t count;
    const oct_launch_time *times = oct_session_times(s, &count);
    RETURN_IF(index >= count, OCTET_INVALID_ARGUMENT, "octet_session_kernel_time: index %zu of %zu", index,
              count);
    const oct_launch_time *t = &times[index];
    const oct_plan *p = oct_session_plan(s);
    octet_kernel_time mine;
    OCTET_INIT(mine);
    mine.node = t->node >= 0 && t->node < p->node_count ? p->node_names[t->node] : "";
    mine.kernel = t->kernel;
    mine.start_ns = t->start_ns;
    mine.end_ns = t->end_ns;
    return GIVE_INFO(time, mine, octet_kernel_time);
}
