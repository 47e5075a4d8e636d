/* From a file and samples to observed tensors. */
#include "quantizer.h"
#include "dtype.h"
#include "prepare.h"
#include "rewrite.h"
#include "sizes.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static octet_status no_memory(void)
{
    return oct_fail(OCTET_OUT_OF_MEMORY, "out of host memory for quantization");
}

void oct_quantizer_progress(const octet_quantizer *q, const char *step, size_t done, size_t total)
{
    if (q->desc.progress)
        q->desc.progress(q->desc.progress_user, step, done, total);
}

double oct_decibel(double signal, double noise)
{
    return noise > 0 ? 10 * log10(signal / noise) : INFINITY;
}

/* Mark nodes by their names or operators; an unknown one is refused. */
static octet_status mark_named(const octet_quantizer *q, char *const *names, size_t count, const char *what,
                               bool *marks)
{
    for (size_t e = 0; e < count; e++) {
        bool found = false;
        for (int i = 0; i < q->graph.node_count; i++) {
            const oct_node *n = &q->graph.nodes[i];
            if (strcmp(n->name, names[e]) != 0 && strcmp(n->op_type, names[e]) != 0)
                continue;
            marks[i] = found = true;
        }
        RETURN_IF(!found, OCTET_INVALID_ARGUMENT, "no node or operator is named '%s', which is to %s",
                  names[e], what);
    }
    return OCTET_OK;
}

octet_status oct_quantizer_place(const octet_quantizer *q, oct_placement *place)
{
    const oct_place_options options = {q->excluded, q->raised, q->desc.integer_softmax};
    return oct_place(&q->graph, &q->shaped, &options, place);
}

/* Which axis of a product's operand has its input channels. */
static octet_status watch(octet_quantizer *q, int v, bool for_means)
{
    const oct_value *value = &q->shaped.values[v];
    int64_t channels = 0;
    if (for_means && value->rank >= 2)
        channels = value->dims[value->rank >= 3 ? 1 : value->rank - 1];
    q->watched[q->watched_count++] = v;
    return oct_observer_init(&q->observers[v], channels);
}

static octet_status choose_watched(octet_quantizer *q)
{
    const oct_graph *g = &q->graph;
    size_t values = (size_t)g->value_count + 1;
    bool *means = calloc(values, sizeof *means), *wanted = calloc(values, sizeof *wanted);
    q->watched = calloc(values, sizeof *q->watched);
    q->observers = calloc(values, sizeof *q->observers);
    octet_status status = means && wanted && q->watched && q->observers ? OCTET_OK : no_memory();
    int products = 0;
    for (int i = 0; status == OCTET_OK && i < g->node_count; i++) {
        const oct_node *n = &g->nodes[i];
        products += q->place.kind[i] == OCT_PLACE_PRODUCT;
        if (n->op == OCT_OP_Conv || n->op == OCT_OP_Gemm)
            means[n->inputs[0]] = true;
        if (q->place.absorbed[i])
            wanted[n->inputs[0]] = true;
    }
    if (status == OCTET_OK && !products)
        status = oct_fail(OCTET_UNSUPPORTED,
                          "there is nothing to quantize: no Conv, Gemm or MatMul has constant float weights");
    for (int v = 0; status == OCTET_OK && v < g->value_count; v++) {
        if (wanted[v] || q->place.pair[v])
            status = watch(q, v, means[v]);
    }
    free(means);
    free(wanted);
    return status;
}

/* The place of v in a list that it is added to where it is not there yet. */
static int place_in(int *list, int *count, int v)
{
    int at = 0;
    while (at < *count && list[at] != v)
        at++;
    if (at == *count)
        list[(*count)++] = v;
    return at;
}

static octet_status make_taps(octet_quantizer *q)
{
    const oct_graph *g = &q->graph;
    size_t outputs = (size_t)g->output_count;
    q->scored = calloc(2 * outputs + 1, sizeof *q->scored);
    q->judged = calloc(outputs + 1, sizeof *q->judged);
    q->tapped = calloc((size_t)q->watched_count + 2 * outputs + 1, sizeof *q->tapped);
    if (!q->scored || !q->judged || !q->tapped)
        return no_memory();
    for (int i = 0; i < g->output_count; i++)
        q->judged[i] = place_in(q->scored, &q->scored_count, g->outputs[i]);
    for (int i = 0; i < g->output_count; i++) {
        int from = g->values[g->outputs[i]].producer;
        const oct_node *n = from < 0 ? NULL : &g->nodes[from];
        if (n && (n->op == OCT_OP_Softmax || n->op == OCT_OP_Sigmoid) && !g->values[n->inputs[0]].data &&
            g->values[n->inputs[0]].producer >= 0)
            q->judged[i] = place_in(q->scored, &q->scored_count, n->inputs[0]);
    }
    for (int i = 0; i < q->watched_count; i++)
        (void)place_in(q->tapped, &q->tapped_count, q->watched[i]);
    for (int i = 0; i < q->scored_count; i++)
        (void)place_in(q->tapped, &q->tapped_count, q->scored[i]);
    return oct_taps_make(g, q->device, q->tapped, q->tapped_count, &q->taps);
}

octet_status oct_quantizer_prepare(octet_quantizer *q, const octet_tensor *inputs)
{
    FORWARD(oct_prepare(&q->graph, inputs, &q->opset));
    if (q->desc.equalize)
        FORWARD(oct_equalize(&q->graph));
    FORWARD(oct_graph_sort(&q->graph));
    return oct_quantizer_arrange(q, inputs);
}

