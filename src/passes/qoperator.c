/* From QDQ groups to operators that files can hold: the same passes that make the graph that runs, kept to
 * what ONNX can say. */
#include "dtype.h"
#include "op_facts.h"
#include "passes.h"
#include "rewrite.h"

/* A clamp has no place in a QLinear operator: it becomes the 8-bit Clip that it is. */
static octet_status put_clip(oct_graph *g, int node)
{
    const oct_clamp clamp = g->nodes[node].clamp;
    int y = g->nodes[node].outputs[0];
    const oct_value like = g->values[y];
    const unsigned char bounds[2] = {(unsigned char)clamp.min, (unsigned char)clamp.max};
    int in[3] = {oct_add_like(g, like.name, like.dtype, like.rank, like.dims),
                 oct_add_const(g, like.dtype, 0, NULL, &bounds[0]),
                 oct_add_const(g, like.dtype, 0, NULL, &bounds[1])};
    if (in[0] < 0 || in[1] < 0 || in[2] < 0)
        return OCTET_OUT_OF_MEMORY;
    int clip = oct_add_node_like(g, node, OCT_OP_Clip, in, 3, y);
    if (clip < 0)
        return OCTET_OUT_OF_MEMORY;
    g->nodes[clip].attr_count = 0;
    g->nodes[clip].opset = 13;
    g->nodes[node].outputs[0] = in[0];
    g->values[in[0]].producer = node;
    g->nodes[node].clamp = (oct_clamp){0};
    return OCTET_OK;
}

static octet_status put_clips_and_domains(oct_graph *g)
{
    for (int i = 0, last = g->node_count; i < last; i++) {
        oct_node *n = &g->nodes[i];
        if (oct_op_find(n->op_type, n->domain) != n->op)
            n->domain = oct_op_facts(n->op)->domain;
        RETURN_IF(!n->domain, OCTET_INTERNAL, "%s (node '%s') has no ONNX form", oct_op_name(n->op), n->name);
        if (n->clamp.set)
            FORWARD(put_clip(g, i));
    }
    return OCTET_OK;
}

octet_status oct_graph_to_qoperator(oct_graph *g)
{
    static octet_status (*const steps[])(oct_graph *) = {oct_sink_dequantize_portably,
                                                         oct_integer_groups_portably, oct_pass_cancel_pairs,
                                                         put_clips_and_domains};
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        FORWARD(steps[i](g));
        FORWARD(
            oct_graph_sort(g)); /* not oct_graph_verify: that makes constants of what follows from shapes */
    }
    return OCTET_OK;
}
