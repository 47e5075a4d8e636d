/* octet_inspection: checks of what callers give, and what they are told. */
#include "api.h"
#include "lower.h"
#include "model.h"

static octet_status check_shapes(const octet_model *m, const octet_session_desc *d)
{
    int count = m->graph->input_count;
    RETURN_IF(d->input_count != (size_t)count, OCTET_INVALID_ARGUMENT,
              "octet_inspection_create: %zu input shapes given; the model has %d", d->input_count, count);
    for (int i = 0; i < count; i++)
        FORWARD(oct_model_check_shape(m, i, d->inputs[i].rank, d->inputs[i].dims));
    return OCTET_OK;
}

octet_status octet_inspection_create(octet_model *model, const octet_session_desc *desc,
                                     octet_inspection **inspection)
{
    CHECK_ARG(inspection);
    *inspection = NULL;
    CHECK_ARG(model);
    octet_session_desc d;
    FORWARD(TAKE_DESC(d, desc, octet_session_desc));
    if (d.inputs)
        FORWARD(check_shapes(model, &d));
    return oct_inspection_make(model, d.inputs, inspection);
}

void octet_inspection_destroy(octet_inspection *inspection)
{
    oct_inspection_free(inspection);
}

octet_status octet_inspection_output(const octet_inspection *inspection, size_t index, octet_value_info *info)
{
    CHECK_ARG(inspection);
    const oct_graph *file = inspection->model->graph, *g = &inspection->view->graph;
    RETURN_IF(index >= (size_t)file->output_count, OCTET_INVALID_ARGUMENT,
              "octet_inspection_output: index %zu; the model has %d outputs", index, file->output_count);
    const oct_value *declared = &file->values[file->outputs[index]];
    oct_value v = g->values[g->outputs[index]];
    v.name = declared->name;
    return oct_api_give_value(v.rank < 0 ? declared : &v, &v, info);
}

size_t octet_inspection_node_count(const octet_inspection *inspection)
{
    return inspection ? (size_t)inspection->view->shown_count : 0;
}

octet_status octet_inspection_node(const octet_inspection *inspection, size_t index, octet_node_info *info)
{
    CHECK_ARG(inspection);
    const oct_view *view = inspection->view;
    RETURN_IF(index >= (size_t)view->shown_count, OCTET_INVALID_ARGUMENT,
              "octet_inspection_node: index %zu; there are %d nodes", index, view->shown_count);
    const oct_graph *g = &view->graph;
    const oct_node *n = &g->nodes[view->shown[index]];
    octet_node_info mine;
    OCTET_INIT(mine);
    mine.name = n->name;
    mine.op_type = n->op_type;
    mine.domain = n->domain;
    mine.reason = n->refusal ? n->refusal : "";
    mine.path = n->refusal ? OCTET_NODE_REFUSED : oct_node_path(g, n);
    mine.macs = view->is_sized ? oct_node_macs(g, n) : -1;
    for (int i = 0; i < n->input_count; i++) {
        if (n->inputs[i] != OCT_NO_VALUE)
            mine.weight_bytes += g->values[n->inputs[i]].data ? g->values[n->inputs[i]].data_bytes : 0;
    }
    return GIVE_INFO(info, mine, octet_node_info);
}
