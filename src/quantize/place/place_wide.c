/* Which tensors a placement quantizes to 16 bits: those that raised nodes read, and through element-wise and
 * moving operators what these are made of. Whoever else wants such a tensor in 8 bits gets it behind a second
 * pair. */
#include "place.h"

/* A clamp that an operator takes in is a part of it. */
static int real_producer(const oct_graph *g, const oct_pair_places *p, int v)
{
    int from = g->values[v].producer;
    return from >= 0 && p->absorbed[from] ? g->values[g->nodes[from].inputs[0]].producer : from;
}

static bool in_float(const oct_pair_places *p, const oct_graph *g, int node)
{
    const oct_node *n = &g->nodes[node];
    return p->kind[node] == OCT_PLACE_FLOAT || p->kind[node] == OCT_PLACE_POINTWISE ||
           (p->kind[node] == OCT_PLACE_SAME && !p->pair[n->outputs[0]]);
}

bool oct_reads_wide(const oct_pair_places *p, const oct_graph *g, int node, int v)
{
    return p->wide[v] && (p->raised[node] || in_float(p, g, node));
}

static bool any_output_wide(const oct_pair_places *p, const oct_node *n)
{
    for (int o = 0; o < n->output_count; o++) {
        if (n->outputs[o] != OCT_NO_VALUE && p->wide[n->outputs[o]])
            return true;
    }
    return false;
}

void oct_place_wide(const oct_graph *g, const bool *raised, oct_pair_places *p)
{
    for (int i = g->node_count - 1; i >= 0; i--) {
        const oct_node *n = &g->nodes[i];
        bool passes = p->kind[i] == OCT_PLACE_POINTWISE || p->kind[i] == OCT_PLACE_SAME;
        p->raised[i] = raised[i] || (passes && any_output_wide(p, n));
        for (int j = 0; p->raised[i] && j < n->input_count; j++) {
            if (n->inputs[j] != OCT_NO_VALUE && p->pair[n->inputs[j]])
                p->wide[n->inputs[j]] = true;
        }
    }
    /* What a raised node makes for no integer operator. */
    for (int v = 0; v < g->value_count; v++) {
        int from = real_producer(g, p, v);
        if (from >= 0 && raised[from] && p->pair[v] && g->values[v].is_output)
            p->wide[v] = true;
    }
    for (int i = 0; i < g->node_count; i++) {
        const oct_node *n = &g->nodes[i];
        for (int j = 0; j < n->input_count; j++) {
            int v = n->inputs[j], from = v == OCT_NO_VALUE ? -1 : real_producer(g, p, v);
            if (from >= 0 && raised[from] && p->pair[v] && in_float(p, g, i))
                p->wide[v] = true;
        }
    }
    for (int i = 0; i < g->node_count; i++) {
        const oct_node *n = &g->nodes[i];
        for (int j = 0; j < n->input_count; j++) {
            int v = n->inputs[j];
            if (v != OCT_NO_VALUE && p->wide[v] && !oct_reads_wide(p, g, i, v))
                p->narrow[v] = true;
        }
    }
}
