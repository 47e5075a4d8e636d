/* The host border: a QuantizeLinear that reads a graph input and a DequantizeLinear that writes a graph
 * output leave the graph, and the input or output is the 8-bit tensor. Whoever runs the graph quantizes and
 * dequantizes on the host, so a quarter of the bytes crosses the bus. */
#include "dtype.h"
#include "passes.h"
#include "rewrite.h"

static oct_border border_of(const oct_graph *g, const oct_quantized *q)
{
    return (oct_border){.dtype = q->dtype, .scale = oct_const_f32(g, q->scale), .zero = oct_zero_point(g, q)};
}

/* Every reader of graph input v quantizes it by the same parameters: which. */
static bool input_parameters(const oct_graph *g, int v, oct_quantized *q)
{
    bool found = false;
    if (g->values[v].is_output || g->values[v].dtype != OCTET_F32)
        return false;
    for (int i = 0; i < g->node_count; i++) {
        const oct_node *n = &g->nodes[i];
        for (int j = 0; j < n->input_count; j++) {
            oct_quantized mine;
            if (n->inputs[j] != v)
                continue;
            if (j || !oct_quantizes_to(g, i, &mine) || !oct_dtype_is_int8(mine.dtype) || mine.channels != 1 ||
                g->values[mine.value].is_output || (found && !oct_same_parameters(g, q, &mine)))
                return false;
            *q = found ? *q : mine;
            found = true;
        }
    }
    return found;
}

/* Readers of what the QuantizeLinears of v make read v itself, which is 8-bit from now on. */
static void strip_quantize(oct_graph *g, int v, octet_dtype dtype)
{
    g->values[v].dtype = dtype;
    for (int i = 0; i < g->node_count; i++) {
        oct_node *q = &g->nodes[i];
        if (q->op != OCT_OP_QuantizeLinear || q->inputs[0] != v)
            continue;
        int y = q->outputs[0];
        for (int k = 0; k < g->node_count; k++) {
            for (int j = 0; j < g->nodes[k].input_count; j++) {
                if (g->nodes[k].inputs[j] == y)
                    g->nodes[k].inputs[j] = v;
            }
        }
        q->output_count = 0;
    }
}

static void strip_dequantize(oct_graph *g, int index, int x)
{
    int v = g->outputs[index];
    g->values[v].is_output = false;
    g->values[x].is_output = true;
    g->outputs[index] = x;
    g->nodes[g->values[v].producer].output_count = 0;
}

octet_status oct_graph_move_border(oct_graph *g, oct_border *inputs, oct_border *outputs)
{
    oct_readers readers;
    FORWARD(oct_readers_find(g, &readers));
    for (int i = 0; i < g->output_count; i++) {
        oct_quantized q;
        int v = g->outputs[i];
        outputs[i] = (oct_border){.dtype = OCTET_DTYPE_NONE};
        if (g->values[v].dtype != OCTET_F32 || g->values[v].producer < 0 || readers.count[v] != 1 ||
            !oct_dequantized_from(g, v, &q) || !oct_dtype_is_int8(q.dtype) || q.channels != 1 ||
            g->values[q.value].producer < 0 || g->values[q.value].is_output)
            continue;
        outputs[i] = border_of(g, &q);
        strip_dequantize(g, i, q.value);
    }
    oct_readers_free(&readers);
    for (int i = 0; i < g->input_count; i++) {
        oct_quantized q;
        inputs[i] = (oct_border){.dtype = OCTET_DTYPE_NONE};
        if (!input_parameters(g, g->inputs[i], &q))
            continue;
        inputs[i] = border_of(g, &q);
        strip_quantize(g, g->inputs[i], q.dtype);
    }
    oct_drop_replaced(g);
    FORWARD(oct_graph_sort(g));
    return oct_graph_verify(g);
}
