/* Adaptive rounding of a whole network (round.h), front to back: each product's weights are rounded by what
 * its input is in the float network and in the one that is quantized so far, so that it also takes back what
 * those before it have done. Products that do not wait for each other are taken together. */
#include "moments.h"
#include "prepare.h"
#include "quantizer.h"
#include "round.h"

#include <stdlib.h>
#include <string.h>

/* Samples that are run for every wave of products; and rows of numbers that are multiplied for a product over
 * all of them: several for each number of a block. */
#define ROUNDED_SAMPLES 64
#define COUNTED_ROWS    8192

/* And memory for the moments of a wave, at least those of one product. */
#define WAVE_BYTES ((int64_t)512 << 20)

typedef struct adapting {
    octet_quantizer *q;
    octet_observer observer;
    const oct_insert_options *options;
    bool from_float;       /* products do not wait for each other */
    bool *waiting;         /* by node */
    bool *behind;          /* by value: something waiting makes it */
    oct_moments **moments; /* by node: of the wave; NULL: not in it */
    int *values, count;    /* the wave's inputs, each once */
    int64_t most;          /* rows of a sample */
    size_t done, total;
} adapting;

static octet_status no_memory(void)
{
    return oct_fail(OCTET_OUT_OF_MEMORY, "out of host memory for adaptive rounding");
}

static void list_input(adapting *a, int v)
{
    int at = 0;
    while (at < a->count && a->values[at] != v)
        at++;
    if (at == a->count)
        a->values[a->count++] = v;
}

static int64_t bytes_of(const oct_moments *m)
{
    return 2 * oct_moments_block_at(m, m->groups, 0) * (int64_t)sizeof *m->products;
}

/* Products that wait, and behind nothing that does. */
static octet_status find_wave(adapting *a)
{
    const oct_graph *g = &a->q->graph;
    int64_t bytes = 0;
    memset(a->behind, 0, (size_t)g->value_count);
    a->count = 0;
    for (int i = 0; i < g->node_count; i++) {
        const oct_node *n = &g->nodes[i];
        bool behind = false;
        for (int j = 0; j < n->input_count; j++)
            behind = behind || (n->inputs[j] != OCT_NO_VALUE && a->behind[n->inputs[j]] && !a->from_float);
        if (a->waiting[i] && !behind && bytes < WAVE_BYTES) {
            FORWARD(oct_moments_make(g, n, &a->moments[i]));
            if (a->moments[i]) {
                list_input(a, n->inputs[0]);
                bytes += bytes_of(a->moments[i]);
            } else {
                a->waiting[i] = false; /* weights of another kind stay as they are */
            }
        }
        for (int o = 0; o < n->output_count; o++) {
            if (n->outputs[o] != OCT_NO_VALUE)
                a->behind[n->outputs[o]] = behind || a->waiting[i];
        }
    }
    return OCTET_OK;
}

static octet_status collect(void *user, int index, const octet_tensor *wanted, const octet_tensor *t)
{
    const adapting *a = user;
    const oct_graph *g = &a->q->graph;
    for (int i = 0; i < g->node_count; i++) {
        if (a->moments[i] && g->nodes[i].inputs[0] == a->values[index])
            FORWARD(oct_moments_add(a->moments[i], g, &g->nodes[i], wanted, t, a->most));
    }
    return OCTET_OK;
}

/* The moments of the wave's products in the network c, or in float. */
static octet_status run_wave(adapting *a, const oct_candidate *c)
{
    octet_quantizer *q = a->q;
    oct_taps *of_floats = NULL, *of_ints = NULL;
    int *shown = calloc((size_t)a->count + 1, sizeof *shown);
    octet_status status = shown ? OCTET_OK : no_memory();
    for (int i = 0; status == OCTET_OK && i < a->count; i++)
        shown[i] = a->from_float ? a->values[i] : c->shown[a->values[i]];
    if (status == OCTET_OK)
        status = oct_taps_make(&q->graph, q->device, a->values, a->count, &of_floats);
    if (status == OCTET_OK)
        status = oct_taps_make(a->from_float ? &q->graph : &c->graph, q->device, shown, a->count, &of_ints);
    size_t used = q->sample_count < ROUNDED_SAMPLES ? q->sample_count : ROUNDED_SAMPLES;
    a->most = COUNTED_ROWS / (int64_t)used + 1;
    for (size_t i = 0; status == OCTET_OK && i < used; i++) {
        const oct_sample *s = &q->samples[i * q->sample_count / used];
        status = oct_taps_run_both(of_floats, of_ints, s->inputs, collect, a);
    }
    oct_taps_destroy(of_floats);
    oct_taps_destroy(of_ints);
    free(shown);
    return status;
}

