#include "insert.h"
#include "dtype.h"
#include "op_facts.h"
#include "prepare.h"
#include "quant.h"
#include "rewrite.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

octet_status oct_parameters_of(oct_range r, octet_dtype dtype, bool symmetric, oct_parameters *out)
{
    int32_t min = oct_dtype_min(dtype), max = oct_dtype_max(dtype);
    int32_t middle = (min + max + 1) / 2;
    double width = symmetric ? 2 * fmax(-r.lo, r.hi) : r.hi - r.lo;
    double steps = symmetric ? 2 * (max - middle) : max - min;
    out->scale = 1;
    out->zero = symmetric || min < 0 ? middle : min;
    if (width == 0) /* nothing but zeros: any scale holds them */
        return OCTET_OK;
    out->scale = (float)(width / steps);
    RETURN_IF(!(out->scale >= FLT_MIN), OCTET_INVALID_ARGUMENT,
              "scale underflow: its numbers, from %g to %g, are too small for a float scale", r.lo, r.hi);
    RETURN_IF(!isfinite(out->scale), OCTET_INVALID_ARGUMENT,
              "its numbers, from %g to %g, are too large for a float scale", r.lo, r.hi);
    if (!symmetric)
        out->zero = oct_quantize_f32((float)-r.lo, out->scale, min, min, max);
    return OCTET_OK;
}

oct_range oct_parameters_range(const oct_parameters *p, octet_dtype dtype)
{
    return (oct_range){((double)oct_dtype_min(dtype) - p->zero) * p->scale,
                       ((double)oct_dtype_max(dtype) - p->zero) * p->scale};
}

bool oct_clamp_vanishes(const oct_graph *g, int node, const oct_parameters *p, octet_dtype dtype)
{
    const oct_node *n = &g->nodes[node];
    int32_t min = oct_dtype_min(dtype), max = oct_dtype_max(dtype);
    float bounds[2];
    return oct_clamp_bounds(g, n, bounds) &&
           oct_quantize_f32(bounds[0], p->scale, p->zero, min, max) == min &&
           oct_quantize_f32(bounds[1], p->scale, p->zero, min, max) == max;
}

/* ---- values and nodes ---------------------------------------------------------------------------------- */

/* A value named after another one. */
static int add_named(oct_graph *g, const char *base, const char *what, octet_dtype dtype)
{
    char name[320];
    snprintf(name, sizeof name, "%.280s_%s", base, what);
    int v = oct_graph_add_value(g, name);
    if (v >= 0)
        g->values[v].dtype = dtype;
    return v;
}

static int name_const(oct_graph *g, int v, const char *base, const char *what)
{
    return v >= 0 && (g->values[v].name = oct_name_after(g, base, what)) ? v : -1;
}

/* ONNX's own pairs take 16 bits from this operator set on; com.microsoft's do in every file. */
#define FIRST_OPSET_OF_16_BITS 21

/* QuantizeLinear or DequantizeLinear of x. axis -1: per tensor. */
static octet_status add_linear(oct_graph *g, oct_op op, const char *base, const int *inputs, int output,
                               int axis)
{
    char name[320];
    int count = inputs[2] == OCT_NO_VALUE ? 2 : 3;
    snprintf(name, sizeof name, "%.256s_%s", base, op == OCT_OP_QuantizeLinear ? "Q" : "DQ");
    oct_node *n = oct_graph_add_node(g, op, name, count, 1);
    if (!n)
        return OCTET_OUT_OF_MEMORY;
    memcpy(n->inputs, inputs, (size_t)count * sizeof *inputs);
    n->outputs[0] = output;
    n->opset = g->nodes[0].opset;
    int tensor = op == OCT_OP_QuantizeLinear ? output : inputs[0];
    if (oct_dtype_is_int16(g->values[tensor].dtype) && n->opset < FIRST_OPSET_OF_16_BITS)
        n->domain = "com.microsoft";
    return axis < 0 ? OCTET_OK : oct_node_set_int(g, g->node_count - 1, "axis", axis);
}

/* Scales of weights and biases: an array of `count`, or one number where that is 0. Their zero points are 0,
 * which need not be told. */
static octet_status add_scales(oct_graph *g, const char *base, const float *scales, int64_t count, int out[2])
{
    out[0] = name_const(g, oct_add_const(g, OCTET_F32, count ? 1 : 0, &count, scales), base, "scale");
    out[1] = OCT_NO_VALUE;
    return out[0] < 0 ? OCTET_OUT_OF_MEMORY : OCTET_OK;
}

