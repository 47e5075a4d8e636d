/* Scopes, and the branches of an If. ONNX demands of a branch that its nodes are in the order of their data
 * flow and that no name is given two values; here a name that a branch gives a value is its own, whatever the
 * graph around it calls so. */
#include "onnx_build.h"

#include <stdlib.h>
#include <string.h>

octet_status oct_build_no_memory(void)
{
    return oct_fail(OCTET_OUT_OF_MEMORY, "out of host memory while reading the model");
}

void oct_scope_free(oct_scope *scope)
{
    oct_names_free(&scope->names);
    free(scope->captured);
}

int oct_scope_new_value(oct_builder *b, oct_scope *scope, const char *name)
{
    int v = oct_graph_add_value(b->graph, name);
    if (v >= 0 && !oct_names_add(&scope->names, b->graph->values[v].name, v)) {
        (void)oct_build_no_memory();
        return -1;
    }
    return v;
}

static bool capture(oct_builder *b, oct_scope *scope, int v)
{
    void *captured = scope->captured;
    bool ok = oct_grow(&captured, scope->captured_count, &scope->capacity, sizeof *scope->captured);
    scope->captured = captured;
    if (!ok)
        return false;
    scope->captured[scope->captured_count++] = v;
    return oct_names_add(&scope->names, b->graph->values[v].name, v);
}

/* Recursion is as deep as branches are nested. */
int oct_scope_value(oct_builder *b, oct_scope *scope, const char *name)
{
    int v = oct_names_find(&scope->names, name);
    if (v >= 0)
        return v;
    if (!scope->outer)
        return oct_scope_new_value(b, scope, name);
    v = oct_scope_value(b, scope->outer, name);
    if (v >= 0 && !capture(b, scope, v)) {
        (void)oct_build_no_memory();
        return -1;
    }
    return v;
}

static bool is_own(const oct_scope *scope, int v)
{
    return v >= scope->first_own && v < scope->end_own;
}

/* A branch's own values: initializers, then what its nodes make, before anything is looked up. */
static octet_status declare(oct_builder *b, oct_scope *scope, const onnx_GraphProto *g)
{
    scope->first_own = b->graph->value_count;
    FORWARD(oct_build_initializers(b, scope, g));
    for (size_t i = 0; i < g->input_count; i++)
        RETURN_IF(!g->input[i].name || oct_names_find(&scope->names, g->input[i].name) < 0,
                  OCTET_CORRUPT_FILE, "its branch has inputs of its own");
    for (size_t i = 0; i < g->node_count; i++) {
        for (size_t o = 0; o < g->node[i].output_count; o++) {
            const char *name = g->node[i].output[o];
            if (!name || !*name)
                continue;
            RETURN_IF(oct_names_find(&scope->names, name) >= 0, OCTET_CORRUPT_FILE,
                      "value '%s' is produced more than once in its branch", name);
            if (oct_scope_new_value(b, scope, name) < 0)
                return OCTET_OUT_OF_MEMORY;
        }
    }
    scope->end_own = b->graph->value_count;
    return OCTET_OK;
}

/* The node at the end of the graph's list, which is in this branch, reads what is there. */
static octet_status check_order(oct_builder *b, const oct_scope *scope)
{
    oct_graph *g = b->graph;
    const oct_node *n = &g->nodes[g->node_count - 1];
    for (int i = 0; i < n->input_count; i++) {
        int v = n->inputs[i];
        RETURN_IF(v != OCT_NO_VALUE && is_own(scope, v) && !g->values[v].data && g->values[v].producer < 0,
                  OCTET_CORRUPT_FILE, "%s (node '%s') reads '%s' before it is made", n->op_type, n->name,
                  g->values[v].name);
    }
    for (int o = 0; o < n->output_count; o++) {
        if (n->outputs[o] != OCT_NO_VALUE)
            g->values[n->outputs[o]].producer = g->node_count - 1; /* any: they are set when it is sorted */
    }
    return OCTET_OK;
}

static octet_status read_outputs(oct_builder *b, oct_scope *scope, const onnx_GraphProto *g, oct_branch *out)
{
    out->outputs = oct_arena_alloc(&b->graph->arena, g->output_count, sizeof *out->outputs);
    if (!out->outputs)
        return oct_build_no_memory();
    for (size_t i = 0; i < g->output_count; i++) {
        const char *name = g->output[i].name;
        RETURN_IF(!name || !*name, OCTET_CORRUPT_FILE, "output %zu of its branch has no name", i);
        int v = oct_scope_value(b, scope, name);
        if (v < 0)
            return OCTET_OUT_OF_MEMORY;
        const oct_value *value = &b->graph->values[v];
        RETURN_IF(is_own(scope, v) && !value->data && value->producer < 0, OCTET_CORRUPT_FILE,
                  "output '%s' of its branch is made by no node", name);
        out->outputs[out->output_count++] = v;
    }
    return OCTET_OK;
}

