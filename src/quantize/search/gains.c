#include "gains.h"

#include <math.h>
#include <stdlib.h>

/* Samples that networks with one layer kept higher are compared on, one network a layer. */
#define GAIN_SAMPLES 8

static octet_status find(const oct_search *s, octet_raise raise, double *gains)
{
    const oct_prepared *net = s->seen->net;
    const oct_method how = oct_search_method(s);
    size_t layers = 0, done = 0;
    oct_score base;
    FORWARD(oct_candidate_score(&s->best, s->seen, GAIN_SAMPLES, &base));
    for (int i = 0; i < net->graph.node_count; i++) {
        gains[i] = NAN;
        layers += oct_placed_layer(s->placed, i);
    }
    for (int i = 0; i < net->graph.node_count; i++) {
        oct_placed higher;
        double judged_db;
        if (!oct_placed_layer(s->placed, i))
            continue;
        oct_quantize_progress(
            net->asked, raise == OCTET_RAISE_FLOAT ? "layers in float" : "layers in 16 bits", done++, layers);
        if (s->placed->marks[raise][i])
            continue;
        FORWARD(oct_placed_raise(s->placed, raise, &i, 1, &higher));
        FORWARD(oct_search_score_placed(s, &higher, &how, GAIN_SAMPLES, &judged_db));
        gains[i] = judged_db - base.judged_db;
    }
    return OCTET_OK;
}

octet_status oct_gains_find(const oct_search *s, octet_raise raise, double **gains)
{
    *gains = calloc((size_t)s->seen->net->graph.node_count + 1, sizeof **gains);
    if (!*gains)
        return oct_out_of_memory("quantization");
    octet_status status = find(s, raise, *gains);
    if (status != OCTET_OK) {
        free(*gains);
        *gains = NULL;
    }
    return status;
}

int oct_gains_take_best(double *gains, int node_count, int most, int *nodes)
{
    int count = 0;
    for (; count < most; count++) {
        int best = -1;
        for (int i = 0; i < node_count; i++) {
            if (!isnan(gains[i]) && (best < 0 || gains[i] > gains[best]))
                best = i;
        }
        if (best < 0)
            break;
        gains[best] = NAN;
        nodes[count] = best;
    }
    return count;
}
