#include "branches.h"
#include "hash.h"

#include <stdlib.h>
#include <string.h>

static void walk_nodes(oct_walk *w, const oct_node *nodes, int count);

/* Output y of the If is value x of its branch. */
static octet_status hand_over(oct_walk *w, const oct_node *n, int x, int y)
{
    oct_graph *g = w->g;
    const oct_value *from = &g->values[x];
    oct_value *to = &g->values[y];
    if (!from->data)
        return w->each(w, &(oct_node){.op = OCT_OP_Identity,
                                      .name = n->name,
                                      .op_type = oct_op_name(OCT_OP_Identity),
                                      .domain = "",
                                      .opset = n->opset,
                                      .inputs = &x,
                                      .outputs = &y,
                                      .input_count = 1,
                                      .output_count = 1});
    to->dtype = from->dtype;
    to->rank = from->rank;
    memcpy(to->dims, from->dims, sizeof to->dims);
    to->data = from->data;
    to->data_bytes = from->data_bytes;
    to->made = from->made;
    return OCTET_OK;
}

static octet_status take_branch(oct_walk *w, const oct_node *n, bool condition)
{
    const oct_branch *b = oct_node_attr(n, condition ? "then_branch" : "else_branch")->branch;
    w->taken = true;
    w->g->branches = oct_hash(w->g->branches, &condition, sizeof condition);
    walk_nodes(w, b->nodes, b->node_count);
    for (int i = 0; w->status == OCTET_OK && i < n->output_count; i++) {
        if (n->outputs[i] != OCT_NO_VALUE)
            w->status = hand_over(w, n, b->outputs[i], n->outputs[i]);
    }
    return w->status;
}

static void walk_node(oct_walk *w, const oct_node *n)
{
    const oct_value *condition = n->op == OCT_OP_If ? &w->known->values[n->inputs[0]] : NULL;
    if (w->status != OCTET_OK)
        (void)oct_graph_append(w->g, n);
    else if (condition && condition->data && condition->dtype == OCTET_BOOL && condition->data_bytes == 1)
        w->status = take_branch(w, n, *(const unsigned char *)condition->data != 0);
    else
        w->status = w->each(w, n);
}

/* Recursion is as deep as branches are nested, which the reader bounds. */
static void walk_nodes(oct_walk *w, const oct_node *nodes, int count)
{
    for (int i = 0; i < count; i++)
        walk_node(w, &nodes[i]);
}

octet_status oct_walk_graph(oct_walk *w)
{
    oct_graph *g = w->g;
    oct_node *nodes = g->nodes;
    int count = g->node_count;
    g->nodes = NULL;
    g->node_count = g->node_capacity = 0;
    walk_nodes(w, nodes, count);
    free(nodes);
    return w->status;
}

static octet_status append(oct_walk *w, const oct_node *n)
{
    return oct_graph_append(w->g, n);
}

octet_status oct_graph_take_branches(oct_graph *g, const oct_graph *shaped)
{
    oct_walk w = {.g = g, .known = shaped, .each = append};
    g->branches = OCT_HASH_START;
    FORWARD(oct_walk_graph(&w));
    return w.taken ? oct_graph_sort(g) : OCTET_OK;
}
