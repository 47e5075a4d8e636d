/* octet_quantizer: arguments are checked here; the work is in src/quantize. */
#include "api.h"
#include "dtype.h"
#include "fixed_api.h"
#include "host_memory.h"
#include "quantizer.h"
#include "sample_api.h"
#include "write_best.h"

#include <math.h>
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
    RETURN_IF((unsigned)d->raise > OCTET_RAISE_16, OCTET_INVALID_ARGUMENT,
              "octet_quantize_desc: raise %d is unknown", (int)d->raise);
    RETURN_IF(wide && (d->wide_count || (d->auto_count && d->raise == OCTET_RAISE_16)),
              OCTET_INVALID_ARGUMENT,
              "octet_quantize_desc: activations have 16 bits already; layers are raised to them from 8");
    return OCTET_OK;
}

static octet_status check_names(const char *const *names, size_t count, const char *what)
{
    RETURN_IF(count && !names, OCTET_INVALID_ARGUMENT, "octet_quantize_desc: %s is NULL", what);
    for (size_t i = 0; i < count; i++)
        RETURN_IF(!names[i], OCTET_INVALID_ARGUMENT, "octet_quantize_desc: %s[%zu] is NULL", what, i);
    return OCTET_OK;
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
    FORWARD(check_names(d.exclude, d.exclude_count, "exclude"));
    FORWARD(check_names(d.wide, d.wide_count, "wide"));
    oct_onnx_model *file;
    octet_status status = oct_onnx_load(path, false, &file);
    if (status != OCTET_OK)
        return oct_fail_prefix(status, "%s", path);
    status = oct_api_fix_inputs(file, d.fixed, d.fixed_count, NULL);
    if (status == OCTET_OK)
        return oct_quantizer_open(context->device, file, &d, quantizer);
    oct_onnx_free(file);
    return status;
}

uint64_t octet_sample_memory_limit(void)
{
    return oct_sample_memory();
}

void octet_quantizer_destroy(octet_quantizer *q)
{
    if (q)
        oct_quantizer_close(q);
}

size_t octet_quantizer_input_count(const octet_quantizer *q)
{
    return q ? (size_t)oct_onnx_graph(q->file)->input_count : 0;
}

octet_status octet_quantizer_input(const octet_quantizer *q, size_t index, octet_value_info *info)
{
    CHECK_ARG(q);
    const oct_graph *g = oct_onnx_graph(q->file);
    RETURN_IF(index >= (size_t)g->input_count, OCTET_INVALID_ARGUMENT,
              "octet_quantizer_input: index %zu; the model has %d inputs", index, g->input_count);
    const oct_value *v = &g->values[g->inputs[index]];
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
    RETURN_IF(q->report.of, OCTET_INVALID_ARGUMENT, "octet_quantizer_add: the network is written already");
    FORWARD(oct_api_check_sample(oct_onnx_graph(q->file), inputs, input_count));
    return oct_quantizer_add(q, inputs);
}

octet_status octet_quantizer_write(octet_quantizer *q, const char *path)
{
    CHECK_ARG(q);
    RETURN_IF(path && oct_onnx_reads(q->file, path), OCTET_INVALID_ARGUMENT,
              "%s: the network that is quantized is in this file; write to another", path);
    RETURN_IF(!q->samples.count, OCTET_INVALID_ARGUMENT,
              "there is no calibration data: add at least one sample before the network is written");
    FORWARD(oct_quantizer_choose(q));
    return path ? oct_write_best(&q->search, path) : OCTET_OK;
}

octet_status octet_quantizer_result(const octet_quantizer *q, octet_quantize_result *result)
{
    CHECK_ARG(q);
    RETURN_IF(!q->report.of, OCTET_INVALID_ARGUMENT, "octet_quantizer_result: nothing is written yet");
    octet_quantize_result mine;
    OCTET_INIT(mine);
    oct_report_result(&q->report, &mine);
    return GIVE_INFO(result, mine, octet_quantize_result);
}

size_t octet_quantizer_tensor_count(const octet_quantizer *q)
{
    return q ? q->report.tensor_count : 0;
}

octet_status octet_quantizer_tensor(const octet_quantizer *q, size_t index, octet_quantized_info *info)
{
    CHECK_ARG(q);
    RETURN_IF(index >= q->report.tensor_count, OCTET_INVALID_ARGUMENT,
              "octet_quantizer_tensor: index %zu of %zu", index, q->report.tensor_count);
    octet_quantized_info mine;
    OCTET_INIT(mine);
    oct_report_tensor(&q->report, index, q->gains, &mine);
    return GIVE_INFO(info, mine, octet_quantized_info);
}

octet_status octet_quantizer_measure_gains(octet_quantizer *q)
{
    CHECK_ARG(q);
    RETURN_IF(!q->report.of, OCTET_INVALID_ARGUMENT, "octet_quantizer_measure_gains: nothing is written yet");
    return oct_quantizer_find_gains(q);
}
