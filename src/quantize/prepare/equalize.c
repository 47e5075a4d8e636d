/* See prepare.h: cross-layer equalization of Conv, Relu, Conv chains. */
#include "prepare.h"
#include "rewrite.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A convolution of constant weights whose bias, if any, is constant. */
static bool good_conv(const oct_graph *g, int node)
{
    int64_t count;
    const oct_node *n = &g->nodes[node];
    return n->op == OCT_OP_Conv && oct_const_floats(g, n->inputs[1], &count) &&
           (n->input_count < 3 || n->inputs[2] == OCT_NO_VALUE || oct_const_floats(g, n->inputs[2], &count));
}

/* The convolution that alone reads this one's result, through a Relu or not at all changed; -1: none. */
static int next_conv(const oct_graph *g, const oct_readers *r, int node)
{
    int v = g->nodes[node].outputs[0];
    for (int step = 0; step < 2; step++) {
        if (r->count[v] != 1 || g->values[v].is_output)
            return -1;
        int reader = r->node[v];
        if (g->nodes[reader].op == OCT_OP_Conv)
            return g->nodes[reader].inputs[0] == v && good_conv(g, reader) ? reader : -1;
        if (g->nodes[reader].op != OCT_OP_Relu)
            return -1;
        v = g->nodes[reader].outputs[0];
    }
    return -1;
}

/* Weight or bias element i is of output channel i / (elements a channel). */
static int64_t elems_a_channel(const oct_graph *g, int v)
{
    return (int64_t)(g->values[v].data_bytes / sizeof(float)) / g->values[v].dims[0];
}

static octet_status scale_outputs(oct_graph *g, int node, int input, const double *factors)
{
    int64_t count;
    int v = g->nodes[node].inputs[input];
    const float *from = oct_const_floats(g, v, &count);
    float *made = oct_arena_alloc(&g->arena, (size_t)count, sizeof *made);
    if (!made)
        return oct_out_of_memory("quantization");
    for (int64_t i = 0; i < count; i++)
        made[i] = (float)(from[i] * factors[i / elems_a_channel(g, v)]);
    return oct_replace_floats(g, node, input, g->values[v].rank, g->values[v].dims, made);
}

static octet_status balance(oct_graph *g, int first, int second)
{
    int w = g->nodes[first].inputs[1];
    int64_t channels = g->values[w].dims[0], count;
    double *peaks = calloc(4 * (size_t)channels + 1, sizeof *peaks);
    if (!peaks)
        return oct_out_of_memory("quantization");
    double *mine = peaks, *theirs = peaks + channels, *down = theirs + channels, *up = down + channels;
    const float *x = oct_const_floats(g, w, &count);
    for (int64_t i = 0; i < count; i++) {
        double *peak = &mine[i / elems_a_channel(g, w)];
        *peak = fmax(*peak, fabs(x[i]));
    }
    oct_raise_input_peaks(g, second, theirs);
    for (int64_t c = 0; c < channels; c++) {
        bool alive = mine[c] > 1e-8 && theirs[c] > 1e-8;
        up[c] = alive ? sqrt(mine[c] / theirs[c]) : 1;
        down[c] = 1 / up[c];
    }
    octet_status status = scale_outputs(g, first, 1, down);
    if (status == OCTET_OK && g->nodes[first].input_count > 2 && g->nodes[first].inputs[2] != OCT_NO_VALUE)
        status = scale_outputs(g, first, 2, down);
    if (status == OCTET_OK)
        status = oct_scale_inputs(g, second, up);
    free(peaks);
    return status;
}

/* What lies between the two is scaled now. */
static octet_status rename_between(oct_graph *g, int first, int second)
{
    int v = g->nodes[first].outputs[0], last = g->nodes[second].inputs[0];
    FORWARD(oct_rename_changed(g, v, "equalized"));
    return v == last ? OCTET_OK : oct_rename_changed(g, last, "equalized");
}

octet_status oct_equalize(oct_graph *g)
{
    oct_readers readers = {0};
    const int rounds = 8; /* a chain settles in a few */
    FORWARD(oct_readers_find(g, &readers));
    octet_status status = OCTET_OK;
    for (int k = 0; k < rounds; k++) {
        for (int i = 0; status == OCTET_OK && i < g->node_count; i++) {
            int next = good_conv(g, i) ? next_conv(g, &readers, i) : -1;
            if (next >= 0)
                status = balance(g, i, next);
        }
    }
    for (int i = 0; status == OCTET_OK && i < g->node_count; i++) {
        int next = good_conv(g, i) ? next_conv(g, &readers, i) : -1;
        if (next >= 0)
            status = rename_between(g, i, next);
    }
    oct_readers_free(&readers);
    return status;
}
