#include "candidate.h"
#include "dtype.h"
#include "prepare.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double default_percentile = 99.99;

void oct_candidate_free(oct_candidate *c)
{
    oct_graph_free(&c->graph);
    free(c->shown);
    free(c->params);
    free(c->wide_params);
    free(c->wide);
    memset(c, 0, sizeof *c);
}

/* Of the range of a wide product's coarse part, what its fine part has room for at least: adaptive rounding
 * lets it make up for the layers before. */
static const double fine_share = 0.125;

/* 16 bits have digits to spare: extremes that were seen get room beyond them, since what is cut off costs far
 * more. Where a Clip makes the tensor, up to its bounds. */
static oct_range with_margin(const oct_observed *o, int v, oct_range seen)
{
    const double margin = 1.5;
    const oct_graph *g = &o->net->graph;
    const oct_node *n = g->values[v].producer < 0 ? NULL : &g->nodes[g->values[v].producer];
    oct_range r = {seen.lo * margin, seen.hi * margin};
    for (int i = 1; n && n->op == OCT_OP_Clip && i < n->input_count; i++) {
        int64_t count;
        const float *bound = oct_const_floats(g, n->inputs[i], &count);
        if (!bound || count != 1)
            continue;
        if (i == 1)
            r.lo = fmax(r.lo, fmin(bound[0], seen.lo));
        else
            r.hi = fmin(r.hi, fmax(bound[0], seen.hi));
    }
    for (size_t i = 0; i < o->net->wide_count; i++) {
        const oct_observer *coarse = &o->observers[o->net->wide[i].coarse];
        if (o->net->wide[i].fine != v)
            continue;
        r.lo = fmin(r.lo, coarse->lo * fine_share);
        r.hi = fmax(r.hi, coarse->hi * fine_share);
    }
    return r;
}

static oct_range choose_range(const oct_observed *o, int v, octet_observer observer, octet_dtype dtype)
{
    double asked = o->net->asked->desc.percentile, percentile = asked > 0 ? asked : default_percentile;
    oct_range r = oct_observer_range(&o->observers[v], observer, percentile,
                                     oct_dtype_max(dtype) - oct_dtype_min(dtype));
    bool room = observer == OCTET_OBSERVE_MINMAX && !oct_dtype_is_int8(dtype);
    return room ? with_margin(o, v, r) : r;
}

static octet_status choose_parameters(const oct_observed *o, octet_observer observer, octet_dtype dtype,
                                      bool symmetric, oct_parameters *params)
{
    for (int i = 0; i < o->watched_count; i++) {
        int v = o->watched[i];
        octet_status status =
            oct_parameters_of(choose_range(o, v, observer, dtype), dtype, symmetric, &params[v]);
        if (status != OCTET_OK)
            return oct_fail_prefix(status, "tensor '%s'", o->net->graph.values[v].name);
    }
    return OCTET_OK;
}

const oct_parameters *oct_candidate_parameters(const oct_candidate *c, const oct_placed *placed, int v)
{
    return &(c->wide[v] ? c->wide_params : c->params)[placed->at.like[v]];
}

octet_dtype oct_candidate_dtype(const oct_candidate *c, int v)
{
    return c->wide[v] ? c->options.wide : c->options.activations;
}

/* A clamp that the parameters behind it do not repeat stays, and what it reads is quantized too: then both
 * are integer operators. */
static void keep_clamps(const oct_candidate *c, const oct_placed *placed, oct_pair_places *at)
{
    const oct_graph *g = &placed->net->graph;
    for (int i = 0; i < g->node_count; i++) {
        int x = g->nodes[i].inputs[0], y = g->nodes[i].outputs[0];
        if (!at->absorbed[i] || !at->pair[y] ||
            oct_clamp_vanishes(g, i, oct_candidate_parameters(c, placed, y), oct_candidate_dtype(c, y)))
            continue;
        at->pair[x] = at->integer[x] = true;
        at->wide[x] = at->wide[y];
    }
}

static bool any(const bool *flags, int count)
{
    for (int i = 0; i < count; i++) {
        if (flags[i])
            return true;
    }
    return false;
}

static octet_status find_parameters(const oct_observed *seen, const oct_placed *placed, oct_candidate *c)
{
    const oct_insert_options *o = &c->options;
    size_t values = (size_t)seen->net->graph.value_count;
    c->shown = calloc(values + 1, sizeof *c->shown);
    c->params = calloc(values + 1, sizeof *c->params);
    c->wide_params = calloc(values + 1, sizeof *c->wide_params);
    c->wide = malloc(values + 1);
    if (!c->shown || !c->params || !c->wide_params || !c->wide)
        return oct_out_of_memory("quantization");
    memcpy(c->wide, placed->at.wide, values);
    FORWARD(choose_parameters(seen, c->observer, o->activations, o->symmetric, c->params));
    bool free_choice = seen->net->asked->desc.observer == OCTET_OBSERVE_BEST;
    octet_observer of_wide = free_choice ? OCTET_OBSERVE_MINMAX : c->observer;
    return any(c->wide, (int)values) ? choose_parameters(seen, of_wide, o->wide, o->symmetric, c->wide_params)
                                     : OCTET_OK;
}

