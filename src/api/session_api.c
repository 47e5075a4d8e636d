/* octet_session: the plans of a model, one per set of input shapes that was used, and running them. */
#include "model_api.h"
#include "plan.h"
#include "quant.h"

#include <octet/experimental.h>
#include <octet/opencl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Plans kept at a time; the least recently used one goes first. */
#define MAX_PLANS 8

struct octet_session {
    octet_model *model;
    oct_plan *plans[MAX_PLANS]; /* most recently used first */
    int plan_count;
    oct_store store; /* of all plans */
    uint64_t memory_limit;
    bool host_border; /* what octet_session_run does */
    const oct_launch_time *times;
    size_t time_count;
};

static bool plan_fits(const oct_plan *p, const oct_value *shapes, bool host_border)
{
    if (p->host_border != host_border)
        return false;
    for (int i = 0; i < p->input_count; i++) {
        const oct_plan_port *port = &p->inputs[i];
        if (port->rank != shapes[i].rank ||
            memcmp(port->dims, shapes[i].dims, (size_t)port->rank * sizeof port->dims[0]) != 0)
            return false;
    }
    return true;
}

static void move_to_front(octet_session *s, int index)
{
    oct_plan *p = s->plans[index];
    memmove(&s->plans[1], &s->plans[0], (size_t)index * sizeof s->plans[0]);
    s->plans[0] = p;
}

static void give_back(void *model, const void *data, size_t bytes)
{
    oct_onnx_give_back(((octet_model *)model)->file, data, bytes);
}

static void open_store(octet_session *s)
{
    oct_store_init(&s->store, s->model->device, s->memory_limit);
    s->store.can_stream = true;
    s->store.uploaded = give_back;
    s->store.user = s->model;
}

static void forget_plans(octet_session *s)
{
    for (int i = 0; i < s->plan_count; i++)
        oct_plan_destroy(s->plans[i]);
    s->plan_count = 0;
    s->time_count = 0;
    oct_store_free(&s->store);
}

static octet_status make_plan(octet_session *s, const oct_value *shapes, bool host_border, oct_plan **plan)
{
    return oct_plan_make(s->model->graph, shapes, host_border, s->model->device, &s->store, plan);
}

/* A plan within the limit did not fit: the device has less memory than it says, or others hold some of it.
 * Plan for a little less than what was asked for, weights streamed if need be, until it fits or cannot. */
static octet_status plan_for_less(octet_session *s, const oct_value *shapes, bool host_border,
                                  oct_plan **plan)
{
    octet_status status = OCTET_OUT_OF_MEMORY;
    char first[OCT_ERROR_TEXT_BYTES]; /* what is told if it cannot */
    strcpy(first, oct_error_text());
    while (status == OCTET_OUT_OF_MEMORY) {
        oct_plan_memory takes;
        if (oct_plan_measure(s->model->graph, shapes, host_border, s->model->device, &s->store, &takes) !=
            OCTET_OK)
            return oct_fail(status, "%s", first);
        forget_plans(s);
        s->memory_limit = takes.device_bytes / 16 * 15;
        open_store(s);
        oct_device_log(s->model->device, "%s; planning for %llu bytes of device memory", first,
                       (unsigned long long)s->memory_limit);
        status = make_plan(s, shapes, host_border, plan);
    }
    return status;
}

/* Put the plan for these shapes in front, making it if need be. */
static octet_status use_plan(octet_session *s, const oct_value *shapes, bool host_border)
{
    for (int i = 0; i < s->plan_count; i++) {
        if (plan_fits(s->plans[i], shapes, host_border)) {
            move_to_front(s, i);
            return OCTET_OK;
        }
    }
    oct_plan *p;
    octet_status status = make_plan(s, shapes, host_border, &p);
    if (status == OCTET_OUT_OF_MEMORY && s->plan_count) { /* what other shapes need is in the way */
        forget_plans(s);
        open_store(s);
        status = make_plan(s, shapes, host_border, &p);
    }
    if (status == OCTET_OUT_OF_MEMORY)
        status = plan_for_less(s, shapes, host_border, &p);
    FORWARD(status);
    if (s->plan_count == MAX_PLANS)
        oct_plan_destroy(s->plans[--s->plan_count]);
    s->plans[s->plan_count++] = p;
    move_to_front(s, s->plan_count - 1);
    return OCTET_OK;
}

