/* Conv(Pad(x)) and QLinearConv(Pad(x)), where Pad puts zeros (QLinearConv: x's zero point) around the spatial
 * dimensions: the convolution pads by itself. The Pad stays where somebody else reads it. */
#include "dtype.h"
#include "moves.h"
#include "passes.h"
#include "rewrite.h"

#include <string.h>

/* What the convolution itself takes for what is outside. */
static bool pads_alike(const oct_graph *g, const oct_node *conv, const oct_node *pad)
{
    if (conv->op == OCT_OP_Conv)
        return oct_pads_with_zero(g, pad);
    int zero = conv->inputs[2], v = pad->input_count > 2 ? pad->inputs[2] : OCT_NO_VALUE;
    const oct_value *z = &g->values[zero];
    if (!z->data || z->data_bytes != 1 || !oct_dtype_is_int8(z->dtype))
        return false;
    if (v == OCT_NO_VALUE)
        return *(const unsigned char *)z->data == 0;
    const oct_value *p = &g->values[v];
    return p->data && p->data_bytes == 1 && memcmp(p->data, z->data, 1) == 0;
}

/* The convolution's pads with the Pad's added; false where that has no form as attributes. */
static bool sum_of(const oct_node *conv, const oct_pad *p, int rank, int64_t *pads)
{
    const int64_t most = INT32_MAX / 4; /* window.c */
    const char *auto_pad = oct_node_string(conv, "auto_pad", "NOTSET");
    const oct_attr *own = strcmp(auto_pad, "NOTSET") == 0 ? oct_node_attr(conv, "pads") : NULL;
    int spatial = rank - 2;
    if (strncmp(auto_pad, "SAME_", 5) == 0 || p->mode != OCT_PAD_CONSTANT || p->begin[0] || p->end[0] ||
        p->begin[1] || p->end[1])
        return false;
    for (int i = 0; i < 2 * spatial; i++) {
        int64_t more = i < spatial ? p->begin[2 + i] : p->end[2 + i - spatial];
        if (more < 0)
            return false;
        pads[i] = (own ? own->ints[i] : 0) + more;
        if (pads[i] > most)
            return false;
    }
    return true;
}

static octet_status fold(oct_graph *g, int conv, int pad)
{
    const oct_node *n = &g->nodes[conv], *from = &g->nodes[pad];
    int rank = g->values[from->inputs[0]].rank;
    oct_pad p;
    FORWARD(oct_pad_resolve(g, from, &p));
    int64_t *pads = oct_arena_alloc(&g->arena, 2 * OCTET_MAX_RANK, sizeof *pads);
    int *inputs = oct_arena_alloc(&g->arena, (size_t)n->input_count, sizeof *inputs);
    RETURN_IF(!pads || !inputs, OCTET_OUT_OF_MEMORY, "out of host memory in a graph pass");
    if (!pads_alike(g, n, from) || !sum_of(n, &p, rank, pads))
        return OCTET_OK;
    memcpy(inputs, n->inputs, (size_t)n->input_count * sizeof *inputs);
    inputs[0] = from->inputs[0];
    g->nodes[conv].inputs = inputs;
    const oct_attr set[] = {
        {.name = "auto_pad", .kind = OCT_ATTR_STRING, .s = "NOTSET"},
        {.name = "pads", .kind = OCT_ATTR_INTS, .ints = pads, .count = 2 * (size_t)(rank - 2)}};
    FORWARD(oct_node_set_attr(g, conv, &set[0]));
    return oct_node_set_attr(g, conv, &set[1]);
}

octet_status oct_pass_pad(oct_graph *g)
{
    for (int i = 0; i < g->node_count; i++) {
        oct_op op = g->nodes[i].op;
        int pad = op == OCT_OP_Conv || op == OCT_OP_QLinearConv
                      ? oct_producer_of(g, g->nodes[i].inputs[0], OCT_OP_Pad)
                      : -1;
        if (pad >= 0)
            FORWARD(fold(g, i, pad));
    }
    return OCTET_OK;
}
