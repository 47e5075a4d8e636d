/* Forms that mean the same and have an exact 8-bit operator: a mean over rows and columns is a global
 * average; a ConvTranspose whose kernel is as wide as its stride is a 1x1 convolution and DepthToSpace. */
#include "moves.h"
#include "prepare.h"
#include "rewrite.h"

#include <string.h>

static octet_status mean_as_pool(oct_prepare_state *p, int node)
{
    oct_graph *g = p->g;
    const oct_value *x = &p->shaped.values[g->nodes[node].inputs[0]];
    bool reduced[OCTET_MAX_RANK];
    if (x->rank != 4 || oct_node_int(&g->nodes[node], "keepdims", 1) != 1)
        return OCTET_OK;
    FORWARD(oct_reduced_axes(&p->shaped, &g->nodes[node], reduced));
    for (int d = 0; d < x->rank; d++) {
        if (reduced[d] != (d >= 2))
            return OCTET_OK;
    }
    oct_node *n = &g->nodes[node];
    n->op = OCT_OP_GlobalAveragePool;
    n->op_type = oct_op_name(n->op);
    n->input_count = 1;
    n->attr_count = 0;
    return OCTET_OK;
}

/* Is every number of an attribute this one? Absent: true. */
static bool all_are(const oct_node *n, const char *name, int64_t number)
{
    const oct_attr *a = oct_node_attr(n, name);
    for (size_t i = 0; a && i < a->count; i++) {
        if (a->ints[i] != number)
            return false;
    }
    return true;
}

static bool interleaves(const oct_prepare_state *p, int node)
{
    const oct_node *n = &p->g->nodes[node];
    int64_t count;
    if (!oct_const_floats(p->g, n->inputs[1], &count) || p->g->values[n->inputs[1]].rank != 4)
        return false;
    const oct_value *w = &p->g->values[n->inputs[1]];
    bool biased = n->input_count > 2 && n->inputs[2] != OCT_NO_VALUE;
    return w->dims[2] == w->dims[3] && oct_node_attr(n, "strides") && all_are(n, "strides", w->dims[2]) &&
           all_are(n, "pads", 0) && all_are(n, "dilations", 1) && all_are(n, "output_padding", 0) &&
           oct_node_int(n, "group", 1) == 1 && !oct_node_attr(n, "output_shape") &&
           strcmp(oct_node_string(n, "auto_pad", "NOTSET"), "NOTSET") == 0 &&
           (!biased || oct_const_floats(p->g, n->inputs[2], &count));
}

/* W'[(co, r, c)][ci] = W[ci][co][r][c], the bias once for each place in the block; DepthToSpace in the order
 * of columns and rows ("CRD") puts them there. */
static octet_status interleave(oct_prepare_state *p, int node)
{
    oct_graph *g = p->g;
    const oct_value w = g->values[g->nodes[node].inputs[1]];
    int old = g->nodes[node].input_count > 2 ? g->nodes[node].inputs[2] : OCT_NO_VALUE;
    int64_t ci = w.dims[0], block = w.dims[2], co = w.dims[1] * block * block, dims[4] = {co, ci, 1, 1};
    float *weights = oct_arena_alloc(&g->arena, (size_t)(ci * co), sizeof *weights);
    float *bias = oct_arena_alloc(&g->arena, (size_t)co, sizeof *bias);
    oct_attr *crd = oct_arena_alloc(&g->arena, 2, sizeof *crd);
    if (!weights || !bias || !crd)
        return oct_out_of_memory("quantization");
    for (int64_t o = 0; o < co; o++) {
        for (int64_t i = 0; i < ci; i++)
            weights[o * ci + i] = ((const float *)w.data)[i * co + o];
        bias[o] = old == OCT_NO_VALUE ? 0 : ((const float *)g->values[old].data)[o / (block * block)];
    }
    int y = g->nodes[node].outputs[0];
    int deep = oct_add_like(g, g->values[y].name, OCTET_DTYPE_NONE, -1, NULL);
    int in[3] = {g->nodes[node].inputs[0], oct_add_const_kept(g, OCTET_F32, 4, dims, weights),
                 oct_add_const_kept(g, OCTET_F32, 1, &co, bias)};
    if (deep < 0 || in[1] < 0 || in[2] < 0)
        return OCTET_OUT_OF_MEMORY;
    g->values[in[1]].name = w.name;
    int conv = oct_add_node_like(g, node, OCT_OP_Conv, in, 3, deep);
    int move = conv < 0 ? -1 : oct_add_node_like(g, node, OCT_OP_DepthToSpace, &deep, 1, y);
    if (move < 0)
        return OCTET_OUT_OF_MEMORY;
    g->nodes[conv].attr_count = 0;
    crd[0] = (oct_attr){.name = "blocksize", .kind = OCT_ATTR_INT, .i = block};
    crd[1] = (oct_attr){.name = "mode", .kind = OCT_ATTR_STRING, .s = "CRD"};
    g->nodes[move].attrs = crd;
    g->nodes[move].attr_count = 2;
    g->nodes[node].output_count = 0;
    return OCTET_OK;
}

octet_status oct_prepare_forms(oct_prepare_state *p)
{
    int count = p->g->node_count;
    for (int i = 0; i < count; i++) {
        if (p->g->nodes[i].op == OCT_OP_ReduceMean)
            FORWARD(mean_as_pool(p, i));
        else if (p->g->nodes[i].op == OCT_OP_ConvTranspose && interleaves(p, i))
            FORWARD(interleave(p, i));
    }
    return OCTET_OK;
}
