/* Nodes are corrected together and each also sees the error of those before it, so a round takes part of the
 * way, and counts only if the outputs come nearer. */
#include "biases.h"

#include <stdlib.h>
#include <string.h>

/* Samples that means are taken over, and rounds at most. The share of the difference that a round takes back
 * is halved when that was too much. */
#define MEAN_SAMPLES 12
#define ROUNDS       6
static const double first_share = 0.5, least_share = 0.1;

typedef struct layer {
    int value; /* of the float graph, quantized */
    int64_t channels;
    double *shift; /* [channels], what is added to the bias; one of the search */
    double *sums;  /* [channels], of float minus quantized */
    double count;  /* elements a channel */
} layer;

typedef struct refining {
    oct_search *s;
    layer *layers;
    int count;
} refining;

/* The products whose quantized result has channels of one bias each. */
static octet_status find_layers(refining *r)
{
    const oct_prepared *net = r->s->seen->net;
    const oct_pair_places *at = &r->s->placed->at;
    size_t nodes = (size_t)net->graph.node_count + 1;
    r->layers = calloc(nodes, sizeof *r->layers);
    r->s->shifts = calloc(nodes, sizeof *r->s->shifts);
    if (!r->layers || !r->s->shifts)
        return oct_out_of_memory("quantization");
    for (int i = 0; i < net->graph.node_count; i++) {
        const oct_node *n = &net->graph.nodes[i];
        int v = n->outputs[0];
        if (at->kind[i] != OCT_PLACE_PRODUCT || (n->op != OCT_OP_Conv && n->op != OCT_OP_Gemm) ||
            !at->pair[v])
            continue;
        int axis = n->op == OCT_OP_Conv ? 1 : net->shaped.values[v].rank - 1;
        layer *l = &r->layers[r->count++];
        *l = (layer){.value = v, .channels = net->shaped.values[v].dims[axis]};
        l->shift = r->s->shifts[i] = calloc((size_t)l->channels + 1, sizeof *l->shift);
        l->sums = calloc((size_t)l->channels + 1, sizeof *l->sums);
        if (!l->shift || !l->sums)
            return oct_out_of_memory("quantization");
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
    const oct_candidate *best = &r->s->best;
    size_t count = (size_t)r->count;
    int *floats = calloc(2 * count + 1, sizeof *floats);
    if (!floats)
        return oct_out_of_memory("quantization");
    int *ints = floats + count;
    for (int i = 0; i < r->count; i++) {
        layer *l = &r->layers[i];
        floats[i] = l->value;
        ints[i] = best->shown[l->value];
        memset(l->sums, 0, (size_t)l->channels * sizeof *l->sums);
        l->count = 0;
    }
    octet_status status = oct_observed_beside(r->s->seen, floats, &best->graph, ints, r->count, MEAN_SAMPLES,
                                              NULL, add_difference, r);
    free(floats);
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
    oct_search *s = r->s;
    FORWARD(find_layers(r));
    double share = first_share;
    bool measured = false;
    for (int k = 0; k < ROUNDS && r->count && share > least_share; k++) {
        const oct_method how = oct_search_method(s);
        double before_db = s->score.judged_db, judged_db;
        oct_quantize_progress(s->seen->net->asked, "biases", (size_t)k, ROUNDS);
        if (!measured)
            FORWARD(take_means(r));
        move(r, share);
        octet_status status = oct_search_try(s, &how, &judged_db);
        measured = status != OCTET_OK || !(judged_db > before_db);
        if (measured) {
            move(r, -share);
            share /= 2;
            FORWARD(status);
        }
    }
    return OCTET_OK;
}

octet_status oct_correct_biases(oct_search *s)
{
    refining r = {.s = s};
    octet_status status = refine(&r);
    for (int i = 0; i < r.count; i++)
        free(r.layers[i].sums);
    free(r.layers);
    return status;
}

void oct_shifts_free(double **shifts, int node_count)
{
    for (int i = 0; shifts && i < node_count; i++)
        free(shifts[i]);
    free(shifts);
}
