/* octet_inspection: what a session would run, at one set of input shapes. */
#include "lower.h"
#include "model_api.h"
#include "passes.h"

#include <stdlib.h>
#include <string.h>

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

/* Inspection shows a node that cannot run with the reason for it. */
static octet_status keep_refusal(const octet_model *m, oct_graph *g, octet_status status)
{
    oct_node *n = &g->nodes[g->failed_node];
    if (status != OCTET_UNSUPPORTED || m->device)
        return status;
    if (!n->refusal)
        n->refusal = oct_arena_strdup(&g->arena, oct_error_text());
    oct_error_clear();
    return n->refusal ? OCTET_OK : oct_fail(OCTET_OUT_OF_MEMORY, "out of host memory for a model");
}

static octet_status size_up(const octet_model *m, const octet_value_info *shapes, oct_view *view)
{
    bool guessed = !shapes && has_dynamic_input(m->graph);
    oct_graph *g = &view->graph;
    FORWARD(oct_graph_clone(m->graph, g));
    for (int i = 0; i < g->input_count; i++) {
        oct_value *v = &g->values[g->inputs[i]];
        if (shapes) {
            v->rank = shapes[i].rank;
            memcpy(v->dims, shapes[i].dims, sizeof v->dims);
        }
        for (int d = 0; d < v->rank; d++)
            v->dims[d] = v->dims[d] < 0 ? 1 : v->dims[d];
    }
    octet_status status = oct_graph_infer(g);
    if (status == OCTET_OK) {
        view->is_sized = true;
        return oct_graph_rewrite(g);
    }
    status = keep_refusal(m, g, status);
    if (!guessed || status == OCTET_OUT_OF_MEMORY)
        return status;
    oct_error_clear();
    return OCTET_OK;
}

/* What depends on constants only is not part of a run. */
static octet_status choose_shown(oct_view *view)
{
    const oct_graph *g = &view->graph;
    bool *runs = calloc((size_t)g->value_count + 1, sizeof *runs);
    view->shown = calloc((size_t)g->node_count + 1, sizeof *view->shown);
    if (!runs || !view->shown) {
        free(runs);
        return oct_fail(OCTET_OUT_OF_MEMORY, "out of host memory for a model");
    }
    for (int i = 0; i < g->input_count; i++)
        runs[g->inputs[i]] = true;
    for (int i = 0; i < g->node_count; i++) {
        const oct_node *n = &g->nodes[i];
        bool in_run = n->refusal != NULL;
        for (int j = 0; j < n->input_count; j++)
            in_run = in_run || (n->inputs[j] != OCT_NO_VALUE && runs[n->inputs[j]]);
        for (int j = 0; in_run && j < n->output_count; j++) {
            if (n->outputs[j] != OCT_NO_VALUE)
                runs[n->outputs[j]] = true;
        }
        if (in_run)
            view->shown[view->shown_count++] = i;
    }
    free(runs);
    return OCTET_OK;
}

octet_status oct_view_make(const octet_model *model, const octet_value_info *shapes, oct_view *view)
{
    FORWARD(size_up(model, shapes, view));
    return choose_shown(view);
}

void oct_view_free(oct_view *view)
{
    oct_graph_free(&view->graph);
    free(view->shown);
}

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
    i->view = d.inputs ? &i->own : &model->view;
    oct_model_retain(model);
    octet_status status = d.inputs ? oct_view_make(model, d.inputs, &i->own) : OCTET_OK;
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
    oct_view_free(&i->own);
    octet_model_destroy(i->model);
    free(i);
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
    return oct_model_give_value(v.rank < 0 ? declared : &v, &v, info);
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