/* ONNX Runtime (1.32) makes an integer Gemm or MatMul only where the weights' zero points are told. */
static octet_status add_zeros(oct_graph *g, const char *base, int64_t count, int *out)
{
    void *zeros = oct_arena_alloc(&g->arena, count ? (size_t)count : 1, 1);
    if (!zeros)
        return oct_out_of_memory("quantization");
    *out = name_const(g, oct_add_const_kept(g, OCTET_S8, count ? 1 : 0, &count, zeros), base, "zp");
    return *out < 0 ? OCTET_OUT_OF_MEMORY : OCTET_OK;
}

/* A value's parameters in 16 bits, or 8. */
static const oct_parameters *parameters(const oct_insert *s, int v, bool wide)
{
    return &(wide ? s->wide : s->params)[s->place->like[v]];
}

static octet_dtype type_of(const oct_insert *s, bool wide)
{
    return wide ? s->options.wide : s->options.activations;
}

/* Scale and zero point of value v's family, made once. */
static octet_status tensor_parameters(oct_insert *s, int v, bool wide, int out[2])
{
    oct_graph *g = s->to;
    int like = s->place->like[v];
    int *made = &s->constants[4 * like + 2 * wide];
    if (made[0] == OCT_NO_VALUE) {
        const char *name = s->from->values[like].name;
        const oct_parameters *p = parameters(s, v, wide);
        int scale = oct_add_const(g, OCTET_F32, 0, NULL, &p->scale);
        int zero = oct_add_const(g, type_of(s, wide), 0, NULL, &p->zero); /* little-endian */
        made[0] = name_const(g, scale, name, wide ? "scale16" : "scale");
        made[1] = name_const(g, zero, name, wide ? "zp16" : "zp");
    }
    out[0] = made[0];
    out[1] = made[1];
    return out[0] < 0 || out[1] < 0 ? OCTET_OUT_OF_MEMORY : OCTET_OK;
}

/* A pair behind `x`, which is value v of the float graph or a form of it. */
static octet_status add_pair(oct_insert *s, int v, int x, bool wide, int *shown)
{
    oct_graph *g = s->to;
    const char *name = g->values[x].name;
    int in[3] = {x}, q = add_named(g, name, "q", type_of(s, wide));
    int d = q < 0 ? -1 : add_named(g, name, "dq", OCTET_F32);
    if (d < 0)
        return OCTET_OUT_OF_MEMORY;
    FORWARD(tensor_parameters(s, v, wide, in + 1));
    FORWARD(add_linear(g, OCT_OP_QuantizeLinear, name, in, q, -1));
    in[0] = q;
    FORWARD(add_linear(g, OCT_OP_DequantizeLinear, name, in, d, -1));
    *shown = d;
    return OCTET_OK;
}

static octet_status add_pairs(oct_insert *s, int v)
{
    bool wide = s->place->wide[v];
    FORWARD(add_pair(s, v, v, wide, &s->shown[v]));
    s->narrow[v] = s->shown[v];
    return wide && s->place->narrow[v] ? add_pair(s, v, s->shown[v], false, &s->narrow[v]) : OCTET_OK;
}

/* ---- weights ------------------------------------------------------------------------------------------- */

/* What adaptive rounding has made of this node's weights; NULL: nothing. */
static const oct_rounded_weights *rounded_of(const oct_insert *s, int node)
{
    const oct_rounded_weights *r = s->rounded ? &s->rounded[node] : NULL;
    return s->options.adaptive && r && r->made ? r : NULL;
}

