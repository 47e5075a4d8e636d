/* The order of the steps. */
#include "quantizer.h"
#include "dtype.h"
#include "gains.h"
#include "host_memory.h"
#include "prepare.h"
#include "widen.h"

#include <stdlib.h>
#include <string.h>

octet_status oct_quantizer_open(oct_device *device, oct_onnx_model *file, const octet_quantize_desc *desc,
                                octet_quantizer **quantizer)
{
    octet_quantizer *q = *quantizer = calloc(1, sizeof *q);
    if (!q) {
        oct_onnx_free(file);
        return oct_out_of_memory("quantization");
    }
    q->file = file;
    octet_status status = oct_quantize_settings_open(device, desc, &q->settings);
    if (status != OCTET_OK) {
        oct_quantizer_close(q);
        *quantizer = NULL;
    }
    return status;
}

/* ---- stages -------------------------------------------------------------------------------------------- */

/* What follows from the last prepared network. */
static void forget_what_follows(octet_quantizer *q)
{
    oct_report_free(&q->report);
    oct_search_close(&q->search);
    oct_observed_free(&q->observed);
    oct_placed_free(&q->placed);
}

/* Back to the samples. */
static void forget_stages(octet_quantizer *q)
{
    forget_what_follows(q);
    while (q->prepared_count)
        oct_prepared_free(&q->prepared[--q->prepared_count]);
}

void oct_quantizer_close(octet_quantizer *q)
{
    forget_stages(q);
    free(q->gains[OCTET_RAISE_FLOAT]);
    free(q->gains[OCTET_RAISE_16]);
    oct_samples_free(&q->samples);
    oct_onnx_free(q->file);
    oct_quantize_settings_close(&q->settings);
    free(q);
}

/* The stages of the last prepared network, of which there may be some already, up to all samples observed. */
static octet_status observe(octet_quantizer *q)
{
    oct_observed *o = &q->observed;
    if (!o->net) {
        FORWARD(oct_placed_make(&q->prepared[q->prepared_count - 1], &q->placed));
        FORWARD(oct_observed_open(&q->placed, &q->samples, o));
    }
    bool again = q->samples.count - o->seen > 1;
    while (o->seen < q->samples.count) {
        if (again)
            oct_quantize_progress(&q->settings, "observe again", o->seen, q->samples.count);
        FORWARD(oct_observed_next(o));
    }
    return OCTET_OK;
}

/* The file's network prepared, and all samples observed. */
static octet_status observe_file(octet_quantizer *q)
{
    if (!q->prepared_count)
        FORWARD(
            oct_prepared_make(&q->settings, oct_onnx_graph(q->file), q->samples.inputs[0], &q->prepared[0]));
    q->prepared_count = 1;
    return observe(q);
}

/* Another prepared network takes the place of the last one. */
static octet_status observe_next(octet_quantizer *q)
{
    forget_what_follows(q);
    q->prepared_count++;
    return observe(q);
}

octet_status oct_quantizer_add(octet_quantizer *q, const octet_tensor *inputs)
{
    const oct_graph *file = oct_onnx_graph(q->file);
    const uint64_t limit = q->settings.desc.memory_limit;
    if (q->samples.count) {
        FORWARD(observe_file(q));
        FORWARD(oct_check_branches(file, inputs, &q->prepared[0].graph));
    }
    FORWARD(oct_samples_add(&q->samples, inputs, file->input_count, limit ? limit : oct_sample_memory()));
    octet_status status = observe_file(q);
    if (status != OCTET_OK) {
        forget_stages(q);
        oct_samples_drop_last(&q->samples);
    }
    return status;
}

/* ---- the choice ---------------------------------------------------------------------------------------- */

static octet_status smooth(octet_quantizer *q)
{
    oct_prepared *next = &q->prepared[q->prepared_count];
    if (!(q->settings.desc.smooth > 0))
        return OCTET_OK;
    FORWARD(oct_prepared_smooth(&q->prepared[q->prepared_count - 1], &q->samples, next));
    return next->smoothed ? observe_next(q) : OCTET_OK;
}

/* What observers came to before products became wide counts too. */
static octet_status widen(octet_quantizer *q)
{
    oct_prepared *next = &q->prepared[q->prepared_count];
    oct_search *s = &q->search;
    if (!oct_widens(&q->settings))
        return OCTET_OK;
    FORWARD(oct_widen(s, next));
    if (!next->wide_count)
        return OCTET_OK;
    double tried_db[sizeof s->tried_db / sizeof *s->tried_db];
    memcpy(tried_db, s->tried_db, sizeof tried_db);
    FORWARD(observe_next(q));
    oct_search_open(&q->observed, &q->placed, s);
    memcpy(s->tried_db, tried_db, sizeof tried_db);
    return oct_search_ranges(s);
}

static octet_status search(octet_quantizer *q, bool first)
{
    oct_search *s = &q->search;
    oct_search_open(&q->observed, &q->placed, s);
    FORWARD(oct_search_ranges(s));
    if (first)
        FORWARD(widen(q));
    FORWARD(oct_search_rounding(s));
    return oct_search_biases(s);
}

/* The layers that gain most are kept higher, and the search is another one. */
static octet_status keep_worst(octet_quantizer *q, size_t *kept)
{
    const octet_quantize_desc *d = &q->settings.desc;
    int nodes = q->placed.net->graph.node_count, count = 0;
    double *gains = NULL;
    oct_placed higher;
    int *worst = calloc((size_t)nodes + 1, sizeof *worst);
    octet_status status =
        worst ? oct_gains_find(&q->search, d->raise, &gains) : oct_out_of_memory("quantization");
    if (status == OCTET_OK) {
        count = oct_gains_take_best(gains, nodes, d->auto_count, worst);
        status = oct_placed_raise(&q->placed, d->raise, worst, count, &higher);
    }
    free(gains);
    free(worst);
    FORWARD(status);
    *kept = (size_t)count;
    oct_search_close(&q->search);
    oct_placed_free(&q->placed);
    q->placed = higher;
    return search(q, false);
}

static octet_status all_stages(octet_quantizer *q)
{
    size_t kept = 0;
    FORWARD(observe_file(q));
    FORWARD(smooth(q));
    FORWARD(search(q, true));
    if (q->settings.desc.auto_count)
        FORWARD(keep_worst(q, &kept));
    return oct_report_make(&q->search, kept, &q->report);
}

octet_status oct_quantizer_choose(octet_quantizer *q)
{
    if (q->report.of)
        return OCTET_OK;
    octet_status status = all_stages(q);
    if (status != OCTET_OK)
        forget_stages(q);
    return status;
}

octet_status oct_quantizer_find_gains(octet_quantizer *q)
{
    bool both = oct_dtype_is_int8(q->settings.insert.activations);
    for (int raise = OCTET_RAISE_FLOAT; raise <= (both ? OCTET_RAISE_16 : OCTET_RAISE_FLOAT); raise++) {
        free(q->gains[raise]);
        FORWARD(oct_gains_find(&q->search, (octet_raise)raise, &q->gains[raise]));
    }
    return OCTET_OK;
}
