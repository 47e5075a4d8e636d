/* octet_model: loading a file, and what the file says of it. */
#include "api.h"
#include "fixed_api.h"
#include "model.h"

#include <string.h>

static octet_status load(oct_device *device, const char *path, const octet_model_desc *d, octet_model **model)
{
    oct_onnx_model *file;
    FORWARD(oct_onnx_load(path, !device, &file));
    octet_status status = oct_api_fix_inputs(file, d->fixed, d->fixed_count, NULL);
    if (status == OCTET_OK)
        status = oct_model_make(device, file, model);
    if (status != OCTET_OK)
        oct_onnx_free(file);
    return status;
}

octet_status octet_model_load(octet_context *context, const char *path, const octet_model_desc *desc,
                              octet_model **model)
{
    CHECK_ARG(model);
    *model = NULL;
    CHECK_ARG(path);
    octet_model_desc d;
    FORWARD(TAKE_DESC(d, desc, octet_model_desc));
    octet_status status = load(context ? context->device : NULL, path, &d, model);
    return status == OCTET_OK ? OCTET_OK : oct_fail_prefix(status, "%s", path);
}

void octet_model_destroy(octet_model *model)
{
    oct_model_release(model);
}

size_t octet_model_input_count(const octet_model *model)
{
    return model ? (size_t)model->graph->input_count : 0;
}

size_t octet_model_output_count(const octet_model *model)
{
    return model ? (size_t)model->graph->output_count : 0;
}

octet_status oct_api_give_value(const oct_value *v, const oct_value *viewed, octet_value_info *info)
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
    return oct_api_give_value(&m->graph->values[v], &m->view.graph.values[v], info);
}

octet_status octet_model_output(const octet_model *m, size_t index, octet_value_info *info)
{
    CHECK_ARG(m);
    RETURN_IF(index >= (size_t)m->graph->output_count, OCTET_INVALID_ARGUMENT,
              "octet_model_output: index %zu; the model has %d outputs", index, m->graph->output_count);
    int v = m->graph->outputs[index];
    return oct_api_give_value(&m->graph->values[v], &m->view.graph.values[v], info);
}

octet_status octet_tensor_read_pb(const char *path, octet_tensor *tensor, char *name, size_t name_size)
{
    CHECK_ARG(path);
    CHECK_ARG(tensor);
    memset(tensor, 0, sizeof *tensor);
    return oct_onnx_read_tensor(path, tensor, name, name_size);
}