static oct_value *new_shapes(const octet_session *s)
{
    oct_value *shapes = calloc((size_t)s->model->graph->input_count + 1, sizeof *shapes);
    if (!shapes)
        (void)oct_fail(OCTET_OUT_OF_MEMORY, "out of host memory for input shapes");
    return shapes;
}

static octet_status set_shape(octet_session *s, oct_value *shapes, int i, int rank, const int64_t *dims)
{
    FORWARD(oct_model_check_shape(s->model, i, rank, dims));
    shapes[i].rank = rank;
    memcpy(shapes[i].dims, dims, (size_t)rank * sizeof *dims);
    return OCTET_OK;
}

static octet_status shapes_from_info(octet_session *s, const octet_value_info *infos, oct_value *shapes)
{
    for (int i = 0; i < s->model->graph->input_count; i++)
        FORWARD(set_shape(s, shapes, i, infos[i].rank, infos[i].dims));
    return OCTET_OK;
}

static bool is_static(const oct_graph *g)
{
    for (int i = 0; i < g->input_count; i++) {
        const oct_value *v = &g->values[g->inputs[i]];
        if (v->rank < 0)
            return false;
        for (int d = 0; d < v->rank; d++) {
            if (v->dims[d] < 0)
                return false;
        }
    }
    return true;
}

/* Plan now what is known now. */
static octet_status plan_ahead(octet_session *s, const octet_session_desc *d)
{
    const oct_graph *g = s->model->graph;
    RETURN_IF(d->inputs && d->input_count != (size_t)g->input_count, OCTET_INVALID_ARGUMENT,
              "octet_session_create: %zu input shapes given; the model has %d inputs", d->input_count,
              g->input_count);
    if (!d->inputs && !is_static(g))
        return OCTET_OK;
    oct_value *shapes = new_shapes(s);
    if (!shapes)
        return OCTET_OUT_OF_MEMORY;
    octet_status status = OCTET_OK;
    if (d->inputs)
        status = shapes_from_info(s, d->inputs, shapes);
    for (int i = 0; !d->inputs && i < g->input_count; i++)
        shapes[i] = g->values[g->inputs[i]];
    if (status == OCTET_OK)
        status = use_plan(s, shapes, s->host_border);
    free(shapes);
    return status;
}

static octet_status choose_border(const octet_model *model, octet_border border, bool *host)
{
    RETURN_IF(border != OCTET_BORDER_AUTO && border != OCTET_BORDER_HOST && border != OCTET_BORDER_DEVICE,
              OCTET_INVALID_ARGUMENT, "octet_session_desc.border: %d is no octet_border", (int)border);
    bool shared = oct_device_caps(model->device)->info.unified_memory != 0;
    *host = border == OCTET_BORDER_HOST || (border == OCTET_BORDER_AUTO && !shared);
    return OCTET_OK;
}

octet_status octet_session_create(octet_model *model, const octet_session_desc *desc, octet_session **session)
{
    CHECK_ARG(session);
    *session = NULL;
    CHECK_ARG(model);
    RETURN_IF(!model->device, OCTET_INVALID_ARGUMENT,
              "octet_session_create: the model was loaded without a context; load it with one");
    octet_session_desc d;
    FORWARD(TAKE_DESC(d, desc, octet_session_desc));
    octet_session *s = calloc(1, sizeof *s);
    RETURN_IF(!s, OCTET_OUT_OF_MEMORY, "out of host memory for a session");
    s->model = model;
    oct_model_retain(model);
    s->memory_limit = d.memory_limit;
    octet_status status = choose_border(model, d.border, &s->host_border);
    open_store(s);
    if (status == OCTET_OK)
        status = plan_ahead(s, &d);
    if (status != OCTET_OK) {
        octet_session_destroy(s);
        return status;
    }
    *session = s;
    return OCTET_OK;
}

