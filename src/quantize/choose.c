/* Candidates: a network quantized one way, and how near its outputs are to the float ones. */
#include "dtype.h"
#include "prepare.h"
#include "quantizer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Samples that candidates are compared on, spread over all. */
#define SCORED_SAMPLES 24

static const double default_percentile = 99.99;

static octet_status no_memory(void)
{
    return oct_fail(OCTET_OUT_OF_MEMORY, "out of host memory for quantization");
}

void oct_candidate_free(oct_candidate *c)
{
    oct_graph_free(&c->graph);
    free(c->shown);
    free(c->params);
    free(c->wide_params);
    free(c->wide);
    memset(c, 0, sizeof *c);
}

/* Of the range of a split product's coarse part, what its fine part has room for at least: adaptive rounding
 * lets it make up for the layers before. */
static const double fine_share = 0.125;

/* 16 bits have digits to spare: extremes that were seen get room beyond them, since what is cut off costs far
 * more. Where a Clip makes the tensor, up to its bounds. */
static oct_range with_margin(const octet_quantizer *q, int v, oct_range seen)
{
    const double margin = 1.5;
    const oct_node *n = q->graph.values[v].producer < 0 ? NULL : &q->graph.nodes[q->graph.values[v].producer];
    oct_range r = {seen.lo * margin, seen.hi * margin};
    for (int i = 1; n && n->op == OCT_OP_Clip && i < n->input_count; i++) {
        int64_t count;
        const float *bound = oct_const_floats(&q->graph, n->inputs[i], &count);
        if (!bound || count != 1)
            continue;
        if (i == 1)
            r.lo = fmax(r.lo, fmin(bound[0], seen.lo));
        else
            r.hi = fmin(r.hi, fmax(bound[0], seen.hi));
    }
    for (size_t i = 0; i < q->split_count; i++) {
        const oct_observer *coarse = &q->observers[q->splits[i].coarse];
        if (q->splits[i].fine != v)
            continue;
        r.lo = fmin(r.lo, coarse->lo * fine_share);
        r.hi = fmax(r.hi, coarse->hi * fine_share);
    }
    return r;
}

static oct_range choose_range(const octet_quantizer *q, int v, octet_observer observer, octet_dtype dtype)
{
    double percentile = q->desc.percentile > 0 ? q->desc.percentile : default_percentile;
    oct_range r = oct_observer_range(&q->observers[v], observer, percentile,
                                     oct_dtype_max(dtype) - oct_dtype_min(dtype));
    bool room = observer == OCTET_OBSERVE_MINMAX && !oct_dtype_is_int8(dtype);
    return room ? with_margin(q, v, r) : r;
}

static octet_status choose_parameters(const octet_quantizer *q, octet_observer observer, octet_dtype dtype,
                                      bool symmetric, oct_parameters *params)
{
    for (int i = 0; i < q->watched_count; i++) {
        int v = q->watched[i];
        octet_status status =
            oct_parameters_of(choose_range(q, v, observer, dtype), dtype, symmetric, &params[v]);
        if (status != OCTET_OK)
            return oct_fail_prefix(status, "tensor '%s'", q->graph.values[v].name);
    }
    return OCTET_OK;
}

const oct_parameters *oct_candidate_parameters(const oct_candidate *c, const oct_placement *p, int v)
{
    return &(c->wide[v] ? c->wide_params : c->params)[p->like[v]];
}

octet_dtype oct_candidate_dtype(const oct_candidate *c, int v)
{
    return c->wide[v] ? c->options.wide : c->options.activations;
}

/* A clamp that the parameters behind it do not repeat stays, and what it reads is quantized too: then both
 * are integer operators. */
static void keep_clamps(const octet_quantizer *q, const oct_candidate *c, oct_placement *p)
{
    for (int i = 0; i < q->graph.node_count; i++) {
        const oct_node *n = &q->graph.nodes[i];
        int x = n->inputs[0], y = n->outputs[0];
        if (!p->absorbed[i] || !p->pair[y])
            continue;
        if (!oct_clamp_vanishes(&q->graph, i, oct_candidate_parameters(c, p, y), oct_candidate_dtype(c, y))) {
            p->pair[x] = p->integer[x] = true;
            p->wide[x] = p->wide[y];
        }
    }
}

