#include "model.h"
#include "dtype.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void oct_model_retain(octet_model *model)
{
    atomic_fetch_add(&model->references, 1);
}

void oct_model_release(octet_model *model)
{
    if (!model || atomic_fetch_sub(&model->references, 1) != 1)
        return;
    oct_view_free(&model->view);
    oct_onnx_free(model->file);
    oct_device_release(model->device);
    free(model);
}

/* ---- inputs -------------------------------------------------------------------------------------------- */

static void dims_text(char *text, size_t size, const int64_t *dims, int rank)
{
    size_t at = 0;
    text[0] = '\0';
    for (int i = 0; i < rank && at < size; i++) {
        char one[24] = "?";
        if (dims[i] >= 0)
            snprintf(one, sizeof one, "%lld", (long long)dims[i]);
        int n = snprintf(text + at, size - at, "%s%s", i ? "x" : "", one);
        at += n > 0 ? (size_t)n : 0;
    }
}

octet_status oct_model_check_shape(const octet_model *m, int i, int rank, const int64_t *dims)
{
    const oct_value *want = &m->graph->values[m->graph->inputs[i]];
    RETURN_IF(rank < 0 || rank > OCTET_MAX_RANK, OCTET_INVALID_ARGUMENT,
              "input '%s': rank %d is out of range", want->name, rank);
    bool fits = want->rank < 0 || rank == want->rank;
    for (int d = 0; fits && d < rank; d++)
        fits = dims[d] >= 0 && (want->rank < 0 || want->dims[d] < 0 || want->dims[d] == dims[d]);
    if (fits)
        return OCTET_OK;
    char expected[256], given[256];
    dims_text(expected, sizeof expected, want->dims, want->rank < 0 ? 0 : want->rank);
    dims_text(given, sizeof given, dims, rank);
    return oct_fail(OCTET_INVALID_ARGUMENT, "input '%s': its shape is [%s]; the model wants [%s]", want->name,
                    given, expected);
}

octet_status oct_model_check_input(const octet_model *m, int i, const octet_tensor *t)
{
    const oct_value *want = &m->graph->values[m->graph->inputs[i]];
    RETURN_IF(t->dtype != want->dtype, OCTET_INVALID_ARGUMENT,
              "input '%s': its dtype is %s; the model wants %s", want->name, oct_dtype_name(t->dtype),
              oct_dtype_name(want->dtype));
    FORWARD(oct_model_check_shape(m, i, t->rank, t->dims));
    size_t bytes = octet_tensor_bytes(t);
    RETURN_IF(t->data_bytes < bytes || (bytes && !t->data), OCTET_INVALID_ARGUMENT,
              "input '%s': its data has %zu bytes; the shape needs %zu", want->name,
              t->data ? t->data_bytes : 0, bytes);
    return OCTET_OK;
}

bool oct_model_is_static(const octet_model *m)
{
    bool known = true;
    for (int i = 0; i < m->graph->input_count; i++) {
        const oct_value *v = &m->graph->values[m->graph->inputs[i]];
        known = known && v->rank >= 0;
        for (int d = 0; d < v->rank; d++)
            known = known && v->dims[d] >= 0;
    }
    return known;
}

octet_status oct_model_make(oct_device *device, oct_onnx_model *file, octet_model **model)
{
    *model = NULL;
    octet_model *m = calloc(1, sizeof *m);
    RETURN_IF(!m, OCTET_OUT_OF_MEMORY, "out of host memory for a model");
    atomic_init(&m->references, 1);
    m->graph = oct_onnx_graph(file);
    m->device = device;
    if (device)
        oct_device_retain(device);
    octet_status status = oct_view_make(m, NULL, &m->view);
    if (status != OCTET_OK) {
        oct_model_release(m);
        return status;
    }
    m->file = file;
    *model = m;
    return OCTET_OK;
}

/* ---- plans --------------------------------------------------------------------------------------------- */

static void give_back(void *model, const void *data, size_t bytes)
{
    oct_onnx_give_back(((octet_model *)model)->file, data, bytes);
}

oct_plan_cache oct_model_plans(octet_model *m, uint64_t memory_limit)
{
    return (oct_plan_cache){.graph = m->graph,
                            .sized = m->view.is_sized ? &m->view.graph : NULL,
                            .device = m->device,
                            .memory_limit = memory_limit,
                            .can_stream = true,
                            .uploaded = give_back,
                            .user = m};
}

bool oct_model_host_border(const octet_model *m, octet_border border)
{
    bool shared = oct_device_caps(m->device)->info.unified_memory != 0;
    return border == OCTET_BORDER_HOST || (border == OCTET_BORDER_AUTO && !shared);
}

/* As the desc says, else those of its view. */
static octet_status shapes_to_plan(const octet_model *m, const octet_value_info *infos, oct_shape *shapes)
{
    for (int i = 0; i < m->graph->input_count; i++) {
        const oct_value *v = &m->view.graph.values[m->graph->inputs[i]];
        if (infos)
            FORWARD(oct_model_check_shape(m, i, infos[i].rank, infos[i].dims));
        shapes[i].rank = infos ? infos[i].rank : v->rank < 0 ? 0 : v->rank;
        memcpy(shapes[i].dims, infos ? infos[i].dims : v->dims, sizeof shapes[i].dims);
    }
    return OCTET_OK;
}

octet_status oct_model_visit_plan(octet_model *m, const octet_session_desc *desc, oct_plan_visit_fn *visit,
                                  void *user, oct_plan_memory *takes)
{
    oct_shape *shapes = calloc((size_t)m->graph->input_count + 1, sizeof *shapes);
    RETURN_IF(!shapes, OCTET_OUT_OF_MEMORY, "out of host memory for input shapes");
    oct_plan_cache plans = oct_model_plans(m, desc->memory_limit);
    oct_plan_cache_open(&plans);
    octet_status status = shapes_to_plan(m, desc->inputs, shapes);
    if (status == OCTET_OK)
        status =
            oct_plan_cache_visit(&plans, shapes, oct_model_host_border(m, desc->border), visit, user, takes);
    oct_plan_cache_close(&plans);
    free(shapes);
    return status;
}