static octet_status quantize_weights(oct_insert *s, int node, float x_scale, oct_quant_weights *w,
                                     bool *adapted)
{
    oct_graph *g = s->to;
    const oct_value value = g->values[g->nodes[node].inputs[1]];
    const oct_weight_options options = {s->options.per_tensor, s->options.reduce_range, x_scale};
    const oct_rounded_weights *rounded = rounded_of(s, node);
    FORWARD(oct_quant_weights_open(g, &g->nodes[node], &options, &g->arena, w));
    *adapted = rounded && oct_quant_weights_take(w, rounded);
    if (!*adapted)
        oct_quant_weights_to_nearest(w);
    int in[3] = {oct_add_const_kept(g, OCTET_S8, value.rank, value.dims, w->made)};
    if (name_const(g, in[0], value.name, "q") < 0)
        return OCTET_OUT_OF_MEMORY;
    int64_t count = s->options.per_tensor ? 0 : w->channels;
    FORWARD(add_scales(g, value.name, w->scales, count, in + 1));
    if (oct_op_facts(g->nodes[node].op)->family == OCT_OP_FAMILY_gemm)
        FORWARD(add_zeros(g, value.name, count, &in[2]));
    int d = add_named(g, value.name, "dq", OCTET_F32);
    if (d < 0)
        return OCTET_OUT_OF_MEMORY;
    FORWARD(add_linear(g, OCT_OP_DequantizeLinear, value.name, in, d, s->options.per_tensor ? -1 : w->axis));
    return oct_set_input(g, node, 1, d);
}

/* Rounding has moved the mean of each channel by sum((wq - w) mean(x)): the bias takes it back (Nagel et al.,
 * 2019). Borders, where there is less of x, are not told apart. */
static octet_status correct_bias(const oct_insert *s, int node, const oct_quant_weights *w,
                                 double *correction)
{
    const oct_node *n = &s->from->nodes[node];
    const oct_observer *x = s->observers ? &s->observers[n->inputs[0]] : NULL;
    if (!x || !x->channel_sums || !x->per_channel || (n->op != OCT_OP_Conv && n->op != OCT_OP_Gemm))
        return OCTET_OK;
    for (int64_t i = 0; i < w->elems; i++) {
        int64_t c = i / w->inner % w->channels, in = oct_input_channel(s->from, n, i);
        if (in >= x->channels)
            return oct_fail(OCTET_INTERNAL, "node '%s': channel %lld of %lld", n->name, (long long)in,
                            (long long)x->channels);
        double error = (double)w->made[i] * w->scales[c] - w->data[i];
        correction[c] -= error * x->channel_sums[in] / (double)x->per_channel;
    }
    return OCTET_OK;
}

static octet_status quantize_bias(oct_insert *s, int node, float x_scale, const oct_quant_weights *w,
                                  bool adapted)
{
    oct_graph *g = s->to;
    int32_t *made = oct_arena_alloc(&g->arena, (size_t)w->channels, sizeof *made);
    float *scales = oct_arena_alloc(&g->arena, (size_t)w->channels, sizeof *scales);
    double *whole = oct_arena_alloc(&g->arena, (size_t)w->channels, sizeof *whole);
    if (!made || !scales || !whole)
        return oct_out_of_memory("quantization");
    if (s->options.correct_bias && adapted)
        memcpy(whole, rounded_of(s, node)->shift, (size_t)w->channels * sizeof *whole);
    else if (s->options.correct_bias)
        FORWARD(correct_bias(s, node, w, whole));
    for (int64_t c = 0; s->shifts && s->shifts[node] && c < w->channels; c++)
        whole[c] += s->shifts[node][c];
    bool any = w->bias != NULL;
    for (int64_t c = 0; c < w->channels; c++) {
        const double most = 1 << 30;
        scales[c] = x_scale * w->scales[c];
        double q = rint(((w->bias ? w->bias[c] : 0) + whole[c]) / scales[c]);
        made[c] = (int32_t)fmin(fmax(q, -most), most);
        any = any || made[c] != 0;
    }
    if (!any)
        return OCTET_OK;
    char base[300];
    snprintf(base, sizeof base, "%.280s_bias", g->nodes[node].name);
    int64_t count = s->options.per_tensor ? 0 : w->channels;
    int in[3] = {oct_add_const_kept(g, OCTET_S32, 1, &w->channels, made)};
    if (name_const(g, in[0], base, "q") < 0)
        return OCTET_OUT_OF_MEMORY;
    FORWARD(add_scales(g, base, scales, count, in + 1));
    int d = add_named(g, base, "dq", OCTET_F32);
    if (d < 0)
        return OCTET_OUT_OF_MEMORY;
    FORWARD(add_linear(g, OCT_OP_DequantizeLinear, base, in, d, count ? 0 : -1));
    return oct_set_input(g, node, 2, d);
}

