/* DequantizeLinear sinks below operators that only move or choose elements: op(dequantize(x)) is
 * dequantize(op(x)) exactly, and op moves a quarter of the bytes, or half of them where x has 16 bits. A
 * QuantizeLinear that then meets a DequantizeLinear of the same parameters undoes it: its readers get the
 * quantized value itself. */
#include "dtype.h"
#include "moves.h"
#include "op_facts.h"
#include "passes.h"
#include "rewrite.h"

#include <stdlib.h>
#include <string.h>

/* The common parameters of the operands that move; false: they are not all dequantized by the same ones. */
static bool operands(const oct_graph *g, const oct_node *n, oct_sinks kind, bool portable, oct_quantized *q)
{
    /* Other runtimes move no 16-bit elements. */
    bool wide = !portable && kind != OCT_SINKS_PAD && kind != OCT_SINKS_INDEX;
    int count = kind == OCT_SINKS_ALL ? oct_node_operands(n) : 1;
    for (int i = 0; i < count; i++) {
        oct_quantized x;
        if (!oct_dequantized_from(g, n->inputs[i], &x) || x.channels != 1 ||
            !(oct_dtype_is_int8(x.dtype) || (wide && oct_dtype_is_int16(x.dtype))) ||
            (i && !oct_same_parameters(g, q, &x)))
            return false;
        if (i == 0)
            *q = x;
    }
    return true;
}

/* The 8-bit operators of ONNX begin at these operator sets; the meaning is that of the float ones before. */
static int opset_for_int8(const oct_node *n)
{
    const int max_pool_of_int8 = 12;
    return n->op == OCT_OP_MaxPool && n->opset < max_pool_of_int8 ? max_pool_of_int8 : n->opset;
}

/* Output o of the node becomes what the operand is, and a DequantizeLinear makes the old value of it. */
static octet_status sink_output(oct_graph *g, int node, int o, const oct_quantized *q)
{
    int v = g->nodes[node].outputs[o];
    const oct_value like = g->values[v];
    int y = oct_add_like(g, like.name, q->dtype, like.rank, like.dims);
    if (y < 0)
        return OCTET_OUT_OF_MEMORY;
    g->nodes[node].outputs[o] = y;
    g->values[y].producer = node;
    const int in[] = {y, q->scale, q->zero};
    int made = oct_add_node_like(g, node, OCT_OP_DequantizeLinear, in, q->zero == OCT_NO_VALUE ? 2 : 3, v);
    if (made < 0)
        return OCTET_OUT_OF_MEMORY;
    g->nodes[made].attr_count = 0;
    g->nodes[made].opset = 13;
    return OCTET_OK;
}

/* Pads by input 1 (opset 11 and up; attributes before are left to run in float), padding value in input 2. */
static octet_status sink_padding(oct_graph *g, int node, const oct_quantized *q)
{
    int zero = oct_explicit_zero(g, q);
    int *inputs = oct_arena_alloc(&g->arena, 4, sizeof *inputs);
    if (zero < 0 || !inputs)
        return oct_fail(OCTET_OUT_OF_MEMORY, "out of host memory in a graph pass");
    oct_node *n = &g->nodes[node];
    for (int i = 0; i < 4; i++)
        inputs[i] = i < n->input_count ? n->inputs[i] : OCT_NO_VALUE;
    inputs[2] = zero;
    n->input_count = n->input_count > 3 ? n->input_count : 3;
    n->inputs = inputs;
    return OCTET_OK;
}

static octet_status sink(oct_graph *g, int node, bool portable)
{
    oct_sinks kind = oct_op_facts(g->nodes[node].op)->sinks;
    oct_quantized q;
    if (kind == OCT_SINKS_NO || g->nodes[node].input_count < 1 ||
        !operands(g, &g->nodes[node], kind, portable, &q))
        return OCTET_OK;
    if (kind == OCT_SINKS_PAD && (g->nodes[node].input_count < 2 || !oct_pads_with_zero(g, &g->nodes[node])))
        return OCTET_OK;
    if (kind == OCT_SINKS_NEAREST &&
        strcmp(oct_node_string(&g->nodes[node], "mode", "nearest"), "nearest") != 0)
        return OCTET_OK;
    if (kind == OCT_SINKS_PAD)
        FORWARD(sink_padding(g, node, &q));
    for (int i = 0; i < (kind == OCT_SINKS_ALL ? oct_node_operands(&g->nodes[node]) : 1); i++) {
        oct_quantized x;
        (void)oct_dequantized_from(g, g->nodes[node].inputs[i], &x);
        g->nodes[node].inputs[i] = x.value;
    }
    g->nodes[node].opset = opset_for_int8(&g->nodes[node]);
    for (int o = 0; kind != OCT_SINKS_INDEX && o < g->nodes[node].output_count; o++) {
        if (g->nodes[node].outputs[o] != OCT_NO_VALUE)
            FORWARD(sink_output(g, node, o, &q));
    }
    return OCTET_OK;
}

static octet_status sink_all(oct_graph *g, bool portable)
{
    /* In topological order, so that one passage sinks through chains; what is added comes last. */
    int count = g->node_count;
    for (int i = 0; i < count; i++) {
        if (!portable || oct_op_facts(g->nodes[i].op)->sinks_reach == OCT_REACH_FILES)
            FORWARD(sink(g, i, portable));
    }
    return OCTET_OK;
}

octet_status oct_pass_sink_dequantize(oct_graph *g)
{
    return sink_all(g, false);
}

octet_status oct_sink_dequantize_portably(oct_graph *g)
{
    return sink_all(g, true);
}

octet_status oct_pass_cancel_pairs(oct_graph *g)
{
    int *same = malloc(((size_t)g->value_count + 1) * sizeof *same); /* the value that holds the same bytes */
    RETURN_IF(!same, OCTET_OUT_OF_MEMORY, "out of host memory in a graph pass");
    for (int v = 0; v < g->value_count; v++)
        same[v] = v;
    for (int i = 0; i < g->node_count; i++) {
        oct_quantized x, y;
        oct_node *n = &g->nodes[i];
        for (int j = 0; j < n->input_count; j++) {
            if (n->inputs[j] != OCT_NO_VALUE)
                n->inputs[j] = same[n->inputs[j]];
        }
        if (!oct_quantizes_to(g, i, &y) || !oct_dequantized_from(g, n->inputs[0], &x) ||
            !oct_same_parameters(g, &x, &y) || !(oct_dtype_is_int8(x.dtype) || oct_dtype_is_int16(x.dtype)))
            continue;
        same[y.value] = x.value;
        /* A graph output keeps a node that makes it: a renaming, which costs nothing. */
        n->op = OCT_OP_Identity;
        n->op_type = oct_op_name(n->op);
        n->inputs[0] = x.value;
        n->input_count = 1;
        n->attr_count = 0;
    }
    free(same);
    return OCTET_OK;
}
