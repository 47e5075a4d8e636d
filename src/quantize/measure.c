/* What each tensor lost, and what each node costs. */
#include "dtype.h"
#include "quantizer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Samples that tensors are measured on: every one of them is held in float and compared. */
#define MEASURED_SAMPLES 8
/* And those that networks with one layer kept higher are compared on, one network a layer. */
#define GAIN_SAMPLES 8

static octet_status no_memory(void)
{
    return oct_fail(OCTET_OUT_OF_MEMORY, "out of host memory for quantization");
}

static octet_status compare(void *user, int index, const octet_tensor *want, const octet_tensor *t)
{
    octet_quantizer *q = user;
    oct_tensor_report *r = &q->tensors[index];
    size_t count = octet_tensor_bytes(want) / sizeof(float);
    RETURN_IF(octet_tensor_bytes(t) != octet_tensor_bytes(want), OCTET_INTERNAL, "'%s' changed its shape",
              q->graph.values[r->value].name);
    for (size_t i = 0; i < count; i++) {
        double a = ((const float *)want->data)[i], b = ((const float *)t->data)[i];
        r->signal += a * a;
        r->noise += (a - b) * (a - b);
    }
    return OCTET_OK;
}

octet_status oct_quantizer_measure(octet_quantizer *q)
{
    size_t count = 0;
    int *values = calloc((size_t)q->watched_count + 1, sizeof *values);
    int *shown = calloc((size_t)q->watched_count + 1, sizeof *shown);
    free(q->tensors);
    q->tensors = calloc((size_t)q->watched_count + 1, sizeof *q->tensors);
    octet_status status = values && shown && q->tensors ? OCTET_OK : no_memory();
    for (int i = 0; status == OCTET_OK && i < q->watched_count; i++) {
        int v = q->watched[i];
        if (q->best.shown[v] == v)
            continue;
        q->tensors[count] = (oct_tensor_report){.value = v, .gain_db = NAN, .gain16_db = NAN};
        values[count] = v;
        shown[count++] = q->best.shown[v];
    }
    q->tensor_count = status == OCTET_OK ? count : 0;
    oct_taps *floats = NULL, *ints = NULL;
    if (status == OCTET_OK)
        status = oct_taps_make(&q->graph, q->device, values, (int)count, &floats);
    if (status == OCTET_OK)
        status = oct_taps_make(&q->best.graph, q->device, shown, (int)count, &ints);
    size_t used = q->sample_count < MEASURED_SAMPLES ? q->sample_count : MEASURED_SAMPLES;
    for (size_t i = 0; status == OCTET_OK && i < used; i++) {
        oct_quantizer_progress(q, "measure", i, used);
        status = oct_taps_run_both(floats, ints, q->samples[i * q->sample_count / used].inputs, compare, q);
    }
    oct_taps_destroy(floats);
    oct_taps_destroy(ints);
    free(values);
    free(shown);
    return status;
}

/* ---- nodes --------------------------------------------------------------------------------------------- */

static bool is_layer(const octet_quantizer *q, int node)
{
    return q->place.kind[node] == OCT_PLACE_PRODUCT || q->place.kind[node] == OCT_PLACE_INTEGER;
}

/* How a node may be kept higher: marks of the nodes that are. */
static bool *marks_of(octet_quantizer *q, octet_raise raise)
{
    return raise == OCTET_RAISE_FLOAT ? q->excluded : q->raised;
}

/* Of a network with pairs at these places, which are freed. */
static octet_status score_placed(octet_quantizer *q, oct_placement *place, const oct_insert_options *options,
                                 size_t samples, double *score_db)
{
    oct_candidate c;
    octet_status status = oct_candidate_make(q, place, q->best.observer, options, &c);
    oct_placement_free(place);
    FORWARD(status);
    status = oct_candidate_score_on(q, &c, samples);
    *score_db = c.score_db;
    oct_candidate_free(&c);
    return status;
}

/* With one more node kept higher. */
static octet_status score_with(octet_quantizer *q, int node, octet_raise raise, double *score_db)
{
    oct_placement place;
    marks_of(q, raise)[node] = true;
    octet_status status = oct_quantizer_place(q, &place);
    marks_of(q, raise)[node] = false;
    FORWARD(status);
    return score_placed(q, &place, &q->best.options, GAIN_SAMPLES, score_db);
}

