#include "model.h"
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
    return n->refusal ? OCTET_OK : oct_out_of_memory("a model");
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
        return oct_out_of_memory("a model");
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

octet_status oct_inspection_make(octet_model *model, const octet_value_info *shapes,
                                 octet_inspection **inspection)
{
    *inspection = NULL;
    octet_inspection *i = calloc(1, sizeof *i);
    RETURN_IF(!i, OCTET_OUT_OF_MEMORY, "out of host memory for an inspection");
    i->model = model;
    i->view = shapes ? &i->own : &model->view;
    oct_model_retain(model);
    octet_status status = shapes ? oct_view_make(model, shapes, &i->own) : OCTET_OK;
    if (status != OCTET_OK) {
        oct_inspection_free(i);
        return status;
    }
    *inspection = i;
    return OCTET_OK;
}

void oct_inspection_free(octet_inspection *i)
{
    if (!i)
        return;
    oct_view_free(&i->own);
    oct_model_release(i->model);
    free(i);
}
