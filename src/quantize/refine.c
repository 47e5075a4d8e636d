/* Biases corrected by what the quantized network does: the mean of each channel of a product's result against
 * the float one, over samples. Nodes are corrected together and each also sees the error of those before it,
 * so a round takes part of the way, and counts only if the outputs come nearer. */
#include "quantizer.h"

#include <stdlib.h>
#include <string.h>

/* Samples that means are taken over, and rounds at most. The share of the difference that a round takes back
 * is halved when that was too much. */
#define MEAN_SAMPLES 12
#define ROUNDS       6
static const double first_share = 0.5, least_share = 0.1;

typedef struct layer {
    int node, value; /* value: of the float graph, quantized */
    int64_t channels;
    double *shift; /* [channels], what is added to the bias; owned by the quantizer */
    double *sums;  /* [channels], of float minus quantized */
    double count;  /* elements a channel */
} layer;

typedef struct refining {
    octet_quantizer *q;
    layer *layers;
    int count;
} refining;

static octet_status no_memory(void)
{
    return oct_fail(OCTET_OUT_OF_MEMORY, "out of host memory for quantization");
}

/* The products whose quantized result has channels of one bias each. */
static octet_status find_layers(refining *r)
{
    octet_quantizer *q = r->q;
    const oct_graph *g = &q->graph;
    r->layers = calloc((size_t)g->node_count + 1, sizeof *r->layers);
    q->shifts = calloc((size_t)g->node_count + 1, sizeof *q->shifts);
    if (!r->layers || !q->shifts)
        return no_memory();
    for (int i = 0; i < g->node_count; i++) {
        const oct_node *n = &g->nodes[i];
        int v = n->outputs[0];
        if (q->place.kind[i] != OCT_PLACE_PRODUCT || (n->op != OCT_OP_Conv && n->op != OCT_OP_Gemm) ||
            !q->place.pair[v])
            continue;
        int axis = n->op == OCT_OP_Conv ? 1 : q->shaped.values[v].rank - 1;
        layer *l = &r->layers[r->count++];
        *l = (layer){.node = i, .value = v, .channels = q->shaped.values[v].dims[axis]};
        l->shift = q->shifts[i] = calloc((size_t)l->channels + 1, sizeof *l->shift);
        l->sums = calloc((size_t)l->channels + 1, sizeof *l->sums);
        if (!l->shift || !l->sums)
            return no_memory();
    }
    return OCTET_OK;
}

static octet_status add_difference(void *user, int index, const octet_tensor *want, const octet_tensor *t)
{
    refining *r = user;
    layer *l = &r->layers[index];
    const float *a = want->data, *b = t->data;
    int64_t count = (int64_t)(octet_tensor_bytes(t) / sizeof(float)), inner = 1;
    for (int d = 2; d < t->rank; d++)
        inner *= t->dims[d];
    for (int64_t i = 0; i < count; i++)
        l->sums[i / inner % l->channels] += (double)a[i] - b[i];
    l->count += (double)count / (double)l->channels;
    return OCTET_OK;
}

/* The mean differences of the best network so far. */
static octet_status take_means(refining *r)
{
    octet_quantizer *q = r->q;
    int *floats = calloc((size_t)r->count + 1, sizeof *floats),
        *ints = calloc((size_t)r->count + 1, sizeof *ints);
    oct_taps *of_floats = NULL, *of_ints = NULL;
    octet_status status = floats && ints ? OCTET_OK : no_memory();
    for (int i = 0; status == OCTET_OK && i < r->count; i++) {
        layer *l = &r->layers[i];
        floats[i] = l->value;
        ints[i] = q->best.shown[l->value];
        memset(l->sums, 0, (size_t)l->channels * sizeof *l->sums);
        l->count = 0;
    }
    if (status == OCTET_OK)
        status = oct_taps_make(&q->graph, q->device, floats, r->count, &of_floats);
    if (status == OCTET_OK)
        status = oct_taps_make(&q->best.graph, q->device, ints, r->count, &of_ints);
    size_t used = q->sample_count < MEAN_SAMPLES ? q->sample_count : MEAN_SAMPLES;
    for (size_t i = 0; status == OCTET_OK && i < used; i++) {
        const oct_sample *s = &q->samples[i * q->sample_count / used];
        status = oct_taps_run_both(of_floats, of_ints, s->inputs, add_difference, r);
    }
    oct_taps_destroy(of_floats);
    oct_taps_destroy(of_ints);
    free(floats);
    free(ints);
    return status;
}

/* Move the shifts by this share of the differences; the negative takes it back. */
static void move(refining *r, double share)
{
    for (int i = 0; i < r->count; i++) {
        layer *l = &r->layers[i];
        for (int64_t c = 0; l->count > 0 && c < l->channels; c++)
            l->shift[c] += share * l->sums[c] / l->count;
    }
}

static octet_status refine(refining *r)
{
    octet_quantizer *q = r->q;
    FORWARD(find_layers(r));
    double share = first_share;
    bool measured = false;
    for (int k = 0; k < ROUNDS && r->count && share > least_share; k++) {
        oct_candidate c;
        oct_quantizer_progress(q, "biases", (size_t)k, ROUNDS);
        if (!measured)
            FORWARD(take_means(r));
        move(r, share);
        FORWARD(oct_candidate_make(q, &q->place, q->best.observer, &q->best.options, &c));
        octet_status status = oct_candidate_score(q, &c);
        measured = status != OCTET_OK || !(c.score_db > q->best.score_db);
        if (measured) {
            oct_candidate_free(&c);
            move(r, -share);
            share /= 2;
            FORWARD(status);
        } else {
            oct_candidate_free(&q->best);
            q->best = c;
        }
    }
    return OCTET_OK;
}

octet_status oct_quantizer_refine_biases(octet_quantizer *q)
{
    refining r = {.q = q};
    octet_status status = refine(&r);
    for (int i = 0; i < r.count; i++)
        free(r.layers[i].sums);
    free(r.layers);
    return status;
}

void oct_quantizer_forget_shifts(octet_quantizer *q)
{
    for (int i = 0; q->shifts && i < q->graph.node_count; i++)
        free(q->shifts[i]);
    free(q->shifts);
    q->shifts = NULL;
}
