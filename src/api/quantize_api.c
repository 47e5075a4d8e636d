/* octet_quantizer: arguments are checked here; the work is in src/quantize. */
#include "api.h"
#include "dtype.h"
#include "fixed_api.h"
#include "onnx_write.h"
#include "passes.h"
#include "prepare.h"
#include "quantizer.h"
#include "sample_api.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static octet_status check_desc(const octet_quantize_desc *d)
{
    bool wide = oct_dtype_is_int16(d->activations);
    RETURN_IF(!wide && !oct_dtype_is_int8(d->activations), OCTET_INVALID_ARGUMENT,
              "octet_quantize_desc: activations are %s; they are to be u8, s8, u16 or s16",
              octet_dtype_name(d->activations));
    RETURN_IF(wide && d->format == OCTET_FORMAT_QOPERATOR, OCTET_INVALID_ARGUMENT,
              "octet_quantize_desc: 16-bit activations have no QOperator form; QDQ has");
    RETURN_IF((unsigned)d->observer >= OCTET_OBSERVER_COUNT, OCTET_INVALID_ARGUMENT,
              "octet_quantize_desc: observer %d is unknown", (int)d->observer);
    RETURN_IF(!(d->percentile >= 0 && d->percentile <= 100), OCTET_INVALID_ARGUMENT,
              "octet_quantize_desc: percentile %g; it is to be up to 100", d->percentile);
    RETURN_IF(!(d->smooth >= 0 && d->smooth <= 1), OCTET_INVALID_ARGUMENT,
              "octet_quantize_desc: smooth is %g; it is to be from 0 to 1", d->smooth);
    RETURN_IF((unsigned)d->format > OCTET_FORMAT_QOPERATOR, OCTET_INVALID_ARGUMENT,
              "octet_quantize_desc: format %d is unknown", (int)d->format);
    RETURN_IF(!isfinite(d->split) || d->split > 100, OCTET_INVALID_ARGUMENT,
              "octet_quantize_desc: split is %g; it is to be a percentage", d->split);
    RETURN_IF(d->split > 0 && (!wide || d->adaptive < 0), OCTET_INVALID_ARGUMENT,
              "octet_quantize_desc: split is for 16-bit activations and adaptive rounding");
    RETURN_IF(d->adaptive < -1 || d->adaptive > 1, OCTET_INVALID_ARGUMENT,
              "octet_quantize_desc: adaptive is %d; it is to be -1, 0 or 1", d->adaptive);
    RETURN_IF(d->auto_count < 0, OCTET_INVALID_ARGUMENT, "octet_quantize_desc: auto_count is negative");
    RETURN_IF(d->exclude_count && !d->exclude, OCTET_INVALID_ARGUMENT,
              "octet_quantize_desc: exclude is NULL");
    RETURN_IF(d->wide_count && !d->wide, OCTET_INVALID_ARGUMENT, "octet_quantize_desc: wide is NULL");
    RETURN_IF((unsigned)d->raise > OCTET_RAISE_16, OCTET_INVALID_ARGUMENT,
              "octet_quantize_desc: raise %d is unknown", (int)d->raise);
    RETURN_IF(wide && (d->wide_count || (d->auto_count && d->raise == OCTET_RAISE_16)),
              OCTET_INVALID_ARGUMENT,
              "octet_quantize_desc: activations have 16 bits already; layers are raised to them from 8");
    return OCTET_OK;
}

static octet_status copy_names(const char *const *names, size_t name_count, const char *what, char ***copies,
                               size_t *count)
{
    *copies = calloc(name_count + 1, sizeof **copies);
    RETURN_IF(!*copies, OCTET_OUT_OF_MEMORY, "out of host memory for quantization");
    for (; *count < name_count; ++*count) {
        const char *name = names[*count];
        RETURN_IF(!name, OCTET_INVALID_ARGUMENT, "octet_quantize_desc: %s[%zu] is NULL", what, *count);
        char *copy = malloc(strlen(name) + 1);
        RETURN_IF(!copy, OCTET_OUT_OF_MEMORY, "out of host memory for quantization");
        strcpy(copy, name);
        (*copies)[*count] = copy;
    }
    return OCTET_OK;
}

static void free_names(char **names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(names[i]);
    free(names);
}