octet_status oct_quantizer_score_alone(octet_quantizer *q, int node, const oct_insert_options *options,
                                       size_t samples, double *score_db)
{
    bool *others = malloc((size_t)q->graph.node_count + 1), *excluded = q->excluded;
    oct_placement place;
    if (!others)
        return no_memory();
    memset(others, true, (size_t)q->graph.node_count);
    others[node] = false;
    q->excluded = others;
    octet_status status = oct_quantizer_place(q, &place);
    q->excluded = excluded;
    free(others);
    FORWARD(status);
    return score_placed(q, &place, options, samples, score_db);
}

/* q->best on as few samples. */
static octet_status score_best(octet_quantizer *q, double *score_db)
{
    const oct_candidate whole = q->best;
    octet_status status = oct_candidate_score_on(q, &q->best, GAIN_SAMPLES);
    *score_db = q->best.score_db;
    q->best.score_db = whole.score_db;
    q->best.snr_db = whole.snr_db;
    return status;
}

/* gains[node]: decibels that the outputs would gain; NaN for what is no layer, and for one that is raised. */
static octet_status find_gains(octet_quantizer *q, octet_raise raise, double *gains)
{
    size_t layers = 0, done = 0;
    double base_db;
    FORWARD(score_best(q, &base_db));
    for (int i = 0; i < q->graph.node_count; i++) {
        gains[i] = NAN;
        layers += is_layer(q, i);
    }
    for (int i = 0; i < q->graph.node_count; i++) {
        double score_db;
        if (!is_layer(q, i))
            continue;
        oct_quantizer_progress(q, raise == OCTET_RAISE_FLOAT ? "layers in float" : "layers in 16 bits",
                               done++, layers);
        if (marks_of(q, raise)[i])
            continue;
        FORWARD(score_with(q, i, raise, &score_db));
        gains[i] = score_db - base_db;
    }
    return OCTET_OK;
}

static double *new_gains(const octet_quantizer *q)
{
    double *gains = calloc((size_t)q->graph.node_count + 1, sizeof *gains);
    if (!gains)
        (void)no_memory();
    return gains;
}

/* The node that a tensor of the report is made by. */
static int maker(const octet_quantizer *q, int v)
{
    int from = q->graph.values[v].producer;
    return from >= 0 && q->place.absorbed[from] ? q->graph.values[q->graph.nodes[from].inputs[0]].producer
                                                : from;
}

static octet_status measure_gains(octet_quantizer *q, octet_raise raise)
{
    double *gains = new_gains(q);
    octet_status status = gains ? find_gains(q, raise, gains) : OCTET_OUT_OF_MEMORY;
    for (size_t i = 0; status == OCTET_OK && i < q->tensor_count; i++) {
        int from = maker(q, q->tensors[i].value);
        double gain = from < 0 ? NAN : gains[from];
        *(raise == OCTET_RAISE_FLOAT ? &q->tensors[i].gain_db : &q->tensors[i].gain16_db) = gain;
    }
    free(gains);
    return status;
}

octet_status oct_quantizer_measure_gains(octet_quantizer *q)
{
    FORWARD(measure_gains(q, OCTET_RAISE_FLOAT));
    return oct_dtype_is_int8(q->options.activations) ? measure_gains(q, OCTET_RAISE_16) : OCTET_OK;
}

octet_status oct_quantizer_keep_worst(octet_quantizer *q, int count)
{
    double *gains = new_gains(q);
    octet_status status = gains ? find_gains(q, q->desc.raise, gains) : OCTET_OUT_OF_MEMORY;
    for (int k = 0; status == OCTET_OK && k < count; k++) {
        int worst = -1;
        for (int i = 0; i < q->graph.node_count; i++) {
            if (!isnan(gains[i]) && (worst < 0 || gains[i] > gains[worst]))
                worst = i;
        }
        if (worst < 0)
            break;
        gains[worst] = NAN;
        marks_of(q, q->desc.raise)[worst] = true;
        q->kept++;
    }
    free(gains);
    FORWARD(status);
    oct_placement place;
    FORWARD(oct_quantizer_place(q, &place));
    oct_placement_free(&q->place);
    q->place = place;
    return oct_quantizer_choose(q);
}
