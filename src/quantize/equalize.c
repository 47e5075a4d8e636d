/* See prepare.h: cross-layer equalization of Conv, Relu, Conv chains. */
#include "prepare.h"
#include "rewrite.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static octet_status no_memory(void)
{
    return oct_fail(OCTET_OUT_OF_MEMORY, "out of host memory for a graph");
}

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

/* Weights of a convolution as outer x channels of one kind: input channels where `in` is set. */
static int64_t channel_of(const oct_graph *g, int node, bool in, int64_t i)
{
    const oct_node *n = &g->nodes[node];
    const oct_value *w = &g->values[n->inputs[1]];
    int64_t taps = 1, groups = oct_node_int(n, "group", 1);
    for (int d = 2; d < w->rank; d++)
        taps *= w->dims[d];
    int64_t out = i / (taps * w->dims[1]);
    return in ? i / taps % w->dims[1] + out / (w->dims[0] / groups) * w->dims[1] : out;
}

static void find_peaks(const oct_graph *g, int node, bool in, double *peaks)
{
    int64_t count;
    const float *w = oct_const_floats(g, g->nodes[node].inputs[1], &count);
    for (int64_t i = 0; i < count; i++) {
        double *peak = &peaks[channel_of(g, node, in, i)];
        *peak = fmax(*peak, fabs(w[i]));
    }
}

static octet_status scale(oct_graph *g, int node, int input, bool in, const double *factors)
{
    int64_t count;
    int v = g->nodes[node].inputs[input];
    const oct_value old = g->values[v];
    const float *from = oct_const_floats(g, v, &count);
    float *made = oct_arena_alloc(&g->arena, (size_t)count, sizeof *made);
    if (!made)
        return no_memory();
    for (int64_t i = 0; i < count; i++)
        made[i] = (float)(from[i] * factors[input == 2 ? i : channel_of(g, node, in, i)]);
    int value = oct_add_const_kept(g, OCTET_F32, old.rank, old.dims, made);
    if (value < 0)
        return OCTET_OUT_OF_MEMORY;
    g->values[value].name = old.name;
    return oct_set_input(g, node, input, value);
}

static octet_status balance(oct_graph *g, int first, int second)
{
    int64_t channels = g->values[g->nodes[first].inputs[1]].dims[0];
    double *peaks = calloc(4 * (size_t)channels + 1, sizeof *peaks);
    if (!peaks)
        return no_memory();
    double *mine = peaks, *theirs = peaks + channels, *down = theirs + channels, *up = down + channels;
    find_peaks(g, first, false, mine);
    find_peaks(g, second, true, theirs);
    for (int64_t c = 0; c < channels; c++) {
        bool alive = mine[c] > 1e-8 && theirs[c] > 1e-8;
        up[c] = alive ? sqrt(mine[c] / theirs[c]) : 1;
        down[c] = 1 / up[c];
    }
    octet_status status = scale(g, first, 1, false, down);
    if (status == OCTET_OK && g->nodes[first].input_count > 2 && g->nodes[first].inputs[2] != OCT_NO_VALUE)
        status = scale(g, first, 2, false, down);
    if (status == OCTET_OK)
        status = scale(g, second, 1, true, up);
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