void octet_session_destroy(octet_session *s)
{
    if (!s)
        return;
    forget_plans(s);
    octet_model_destroy(s->model);
    free(s);
}

static octet_status check_counts(const octet_session *s, size_t inputs, size_t outputs)
{
    const oct_graph *g = s->model->graph;
    RETURN_IF(inputs != (size_t)g->input_count, OCTET_INVALID_ARGUMENT, "%zu inputs given; the model has %d",
              inputs, g->input_count);
    RETURN_IF(outputs != (size_t)g->output_count, OCTET_INVALID_ARGUMENT,
              "%zu outputs given; the model has %d", outputs, g->output_count);
    return OCTET_OK;
}

static octet_status check_inputs(octet_session *s, const octet_tensor *inputs, oct_value *shapes)
{
    const oct_graph *g = s->model->graph;
    for (int i = 0; i < g->input_count; i++) {
        const oct_value *want = &g->values[g->inputs[i]];
        RETURN_IF(inputs[i].dtype != want->dtype, OCTET_INVALID_ARGUMENT,
                  "input '%s': its dtype is %s; the model wants %s", want->name,
                  oct_dtype_name(inputs[i].dtype), oct_dtype_name(want->dtype));
        FORWARD(set_shape(s, shapes, i, inputs[i].rank, inputs[i].dims));
        size_t bytes = octet_tensor_bytes(&inputs[i]);
        RETURN_IF(inputs[i].data_bytes < bytes || (bytes && !inputs[i].data), OCTET_INVALID_ARGUMENT,
                  "input '%s': its data has %zu bytes; the shape needs %zu", want->name,
                  inputs[i].data ? inputs[i].data_bytes : 0, bytes);
    }
    return OCTET_OK;
}

static octet_status prepare_output(const octet_session *s, const oct_plan_port *port, int index,
                                   octet_tensor *t)
{
    t->dtype = port->dtype;
    t->rank = port->rank;
    memcpy(t->dims, port->dims, sizeof t->dims);
    if (!t->data)
        return octet_tensor_alloc(t);
    RETURN_IF(t->data_bytes < port->bytes, OCTET_INVALID_ARGUMENT, "output '%s': %zu bytes given; it has %zu",
              s->model->graph->values[s->model->graph->outputs[index]].name, t->data_bytes, port->bytes);
    return OCTET_OK;
}

/* What the device gets of an input. */
static const void *bring_in(const oct_plan_port *port, const octet_tensor *t)
{
    const oct_border *b = &port->border;
    if (!port->inside)
        return t->data;
    oct_quantize_row(t->data, port->bytes / sizeof(float), b->scale, b->zero, b->dtype, port->inside);
    return port->inside;
}

static octet_status enqueue_all(octet_session *s, const octet_tensor *inputs, octet_tensor *outputs)
{
    oct_plan *p = s->plans[0];
    for (int i = 0; i < p->input_count; i++)
        FORWARD(oct_executor_upload(p->executor, p->inputs[i].mem, bring_in(&p->inputs[i], &inputs[i])));
    FORWARD(oct_executor_run(p->executor, NULL));
    for (int i = 0; i < p->output_count; i++)
        FORWARD(oct_executor_download(p->executor, p->outputs[i].mem,
                                      p->outputs[i].inside ? p->outputs[i].inside : outputs[i].data));
    return OCTET_OK;
}

static void bring_out(const oct_plan_port *port, octet_tensor *t)
{
    const oct_border *b = &port->border;
    if (port->inside)
        oct_dequantize_row(port->inside, port->bytes / sizeof(float), b->scale, b->zero, b->dtype, t->data);
}

static octet_status plan_for(octet_session *s, const octet_tensor *inputs)
{
    oct_value *shapes = new_shapes(s);
    if (!shapes)
        return OCTET_OUT_OF_MEMORY;
    octet_status status = check_inputs(s, inputs, shapes);
    if (status == OCTET_OK)
        status = use_plan(s, shapes, s->host_border);
    free(shapes);
    return status;
}