static octet_status quantize_product(oct_insert *s, int node)
{
    const oct_node *n = &s->from->nodes[node];
    int64_t count;
    if (!oct_const_floats(s->from, n->inputs[1], &count))
        return OCTET_OK; /* of two tensors */
    bool wide = oct_reads_wide(s->place, s->from, node, n->inputs[0]), adapted;
    float x_scale = parameters(s, n->inputs[0], wide)->scale;
    oct_quant_weights w;
    octet_status status = quantize_weights(s, node, x_scale, &w, &adapted);
    if (status == OCTET_OK && n->op != OCT_OP_MatMul)
        status = quantize_bias(s, node, x_scale, &w, adapted);
    return status == OCTET_OK ? status : oct_fail_prefix(status, "%s (node '%s')", n->op_type, n->name);
}

/* ---- the whole ----------------------------------------------------------------------------------------- */

/* Integer nodes read what is dequantized, and so do those that move it; float ones too where the float value
 * is only one of an integer operator, which then need not keep it. */
static void redirect(oct_insert *s, int node)
{
    const oct_pair_places *p = s->place;
    oct_node *n = &s->to->nodes[node];
    oct_place_kind kind = p->kind[node];
    bool wants = kind == OCT_PLACE_PRODUCT || kind == OCT_PLACE_INTEGER;
    for (int o = 0; kind == OCT_PLACE_SAME && o < n->output_count; o++)
        wants = wants || (n->outputs[o] != OCT_NO_VALUE && p->pair[n->outputs[o]]);
    for (int j = 0; j < n->input_count; j++) {
        int v = n->inputs[j];
        if (v != OCT_NO_VALUE && v < s->from->value_count && p->pair[v] && (wants || p->integer[v]))
            n->inputs[j] = oct_reads_wide(p, s->from, node, v) ? s->shown[v] : s->narrow[v];
    }
}

/* A clamp that its quantization repeats goes: the operator makes its result. */
static void drop_clamps(oct_insert *s)
{
    oct_graph *g = s->to;
    for (int i = 0; i < s->from->node_count; i++) {
        const oct_node *n = &s->from->nodes[i];
        if (!s->place->absorbed[i] || s->place->pair[n->inputs[0]] || !s->place->pair[n->outputs[0]] ||
            !oct_clamp_vanishes(s->from, i, parameters(s, n->outputs[0], s->place->wide[n->outputs[0]]),
                                type_of(s, s->place->wide[n->outputs[0]])))
            continue;
        int from = s->from->values[n->inputs[0]].producer;
        g->nodes[from].outputs[0] = n->outputs[0];
        g->nodes[i].output_count = 0;
    }
}

/* What was an output and is quantized now keeps its name. */
static void redirect_outputs(oct_insert *s)
{
    oct_graph *g = s->to;
    for (int i = 0; i < g->output_count; i++) {
        int v = g->outputs[i];
        if (!s->place->pair[v] || !s->place->integer[v])
            continue;
        int d = s->shown[v];
        const char *name = g->values[v].name;
        g->values[v].name = g->values[d].name;
        g->values[d].name = name;
        g->values[v].is_output = false;
        g->values[d].is_output = true;
        g->outputs[i] = d;
    }
}

static octet_status insert_all(oct_insert *s)
{
    oct_graph *g = s->to;
    size_t count = 4 * (size_t)s->from->value_count + 1;
    s->constants = oct_arena_alloc(&g->arena, count, sizeof *s->constants);
    s->narrow = oct_arena_alloc(&g->arena, count, sizeof *s->narrow);
    if (!s->constants || !s->narrow)
        return oct_out_of_memory("quantization");
    for (size_t i = 0; i < count; i++)
        s->constants[i] = OCT_NO_VALUE;
    for (int i = 0; i < s->from->node_count; i++) {
        if (s->place->kind[i] == OCT_PLACE_PRODUCT)
            FORWARD(quantize_product(s, i));
    }
    for (int v = 0; v < s->from->value_count; v++) {
        s->shown[v] = v;
        if (s->place->pair[v])
            FORWARD(add_pairs(s, v));
    }
    for (int i = 0; i < s->from->node_count; i++)
        redirect(s, i);
    drop_clamps(s);
    redirect_outputs(s);
    oct_drop_replaced(g);
    return oct_graph_sort(g);
}

octet_status oct_insert_pairs(oct_insert *s)
{
    FORWARD(oct_graph_clone(s->from, s->to));
    octet_status status = insert_all(s);
    if (status != OCTET_OK)
        oct_graph_free(s->to);
    return status;
}
