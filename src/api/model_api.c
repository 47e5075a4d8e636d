/* octet_model: a mapped ONNX file and what the file says of it. */
#include "model_api.h"
#include "fixed_api.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void oct_model_retain(octet_model *model)
{
    atomic_fetch_add(&model->references, 1);
}

void octet_model_destroy(octet_model *model)
{
    if (!model || atomic_fetch_sub(&model->references, 1) != 1)
        return;
    oct_view_free(&model->view);
    oct_onnx_free(model->file);
    oct_device_release(model->device);
    free(model);
}

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

static octet_status load(octet_model *m, const char *path, const octet_model_desc *d)
{
    FORWARD(oct_onnx_load(path, !m->device, &m->file));
    FORWARD(oct_api_fix_inputs(m->file, d->fixed, d->fixed_count, NULL));
    m->graph = oct_onnx_graph(m->file);
    return oct_view_make(m, NULL, &m->view);
}

octet_status octet_model_load(octet_context *context, const char *path, const octet_model_desc *desc,
                              octet_model **model)
{
    CHECK_ARG(model);
    *model = NULL;
    CHECK_ARG(path);
    octet_model_desc d;
    FORWARD(TAKE_DESC(d, desc, octet_model_desc));
    octet_model *m = calloc(1, sizeof *m);
    RETURN_IF(!m, OCTET_OUT_OF_MEMORY, "out of host memory for a model");
    atomic_init(&m->references, 1);
    if (context) {
        m->device = context->device;
        oct_device_retain(m->device);
    }
    octet_status status = load(m, path, &d);
    if (status != OCTET_OK) {
        octet_model_destroy(m);
        return oct_fail_prefix(status, "%s", path);
    }
    *model = m;
    return OCTET_OK;
}

size_t octet_model_input_count(const octet_model *model)
{
    return model ? (size_t)model->graph->input_count : 0;
}

size_t octet_model_output_count(const octet_model *model)
{
    return model ? (size_t)model->graph->output_count : 0;
}

octet_status oct_model_give_value(const oct_value *v, const oct_value *viewed, octet_value_info *info)
{
    octet_value_info mine;
    OCTET_INIT(mine);
    mine.name = v->name;
    mine.dtype = v->dtype ? v->dtype : viewed->dtype;
    mine.rank = v->rank >= 0 ? v->rank : viewed->rank >= 0 ? viewed->rank : 0;
    memcpy(mine.dims, v->rank >= 0 ? v->dims : viewed->dims, sizeof mine.dims);
    return GIVE_INFO(info, mine, octet_value_info);
}

octet_status octet_model_input(const octet_model *m, size_t index, octet_value_info *info)
{
    CHECK_ARG(m);
    RETURN_IF(index >= (size_t)m->graph->input_count, OCTET_INVALID_ARGUMENT,
              "octet_model_input: index %zu; the model has %d inputs", index, m->graph->input_count);
    int v = m->graph->inputs[index];
    return oct_model_give_value(&m->graph->values[v], &m->view.graph.values[v], info);
}

octet_status octet_model_output(const octet_model *m, size_t index, octet_value_info *info)
{
    CHECK_ARG(m);
    RETURN_IF(index >= (size_t)m->graph->output_count, OCTET_INVALID_ARGUMENT,
              "octet_model_output: index %zu; the model has %d outputs", index, m->graph->output_count);
    int v = m->graph->outputs[index];
    return oct_model_give_value(&m->graph->values[v], &m->view.graph.values[v], info);
}

octet_status octet_tensor_read_pb(const char *path, octet_tensor *tensor, char *name, size_t name_size)
{
    CHECK_ARG(path);
    CHECK_ARG(tensor);
    memset(tensor, 0, sizeof *tensor);
    return oct_onnx_read_tensor(path, tensor, name, name_size);
}