/* The scale of what product `node` reads, as insertion will have it. */
static float input_scale(const adapting *a, const oct_candidate *c, int node)
{
    const octet_quantizer *q = a->q;
    int v = q->graph.nodes[node].inputs[0];
    bool wide = oct_reads_wide(&q->place, &q->graph, node, v);
    return (wide ? c->wide_params : c->params)[q->place.like[v]].scale;
}

/* The weights that those of `node` are what is left of; NULL: they are whole. */
static const float *coarse_weights(const adapting *a, int node)
{
    const oct_graph *g = &a->q->graph;
    for (size_t i = 0; i < a->q->split_count; i++) {
        const oct_split *s = &a->q->splits[i];
        int64_t count;
        if (g->nodes[node].outputs[0] == s->fine)
            return oct_const_floats(g, g->nodes[g->values[s->coarse].producer].inputs[1], &count);
    }
    return NULL;
}

static octet_status round_node(adapting *a, const oct_candidate *c, int node)
{
    octet_quantizer *q = a->q;
    oct_rounded *r = &q->rounded[node];
    const oct_weight_options options = {a->options->per_tensor, a->options->reduce_range,
                                        input_scale(a, c, node)};
    oct_arena arena = {0};
    oct_weights w;
    octet_status status = oct_weights_open(&q->graph, &q->graph.nodes[node], &options, &arena, &w);
    if (status == OCTET_OK) {
        const oct_rounding how = {w.data, coarse_weights(a, node), w.least, w.top, options.per_tensor};
        if (oct_weights_are_whole(&w)) {
            oct_arena_free(&arena);
            return OCTET_OK;
        }
        r->made = malloc((size_t)w.elems + 1);
        r->scales = malloc((size_t)w.channels * sizeof *r->scales);
        r->shift = malloc((size_t)w.channels * sizeof *r->shift);
        status = r->made && r->scales && r->shift ? OCTET_OK : no_memory();
        if (status == OCTET_OK) {
            memcpy(r->scales, w.scales, (size_t)w.channels * sizeof *r->scales);
            status = oct_moments_round(a->moments[node], &how, r->scales, r->made, r->shift);
        }
    }
    oct_arena_free(&arena);
    return status;
}

/* Round what can be; false in *more: that was all. */
static octet_status take_wave(adapting *a, bool *more)
{
    octet_quantizer *q = a->q;
    oct_candidate c = {0};
    octet_status status = find_wave(a);
    *more = a->count > 0;
    if (status == OCTET_OK && *more)
        status = oct_candidate_make(q, &q->place, a->observer, a->options, &c);
    if (status == OCTET_OK && *more)
        status = run_wave(a, &c);
    for (int i = 0; i < q->graph.node_count; i++) {
        if (status == OCTET_OK && a->moments[i]) {
            oct_quantizer_progress(q, "adaptive rounding", a->done++, a->total);
            status = round_node(a, &c, i);
            a->waiting[i] = false;
        }
        oct_moments_free(a->moments[i]);
        a->moments[i] = NULL;
    }
    oct_candidate_free(&c);
    return status;
}

static octet_status round_all(adapting *a)
{
    const octet_quantizer *q = a->q;
    for (int i = 0; i < q->graph.node_count; i++) {
        const oct_node *n = &q->graph.nodes[i];
        a->waiting[i] = q->place.kind[i] == OCT_PLACE_PRODUCT && !oct_is_const(&q->graph, n->inputs[0]) &&
                        oct_is_const(&q->graph, n->inputs[1]);
        a->total += a->waiting[i];
    }
    for (bool more = true; more;)
        FORWARD(take_wave(a, &more));
    return OCTET_OK;
}

octet_status oct_quantizer_round(octet_quantizer *q, octet_observer observer,
                                 const oct_insert_options *options, bool from_float)
{
    size_t nodes = (size_t)q->graph.node_count + 1, values = (size_t)q->graph.value_count + 1;
    oct_quantizer_forget_rounded(q);
    adapting a = {.q = q,
                  .observer = observer,
                  .options = options,
                  .from_float = from_float,
                  .waiting = calloc(nodes, sizeof *a.waiting),
                  .behind = calloc(values, sizeof *a.behind),
                  .moments = calloc(nodes, sizeof *a.moments),
                  .values = calloc(nodes, sizeof *a.values)};
    q->rounded = calloc(nodes, sizeof *q->rounded);
    octet_status status =
        a.waiting && a.behind && a.moments && a.values && q->rounded ? OCTET_OK : no_memory();
    if (status == OCTET_OK)
        status = round_all(&a);
    free(a.waiting);
    free(a.behind);
    free(a.moments);
    free(a.values);
    return status;
}

void oct_quantizer_forget_rounded(octet_quantizer *q)
{
    for (int i = 0; q->rounded && i < q->graph.node_count; i++)
        oct_rounded_free(&q->rounded[i]);
    free(q->rounded);
    q->rounded = NULL;
}
