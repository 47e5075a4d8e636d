#include "report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Samples that tensors are measured on: every one of them is held in float and compared. */
#define MEASURED_SAMPLES 8

static octet_status compare(void *user, int index, const octet_tensor *want, const octet_tensor *t)
{
    const oct_report *report = user;
    oct_tensor_report *r = &report->tensors[index];
    size_t count = octet_tensor_bytes(want) / sizeof(float);
    RETURN_IF(octet_tensor_bytes(t) != octet_tensor_bytes(want), OCTET_INTERNAL, "'%s' changed its shape",
              report->of->seen->net->graph.values[r->value].name);
    for (size_t i = 0; i < count; i++) {
        double a = ((const float *)want->data)[i], b = ((const float *)t->data)[i];
        r->signal += a * a;
        r->noise += (a - b) * (a - b);
    }
    return OCTET_OK;
}

octet_status oct_report_make(const oct_search *of, size_t kept, oct_report *report)
{
    const oct_observed *seen = of->seen;
    size_t most = (size_t)seen->watched_count, count = 0;
    int *values = calloc(2 * most + 1, sizeof *values), *shown = values + most;
    *report = (oct_report){.of = of, .kept = kept};
    report->tensors = calloc(most + 1, sizeof *report->tensors);
    octet_status status = values && report->tensors ? OCTET_OK : oct_out_of_memory("quantization");
    for (int i = 0; status == OCTET_OK && i < seen->watched_count; i++) {
        int v = seen->watched[i];
        if (of->best.shown[v] == v)
            continue;
        report->tensors[count].value = values[count] = v;
        shown[count++] = of->best.shown[v];
    }
    report->tensor_count = count;
    if (status == OCTET_OK)
        status = oct_observed_beside(seen, values, &of->best.graph, shown, (int)count, MEASURED_SAMPLES,
                                     "measure", compare, report);
    free(values);
    if (status != OCTET_OK)
        oct_report_free(report);
    return status;
}

void oct_report_free(oct_report *report)
{
    free(report->tensors);
    memset(report, 0, sizeof *report);
}

void oct_report_result(const oct_report *report, octet_quantize_result *r)
{
    const oct_search *s = report->of;
    const oct_prepared *net = s->seen->net;
    r->observer = s->best.observer;
    r->snr_db = s->score.snr_db;
    r->samples = s->seen->seen;
    r->kept = report->kept;
    r->smoothed = net->smoothed;
    r->bias_correction = s->best.options.correct_bias;
    r->adaptive = s->best.options.adaptive;
    r->split = net->wide_count;
    memcpy(r->tried_db, s->tried_db, sizeof r->tried_db);
    for (int i = 0; i < net->graph.node_count; i++)
        r->layers += oct_placed_layer(s->placed, i);
}

void oct_report_tensor(const oct_report *report, size_t index, double *const gains[2],
                       octet_quantized_info *info)
{
    const oct_search *s = report->of;
    const oct_tensor_report *r = &report->tensors[index];
    const oct_graph *g = &s->seen->net->graph;
    const oct_observer *o = &s->seen->observers[r->value];
    const oct_parameters *p = oct_candidate_parameters(&s->best, s->placed, r->value);
    oct_range held = oct_parameters_range(p, oct_candidate_dtype(&s->best, r->value));
    int from = oct_placed_maker(s->placed, r->value);
    info->tensor = g->values[r->value].name;
    info->node = from < 0 ? "" : g->nodes[from].name;
    info->op_type = from < 0 ? "" : g->nodes[from].op_type;
    info->seen_lo = o->lo;
    info->seen_hi = o->hi;
    info->scale = p->scale;
    info->zero_point = p->zero;
    info->dtype = oct_candidate_dtype(&s->best, r->value);
    info->lo = held.lo;
    info->hi = held.hi;
    info->saturated = oct_observer_outside(o, (oct_range){held.lo - p->scale / 2, held.hi + p->scale / 2});
    info->snr_db = oct_decibel(r->signal, r->noise);
    info->gain_db = gains[OCTET_RAISE_FLOAT] && from >= 0 ? gains[OCTET_RAISE_FLOAT][from] : NAN;
    info->gain16_db = gains[OCTET_RAISE_16] && from >= 0 ? gains[OCTET_RAISE_16][from] : NAN;
    info->bins = OCT_BINS;
    info->bin_width = o->width;
    info->bin_lo = -(double)(OCT_BINS / 2) * o->width;
    info->histogram = o->bins;
}
