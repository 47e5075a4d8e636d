#include "graph.h"
#include "op_facts.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int oct_graph_add_value(oct_graph *g, const char *name)
{
    void *values = g->values;
    bool ok = oct_grow(&values, g->value_count, &g->value_capacity, sizeof *g->values);
    g->values = values;
    char *copy = ok ? oct_arena_strdup(&g->arena, name) : NULL;
    if (!copy) {
        (void)oct_out_of_memory("a graph");
        return -1;
    }
    g->values[g->value_count] = (oct_value){.name = copy, .rank = -1, .producer = -1};
    return g->value_count++;
}

oct_node *oct_graph_add_node(oct_graph *g, oct_op op, const char *name, int inputs, int outputs)
{
    void *nodes = g->nodes;
    bool ok = oct_grow(&nodes, g->node_count, &g->node_capacity, sizeof *g->nodes);
    g->nodes = nodes;
    char *copy = ok ? oct_arena_strdup(&g->arena, name) : NULL;
    int *io = ok ? oct_arena_alloc(&g->arena, (size_t)inputs + (size_t)outputs, sizeof *io) : NULL;
    if (!copy || !io) {
        (void)oct_out_of_memory("a graph");
        return NULL;
    }
    oct_node *n = &g->nodes[g->node_count++];
    *n = (oct_node){.op = op, .name = copy, .input_count = inputs, .output_count = outputs, .inputs = io};
    n->outputs = io + inputs;
    if (op < OCT_OP_COUNT)
        n->op_type = oct_op_facts(op)->name;
    n->domain = "";
    for (int i = 0; i < inputs + outputs; i++)
        io[i] = OCT_NO_VALUE;
    return n;
}

octet_status oct_graph_append(oct_graph *g, const oct_node *from)
{
    size_t ins = (size_t)from->input_count, outs = (size_t)from->output_count;
    void *nodes = g->nodes;
    bool ok = oct_grow(&nodes, g->node_count, &g->node_capacity, sizeof *g->nodes);
    g->nodes = nodes;
    int *io = ok ? oct_arena_alloc(&g->arena, ins + outs, sizeof *io) : NULL;
    RETURN_IF(!io, OCTET_OUT_OF_MEMORY, "out of host memory for a graph");
    if (ins)
        memcpy(io, from->inputs, ins * sizeof *io);
    if (outs)
        memcpy(io + ins, from->outputs, outs * sizeof *io);
    oct_node *n = &g->nodes[g->node_count++];
    *n = *from;
    n->inputs = io;
    n->outputs = io + ins;
    return OCTET_OK;
}

void oct_graph_free(oct_graph *g)
{
    oct_arena_free(&g->arena);
    free(g->values);
    free(g->nodes);
    free(g->inputs);
    free(g->outputs);
    memset(g, 0, sizeof *g);
}

static void *duplicate(const void *data, size_t count, size_t size)
{
    void *copy = malloc((count ? count : 1) * size);
    if (copy && count)
        memcpy(copy, data, count * size);
    return copy;
}

/* Strings and attributes are immutable and stay in the original, which outlives its copies; what passes
 * change (the lists of values and nodes, and each node's operands) is copied. */
octet_status oct_graph_clone(const oct_graph *g, oct_graph *copy)
{
    memset(copy, 0, sizeof *copy);
    copy->values = duplicate(g->values, (size_t)g->value_count, sizeof *g->values);
    copy->nodes = malloc(((size_t)g->node_count + 1) * sizeof *g->nodes);
    copy->inputs = duplicate(g->inputs, (size_t)g->input_count, sizeof *g->inputs);
    copy->outputs = duplicate(g->outputs, (size_t)g->output_count, sizeof *g->outputs);
    bool ok = copy->values && copy->nodes && copy->inputs && copy->outputs;
    copy->value_count = copy->value_capacity = g->value_count;
    copy->node_capacity = g->node_count;
    copy->rewritten = g->rewritten;
    copy->input_count = g->input_count;
    copy->output_count = g->output_count;
    for (int i = 0; ok && i < g->node_count; i++)
        ok = oct_graph_append(copy, &g->nodes[i]) == OCTET_OK;
    if (ok)
        return OCTET_OK;
    oct_graph_free(copy);
    return oct_out_of_memory("a graph");
}

const oct_attr *oct_node_attr(const oct_node *n, const char *name)
{
    for (size_t i = 0; i < n->attr_count; i++) {
        if (strcmp(n->attrs[i].name, name) == 0)
            return &n->attrs[i];
    }
    return NULL;
}

int64_t oct_node_int(const oct_node *n, const char *name, int64_t otherwise)
{
    const oct_attr *a = oct_node_attr(n, name);
    assert(!a || a->kind == OCT_ATTR_INT);
    return a ? a->i : otherwise;
}

