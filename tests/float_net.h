/* Float networks built by hand, for tests of the quantizer: constants from a seed, nodes, ports. */
#ifndef FLOAT_NET_H
#define FLOAT_NET_H

#include "check.h"
#include "rewrite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static inline float noise(uint32_t *seed)
{
    float sum = 0;
    for (int i = 0; i < 4; i++) {
        *seed = *seed * 1664525u + 1013904223u;
        sum += (float)(*seed >> 8) / (float)(1 << 24) - 0.5f;
    }
    return sum; /* near normal, variance 1/3 */
}

static inline int constant(oct_graph *g, const char *name, int rank, const int64_t *dims, float spread,
                           float middle, uint32_t *seed)
{
    int64_t count = 1;
    for (int i = 0; i < rank; i++)
        count *= dims[i];
    float *x = oct_arena_alloc(&g->arena, (size_t)count, sizeof *x);
    assert_non_null(x);
    for (int64_t i = 0; i < count; i++)
        x[i] = middle + spread * noise(seed);
    int v = oct_add_const_kept(g, OCTET_F32, rank, dims, x);
    assert_true(v >= 0);
    g->values[v].name = name;
    return v;
}

static inline int add(oct_graph *g, oct_op op, const char *name, const int *inputs, int count)
{
    char out[64];
    snprintf(out, sizeof out, "%s_out", name);
    int v = oct_graph_add_value(g, out);
    oct_node *n = oct_graph_add_node(g, op, name, count, 1);
    assert_true(v >= 0 && n);
    memcpy(n->inputs, inputs, (size_t)count * sizeof *inputs);
    n->outputs[0] = v;
    return v;
}

#define ADD(g, op, name, ...)                                                                                \
    add(g, OCT_OP_##op, name, (const int[]){__VA_ARGS__}, (int)(sizeof((int[]){__VA_ARGS__}) / sizeof(int)))

static inline void set_ints(oct_graph *g, const char *name, const int64_t *ints, size_t count)
{
    oct_node *n = &g->nodes[g->node_count - 1];
    oct_attr *attrs = oct_arena_alloc(&g->arena, n->attr_count + 1, sizeof *attrs);
    int64_t *copy = oct_arena_alloc(&g->arena, count, sizeof *copy);
    assert_true(attrs && copy);
    memcpy(copy, ints, count * sizeof *ints);
    if (n->attr_count)
        memcpy(attrs, n->attrs, n->attr_count * sizeof *attrs);
    attrs[n->attr_count++] = (oct_attr){.name = name, .kind = OCT_ATTR_INTS, .ints = copy, .count = count};
    n->attrs = attrs;
}

/* Ports and operator set of a graph of one input and one output that is built by hand. */
static inline void close_graph(oct_graph *g, int x, int y, int opset)
{
    g->inputs = malloc(sizeof *g->inputs);
    g->outputs = malloc(sizeof *g->outputs);
    assert_true(g->inputs && g->outputs);
    g->inputs[g->input_count++] = x;
    g->outputs[g->output_count++] = y;
    g->values[x].is_input = g->values[y].is_output = true;
    g->values[y].dtype = OCTET_F32;
    for (int i = 0; i < g->node_count; i++)
        g->nodes[i].opset = opset;
    assert_int_equal(oct_graph_sort(g), OCTET_OK);
}

#endif
