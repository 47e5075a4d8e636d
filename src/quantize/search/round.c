/* Products that do not wait for each other are rounded together: a wave. */
#include "round.h"
#include "moments.h"
#include "prepare.h"
#include "round_product.h"

#include <stdlib.h>
#include <string.h>

/* Samples that are run for every wave of products; and rows of numbers that are multiplied for a product over
 * all of them: several for each number of a block. */
#define ROUNDED_SAMPLES 64
#define COUNTED_ROWS    8192

/* And memory for the moments of a wave, at least those of one product. */
#define WAVE_BYTES ((int64_t)512 << 20)

typedef struct adapting {
    const oct_observed *seen;
    const oct_placed *placed;
    oct_method how;               /* with what is rounded so far */
    oct_rounded_weights *rounded; /* by node */
    bool from_float;              /* products do not wait for each other */
    bool *waiting;                /* by node */
    bool *behind;                 /* by value: something waiting makes it */
    oct_moments **moments;        /* by node: of the wave; NULL: not in it */
    int *values, count;           /* the wave's inputs, each once */
    int64_t most;                 /* rows of a sample */
    size_t done, total;
} adapting;

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
    const oct_graph *g = &a->seen->net->graph;
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
    const oct_graph *g = &a->seen->net->graph;
    for (int i = 0; i < g->node_count; i++) {
        if (a->moments[i] && g->nodes[i].inputs[0] == a->values[index])
            FORWARD(oct_moments_add(a->moments[i], g, &g->nodes[i], wanted, t, a->most));
    }
    return OCTET_OK;
}

/* The moments of the wave's products in the network c, or in float. */
static octet_status run_wave(adapting *a, const oct_candidate *c)
{
    int *shown = calloc((size_t)a->count + 1, sizeof *shown);
    if (!shown)
        return oct_out_of_memory("quantization");
    for (int i = 0; i < a->count; i++)
        shown[i] = a->from_float ? a->values[i] : c->shown[a->values[i]];
    a->most = COUNTED_ROWS / (int64_t)oct_samples_used(a->seen->samples, ROUNDED_SAMPLES) + 1;
    const oct_graph *g = a->from_float ? &a->seen->net->graph : &c->graph;
    octet_status status =
        oct_observed_beside(a->seen, a->values, g, shown, a->count, ROUNDED_SAMPLES, NULL, collect, a);
    free(shown);
    return status;
}

/* The scale of what product `node` reads, as insertion will have it. */
static float input_scale(const adapting *a, const oct_candidate *c, int node)
{
    const oct_graph *g = &a->seen->net->graph;
    int v = g->nodes[node].inputs[0];
    bool wide = oct_reads_wide(&a->placed->at, g, node, v);
    return (wide ? c->wide_params : c->params)[a->placed->at.like[v]].scale;
}

/* The weights that those of `node` are what is left of; NULL: they are whole. */
static const float *coarse_weights(const adapting *a, int node)
{
    const oct_graph *g = &a->seen->net->graph;
    for (size_t i = 0; i < a->seen->net->wide_count; i++) {
        const oct_wide_product *s = &a->seen->net->wide[i];
        int64_t count;
        if (g->nodes[node].outputs[0] == s->fine)
            return oct_const_floats(g, g->nodes[g->values[s->coarse].producer].inputs[1], &count);
    }
    return NULL;
}

static octet_status round_node(adapting *a, const oct_candidate *c, int node)
{
    const oct_graph *g = &a->seen->net->graph;
    oct_rounded_weights *r = &a->rounded[node];
    const oct_weight_options options = {a->how.options.per_tensor, a->how.options.reduce_range,
                                        input_scale(a, c, node)};
    oct_arena arena = {0};
    oct_quant_weights w;
    octet_status status = oct_quant_weights_open(g, &g->nodes[node], &options, &arena, &w);
    if (status == OCTET_OK) {
        const oct_round_options how = {w.data, coarse_weights(a, node), w.least, w.top, options.per_tensor};
        if (oct_quant_weights_are_whole(&w)) {
            oct_arena_free(&arena);
            return OCTET_OK;
        }
        r->made = malloc((size_t)w.elems + 1);
        r->scales = malloc((size_t)w.channels * sizeof *r->scales);
        r->shift = malloc((size_t)w.channels * sizeof *r->shift);
        status = r->made && r->scales && r->shift ? OCTET_OK : oct_out_of_memory("quantization");
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
    oct_candidate c = {0};
    octet_status status = find_wave(a);
    *more = a->count > 0;
    if (status == OCTET_OK && *more)
        status = oct_candidate_make(a->seen, a->placed, &a->how, &c);
    if (status == OCTET_OK && *more)
        status = run_wave(a, &c);
    for (int i = 0; i < a->seen->net->graph.node_count; i++) {
        if (status == OCTET_OK && a->moments[i]) {
            oct_quantize_progress(a->seen->net->asked, "adaptive rounding", a->done++, a->total);
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
    const oct_graph *g = &a->seen->net->graph;
    for (int i = 0; i < g->node_count; i++) {
        const oct_node *n = &g->nodes[i];
        a->waiting[i] = a->placed->at.kind[i] == OCT_PLACE_PRODUCT && !oct_is_const(g, n->inputs[0]) &&
                        oct_is_const(g, n->inputs[1]);
        a->total += a->waiting[i];
    }
    for (bool more = true; more;)
        FORWARD(take_wave(a, &more));
    return OCTET_OK;
}

octet_status oct_round(const oct_observed *seen, const oct_placed *placed, const oct_method *how,
                       bool from_float, oct_rounded_weights **made)
{
    const oct_graph *g = &seen->net->graph;
    size_t nodes = (size_t)g->node_count + 1, values = (size_t)g->value_count + 1;
    adapting a = {.seen = seen,
                  .placed = placed,
                  .how = *how,
                  .rounded = calloc(nodes, sizeof *a.rounded),
                  .from_float = from_float,
                  .waiting = calloc(nodes, sizeof *a.waiting),
                  .behind = calloc(values, sizeof *a.behind),
                  .moments = calloc(nodes, sizeof *a.moments),
                  .values = calloc(nodes, sizeof *a.values)};
    a.how.rounded = a.rounded;
    octet_status status = a.waiting && a.behind && a.moments && a.values && a.rounded
                              ? OCTET_OK
                              : oct_out_of_memory("quantization");
    if (status == OCTET_OK)
        status = round_all(&a);
    free(a.waiting);
    free(a.behind);
    free(a.moments);
    free(a.values);
    *made = a.rounded;
    if (status != OCTET_OK) {
        oct_rounded_list_free(a.rounded, g->node_count);
        *made = NULL;
    }
    return status;
}