float oct_node_float(const oct_node *n, const char *name, float otherwise)
{
    const oct_attr *a = oct_node_attr(n, name);
    assert(!a || a->kind == OCT_ATTR_FLOAT);
    return a ? a->f : otherwise;
}

const char *oct_node_string(const oct_node *n, const char *name, const char *otherwise)
{
    const oct_attr *a = oct_node_attr(n, name);
    assert(!a || a->kind == OCT_ATTR_STRING);
    return a ? a->s : otherwise;
}

/* ---- order ------------------------------------------------------------------------------------------------
 */

static octet_status set_producers(oct_graph *g)
{
    for (int v = 0; v < g->value_count; v++)
        g->values[v].producer = -1;
    for (int i = 0; i < g->node_count; i++) {
        const oct_node *n = &g->nodes[i];
        for (int o = 0; o < n->output_count; o++) {
            if (n->outputs[o] == OCT_NO_VALUE)
                continue;
            oct_value *v = &g->values[n->outputs[o]];
            RETURN_IF(v->producer >= 0 || v->is_input || v->data, OCTET_CORRUPT_FILE,
                      "value '%s' is produced more than once (by node '%s' too)", v->name, n->name);
            v->producer = i;
        }
    }
    return OCTET_OK;
}

static octet_status check_source(const oct_graph *g, int value, const char *reader)
{
    const oct_value *v = &g->values[value];
    RETURN_IF(v->producer < 0 && !v->is_input && !v->data, OCTET_CORRUPT_FILE,
              "value '%s', read by %s, is produced by no node and is neither an input nor an initializer",
              v->name, reader);
    return OCTET_OK;
}

typedef struct visit {
    oct_graph *g;
    unsigned char *state; /* per node: 0 new, 1 on the path, 2 done */
    int *next_input;      /* per node: where its depth-first walk goes on */
    int *stack;
    int *order;
    int ordered;
} visit;

/* Depth-first from `root`, without recursion: a file may hold a chain of any length. */
static octet_status walk(visit *w, int root)
{
    int depth = 0;
    if (w->state[root])
        return OCTET_OK;
    w->stack[depth++] = root;
    w->state[root] = 1;
    while (depth) {
        int at = w->stack[depth - 1];
        const oct_node *n = &w->g->nodes[at];
        if (w->next_input[at] == n->input_count) {
            w->state[at] = 2;
            w->order[w->ordered++] = at;
            depth--;
            continue;
        }
        int v = n->inputs[w->next_input[at]++];
        if (v == OCT_NO_VALUE)
            continue;
        FORWARD(check_source(w->g, v, n->name));
        int p = w->g->values[v].producer;
        if (p < 0 || w->state[p] == 2)
            continue;
        RETURN_IF(w->state[p] == 1, OCTET_CORRUPT_FILE, "the graph has a cycle through node '%s'", n->name);
        w->state[p] = 1;
        w->stack[depth++] = p;
    }
    return OCTET_OK;
}

static octet_status order_nodes(visit *w)
{
    oct_graph *g = w->g;
    for (int i = 0; i < g->output_count; i++) {
        FORWARD(check_source(g, g->outputs[i], "the graph's outputs"));
        int p = g->values[g->outputs[i]].producer;
        if (p >= 0)
            FORWARD(walk(w, p));
    }
    /* Dead nodes are dropped, but a cycle among them still means a damaged file. */
    int live = w->ordered;
    for (int i = 0; i < g->node_count; i++)
        FORWARD(walk(w, i));
    w->ordered = live;
    return OCTET_OK;
}

octet_status oct_graph_sort(oct_graph *g)
{
    FORWARD(set_producers(g));
    size_t n = (size_t)g->node_count + 1;
    visit w = {.g = g,
               .state = calloc(n, 1),
               .next_input = calloc(n, sizeof(int)),
               .stack = calloc(n, sizeof(int)),
               .order = calloc(n, sizeof(int))};
    oct_node *sorted = calloc(n, sizeof *sorted);
    bool ok = w.state && w.next_input && w.stack && w.order && sorted;
    octet_status status = ok ? order_nodes(&w) : oct_out_of_memory("a graph");
    if (status == OCTET_OK) {
        for (int i = 0; i < w.ordered; i++)
            sorted[i] = g->nodes[w.order[i]];
        free(g->nodes);
        g->nodes = sorted;
        g->node_count = w.ordered;
        g->node_capacity = (int)n;
        sorted = NULL;
        status = set_producers(g);
    }
    free(sorted);
    free(w.state);
    free(w.next_input);
    free(w.stack);
    free(w.order);
    return status;
}
