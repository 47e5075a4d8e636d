/* What the products' inputs look like in the float network, for adaptive rounding (moments.h): one more run
 * over the samples. */
#include "moments.h"
#include "quantizer.h"

#include <stdlib.h>
#include <string.h>

/* Rows of numbers that are counted for a product over all samples: several for each number of a block. */
#define COUNTED_ROWS 8192

typedef struct collecting {
    octet_quantizer *q;
    const int *values; /* by tap: what it shows */
} collecting;

static octet_status collect(void *user, int index, const octet_tensor *t)
{
    const collecting *c = user;
    octet_quantizer *q = c->q;
    int64_t most = COUNTED_ROWS / (int64_t)q->sample_count + 1;
    for (int i = 0; i < q->graph.node_count; i++) {
        if (q->moments[i] && q->graph.nodes[i].inputs[0] == c->values[index])
            FORWARD(oct_moments_add(q->moments[i], &q->graph, &q->graph.nodes[i], t, most));
    }
    return OCTET_OK;
}

/* The inputs of the products that have moments, each once. */
static int list_inputs(const octet_quantizer *q, int *values)
{
    int count = 0;
    for (int i = 0; i < q->graph.node_count; i++) {
        int v = q->graph.nodes[i].inputs[0], at = 0;
        while (q->moments[i] && at < count && values[at] != v)
            at++;
        if (q->moments[i] && at == count)
            values[count++] = v;
    }
    return count;
}

static octet_status make_moments(octet_quantizer *q)
{
    const oct_graph *g = &q->graph;
    q->moments = calloc((size_t)g->node_count + 1, sizeof *q->moments);
    RETURN_IF(!q->moments, OCTET_OUT_OF_MEMORY, "out of host memory for quantization");
    for (int i = 0; i < g->node_count; i++) {
        const oct_node *n = &g->nodes[i];
        if (q->place.kind[i] == OCT_PLACE_PRODUCT && !oct_is_const(g, n->inputs[0]) &&
            oct_is_const(g, n->inputs[1]))
            FORWARD(oct_moments_make(g, n, &q->moments[i]));
    }
    return OCTET_OK;
}

octet_status oct_quantizer_find_moments(octet_quantizer *q)
{
    oct_quantizer_forget_moments(q);
    FORWARD(make_moments(q));
    int *values = calloc((size_t)q->graph.node_count + 1, sizeof *values);
    RETURN_IF(!values, OCTET_OUT_OF_MEMORY, "out of host memory for quantization");
    oct_taps *taps = NULL;
    collecting user = {q, values};
    octet_status status = oct_taps_make(&q->graph, q->device, values, list_inputs(q, values), &taps);
    for (size_t i = 0; status == OCTET_OK && i < q->sample_count; i++) {
        oct_quantizer_progress(q, "adaptive rounding", i, q->sample_count);
        status = oct_taps_run(taps, q->samples[i].inputs, collect, &user);
    }
    oct_taps_destroy(taps);
    free(values);
    return status;
}

void oct_quantizer_forget_moments(octet_quantizer *q)
{
    for (int i = 0; q->moments && i < q->graph.node_count; i++)
        oct_moments_free(q->moments[i]);
    free(q->moments);
    q->moments = NULL;
}
