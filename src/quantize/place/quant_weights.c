#include "quant_weights.h"
#include "op_facts.h"
#include "prepare.h"
#include "quant.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static void channel_peaks(const oct_quant_weights *w, float *peaks)
{
    for (int64_t c = 0; c < w->channels; c++)
        peaks[c] = 0;
    for (int64_t i = 0; i < w->elems; i++) {
        float *peak = &peaks[i / w->inner % w->channels];
        *peak = fmaxf(*peak, fabsf(w->data[i]));
    }
}

/* A channel of zeros keeps a scale that its bias can be told in. The accumulator and the bias together must
 * stay far from 2^31. */
static float least_scale(float bias, float x_scale)
{
    const double most = 1 << 29;
    return (float)fmax(fabs(bias) / (x_scale * most), bias == 0 ? 0 : FLT_MIN / x_scale * 4.0);
}

static octet_status choose_scales(oct_quant_weights *w, const oct_weight_options *o)
{
    float peak = 0;
    channel_peaks(w, w->scales);
    for (int64_t c = 0; c < w->channels; c++)
        peak = fmaxf(peak, w->scales[c]);
    for (int64_t c = 0; c < w->channels; c++) {
        float scale = (o->per_tensor ? peak : w->scales[c]) / (float)w->top;
        RETURN_IF(!isfinite(scale), OCTET_INVALID_ARGUMENT, "its weights hold a NaN or an infinity");
        w->least[c] = w->bias ? least_scale(w->bias[c], o->x_scale) : 0;
        scale = scale < w->least[c] ? w->least[c] : scale;
        w->scales[c] = scale > 0 ? scale : 1;
        w->least[c] = fmaxf(w->least[c], FLT_MIN * fmaxf(1, 1 / o->x_scale));
        RETURN_IF(
            !(w->scales[c] >= FLT_MIN) || !(w->scales[c] * o->x_scale >= FLT_MIN), OCTET_INVALID_ARGUMENT,
            "scale underflow: the weights of channel %lld are too small for a float scale", (long long)c);
    }
    for (int64_t c = 0; c < w->channels && o->per_tensor; c++) /* one bias may have asked for more */
        w->scales[0] = fmaxf(w->scales[0], w->scales[c]);
    for (int64_t c = 1; c < w->channels && o->per_tensor; c++)
        w->scales[c] = w->scales[0];
    return OCTET_OK;
}

octet_status oct_quant_weights_open(const oct_graph *g, const oct_node *n, const oct_weight_options *options,
                                    oct_arena *arena, oct_quant_weights *w)
{
    int64_t count;
    const oct_value *value = &g->values[n->inputs[1]];
    int axis = oct_weight_axis(g, n);
    *w = (oct_quant_weights){.data = oct_const_floats(g, n->inputs[1], &count),
                             .bias = n->input_count > 2 ? oct_const_floats(g, n->inputs[2], &count) : NULL,
                             .elems = (int64_t)(value->data_bytes / sizeof(float)),
                             .channels = value->dims[axis],
                             .inner = 1,
                             .axis = axis,
                             .top = options->reduce_range ? 63 : 127};
    for (int d = axis + 1; d < value->rank; d++)
        w->inner *= value->dims[d];
    w->scales = oct_arena_alloc(arena, (size_t)w->channels, sizeof *w->scales);
    w->least = oct_arena_alloc(arena, (size_t)w->channels, sizeof *w->least);
    w->made = oct_arena_alloc(arena, (size_t)w->elems, 1);
    if (!w->scales || !w->least || !w->made)
        return oct_out_of_memory("quantization");
    return choose_scales(w, options);
}

void oct_quant_weights_to_nearest(oct_quant_weights *w)
{
    for (int64_t i = 0; i < w->elems; i++)
        w->made[i] =
            (int8_t)oct_quantize_f32(w->data[i], w->scales[i / w->inner % w->channels], 0, -w->top, w->top);
}

bool oct_quant_weights_are_whole(const oct_quant_weights *w)
{
    const double near = 1e-3;
    for (int64_t i = 0; i < w->elems; i++) {
        double steps = (double)w->data[i] / w->scales[i / w->inner % w->channels];
        if (fabs(steps - rint(steps)) > near)
            return false;
    }
    return true;
}

bool oct_quant_weights_take(oct_quant_weights *w, const oct_rounded_weights *r)
{
    for (int64_t c = 0; c < w->channels; c++) {
        if (r->scales[c] < w->least[c])
            return false;
    }
    memcpy(w->made, r->made, (size_t)w->elems);
    memcpy(w->scales, r->scales, (size_t)w->channels * sizeof *w->scales);
    return true;
}

void oct_rounded_list_free(oct_rounded_weights *list, int count)
{
    for (int i = 0; list && i < count; i++) {
        free(list[i].made);
        free(list[i].scales);
        free(list[i].shift);
    }
    free(list);
}
