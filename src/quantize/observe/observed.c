#include "observed.h"

#include <stdlib.h>
#include <string.h>

/* ---- what is watched ----------------------------------------------------------------------------------- */

/* for_means: by channel, which are on the axis of a product's operand that its weights meet. */
static octet_status watch(oct_observed *o, int v, bool for_means)
{
    const oct_value *value = &o->net->shaped.values[v];
    int64_t channels = 0;
    if (for_means && value->rank >= 2)
        channels = value->dims[value->rank >= 3 ? 1 : value->rank - 1];
    o->watched[o->watched_count++] = v;
    return oct_observer_init(&o->observers[v], channels);
}

static octet_status choose_watched(const oct_pair_places *at, oct_observed *o)
{
    const oct_graph *g = &o->net->graph;
    size_t values = (size_t)g->value_count + 1;
    bool *means = calloc(values, sizeof *means), *wanted = calloc(values, sizeof *wanted);
    o->watched = calloc(values, sizeof *o->watched);
    o->observers = calloc(values, sizeof *o->observers);
    octet_status status =
        means && wanted && o->watched && o->observers ? OCTET_OK : oct_out_of_memory("quantization");
    int products = 0;
    for (int i = 0; status == OCTET_OK && i < g->node_count; i++) {
        const oct_node *n = &g->nodes[i];
        products += at->kind[i] == OCT_PLACE_PRODUCT;
        if (n->op == OCT_OP_Conv || n->op == OCT_OP_Gemm)
            means[n->inputs[0]] = true;
        if (at->absorbed[i])
            wanted[n->inputs[0]] = true;
    }
    if (status == OCTET_OK && !products)
        status = oct_fail(OCTET_UNSUPPORTED,
                          "there is nothing to quantize: no Conv, Gemm or MatMul has constant float weights");
    for (int v = 0; status == OCTET_OK && v < g->value_count; v++) {
        if (wanted[v] || at->pair[v])
            status = watch(o, v, means[v]);
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

static octet_status choose_yardstick(const oct_graph *g, oct_yardstick *by)
{
    size_t outputs = (size_t)g->output_count;
    by->values = calloc(2 * outputs + 1, sizeof *by->values);
    by->judged = calloc(outputs + 1, sizeof *by->judged);
    if (!by->values || !by->judged)
        return oct_out_of_memory("quantization");
    for (int i = 0; i < g->output_count; i++)
        by->judged[i] = place_in(by->values, &by->count, g->outputs[i]);
    for (int i = 0; i < g->output_count; i++) {
        int from = g->values[g->outputs[i]].producer;
        const oct_node *n = from < 0 ? NULL : &g->nodes[from];
        if (n && (n->op == OCT_OP_Softmax || n->op == OCT_OP_Sigmoid) && !g->values[n->inputs[0]].data &&
            g->values[n->inputs[0]].producer >= 0)
            by->judged[i] = place_in(by->values, &by->count, n->inputs[0]);
    }
    return OCTET_OK;
}

static octet_status open(const oct_placed *placed, oct_observed *o)
{
    FORWARD(choose_watched(&placed->at, o));
    FORWARD(choose_yardstick(&o->net->graph, &o->by));
    o->tapped = calloc((size_t)(o->watched_count + o->by.count) + 1, sizeof *o->tapped);
    if (!o->tapped)
        return oct_out_of_memory("quantization");
    for (int i = 0; i < o->watched_count; i++)
        (void)place_in(o->tapped, &o->tapped_count, o->watched[i]);
    for (int i = 0; i < o->by.count; i++)
        (void)place_in(o->tapped, &o->tapped_count, o->by.values[i]);
    return oct_taps_make(&o->net->graph, o->net->asked->device, o->net->asked->desc.memory_limit, o->tapped,
                         o->tapped_count, &o->taps);
}

octet_status oct_observed_open(const oct_placed *placed, const oct_samples *samples, oct_observed *o)
{
    *o = (oct_observed){.net = placed->net, .samples = samples};
    octet_status status = open(placed, o);
    if (status != OCTET_OK)
        oct_observed_free(o);
    return status;
}

void oct_observed_free(oct_observed *o)
{
    for (int i = 0; i < o->watched_count; i++)
        oct_observer_free(&o->observers[o->watched[i]]);
    for (size_t i = 0; i < o->seen; i++)
        oct_tensors_free(o->by.wanted[i], o->by.count);
    oct_taps_destroy(o->taps);
    free(o->observers);
    free(o->watched);
    free(o->tapped);
    free(o->by.values);
    free(o->by.judged);
    free(o->by.wanted);
    memset(o, 0, sizeof *o);
}

/* ---- samples ------------------------------------------------------------------------------------------- */

static octet_status watch_sample(const oct_observed *o, int v, const octet_tensor *t)
{
    int64_t inner = 1, count = (int64_t)(octet_tensor_bytes(t) / sizeof(float));
    for (int d = 2; d < t->rank && t->rank >= 3; d++)
        inner *= t->dims[d];
    octet_status status = oct_observer_add(&o->observers[v], t->data, count, inner ? inner : 1);
    if (status == OCTET_OK)
        return status;
    const oct_graph *g = &o->net->graph;
    const oct_value *value = &g->values[v];
    int from = value->producer;
    return oct_fail_prefix(status, "tensor '%s'%s%s%s, sample %zu", value->name, from < 0 ? "" : " (node '",
                           from < 0 ? "" : g->nodes[from].name, from < 0 ? "" : "')", o->seen);
}

static octet_status see(void *user, int index, const octet_tensor *t)
{
    const oct_observed *o = user;
    int v = o->tapped[index];
    if (index < o->watched_count)
        FORWARD(watch_sample(o, v, t));
    for (int i = 0; i < o->by.count; i++) {
        if (o->by.values[i] == v)
            FORWARD(oct_tensor_copy(t, &o->by.wanted[o->seen - 1][i]));
    }
    return OCTET_OK;
}

octet_status oct_observed_next(oct_observed *o)
{
    octet_tensor **grown = realloc(o->by.wanted, (o->seen + 1) * sizeof *grown);
    if (!grown)
        return oct_out_of_memory("quantization");
    o->by.wanted = grown;
    grown[o->seen] = calloc((size_t)o->by.count + 1, sizeof **grown);
    if (!grown[o->seen])
        return oct_out_of_memory("quantization");
    o->seen++;
    return oct_taps_run(o->taps, o->samples->inputs[o->seen - 1], see, o);
}

octet_status oct_observed_beside(const oct_observed *o, const int *values, const oct_graph *g,
                                 const int *theirs, int count, size_t most, const char *step,
                                 oct_tap_pair_fn *show, void *user)
{
    const oct_quantize_settings *asked = o->net->asked;
    oct_taps *mine = NULL, *other = NULL;
    octet_status status =
        oct_taps_make(&o->net->graph, asked->device, asked->desc.memory_limit, values, count, &mine);
    if (status == OCTET_OK)
        status = oct_taps_make(g, asked->device, asked->desc.memory_limit, theirs, count, &other);
    size_t used = oct_samples_used(o->samples, most);
    for (size_t i = 0; status == OCTET_OK && i < used; i++) {
        const octet_tensor *inputs = o->samples->inputs[oct_samples_spread(o->samples, i, used)];
        if (step)
            oct_quantize_progress(o->net->asked, step, i, used);
        status = oct_taps_run_both(mine, other, inputs, show, user);
    }
    oct_taps_destroy(mine);
    oct_taps_destroy(other);
    return status;
}