octet_status octet_quantizer_create(octet_context *context, const char *path, const octet_quantize_desc *desc,
                                    octet_quantizer **quantizer)
{
    CHECK_ARG(quantizer);
    *quantizer = NULL;
    CHECK_ARG(context);
    CHECK_ARG(path);
    octet_quantize_desc d;
    FORWARD(TAKE_DESC(d, desc, octet_quantize_desc));
    d.activations = d.activations ? d.activations : OCTET_U8;
    FORWARD(check_desc(&d));
    octet_quantizer *q = calloc(1, sizeof *q);
    RETURN_IF(!q, OCTET_OUT_OF_MEMORY, "out of host memory for quantization");
    q->device = context->device;
    oct_device_retain(q->device);
    q->desc = d;
    q->options = (oct_insert_options){.activations = d.activations,
                                      .wide = oct_dtype_min(d.activations) < 0 ? OCTET_S16 : OCTET_U16,
                                      .per_tensor = d.per_tensor,
                                      .symmetric = d.symmetric,
                                      .reduce_range = d.reduce_range,
                                      .correct_bias = !d.no_bias_correction};
    octet_status status = copy_names(d.exclude, d.exclude_count, "exclude", &q->exclude, &q->exclude_count);
    if (status == OCTET_OK)
        status = copy_names(d.wide, d.wide_count, "wide", &q->widen, &q->widen_count);
    q->desc.exclude = q->desc.wide = NULL;
    q->desc.fixed = NULL;
    if (status == OCTET_OK) {
        status = oct_onnx_load(path, false, &q->file);
        if (status == OCTET_OK)
            status = oct_api_fix_inputs(q->file, d.fixed, d.fixed_count, NULL);
        if (status == OCTET_OK)
            status = oct_graph_clone(oct_onnx_graph(q->file), &q->graph);
    }
    if (status != OCTET_OK) {
        octet_quantizer_destroy(q);
        return status;
    }
    *quantizer = q;
    return OCTET_OK;
}

static void free_samples(octet_quantizer *q)
{
    for (size_t i = 0; i < q->sample_count; i++) {
        for (int j = 0; j < q->graph.input_count; j++)
            octet_tensor_free(&q->samples[i].inputs[j]);
        for (int j = 0; j < q->scored_count; j++)
            octet_tensor_free(&q->samples[i].scored[j]);
        free(q->samples[i].inputs);
        free(q->samples[i].scored);
    }
    free(q->samples);
}

void octet_quantizer_destroy(octet_quantizer *q)
{
    if (!q)
        return;
    free_samples(q);
    free(q->tensors);
    free(q->splits);
    oct_candidate_free(&q->best);
    oct_quantizer_forget_arrangement(q);
    oct_graph_free(&q->graph);
    oct_onnx_free(q->file);
    free_names(q->exclude, q->exclude_count);
    free_names(q->widen, q->widen_count);
    oct_device_release(q->device);
    free(q);
}

size_t octet_quantizer_input_count(const octet_quantizer *q)
{
    return q ? (size_t)q->graph.input_count : 0;
}

octet_status octet_quantizer_input(const octet_quantizer *q, size_t index, octet_value_info *info)
{
    CHECK_ARG(q);
    RETURN_IF(index >= (size_t)q->graph.input_count, OCTET_INVALID_ARGUMENT,
              "octet_quantizer_input: index %zu; the model has %d inputs", index, q->graph.input_count);
    const oct_value *v = &q->graph.values[q->graph.inputs[index]];
    octet_value_info mine;
    OCTET_INIT(mine);
    mine.name = v->name;
    mine.dtype = v->dtype;
    mine.rank = v->rank < 0 ? 0 : v->rank;
    memcpy(mine.dims, v->dims, sizeof mine.dims);
    return GIVE_INFO(info, mine, octet_value_info);
}

octet_status octet_quantizer_add(octet_quantizer *q, const octet_tensor *inputs, size_t input_count)
{
    CHECK_ARG(q);
    RETURN_IF(!inputs && input_count, OCTET_INVALID_ARGUMENT, "octet_quantizer_add: inputs is NULL");
    RETURN_IF(q->written, OCTET_INVALID_ARGUMENT, "octet_quantizer_add: the network is written already");
    FORWARD(oct_api_check_sample(&q->graph, inputs, input_count));
    if (!q->prepared)
        FORWARD(oct_quantizer_prepare(q, inputs));
    FORWARD(oct_check_branches(oct_onnx_graph(q->file), inputs, &q->graph));
    return oct_quantizer_observe(q, inputs);
}

/* The ports of the file keep the shapes that the float file gave them; types are known by now. */
static void set_output_types(octet_quantizer *q)
{
    oct_graph *g = &q->best.graph;
    for (int i = 0; i < g->output_count; i++) {
        const oct_value *was = &q->graph.values[q->graph.outputs[i]];
        oct_value *v = &g->values[g->outputs[i]];
        const oct_value *known = &q->shaped.values[q->graph.outputs[i]];
        v->dtype = known->dtype;
        v->rank = was->rank < 0 ? known->rank : was->rank;
        for (int d = 0; d < v->rank; d++)
            v->dims[d] = was->rank < 0 ? -1 : was->dims[d];
    }
}

static void take_shape(oct_graph *to, int v, const oct_graph *from)
{
    to->values[v].dtype = from->values[v].dtype;
    to->values[v].rank = from->values[v].rank;
    memcpy(to->values[v].dims, from->values[v].dims, sizeof to->values[v].dims);
}

/* The network in integer operators. They are found with the shapes of a sample, which the ports do not keep.
 */
