/* Weights of 16 bits as two tensors of 8: a product whose weights cost the outputs most becomes the sum of
 * two, the second with what the first one's rounding leaves. It is twice the work there, so only a small
 * share of the network's is spent. */
#include "split_weights.h"
#include "dtype.h"
#include "prepare.h"
#include "quant_weights.h"
#include "quantizer.h"
#include "rewrite.h"
#include "sizes.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* Samples that networks with one quantized product are compared on, and the least share of the noise of all
 * that a product is split for. */
#define COST_SAMPLES 4
static const double least_share = 0.005, default_percent = 15;

/* What is left counts from so many times the least number of a float on: it needs a scale yet. */
static const float least_steps = 65536;

static octet_status no_memory(void)
{
    return oct_fail(OCTET_OUT_OF_MEMORY, "out of host memory for a graph");
}

/* ---- one product --------------------------------------------------------------------------------------- */

static octet_status add_weights(oct_graph *g, int node, const oct_value *like, const char *what,
                                const float *data)
{
    int v = oct_add_const_kept(g, OCTET_F32, like->rank, like->dims, data);
    if (v < 0)
        return OCTET_OUT_OF_MEMORY;
    g->values[v].name = like->name;
    FORWARD(oct_rename_changed(g, v, what));
    return oct_set_input(g, node, 1, v);
}

static octet_status rename_node(oct_graph *g, int node, const char *what)
{
    char name[320];
    snprintf(name, sizeof name, "%.280s_%s", g->nodes[node].name, what);
    g->nodes[node].name = oct_arena_strdup(&g->arena, name);
    return g->nodes[node].name ? OCTET_OK : no_memory();
}

static int add_value_like(oct_graph *g, int v, const char *what)
{
    const oct_value like = g->values[v];
    int made = oct_add_like(g, like.name, like.dtype, like.rank, like.dims);
    return made < 0 || oct_rename_changed(g, made, what) != OCTET_OK ? -1 : made;
}

octet_status oct_split_product(oct_graph *g, int node, const oct_weight_options *options, oct_split *split)
{
    int y = g->nodes[node].outputs[0];
    const oct_value value = g->values[g->nodes[node].inputs[1]];
    oct_weights w;
    FORWARD(oct_weights_open(g, &g->nodes[node], options, &g->arena, &w));
    oct_weights_to_nearest(&w);
    float *coarse = oct_arena_alloc(&g->arena, (size_t)w.elems, sizeof *coarse);
    float *fine = oct_arena_alloc(&g->arena, (size_t)w.elems, sizeof *fine);
    if (!coarse || !fine)
        return no_memory();
    for (int64_t i = 0; i < w.elems; i++) {
        coarse[i] = (float)w.made[i] * w.scales[i / w.inner % w.channels];
        float left = w.data[i] - coarse[i];
        fine[i] = fabsf(left) * fminf(options->x_scale, 1) > FLT_MIN * least_steps ? left : 0;
    }
    int parts[2] = {add_value_like(g, y, "coarse"), add_value_like(g, y, "fine")};
    int second = parts[0] < 0 || parts[1] < 0 ? -1 : oct_copy_node(g, node, parts[1]);
    int sum = second < 0 ? -1 : oct_add_node_like(g, node, OCT_OP_Add, parts, 2, y);
    if (sum < 0)
        return no_memory();
    g->nodes[sum].attr_count = 0;
    g->nodes[node].outputs[0] = parts[0];
    if (g->nodes[second].input_count > 2)
        g->nodes[second].input_count = 2; /* one bias is enough */
    FORWARD(add_weights(g, node, &value, "coarse", coarse));
    FORWARD(add_weights(g, second, &value, "fine", fine));
    FORWARD(rename_node(g, second, "fine"));
    *split = (oct_split){parts[0], parts[1]};
    return rename_node(g, sum, "sum");
}

