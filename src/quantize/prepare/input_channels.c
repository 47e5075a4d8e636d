/* See prepare.h: weights by the channel of the input that they meet. */
#include "place.h"
#include "prepare.h"

#include <math.h>

int64_t oct_input_channel(const oct_graph *from, const oct_node *n, int64_t i)
{
    const oct_value *w = &from->values[n->inputs[1]];
    if (n->op == OCT_OP_Conv) {
        int64_t taps = 1, groups = oct_node_int(n, "group", 1);
        for (int d = 2; d < w->rank; d++)
            taps *= w->dims[d];
        int64_t out = i / (taps * w->dims[1]);
        return i / taps % w->dims[1] + out / (w->dims[0] / groups) * w->dims[1];
    }
    return oct_weight_axis(from, n) == 0 ? i % w->dims[1] : i / w->dims[1];
}

void oct_raise_input_peaks(const oct_graph *g, int node, double *peaks)
{
    int64_t count;
    const oct_node *n = &g->nodes[node];
    const float *w = oct_const_floats(g, n->inputs[1], &count);
    for (int64_t i = 0; i < count; i++) {
        double *peak = &peaks[oct_input_channel(g, n, i)];
        *peak = fmax(*peak, fabs(w[i]));
    }
}

octet_status oct_scale_inputs(oct_graph *g, int node, const double *factors)
{
    int64_t count;
    const oct_node *n = &g->nodes[node];
    const oct_value *value = &g->values[n->inputs[1]];
    const float *w = oct_const_floats(g, n->inputs[1], &count);
    float *made = oct_arena_alloc(&g->arena, (size_t)count, sizeof *made);
    if (!made)
        return oct_out_of_memory("quantization");
    for (int64_t i = 0; i < count; i++)
        made[i] = (float)(w[i] * factors[oct_input_channel(g, n, i)]);
    return oct_replace_floats(g, node, 1, value->rank, value->dims, made);
}