static octet_status write_qoperator(const octet_quantizer *q, const char *path)
{
    const oct_graph *from = &q->best.graph;
    oct_graph shaped, g;
    FORWARD(oct_shaped_copy(from, q->samples[0].inputs, &shaped));
    octet_status status = oct_graph_clone(from, &g);
    if (status == OCTET_OK) {
        for (int v = 0; v < from->value_count; v++)
            take_shape(&g, v, &shaped);
        status = oct_graph_to_qoperator(&g);
        for (int i = 0; i < g.input_count; i++)
            take_shape(&g, g.inputs[i], from);
        for (int i = 0; i < g.output_count; i++)
            take_shape(&g, g.outputs[i], from);
        if (status == OCTET_OK)
            status = oct_onnx_write(&g, q->opset, path);
        oct_graph_free(&g);
    }
    oct_graph_free(&shaped);
    return status;
}

octet_status octet_quantizer_write(octet_quantizer *q, const char *path)
{
    CHECK_ARG(q);
    CHECK_ARG(path);
    RETURN_IF(!q->sample_count, OCTET_INVALID_ARGUMENT,
              "there is no calibration data: add at least one sample before the network is written");
    if (!q->written) {
        FORWARD(oct_quantizer_smooth(q));
        FORWARD(oct_quantizer_choose(q));
        if (q->desc.auto_count)
            FORWARD(oct_quantizer_keep_worst(q, q->desc.auto_count));
        FORWARD(oct_quantizer_measure(q));
        set_output_types(q);
        q->written = true;
    }
    if (q->desc.format == OCTET_FORMAT_QOPERATOR)
        return write_qoperator(q, path);
    return oct_onnx_write(&q->best.graph, q->opset, path);
}

octet_status octet_quantizer_result(const octet_quantizer *q, octet_quantize_result *result)
{
    CHECK_ARG(q);
    RETURN_IF(!q->written, OCTET_INVALID_ARGUMENT, "octet_quantizer_result: nothing is written yet");
    octet_quantize_result mine;
    OCTET_INIT(mine);
    mine.observer = q->best.observer;
    mine.snr_db = q->best.snr_db;
    mine.samples = q->sample_count;
    mine.kept = q->kept;
    mine.smoothed = q->smoothed;
    mine.bias_correction = q->best.options.correct_bias;
    mine.adaptive = q->best.options.adaptive;
    mine.split = q->split_count;
    memcpy(mine.tried_db, q->tried_db, sizeof mine.tried_db);
    for (int i = 0; i < q->graph.node_count; i++)
        mine.layers += q->place.kind[i] == OCT_PLACE_PRODUCT || q->place.kind[i] == OCT_PLACE_INTEGER;
    return GIVE_INFO(result, mine, octet_quantize_result);
}

size_t octet_quantizer_tensor_count(const octet_quantizer *q)
{
    return q ? q->tensor_count : 0;
}

octet_status octet_quantizer_tensor(const octet_quantizer *q, size_t index, octet_quantized_info *info)
{
    CHECK_ARG(q);
    RETURN_IF(index >= q->tensor_count, OCTET_INVALID_ARGUMENT, "octet_quantizer_tensor: index %zu of %zu",
              index, q->tensor_count);
    const oct_tensor_report *r = &q->tensors[index];
    const oct_value *v = &q->graph.values[r->value];
    const oct_observer *o = &q->observers[r->value];
    const oct_parameters *p = oct_candidate_parameters(&q->best, &q->place, r->value);
    oct_range held = oct_parameters_range(p, oct_candidate_dtype(&q->best, r->value));
    int from = v->producer;
    if (from >= 0 && q->place.absorbed[from])
        from = q->graph.values[q->graph.nodes[from].inputs[0]].producer;
    octet_quantized_info mine;
    OCTET_INIT(mine);
    mine.tensor = v->name;
    mine.node = from < 0 ? "" : q->graph.nodes[from].name;
    mine.op_type = from < 0 ? "" : q->graph.nodes[from].op_type;
    mine.seen_lo = o->lo;
    mine.seen_hi = o->hi;
    mine.scale = p->scale;
    mine.zero_point = p->zero;
    mine.dtype = oct_candidate_dtype(&q->best, r->value);
    mine.lo = held.lo;
    mine.hi = held.hi;
    mine.saturated = oct_observer_outside(o, (oct_range){held.lo - p->scale / 2, held.hi + p->scale / 2});
    mine.snr_db = oct_decibel(r->signal, r->noise);
    mine.gain_db = r->gain_db;
    mine.gain16_db = r->gain16_db;
    mine.bins = OCT_BINS;
    mine.bin_width = o->width;
    mine.bin_lo = -(double)(OCT_BINS / 2) * o->width;
    mine.histogram = o->bins;
    return GIVE_INFO(info, mine, octet_quantized_info);
}

octet_status octet_quantizer_measure_gains(octet_quantizer *q)
{
    CHECK_ARG(q);
    RETURN_IF(!q->written, OCTET_INVALID_ARGUMENT, "octet_quantizer_measure_gains: nothing is written yet");
    return oct_quantizer_measure_gains(q);
}