/* ---- which --------------------------------------------------------------------------------------------- */

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
static double macs_of(const octet_quantizer *q, int node)
{
    const oct_node *n = &q->graph.nodes[node];
    const oct_value *y = &q->shaped.values[n->outputs[0]], *w = &q->shaped.values[n->inputs[1]];
    int64_t results, depth = 1;
    if (q->place.kind[node] != OCT_PLACE_PRODUCT || !oct_shape_elems(y->dims, y->rank, &results))
        return 0;
    int axis = oct_weight_axis(&q->graph, n), first = n->op == OCT_OP_MatMul ? w->rank - 2 : 0;
    for (int d = first; d < w->rank; d++)
        depth *= d == axis ? 1 : w->dims[d];
    return (double)results * (double)depth;
}

/* The products that may be split, best first. Each is quantized alone in the float network, by the weights
 * that adaptive rounding made of what that network shows: in one where all are, those behind it have made up
 * for its noise already, and it would seem to cost nothing. */
static octet_status find_costs(octet_quantizer *q, cost *costs, int *count)
{
    oct_insert_options options = q->options;
    double whole = 0;
    options.adaptive = true;
    *count = 0;
    for (int i = 0; i < q->graph.node_count; i++) {
        double macs = macs_of(q, i);
        if (q->rounded[i].made && macs > 0)
            costs[(*count)++] = (cost){i, 0, macs};
    }
    for (int i = 0; i < *count; i++) {
        double score_db;
        oct_quantizer_progress(q, "weights in 16 bits", (size_t)i, (size_t)*count);
        FORWARD(oct_quantizer_score_alone(q, costs[i].node, &options, COST_SAMPLES, &score_db));
        costs[i].share = pow(10, -score_db / 10);
        whole += costs[i].share;
    }
    for (int i = 0; i < *count; i++)
        costs[i].share /= whole;
    qsort(costs, (size_t)*count, sizeof *costs, best_first);
    return OCTET_OK;
}

static double all_macs(const octet_quantizer *q)
{
    double sum = 0;
    for (int i = 0; i < q->graph.node_count; i++)
        sum += macs_of(q, i);
    return sum;
}

static octet_status split_worst(octet_quantizer *q, cost *costs)
{
    double left = all_macs(q) * (q->desc.split > 0 ? q->desc.split : default_percent) / 100;
    int count;
    FORWARD(find_costs(q, costs, &count));
    q->splits = calloc((size_t)count + 1, sizeof *q->splits);
    if (!q->splits)
        return no_memory();
    oct_quantizer_forget_rounded(q); /* lists by node: there will be more */
    oct_quantizer_forget_shifts(q);
    for (int i = 0; i < count; i++) {
        const cost *c = &costs[i];
        if (c->share < least_share || c->macs > left)
            continue;
        int v = q->graph.nodes[c->node].inputs[0];
        const oct_weight_options options = {q->options.per_tensor, q->options.reduce_range,
                                            q->best.params[q->place.like[v]].scale};
        FORWARD(oct_split_product(&q->graph, c->node, &options, &q->splits[q->split_count++]));
        left -= c->macs;
    }
    return OCTET_OK;
}

octet_status oct_quantizer_split(octet_quantizer *q)
{
    if (q->split_done || q->desc.split < 0 || oct_dtype_is_int8(q->options.activations))
        return OCTET_OK;
    q->split_done = true;
    cost *costs = calloc((size_t)q->graph.node_count + 1, sizeof *costs);
    octet_status status = costs ? split_worst(q, costs) : no_memory();
    free(costs);
    if (status != OCTET_OK || !q->split_count)
        return status;
    FORWARD(oct_graph_sort(&q->graph));
    oct_candidate_free(&q->best);
    oct_quantizer_forget_arrangement(q);
    FORWARD(oct_quantizer_arrange(q, q->samples[0].inputs));
    return oct_quantizer_observe_again(q);
}
