/* octet_model: loading a file, and what can be asked of a model. */
#include "api.h"
#include "fixed_api.h"
#include "lower.h"
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

octet_status octet_model_load(octet_context *context, const char *path, octet_model **model)
{
    return octet_model_load_with(context, path, NULL, model);
}

octet_status octet_model_load_with(octet_context *context, const char *path, const octet_model_desc *desc,
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

static octet_status give_value(const oct_value *v, const oct_value *sized, octet_value_info *info)
{
    octet_value_info mine;
    OCTET_INIT(mine);
    mine.name = v->name;
    mine.dtype = v->dtype ? v->dtype : sized->dtype;
    mine.rank = v->rank >= 0 ? v->rank : sized->rank >= 0 ? sized->rank : 0;
    memcpy(mine.dims, v->rank >= 0 ? v->dims : sized->dims, sizeof mine.dims);
    return GIVE_INFO(info, mine, octet_value_info);
}

octet_status octet_model_input(const octet_model *m, size_t index, octet_value_info *info)
{
    CHECK_ARG(m);
    RETURN_IF(index >= (size_t)m->graph->input_count, OCTET_INVALID_ARGUMENT,
              "octet_model_input: index %zu; the model has %d inputs", index, m->graph->input_count);
    int v = m->graph->inputs[index];
    return give_value(&m->graph->values[v], &m->told->graph.values[v], info);
}

octet_status octet_model_output(const octet_model *m, size_t index, octet_value_info *info)
{
    CHECK_ARG(m);
    RETURN_IF(index >= (size_t)m->graph->output_count, OCTET_INVALID_ARGUMENT,
              "octet_model_output: index %zu; the model has %d outputs", index, m->graph->output_count);
    int v = m->graph->outputs[index];
    return give_value(&m->graph->values[v], &m->told->graph.values[v], info);
}

size_t octet_model_node_count(const octet_model *m)
{
    return m ? (size_t)m->told->shown_count : 0;
}

octet_status octet_model_node(const octet_model *m, size_t index, octet_node_info *info)
{
    CHECK_ARG(m);
    RETURN_IF(index >= (size_t)m->told->shown_count, OCTET_INVALID_ARGUMENT,
              "octet_model_node: index %zu; the model has %d nodes", index, m->told->shown_count);
    const oct_graph *g = &m->told->graph;
    const oct_node *n = &g->nodes[m->told->shown[index]];
    octet_node_info mine;
    OCTET_INIT(mine);
    mine.name = n->name;
    mine.op_type = n->op_type;
    mine.domain = n->domain;
    mine.reason = n->refusal ? n->refusal : "";
    mine.path = n->refusal ? OCTET_NODE_REFUSED : oct_node_path(g, n);
    mine.macs = m->told->known ? oct_node_macs(g, n) : -1;
    for (int i = 0; i < n->input_count; i++) {
        if (n->inputs[i] != OCT_NO_VALUE)
            mine.weight_bytes += g->values[n->inputs[i]].data ? g->values[n->inputs[i]].data_bytes : 0;
    }
    return GIVE_INFO(info, mine, octet_node_info);
}

octet_status octet_model_assume_shapes(octet_model *model, const octet_value_info *inputs, size_t input_count)
{
    CHECK_ARG(model);
    RETURN_IF(input_count != (size_t)model->graph->input_count || (!inputs && input_count),
              OCTET_INVALID_ARGUMENT, "octet_model_assume_shapes: %zu input shapes given; the model has %d",
              inputs ? input_count : 0, model->graph->input_count);
    for (int i = 0; i < model->graph->input_count; i++)
        FORWARD(oct_model_check_shape(model, i, inputs[i].rank, inputs[i].dims));
    return oct_model_assume(model, inputs);
}

octet_status octet_tensor_read_pb(const char *path, octet_tensor *tensor, char *name, size_t name_size)
{
    CHECK_ARG(path);
    CHECK_ARG(tensor);
    memset(tensor, 0, sizeof *tensor);
    return oct_onnx_read_tensor(path, tensor, name, name_size);
}