static octet_status copy_flags(bool **to, const bool *from, int count)
{
    *to = malloc((size_t)count + 1);
    if (!*to)
        return no_memory();
    memcpy(*to, from, (size_t)count);
    return OCTET_OK;
}

static bool any(const bool *flags, int count)
{
    for (int i = 0; i < count; i++) {
        if (flags[i])
            return true;
    }
    return false;
}

octet_status oct_candidate_make(octet_quantizer *q, const oct_placement *place, octet_observer observer,
                                const oct_insert_options *options, oct_candidate *c)
{
    size_t values = (size_t)q->graph.value_count + 1;
    *c = (oct_candidate){.observer = observer, .options = *options};
    c->shown = calloc(values, sizeof *c->shown);
    c->params = calloc(values, sizeof *c->params);
    c->wide_params = calloc(values, sizeof *c->wide_params);
    oct_placement mine = *place;
    mine.pair = mine.integer = NULL;
    octet_status status = c->shown && c->params && c->wide_params ? OCTET_OK : no_memory();
    if (status == OCTET_OK)
        status = choose_parameters(q, observer, options->activations, options->symmetric, c->params);
    octet_observer of_wide = q->desc.observer == OCTET_OBSERVE_BEST ? OCTET_OBSERVE_MINMAX : observer;
    if (status == OCTET_OK && any(place->wide, q->graph.value_count))
        status = choose_parameters(q, of_wide, options->wide, options->symmetric, c->wide_params);
    if (status == OCTET_OK)
        status = copy_flags(&mine.pair, place->pair, q->graph.value_count);
    if (status == OCTET_OK)
        status = copy_flags(&mine.integer, place->integer, q->graph.value_count);
    if (status == OCTET_OK)
        status = copy_flags(&c->wide, place->wide, q->graph.value_count);
    mine.wide = c->wide;
    if (status == OCTET_OK) {
        keep_clamps(q, c, &mine);
        oct_insert insert = {.from = &q->graph,
                             .place = &mine,
                             .params = c->params,
                             .wide = c->wide_params,
                             .observers = q->observers,
                             .rounded = q->rounded,
                             .shifts = q->shifts,
                             .options = *options,
                             .to = &c->graph,
                             .shown = c->shown};
        status = oct_insert_pairs(&insert);
        c->made = status == OCTET_OK;
    }
    free(mine.pair);
    free(mine.integer);
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

/* Outputs count the same, whatever their size; one that is exact does not hide the others. */
static double mean_decibel(const octet_quantizer *q, const double *signal, const double *noise,
                           const int *place)
{
    const double exact = 200;
    double sum = 0;
    int counted = 0;
    for (int i = 0; i < q->graph.output_count; i++) {
        if (q->shaped.values[q->graph.outputs[i]].dtype != OCTET_F32)
            continue;
        int at = place ? place[i] : i;
        sum += fmax(fmin(oct_decibel(signal[at], noise[at]), exact), -exact);
        counted++;
    }
    return counted ? sum / counted : exact;
}

octet_status oct_candidate_score(octet_quantizer *q, oct_candidate *c)
{
    return oct_candidate_score_on(q, c, SCORED_SAMPLES);
}

octet_status oct_candidate_score_on(octet_quantizer *q, oct_candidate *c, size_t samples)
{
    size_t count = (size_t)q->scored_count;
    oct_taps *taps = NULL;
    double *sums = calloc(2 * count + 1, sizeof *sums);
    int *values = calloc(count + 1, sizeof *values);
    octet_status status = sums && values ? OCTET_OK : no_memory();
    for (int i = 0; status == OCTET_OK && i < q->scored_count; i++)
        values[i] = i < q->graph.output_count ? c->graph.outputs[i] : c->shown[q->scored[i]];
    if (status == OCTET_OK)
        status = oct_taps_make(&c->graph, q->device, values, q->scored_count, &taps);
    size_t used = q->sample_count < samples ? q->sample_count : samples;
    for (size_t i = 0; status == OCTET_OK && i < used; i++) {
        const oct_sample *s = &q->samples[i * q->sample_count / used];
        distance d = {s->scored, sums, sums + count};
        status = oct_taps_run(taps, s->inputs, add_distance, &d);
    }
    oct_taps_destroy(taps);
    if (status == OCTET_OK) {
        c->snr_db = mean_decibel(q, sums, sums + count, NULL);
        c->score_db = mean_decibel(q, sums, sums + count, q->judged);
    }
    free(sums);
    free(values);
    return status;
}

/* ---- the choice ---------------------------------------------------------------------------------------- */

static void keep_better(octet_quantizer *q, oct_candidate *c)
{
    if (!q->best.made || c->score_db > q->best.score_db) {
        oct_candidate_free(&q->best);
        q->best = *c;
        memset(c, 0, sizeof *c);
    }
    oct_candidate_free(c);
}

static octet_status try_one(octet_quantizer *q, octet_observer observer, const oct_insert_options *options)
{
    oct_candidate c;
    FORWARD(oct_candidate_make(q, &q->place, observer, options, &c));
    octet_status status = oct_candidate_score(q, &c);
    if (status != OCTET_OK) {
        oct_candidate_free(&c);
        return oct_fail_prefix(status, "the quantized network");
    }
    if (!(q->tried_db[observer] >= c.score_db))
        q->tried_db[observer] = c.score_db;
    keep_better(q, &c);
    return OCTET_OK;
}

static octet_status try_observers(octet_quantizer *q, const oct_insert_options *options)
{
    bool all = q->desc.observer == OCTET_OBSERVE_BEST;
    if (all && !oct_dtype_is_int8(options->activations))
        return try_one(q, OCTET_OBSERVE_MINMAX, options);
    for (int o = OCTET_OBSERVE_MINMAX; o < OCTET_OBSERVER_COUNT; o++) {
        if (!all && (octet_observer)o != q->desc.observer)
            continue;
        oct_quantizer_progress(q, octet_observer_name((octet_observer)o), (size_t)o - 1,
                               OCTET_OBSERVER_COUNT);
        FORWARD(try_one(q, (octet_observer)o, options));
    }
    return OCTET_OK;
}

/* With each weight rounded by itself, then by what its samples say: of what the float network shows at first,
 * which tells what single products cost, and front to back in the network as it has become. */
static octet_status try_rounding(octet_quantizer *q)
{
    oct_insert_options options = q->options;
    bool wide = !oct_dtype_is_int8(options.activations);
    FORWARD(try_observers(q, &options));
    if (q->desc.adaptive < 0 || (q->desc.adaptive == 0 && !wide))
        return OCTET_OK;
    options.adaptive = true;
    if (wide && !q->split_done && q->desc.split >= 0) {
        FORWARD(oct_quantizer_round(q, q->best.observer, &options, true));
        FORWARD(oct_quantizer_split(q));
        if (q->split_count)
            FORWARD(try_observers(q, &q->options));
    }
    octet_observer observer = q->best.observer;
    FORWARD(oct_quantizer_round(q, observer, &options, false));
    return try_one(q, observer, &options);
}

octet_status oct_quantizer_choose(octet_quantizer *q)
{
    oct_candidate_free(&q->best);
    oct_quantizer_forget_shifts(q);
    oct_quantizer_forget_rounded(q);
    for (size_t i = 0; i < sizeof q->tried_db / sizeof *q->tried_db; i++)
        q->tried_db[i] = NAN;
    FORWARD(try_rounding(q));
    if (!q->options.correct_bias)
        return OCTET_OK;
    oct_insert_options options = q->best.options; /* is correction of use? */
    options.correct_bias = false;
    oct_quantizer_progress(q, "bias correction", OCTET_OBSERVER_COUNT - 1, OCTET_OBSERVER_COUNT);
    FORWARD(try_one(q, q->best.observer, &options));
    return oct_quantizer_refine_biases(q);
}