octet_status oct_quantizer_arrange(octet_quantizer *q, const octet_tensor *inputs)
{
    FORWARD(oct_shaped_copy(&q->graph, inputs, &q->shaped));
    q->excluded = calloc((size_t)q->graph.node_count + 1, sizeof *q->excluded);
    q->raised = calloc((size_t)q->graph.node_count + 1, sizeof *q->raised);
    if (!q->excluded || !q->raised)
        return no_memory();
    FORWARD(mark_named(q, q->exclude, q->exclude_count, "stay float", q->excluded));
    FORWARD(mark_named(q, q->widen, q->widen_count, "have 16 bits", q->raised));
    FORWARD(oct_quantizer_place(q, &q->place));
    FORWARD(choose_watched(q));
    FORWARD(make_taps(q));
    q->prepared = true;
    return OCTET_OK;
}

void oct_quantizer_forget_arrangement(octet_quantizer *q)
{
    for (int i = 0; i < q->watched_count; i++)
        oct_observer_free(&q->observers[q->watched[i]]);
    oct_quantizer_forget_shifts(q);
    oct_quantizer_forget_rounded(q);
    oct_taps_destroy(q->taps);
    oct_placement_free(&q->place);
    free(q->observers);
    free(q->watched);
    free(q->scored);
    free(q->judged);
    free(q->tapped);
    free(q->excluded);
    free(q->raised);
    oct_graph_free(&q->shaped);
    q->taps = NULL;
    q->observers = NULL;
    q->excluded = q->raised = NULL;
    q->watched = q->scored = q->judged = q->tapped = NULL;
    q->watched_count = q->scored_count = q->tapped_count = 0;
}

/* ---- samples ------------------------------------------------------------------------------------------- */

static octet_status copy_tensor(const octet_tensor *from, octet_tensor *to)
{
    *to = *from;
    to->data = NULL;
    to->data_bytes = 0;
    FORWARD(octet_tensor_alloc(to));
    if (octet_tensor_bytes(from))
        memcpy(to->data, from->data, octet_tensor_bytes(from));
    return OCTET_OK;
}

typedef struct seeing {
    octet_quantizer *q;
    oct_sample *sample;
} seeing;

static octet_status watch_sample(octet_quantizer *q, int v, const octet_tensor *t)
{
    int64_t inner = 1, count = (int64_t)(octet_tensor_bytes(t) / sizeof(float));
    for (int d = 2; d < t->rank && t->rank >= 3; d++)
        inner *= t->dims[d];
    octet_status status = oct_observer_add(&q->observers[v], t->data, count, inner ? inner : 1);
    if (status == OCTET_OK)
        return status;
    const oct_value *value = &q->graph.values[v];
    int from = value->producer;
    return oct_fail_prefix(status, "tensor '%s'%s%s%s, sample %zu", value->name, from < 0 ? "" : " (node '",
                           from < 0 ? "" : q->graph.nodes[from].name, from < 0 ? "" : "')",
                           q->sample_count + 1);
}

static octet_status see(void *user, int index, const octet_tensor *t)
{
    const seeing *s = user;
    octet_quantizer *q = s->q;
    int v = q->tapped[index];
    if (index < q->watched_count)
        FORWARD(watch_sample(q, v, t));
    for (int i = 0; i < q->scored_count; i++) {
        if (q->scored[i] != v)
            continue;
        octet_tensor_free(&s->sample->scored[i]);
        FORWARD(copy_tensor(t, &s->sample->scored[i]));
    }
    return OCTET_OK;
}

octet_status oct_quantizer_observe_again(octet_quantizer *q)
{
    for (size_t i = 0; i < q->sample_count; i++) {
        seeing user = {q, &q->samples[i]};
        oct_quantizer_progress(q, "observe again", i, q->sample_count);
        FORWARD(oct_taps_run(q->taps, q->samples[i].inputs, see, &user));
    }
    return OCTET_OK;
}

octet_status oct_quantizer_observe(octet_quantizer *q, const octet_tensor *inputs)
{
    if (q->sample_count == q->sample_capacity) {
        size_t capacity = q->sample_capacity ? 2 * q->sample_capacity : 16;
        oct_sample *samples = realloc(q->samples, capacity * sizeof *samples);
        if (!samples)
            return no_memory();
        q->samples = samples;
        q->sample_capacity = capacity;
    }
    const oct_graph *g = &q->graph;
    oct_sample *s = &q->samples[q->sample_count];
    s->inputs = calloc((size_t)g->input_count + 1, sizeof *s->inputs);
    s->scored = calloc((size_t)q->scored_count + 1, sizeof *s->scored);
    octet_status status = s->inputs && s->scored ? OCTET_OK : no_memory();
    for (int i = 0; status == OCTET_OK && i < g->input_count; i++)
        status = copy_tensor(&inputs[i], &s->inputs[i]);
    seeing user = {q, s};
    if (status == OCTET_OK)
        status = oct_taps_run(q->taps, s->inputs, see, &user);
    if (status == OCTET_OK) {
        q->sample_count++;
        return OCTET_OK;
    }
    for (int i = 0; s->inputs && i < g->input_count; i++)
        octet_tensor_free(&s->inputs[i]);
    for (int i = 0; s->scored && i < q->scored_count; i++)
        octet_tensor_free(&s->scored[i]);
    free(s->inputs);
    free(s->scored);
    return status;
}
