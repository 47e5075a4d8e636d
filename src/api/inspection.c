/* octet_inspection: what a session would run, at one set of input shapes. */
#include "api.h"
#include "lower.h"
#include "model.h"

#include <stdlib.h>

struct octet_inspection {
    octet_model *model;       /* retained */
    oct_sizing own;           /* at the caller's shapes */
    const oct_sizing *sizing; /* that, or the model's */
};

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
    octet_inspection *i = calloc(1, sizeof *i);
    RETURN_IF(!i, OCTET_OUT_OF_MEMORY, "out of host memory for an inspection");
    i->model = model;
    i->sizing = d.inputs ? &i->own : &model->loaded;
    oct_model_retain(model);
    octet_status status = d.inputs ? oct_sizing_make(model, d.inputs, &i->own) : OCTET_OK;
    if (status != OCTET_OK) {
        octet_inspection_destroy(i);
        return status;
    }
    *inspection = i;
    return OCTET_OK;
}

void octet_inspection_destroy(octet_inspection *i)
{
    if (!i)
        return;
    oct_sizing_free(&i->own);
    oct_model_release(i->model);
    free(i);
}

octet_status octet_inspection_output(const octet_inspection *inspection, size_t index, octet_value_info *info)
{
    CHECK_ARG(inspection);
    const oct_graph *file = inspection->model->graph, *g = &inspection->sizing->graph;
    RETURN_IF(index >= (size_t)file->output_count, OCTET_INVALID_ARGUMENT,
              "octet_inspection_output: index %zu; the model has %d outputs", index, file->output_count);
    const oct_value *declared = &file->values[file->outputs[index]];
    oct_value v = g->values[g->outputs[index]];
    v.name = declared->name;
    return oct_api_give_value(v.rank < 0 ? declared : &v, &v, info);
}

size_t octet_inspection_node_count(const octet_inspection *inspection)
{
    return inspection ? (size_t)inspection->sizing->shown_count : 0;
}

octet_status octet_inspection_node(const octet_inspection *inspection, size_t index, octet_node_info *info)
{
    CHECK_ARG(inspection);
    const oct_sizing *s = inspection->sizing;
    RETURN_IF(index >= (size_t)s->shown_count, OCTET_INVALID_ARGUMENT,
              "octet_inspection_node: index %zu; there are %d nodes", index, s->shown_count);
    const oct_graph *g = &s->graph;
    const oct_node *n = &g->nodes[s->shown[index]];
    octet_node_info mine;
    OCTET_INIT(mine);
    mine.name = n->name;
    mine.op_type = n->op_type;
    mine.domain = n->domain;
    mine.reason = n->refusal ? n->refusal : "";
    mine.path = n->refusal ? OCTET_NODE_REFUSED : oct_node_path(g, n);
    mine.macs = s->known ? oct_node_macs(g, n) : -1;
    for (int i = 0; i < n->input_count; i++) {
        if (n->inputs[i] != OCT_NO_VALUE)
            mine.weight_bytes += g->values[n->inputs[i]].data ? g->values[n->inputs[i]].data_bytes : 0;
    }
    return GIVE_INFO(info, mine, octet_node_info);
}
