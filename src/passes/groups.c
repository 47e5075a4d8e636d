#include "groups.h"
#include "dtype.h"
#include "quant.h"

#include <math.h>

const oct_node *oct_group_node(const oct_group *s)
{
    return &s->g->nodes[s->node];
}

int oct_group_input(const oct_group *s, int i)
{
    const oct_node *n = oct_group_node(s);
    return i < n->input_count ? n->inputs[i] : OCT_NO_VALUE;
}

bool oct_group_tensor(const oct_group *s, int i, oct_quantized *q)
{
    return oct_dequantized_from(s->g, oct_group_input(s, i), q) && oct_dtype_is_int8(q->dtype) &&
           q->channels == 1;
}

bool oct_group_product(const oct_group *s, int i, oct_quantized *q)
{
    return oct_dequantized_from(s->g, oct_group_input(s, i), q) && q->channels == 1 &&
           (oct_dtype_is_int8(q->dtype) || oct_dtype_is_int16(q->dtype));
}

bool oct_group_weights(const oct_group *s, int i, int axis, oct_quantized *q)
{
    return oct_dequantized_from(s->g, oct_group_input(s, i), q) && oct_dtype_is_int8(q->dtype) &&
           (q->channels == 1 || q->axis == axis);
}

octet_status oct_group_replace(oct_group *s, oct_op op, const int *inputs, int count)
{
    oct_graph *g = s->g;
    int last = s->quantize >= 0 ? s->quantize : s->node;
    int output = g->nodes[last].outputs[0];
    g->nodes[last].output_count = 0;
    s->made = oct_add_node_like(g, s->node, op, inputs, count, output);
    if (s->made < 0)
        return OCTET_OUT_OF_MEMORY;
    if (s->quantize >= 0 && s->clamps)
        oct_node_clamp(&g->nodes[s->made], s->y.dtype, s->clamp_min, s->clamp_max);
    return OCTET_OK;
}

octet_status oct_group_bias(oct_group *s, int i, const oct_quantized *x, const oct_quantized *w,
                            int64_t channels, int *bias, bool *fits)
{
    oct_graph *g = s->g;
    int v = oct_group_input(s, i);
    oct_quantized q;
    *bias = OCT_NO_VALUE;
    *fits = v == OCT_NO_VALUE;
    if (*fits)
        return OCTET_OK;
    const float *sw = g->values[w->scale].data;
    float sx = oct_const_f32(g, x->scale);
    if (oct_dequantized_from(g, v, &q)) {
        const oct_value *value = &g->values[q.value];
        const float *sb = g->values[q.scale].data;
        *fits = q.dtype == OCTET_S32 && oct_zero_point(g, &q) == 0 && value->rank == 1 &&
                value->dims[0] == channels && (q.channels == 1 || q.channels == channels);
        for (int64_t c = 0; *fits && c < channels; c++) {
            float wanted = sx * sw[w->channels == 1 ? 0 : c], got = sb[q.channels == 1 ? 0 : c];
            *fits = fabsf(got - wanted) <= 1e-4f * wanted;
        }
        *bias = q.value;
        return OCTET_OK;
    }
    const oct_value *value = &g->values[v];
    if (!value->data || value->dtype != OCTET_F32 || value->rank != 1 || value->dims[0] != channels)
        return OCTET_OK;
    int32_t *quantized = oct_arena_alloc(&g->arena, (size_t)channels, sizeof *quantized);
    RETURN_IF(!quantized, OCTET_OUT_OF_MEMORY, "out of host memory in a graph pass");
    for (int64_t c = 0; c < channels; c++) {
        float b = ((const float *)value->data)[c] / (sx * sw[w->channels == 1 ? 0 : c]);
        if (!(fabsf(b) < 1073741824.0f)) /* a sum with it could wrap */
            return OCTET_OK;
        quantized[c] = (int32_t)rintf(b);
    }
    *fits = true;
    *bias = oct_add_const(g, OCTET_S32, 1, &channels, quantized);
    return *bias < 0 ? OCTET_OUT_OF_MEMORY : OCTET_OK;
}

octet_status oct_group_result(oct_group *s, int *inputs, int at)
{
    inputs[at] = inputs[at + 1] = OCT_NO_VALUE;
    if (s->quantize < 0)
        return OCTET_OK;
    inputs[at] = s->y.scale;
    inputs[at + 1] = oct_explicit_zero(s->g, &s->y);
    return inputs[at + 1] < 0 ? OCTET_OUT_OF_MEMORY : OCTET_OK;
}

octet_status oct_group_operand(oct_group *s, const oct_quantized *q, int *inputs)
{
    inputs[0] = q->value;
    inputs[1] = q->scale;
    inputs[2] = q->zero;
    if (q->zero == OCT_NO_VALUE && q->channels == 1)
        inputs[2] = oct_explicit_zero(s->g, q);
    else if (q->zero == OCT_NO_VALUE) { /* one scale a channel: as many zero points */
        void *zeros = oct_arena_alloc(&s->g->arena, (size_t)q->channels, 1);
        RETURN_IF(!zeros, OCTET_OUT_OF_MEMORY, "out of host memory in a graph pass");
        inputs[2] = oct_add_const(s->g, q->dtype, 1, &q->channels, zeros);
    }
    return inputs[2] < 0 ? OCTET_OUT_OF_MEMORY : OCTET_OK;
}