octet_model *oct_session_model(octet_session *s)
{
    return s->model;
}

octet_status oct_session_prepare(octet_session *s, const octet_tensor *inputs, size_t input_count,
                                 const oct_plan_port **outputs)
{
    FORWARD(check_counts(s, input_count, (size_t)s->model->graph->output_count));
    FORWARD(plan_for(s, inputs));
    *outputs = s->plans[0]->outputs;
    return OCTET_OK;
}

octet_status octet_session_run(octet_session *s, const octet_tensor *inputs, size_t input_count,
                               octet_tensor *outputs, size_t output_count)
{
    CHECK_ARG(s);
    FORWARD(check_counts(s, input_count, output_count));
    RETURN_IF((!inputs && input_count) || (!outputs && output_count), OCTET_INVALID_ARGUMENT,
              "octet_session_run: inputs or outputs is NULL");
    FORWARD(plan_for(s, inputs));
    oct_plan *p = s->plans[0];
    octet_status status = oct_executor_use_own_buffers(p->executor);
    for (int i = 0; i < p->output_count; i++)
        p->outputs[i].allocated = !outputs[i].data;
    for (int i = 0; status == OCTET_OK && i < p->output_count; i++)
        status = prepare_output(s, &p->outputs[i], i, &outputs[i]);
    if (status == OCTET_OK)
        status = oct_device_settle(s->model->device, enqueue_all(s, inputs, outputs));
    for (int i = 0; status == OCTET_OK && i < p->output_count; i++)
        bring_out(&p->outputs[i], &outputs[i]);
    for (int i = 0; status != OCTET_OK && i < p->output_count; i++) {
        if (p->outputs[i].allocated)
            octet_tensor_free(&outputs[i]);
    }
    s->time_count = 0;
    if (status == OCTET_OK && oct_device_profiling(s->model->device))
        status = oct_executor_times(p->executor, &s->times, &s->time_count);
    return status;
}

/* For these shapes, or those of the last plan, with the model's own dtypes at the border. */
static octet_status plan_for_buffers(octet_session *s, const octet_value_info *infos)
{
    RETURN_IF(!infos && !s->plan_count, OCTET_INVALID_ARGUMENT,
              "octet_session_enqueue: no shape is planned yet; give `shapes`");
    if (!infos && !s->plans[0]->host_border)
        return OCTET_OK;
    oct_value *shapes = new_shapes(s);
    if (!shapes)
        return OCTET_OUT_OF_MEMORY;
    octet_status status = infos ? shapes_from_info(s, infos, shapes) : OCTET_OK;
    for (int i = 0; !infos && i < s->plans[0]->input_count; i++) {
        const oct_plan_port *port = &s->plans[0]->inputs[i];
        shapes[i].rank = port->rank;
        memcpy(shapes[i].dims, port->dims, sizeof port->dims);
    }
    if (status == OCTET_OK)
        status = use_plan(s, shapes, false);
    free(shapes);
    return status;
}

octet_status octet_session_enqueue(octet_session *s, const octet_value_info *infos, const cl_mem *inputs,
                                   size_t input_count, const cl_mem *outputs, size_t output_count,
                                   cl_event *event)
{
    CHECK_ARG(s);
    FORWARD(check_counts(s, input_count, output_count));
    RETURN_IF((!inputs && input_count) || (!outputs && output_count), OCTET_INVALID_ARGUMENT,
              "octet_session_enqueue: inputs or outputs is NULL");
    FORWARD(plan_for_buffers(s, infos));
    oct_plan *p = s->plans[0];
    const oct_graph *g = s->model->graph;
    for (int i = 0; i < p->input_count; i++)
        FORWARD(oct_buffer_check(s->model->device, inputs[i], 0, p->inputs[i].bytes,
                                 g->values[g->inputs[i]].name));
    for (int i = 0; i < p->output_count; i++)
        FORWARD(oct_buffer_check(s->model->device, outputs[i], 0, p->outputs[i].bytes,
                                 g->values[g->outputs[i]].name));
    for (int i = 0; i < p->input_count; i++)
        FORWARD(oct_executor_set_buffer(p->executor, p->inputs[i].mem, inputs[i], 0));
    for (int i = 0; i < p->output_count; i++)
        FORWARD(oct_executor_set_buffer(p->executor, p->outputs[i].mem, outputs[i], 0));
    return oct_executor_run(p->executor, event);
}