/* Nodes are built at the end of the graph's list, and taken from there. */
static octet_status read_branch(oct_builder *b, oct_scope *scope, const onnx_GraphProto *g, oct_branch *out)
{
    int first = b->graph->node_count;
    FORWARD(declare(b, scope, g));
    for (size_t i = 0; i < g->node_count; i++) {
        FORWARD(oct_build_node(b, scope, &g->node[i], i));
        FORWARD(check_order(b, scope));
    }
    FORWARD(read_outputs(b, scope, g, out));
    out->node_count = b->graph->node_count - first;
    out->nodes = oct_arena_alloc(&b->graph->arena, (size_t)out->node_count, sizeof *out->nodes);
    if (!out->nodes)
        return oct_build_no_memory();
    if (out->node_count)
        memcpy(out->nodes, b->graph->nodes + first, (size_t)out->node_count * sizeof *out->nodes);
    b->graph->node_count = first;
    return oct_fold_constants(b->graph, out->nodes, &out->node_count);
}

/* Values that the branch reads of the graphs around it, behind the node's inputs. */
static octet_status add_inputs(oct_builder *b, int node, const oct_scope *scope)
{
    oct_node *n = &b->graph->nodes[node];
    size_t had = (size_t)n->input_count, more = (size_t)scope->captured_count;
    int *inputs = oct_arena_alloc(&b->graph->arena, had + more, sizeof *inputs);
    if (!inputs)
        return oct_build_no_memory();
    memcpy(inputs, n->inputs, had * sizeof *inputs);
    if (more)
        memcpy(inputs + had, scope->captured, more * sizeof *inputs);
    n->inputs = inputs;
    n->input_count = (int)(had + more);
    return OCTET_OK;
}

static octet_status build_branch(oct_builder *b, oct_scope *outer, const onnx_AttributeProto *p, int node,
                                 size_t outputs, oct_attr *attr)
{
    oct_scope scope = {.outer = outer, .branch_of = b->graph->nodes[node].name};
    oct_branch *branch = oct_arena_alloc(&b->graph->arena, 1, sizeof *branch);
    attr->name = oct_arena_strdup(&b->graph->arena, p->name);
    if (!branch || !attr->name)
        return oct_build_no_memory();
    attr->kind = OCT_ATTR_BRANCH;
    attr->branch = branch;
    octet_status status = read_branch(b, &scope, p->g, branch);
    if (status == OCTET_OK)
        status = add_inputs(b, node, &scope);
    oct_scope_free(&scope);
    b->graph->node_count = node + 1; /* also where the branch came to nothing */
    FORWARD(status);
    RETURN_IF((size_t)branch->output_count != outputs, OCTET_CORRUPT_FILE,
              "its %s gives %d values; it has %zu outputs", attr->name, branch->output_count, outputs);
    return OCTET_OK;
}

octet_status oct_build_branches(oct_builder *b, oct_scope *scope, const onnx_NodeProto *p, int node)
{
    static const char *const names[] = {"then_branch", "else_branch"};
    RETURN_IF(b->graph->nodes[node].input_count != 1, OCTET_CORRUPT_FILE, "it has %d inputs, not a condition",
              b->graph->nodes[node].input_count);
    oct_attr *attrs = oct_arena_alloc(&b->graph->arena, 2, sizeof *attrs);
    if (!attrs)
        return oct_build_no_memory();
    for (int k = 0; k < 2; k++) {
        const onnx_AttributeProto *found = NULL;
        for (size_t i = 0; i < p->attribute_count; i++) {
            if (p->attribute[i].name && strcmp(p->attribute[i].name, names[k]) == 0)
                found = &p->attribute[i];
        }
        RETURN_IF(!found || !found->g, OCTET_CORRUPT_FILE, "it has no %s", names[k]);
        FORWARD(build_branch(b, scope, found, node, p->output_count, &attrs[k]));
    }
    b->graph->nodes[node].attrs = attrs;
    b->graph->nodes[node].attr_count = 2;
    return OCTET_OK;
}
