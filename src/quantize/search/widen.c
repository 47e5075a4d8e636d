#include "widen.h"
#include "dtype.h"
#include "round.h"
#include "sizes.h"

#include <math.h>
#include <stdlib.h>

/* Samples that networks with one quantized product are compared on, and the least share of the noise of all
 * that a product is made wide for. */
#define COST_SAMPLES 4
static const double least_share = 0.005, default_percent = 15;

typedef struct cost {
    int node;
    double share; /* of the noise */
    double macs;
} cost;

static int best_first(const void *a, const void *b)
{
    const cost *x = a, *y = b;
    double p = x->share * y->macs, q = y->share * x->macs;
    return p != q ? (p < q ? 1 : -1) : x->node - y->node;
}

/* Multiply-adds of a product: for each element of the result those of one row of weights. */
static double macs_of(const oct_search *s, int node)
{
    const oct_prepared *net = s->seen->net;
    const oct_node *n = &net->graph.nodes[node];
    const oct_value *y = &net->shaped.values[n->outputs[0]], *w = &net->shaped.values[n->inputs[1]];
    int64_t results, depth = 1;
    if (s->placed->at.kind[node] != OCT_PLACE_PRODUCT || !oct_shape_elems(y->dims, y->rank, &results))
        return 0;
    int axis = oct_weight_axis(&net->graph, n), first = n->op == OCT_OP_MatMul ? w->rank - 2 : 0;
    for (int d = first; d < w->rank; d++)
        depth *= d == axis ? 1 : w->dims[d];
    return (double)results * (double)depth;
}

static double all_macs(const oct_search *s)
{
    double sum = 0;
    for (int i = 0; i < s->seen->net->graph.node_count; i++)
        sum += macs_of(s, i);
    return sum;
}

/* The products that may become wide, best first. Each is quantized alone in the float network, by the weights
 * that adaptive rounding made of what that network shows: in one where all are, those behind it have made up
 * for its noise already, and it would seem to cost nothing. */
static octet_status find_costs(const oct_search *s, const oct_method *how, cost *costs, int *count)
{
    const oct_prepared *net = s->seen->net;
    double whole = 0;
    *count = 0;
    for (int i = 0; i < net->graph.node_count; i++) {
        double macs = macs_of(s, i);
        if (how->rounded[i].made && macs > 0)
            costs[(*count)++] = (cost){i, 0, macs};
    }
    for (int i = 0; i < *count; i++) {
        oct_placed alone;
        double judged_db;
        oct_quantize_progress(net->asked, "weights in 16 bits", (size_t)i, (size_t)*count);
        FORWARD(oct_placed_alone(s->placed, costs[i].node, &alone));
        FORWARD(oct_search_score_placed(s, &alone, how, COST_SAMPLES, &judged_db));
        costs[i].share = pow(10, -judged_db / 10);
        whole += costs[i].share;
    }
    for (int i = 0; i < *count; i++)
        costs[i].share /= whole;
    qsort(costs, (size_t)*count, sizeof *costs, best_first);
    return OCTET_OK;
}

static octet_status widen_worst(const oct_search *s, const cost *costs, int count, oct_prepared *p)
{
    const oct_quantize_settings *asked = s->seen->net->asked;
    double left = all_macs(s) * (asked->desc.split > 0 ? asked->desc.split : default_percent) / 100;
    oct_wide_product *wide = oct_arena_alloc(&p->graph.arena, (size_t)count + 1, sizeof *wide);
    if (!wide)
        return oct_out_of_memory("quantization");
    p->wide = wide;
    for (int i = 0; i < count; i++) {
        const cost *c = &costs[i];
        if (c->share < least_share || c->macs > left)
            continue;
        int v = p->graph.nodes[c->node].inputs[0];
        const oct_weight_options options = {asked->insert.per_tensor, asked->insert.reduce_range,
                                            s->best.params[s->placed->at.like[v]].scale};
        FORWARD(oct_widen_product(&p->graph, c->node, &options, &wide[p->wide_count++]));
        left -= c->macs;
    }
    return OCTET_OK;
}

/* costs: room for as many as there are nodes. */
static octet_status widen(const oct_search *s, const oct_method *how, cost *costs, oct_prepared *p)
{
    int count;
    FORWARD(find_costs(s, how, costs, &count));
    FORWARD(oct_prepared_copy(s->seen->net, p));
    FORWARD(widen_worst(s, costs, count, p));
    return p->wide_count ? oct_prepared_finish(p, s->seen->samples->inputs[0]) : OCTET_OK;
}

bool oct_widens(const oct_quantize_settings *asked)
{
    return !oct_dtype_is_int8(asked->insert.activations) && oct_rounds_adaptively(asked) &&
           asked->desc.split >= 0;
}

octet_status oct_widen(const oct_search *s, oct_prepared *p)
{
    const oct_prepared *net = s->seen->net;
    oct_method how = {.observer = s->best.observer, .options = net->asked->insert};
    oct_rounded_weights *rounded = NULL;
    *p = (oct_prepared){0};
    how.options.adaptive = true;
    cost *costs = calloc((size_t)net->graph.node_count + 1, sizeof *costs);
    octet_status status =
        costs ? oct_round(s->seen, s->placed, &how, true, &rounded) : oct_out_of_memory("quantization");
    how.rounded = rounded;
    if (status == OCTET_OK)
        status = widen(s, &how, costs, p);
    if (status != OCTET_OK || !p->wide_count)
        oct_prepared_free(p);
    oct_rounded_list_free(rounded, net->graph.node_count);
    free(costs);
    return status;
}