octet_status oct_api_visit_plan(octet_model *model, const octet_session_desc *d, oct_plan_visit_fn *visit,
                                void *user, oct_plan_memory *takes)
{
    octet_session s = {.model = model, .memory_limit = d->memory_limit};
    FORWARD(choose_border(model, d->border, &s.host_border));
    open_store(&s);
    oct_value *shapes = new_shapes(&s);
    if (!shapes)
        return OCTET_OUT_OF_MEMORY;
    const oct_graph *g = model->graph;
    octet_status status = OCTET_OK;
    if (d->inputs)
        status = d->input_count == (size_t)g->input_count
                     ? shapes_from_info(&s, d->inputs, shapes)
                     : oct_fail(OCTET_INVALID_ARGUMENT, "%zu input shapes given; the model has %d",
                                d->input_count, g->input_count);
    for (int i = 0; !d->inputs && i < g->input_count; i++) {
        shapes[i] = model->view.graph.values[g->inputs[i]];
        shapes[i].rank = shapes[i].rank < 0 ? 0 : shapes[i].rank;
    }
    if (status == OCTET_OK)
        status = oct_plan_visit(g, shapes, s.host_border, model->device, &s.store, visit, user, takes);
    free(shapes);
    return status;
}

octet_status octet_model_plan(octet_model *model, const octet_session_desc *desc, octet_session_info *info)
{
    CHECK_ARG(model);
    RETURN_IF(!model->device, OCTET_INVALID_ARGUMENT,
              "octet_model_plan: the model was loaded without a context; load it with one");
    octet_session_desc d;
    FORWARD(TAKE_DESC(d, desc, octet_session_desc));
    oct_plan_memory takes = {0};
    FORWARD(oct_api_visit_plan(model, &d, NULL, NULL, &takes));
    octet_session_info mine;
    OCTET_INIT(mine);
    mine.arena_bytes = takes.arena_bytes;
    mine.weight_bytes = takes.weight_bytes;
    mine.streamed_bytes = takes.streamed_bytes;
    mine.device_bytes = takes.device_bytes;
    mine.launches = takes.launches;
    return GIVE_INFO(info, mine, octet_session_info);
}

octet_status octet_session_get_info(const octet_session *s, octet_session_info *info)
{
    CHECK_ARG(s);
    octet_session_info mine;
    OCTET_INIT(mine);
    if (s->plan_count) {
        oct_executor_stats stats = oct_executor_get_stats(s->plans[0]->executor);
        mine.arena_bytes = stats.arena_bytes;
        mine.weight_bytes = stats.weight_bytes;
        mine.streamed_bytes = stats.streamed_bytes;
        mine.device_bytes = s->store.resident_bytes + s->store.scratch.bytes;
        mine.launches = stats.run_launches;
        mine.macs = s->plans[0]->macs;
    }
    return GIVE_INFO(info, mine, octet_session_info);
}

size_t octet_session_kernel_count(const octet_session *s)
{
    return s ? s->time_count : 0;
}

octet_status octet_session_kernel_time(const octet_session *s, size_t index, octet_kernel_time *time)
{
    CHECK_ARG(s);
    RETURN_IF(index >= s->time_count, OCTET_INVALID_ARGUMENT, "octet_session_kernel_time: index %zu of %zu",
              index, s->time_count);
    const oct_launch_time *t = &s->times[index];
    const oct_plan *p = s->plans[0];
    octet_kernel_time mine;
    OCTET_INIT(mine);
    mine.node = t->node >= 0 && t->node < p->node_count ? p->node_names[t->node] : "";
    mine.kernel = t->kernel;
    mine.start_ns = t->start_ns;
    mine.end_ns = t->end_ns;
    return GIVE_INFO(time, mine, octet_kernel_time);
}
