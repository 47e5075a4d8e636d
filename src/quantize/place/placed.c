#include "placed.h"

#include <stdlib.h>
#include <string.h>

/* Mark nodes by their names or operators; an unknown one is refused. */
static octet_status mark_named(const oct_graph *g, const char *const *names, size_t count, const char *what,
                               bool *marks)
{
    for (size_t e = 0; e < count; e++) {
        bool found = false;
        for (int i = 0; i < g->node_count; i++) {
            const oct_node *n = &g->nodes[i];
            if (strcmp(n->name, names[e]) != 0 && strcmp(n->op_type, names[e]) != 0)
                continue;
            marks[i] = found = true;
        }
        RETURN_IF(!found, OCTET_INVALID_ARGUMENT, "no node or operator is named '%s', which is to %s",
                  names[e], what);
    }
    return OCTET_OK;
}

/* With the marks of `from`, or none. */
static octet_status open(const oct_prepared *net, const oct_placed *from, oct_placed *p)
{
    size_t nodes = (size_t)net->graph.node_count;
    *p = (oct_placed){.net = net};
    for (int raise = 0; raise < 2; raise++) {
        p->marks[raise] = calloc(nodes + 1, sizeof **p->marks);
        if (!p->marks[raise])
            return oct_out_of_memory("quantization");
        if (from)
            memcpy(p->marks[raise], from->marks[raise], nodes);
    }
    return OCTET_OK;
}

/* The marks are made, or were not. */
static octet_status close(octet_status status, oct_placed *p)
{
    const oct_place_options options = {p->marks[OCTET_RAISE_FLOAT], p->marks[OCTET_RAISE_16],
                                       p->net->asked->desc.integer_softmax};
    if (status == OCTET_OK)
        status = oct_place_pairs(&p->net->graph, &p->net->shaped, &options, &p->at);
    if (status != OCTET_OK)
        oct_placed_free(p);
    return status;
}

octet_status oct_placed_make(const oct_prepared *net, oct_placed *p)
{
    const octet_quantize_desc *d = &net->asked->desc;
    octet_status status = open(net, NULL, p);
    if (status == OCTET_OK)
        status =
            mark_named(&net->graph, d->exclude, d->exclude_count, "stay float", p->marks[OCTET_RAISE_FLOAT]);
    if (status == OCTET_OK)
        status = mark_named(&net->graph, d->wide, d->wide_count, "have 16 bits", p->marks[OCTET_RAISE_16]);
    return close(status, p);
}

octet_status oct_placed_raise(const oct_placed *from, octet_raise raise, const int *nodes, int count,
                              oct_placed *p)
{
    octet_status status = open(from->net, from, p);
    for (int i = 0; status == OCTET_OK && i < count; i++)
        p->marks[raise][nodes[i]] = true;
    return close(status, p);
}

octet_status oct_placed_alone(const oct_placed *from, int node, oct_placed *p)
{
    octet_status status = open(from->net, from, p);
    for (int i = 0; status == OCTET_OK && i < from->net->graph.node_count; i++)
        p->marks[OCTET_RAISE_FLOAT][i] = i != node;
    return close(status, p);
}

void oct_placed_free(oct_placed *p)
{
    free(p->marks[0]);
    free(p->marks[1]);
    oct_pair_places_free(&p->at);
    memset(p, 0, sizeof *p);
}

bool oct_placed_layer(const oct_placed *p, int node)
{
    return p->at.kind[node] == OCT_PLACE_PRODUCT || p->at.kind[node] == OCT_PLACE_INTEGER;
}

int oct_placed_maker(const oct_placed *p, int v)
{
    const oct_graph *g = &p->net->graph;
    int from = g->values[v].producer;
    return from >= 0 && p->at.absorbed[from] ? g->values[g->nodes[from].inputs[0]].producer : from;
}
