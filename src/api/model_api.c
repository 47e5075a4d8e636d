/* octet_model: a mapped ONNX file and what can be asked of it. */
#include "model_api.h"
#include "plan.h"

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
    oct_graph_free(&model->sized);
    oct_onnx_free(model->file);
    oct_device_release(model->device);
    free(model);
}

static bool has_dynamic_input(const oct_graph *g)
{
    for (int i = 0; i < g->input_count; i++) {
        const oct_value *v = &g->values[g->inputs[i]];
        for (int d = 0; d < v->rank; d++) {
            if (v->dims[d] < 0)
                return true;
        }
    }
    return false;
}

/* Infer shapes now, so that a network that cannot work is refused at load. With dynamic dimensions the guess
 * of 1 may be what does not fit, so a failure then only means that inspect knows less. */
static octet_status size_up(octet_model *m)
{
    bool dynamic = has_dynamic_input(m->graph);
    FORWARD(oct_graph_clone(m->graph, &m->sized));
    for (int i = 0; i < m->sized.input_count; i++) {
        oct_value *v = &m->sized.values[m->sized.inputs[i]];
        for (int d = 0; d < v->rank; d++)
            v->dims[d] = v->dims[d] < 0 ? 1 : v->dims[d];
    }
    octet_status status = oct_graph_infer(&m->sized);
    m->is_sized = status == OCTET_OK;
    if (!dynamic || status == OCTET_OUT_OF_MEMORY)
        return status;
    oct_error_clear();
    return OCTET_OK;
}

static octet_status load(octet_model *m, const char *path)
{
    FORWARD(oct_onnx_load(path, &m->file));
    m->graph = oct_onnx_graph(m->file);
    return size_up(m);
}

octet_status octet_model_load(octet_context *context, const char *path, octet_model **model)
{
    CHECK_ARG(model);
    *model = NULL;
    CHECK_ARG(path);
    octet_model *m = calloc(1, sizeof *m);
    RETURN_IF(!m, OCTET_OUT_OF_MEMORY, "out of host memory for a model");
    atomic_init(&m->references, 1);
    if (context) {
        m->device = context->device;
        oct_device_retain(m->device);
    }
    octet_status status = load(m, path);
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
    return give_value(&m->graph->values[v], &m->sized.values[v], info);
}

octet_status octet_model_output(const octet_model *m, size_t index, octet_value_info *info)
{
    CHECK_ARG(m);
    RETURN_IF(index >= (size_t)m->graph->output_count, OCTET_INVALID_ARGUMENT,
              "octet_model_output: index %zu; the model has %d outputs", index, m->graph->output_count);
    int v = m->graph->outputs[index];
    return give_value(&m->graph->values[v], &m->sized.values[v], info);
}

size_t octet_model_node_count(const octet_model *m)
{
    return m ? (size_t)m->graph->node_count : 0;
}

octet_status octet_model_node(const octet_model *m, size_t index, octet_node_info *info)
{
    CHECK_ARG(m);
    RETURN_IF(index >= (size_t)m->graph->node_count, OCTET_INVALID_ARGUMENT,
              "octet_model_node: index %zu; the model has %d nodes", index, m->graph->node_count);
    const oct_node *n = &m->graph->nodes[index];
    octet_node_info mine;
    OCTET_INIT(mine);
    mine.name = n->name;
    mine.op_type = n->op_type;
    mine.domain = n->domain;
    mine.reason = "";
    mine.path = oct_node_path(&m->sized, n);
    mine.macs = m->is_sized ? oct_node_macs(&m->sized, n) : -1;
    for (int i = 0; i < n->input_count; i++) {
        if (n->inputs[i] != OCT_NO_VALUE)
            mine.weight_bytes +=
                m->graph->values[n->inputs[i]].data ? m->graph->values[n->inputs[i]].data_bytes : 0;
    }
    return GIVE_INFO(info, mine, octet_node_info);
}

octet_status octet_tensor_read_pb(const char *path, octet_tensor *tensor, char *name, size_t name_size)
{
    CHECK_ARG(path);
    CHECK_ARG(tensor);
    memset(tensor, 0, sizeof *tensor);
    return oct_onnx_read_tensor(path, tensor, name, name_size);
}