static octet_status insert_pairs(const oct_observed *seen, const oct_placed *placed, const oct_method *how,
                                 oct_candidate *c)
{
    size_t values = (size_t)seen->net->graph.value_count;
    oct_pair_places mine = placed->at; /* but for what keep_clamps changes */
    mine.wide = c->wide;
    mine.pair = malloc(2 * values + 1);
    if (!mine.pair)
        return oct_out_of_memory("quantization");
    mine.integer = mine.pair + values;
    memcpy(mine.pair, placed->at.pair, values);
    memcpy(mine.integer, placed->at.integer, values);
    keep_clamps(c, placed, &mine);
    oct_insert insert = {.from = &seen->net->graph,
                         .place = &mine,
                         .params = c->params,
                         .wide = c->wide_params,
                         .observers = seen->observers,
                         .rounded = how->rounded,
                         .shifts = how->shifts,
                         .options = c->options,
                         .to = &c->graph,
                         .shown = c->shown};
    octet_status status = oct_insert_pairs(&insert);
    free(mine.pair);
    return status;
}

octet_status oct_candidate_make(const oct_observed *seen, const oct_placed *placed, const oct_method *how,
                                oct_candidate *c)
{
    *c = (oct_candidate){.observer = how->observer, .options = how->options};
    octet_status status = find_parameters(seen, placed, c);
    if (status == OCTET_OK)
        status = insert_pairs(seen, placed, how, c);
    if (status != OCTET_OK)
        oct_candidate_free(c);
    return status;
}

/* ---- how near ------------------------------------------------------------------------------------------ */

typedef struct distance {
    const octet_tensor *wanted; /* by output */
    double *signal, *noise;     /* by output */
} distance;

static octet_status add_distance(void *user, int index, const octet_tensor *t)
{
    const distance *d = user;
    const octet_tensor *want = &d->wanted[index];
    size_t bytes = octet_tensor_bytes(want);
    if (want->dtype != OCTET_F32 || t->dtype != OCTET_F32)
        return OCTET_OK;
    RETURN_IF(octet_tensor_bytes(t) != bytes, OCTET_INTERNAL, "output %d has changed its shape", index);
    for (size_t i = 0; i < bytes / sizeof(float); i++) {
        double a = ((const float *)want->data)[i], b = ((const float *)t->data)[i];
        d->signal[index] += a * a;
        d->noise[index] += (a - b) * (a - b);
    }
    return OCTET_OK;
}

double oct_decibel(double signal, double noise)
{
    return noise > 0 ? 10 * log10(signal / noise) : INFINITY;
}

/* Outputs count the same, whatever their size; one that is exact does not hide the others. */
static double mean_decibel(const oct_prepared *net, const double *signal, const double *noise,
                           const int *place)
{
    const double exact = 200;
    double sum = 0;
    int counted = 0;
    for (int i = 0; i < net->graph.output_count; i++) {
        if (net->shaped.values[net->graph.outputs[i]].dtype != OCTET_F32)
            continue;
        int at = place ? place[i] : i;
        sum += fmax(fmin(oct_decibel(signal[at], noise[at]), exact), -exact);
        counted++;
    }
    return counted ? sum / counted : exact;
}

octet_status oct_candidate_score(const oct_candidate *c, const oct_observed *seen, size_t samples,
                                 oct_score *score)
{
    const oct_yardstick *by = &seen->by;
    const oct_prepared *net = seen->net;
    size_t count = (size_t)by->count;
    oct_taps *taps = NULL;
    double *sums = calloc(2 * count + 1, sizeof *sums);
    int *values = calloc(count + 1, sizeof *values);
    octet_status status = sums && values ? OCTET_OK : oct_out_of_memory("quantization");
    for (int i = 0; status == OCTET_OK && i < by->count; i++)
        values[i] = i < net->graph.output_count ? c->graph.outputs[i] : c->shown[by->values[i]];
    if (status == OCTET_OK)
        status = oct_taps_make(&c->graph, net->asked->device, net->asked->desc.memory_limit, values,
                               by->count, &taps);
    size_t used = oct_samples_used(seen->samples, samples);
    for (size_t i = 0; status == OCTET_OK && i < used; i++) {
        size_t sample = oct_samples_spread(seen->samples, i, used);
        distance d = {by->wanted[sample], sums, sums + count};
        status = oct_taps_run(taps, seen->samples->inputs[sample], add_distance, &d);
    }
    oct_taps_destroy(taps);
    if (status == OCTET_OK)
        *score = (oct_score){mean_decibel(net, sums, sums + count, NULL),
                             mean_decibel(net, sums, sums + count, by->judged)};
    free(sums);
    free(values);
    return status;
}
