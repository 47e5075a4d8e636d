#include "taps.h"
#include "dtype.h"
#include "plan_cache.h"
#include "prepare.h"
#include "quant_samples.h"
#include "sizes.h"

#include <stdlib.h>
#include <string.h>

/* Values shown by one run take at most about so many bytes. */
#define PART_BYTES ((size_t)256 << 20)

/* A copy of the graph that shows values[first ...]. */
typedef struct part {
    oct_graph graph;
    int first, count;
    oct_plan_cache plans;
} part;

struct oct_taps {
    const oct_graph *graph;
    oct_device *device;
    uint64_t memory_limit;
    int *values, count;
    part *parts; /* NULL until the first run tells how large the values are */
    int part_count;
};

octet_status oct_taps_make(const oct_graph *graph, oct_device *device, uint64_t memory_limit,
                           const int *values, int count, oct_taps **taps)
{
    oct_taps *t = calloc(1, sizeof *t);
    *taps = t;
    if (!t)
        return oct_out_of_memory("running a network");
    t->graph = graph;
    t->device = device;
    t->memory_limit = memory_limit;
    t->count = count;
    t->values = malloc(((size_t)count + 1) * sizeof *t->values);
    if (!t->values) {
        oct_taps_destroy(t);
        *taps = NULL;
        return oct_out_of_memory("running a network");
    }
    memcpy(t->values, values, (size_t)count * sizeof *values);
    return OCTET_OK;
}

void oct_taps_destroy(oct_taps *t)
{
    if (!t)
        return;
    for (int i = 0; i < t->part_count; i++) {
        oct_plan_cache_close(&t->parts[i].plans);
        oct_graph_free(&t->parts[i].graph);
    }
    free(t->parts);
    free(t->values);
    free(t);
}

/* ---- parts --------------------------------------------------------------------------------------------- */

/* Bytes of each value at these inputs. */
static octet_status measure(const oct_taps *t, const octet_tensor *inputs, size_t *bytes)
{
    oct_graph g;
    FORWARD(oct_shaped_copy(t->graph, inputs, &g));
    for (int i = 0; i < t->count; i++) {
        const oct_value *v = &g.values[t->values[i]];
        int64_t elems = 0;
        (void)oct_shape_elems(v->dims, v->rank < 0 ? 0 : v->rank, &elems);
        bytes[i] = (size_t)elems * oct_dtype_bytes(v->dtype);
    }
    oct_graph_free(&g);
    return OCTET_OK;
}

static octet_status make_part(const oct_taps *t, int first, int count, part *p)
{
    p->first = first;
    p->count = count;
    FORWARD(oct_graph_clone(t->graph, &p->graph));
    oct_graph *g = &p->graph;
    int *outputs = malloc(((size_t)count + 1) * sizeof *outputs);
    if (!outputs)
        return oct_out_of_memory("running a network");
    memcpy(outputs, t->values + first, (size_t)count * sizeof *outputs);
    for (int v = 0; v < g->value_count; v++)
        g->values[v].is_output = false;
    for (int i = 0; i < count; i++)
        g->values[outputs[i]].is_output = true;
    free(g->outputs);
    g->outputs = outputs;
    g->output_count = count;
    p->plans = (oct_plan_cache){.graph = g, .device = t->device, .memory_limit = t->memory_limit, .most = 1};
    oct_plan_cache_open(&p->plans);
    return oct_graph_sort(g);
}

static octet_status make_parts(oct_taps *t, const octet_tensor *inputs)
{
    size_t *bytes = calloc((size_t)t->count + 1, sizeof *bytes);
    t->parts = calloc((size_t)t->count + 1, sizeof *t->parts);
    octet_status status =
        bytes && t->parts ? measure(t, inputs, bytes) : oct_out_of_memory("running a network");
    for (int first = 0, last; status == OCTET_OK && first < t->count; first = last) {
        size_t sum = bytes[first];
        for (last = first + 1; last < t->count && sum + bytes[last] <= PART_BYTES; last++)
            sum += bytes[last];
        status = make_part(t, first, last - first, &t->parts[t->part_count++]);
    }
    free(bytes);
    return status;
}

/* ---- runs ---------------------------------------------------------------------------------------------- */

static octet_status use_plan(part *p, const octet_tensor *inputs)
{
    oct_shape *shapes = calloc((size_t)p->graph.input_count + 1, sizeof *shapes);
    if (!shapes)
        return oct_out_of_memory("running a network");
    for (int i = 0; i < p->graph.input_count; i++) {
        shapes[i].rank = inputs[i].rank;
        memcpy(shapes[i].dims, inputs[i].dims, sizeof shapes[i].dims);
    }
    octet_status status = oct_plan_cache_use(&p->plans, shapes, false);
    free(shapes);
    return status;
}

static octet_status run_part(part *p, const octet_tensor *inputs, oct_tap_fn *show, void *user)
{
    FORWARD(use_plan(p, inputs));
    oct_plan *plan = p->plans.plans[0];
    octet_tensor *outputs = calloc((size_t)p->count + 1, sizeof *outputs);
    octet_status status = outputs ? OCTET_OK : oct_out_of_memory("running a network");
    for (int i = 0; status == OCTET_OK && i < p->count; i++)
        status = oct_port_prepare(&plan->outputs[i], "", &outputs[i]);
    if (status == OCTET_OK)
        status = oct_plan_run(plan, inputs, outputs);
    for (int i = 0; status == OCTET_OK && i < p->count; i++)
        status = show(user, p->first + i, &outputs[i]);
    oct_tensors_free(outputs, p->count);
    return status;
}

octet_status oct_taps_run(oct_taps *t, const octet_tensor *inputs, oct_tap_fn *show, void *user)
{
    if (!t->parts)
        FORWARD(make_parts(t, inputs));
    for (int i = 0; i < t->part_count; i++)
        FORWARD(run_part(&t->parts[i], inputs, show, user));
    return OCTET_OK;
}

/* ---- two graphs ---------------------------------------------------------------------------------------- */

typedef struct both {
    octet_tensor *held; /* of the first graph */
    oct_tap_pair_fn *show;
    void *user;
} both;

static octet_status hold(void *user, int index, const octet_tensor *t)
{
    return oct_tensor_copy(t, &((both *)user)->held[index]);
}

static octet_status show_both(void *user, int index, const octet_tensor *t)
{
    const both *b = user;
    return b->show(b->user, index, &b->held[index], t);
}

octet_status oct_taps_run_both(oct_taps *a, oct_taps *b, const octet_tensor *inputs, oct_tap_pair_fn *show,
                               void *user)
{
    both s = {calloc((size_t)a->count + 1, sizeof *s.held), show, user};
    if (!s.held)
        return oct_out_of_memory("running a network");
    octet_status status = oct_taps_run(a, inputs, hold, &s);
    if (status == OCTET_OK)
        status = oct_taps_run(b, inputs, show_both, &s);
    oct_tensors_free(s.held, a->count);
    return status;
}
