/* DequantizeLinear -> operator -> QuantizeLinear becomes the integer operator that ONNX Runtime makes of the
 * same group (docs/numerics.md): QLinearConv, QLinearMatMul, QGemm and com.microsoft's QLinear operators. A
 * float Relu or Clip before the QuantizeLinear becomes the operator's clamp, which is exact: quantization is
 * monotone. A product whose result stays float keeps its integer sum and dequantizes it. One function an
 * operator; those that do not fit leave the group as it is, to run in float. */
#include "dtype.h"
#include "moves.h"
#include "passes.h"
#include "quant.h"
#include "rewrite.h"

#include <math.h>
#include <string.h>

typedef struct group {
    oct_graph *g;
    oct_readers *readers;
    int node;        /* the float operator */
    int quantize;    /* the QuantizeLinear behind it, -1: the result stays float */
    oct_quantized y; /* what comes out of that */
    float lo, hi;    /* of the activations in between */
    bool clamps;     /* they change what is quantized: */
    int32_t clamp_min, clamp_max;
} group;

/* Did a function rewrite its group? */
typedef octet_status fuse_fn(group *s, bool *done);

static octet_status no_memory(void)
{
    return OCTET_OUT_OF_MEMORY; /* the text is there already */
}

static const oct_node *node_of(const group *s)
{
    return &s->g->nodes[s->node];
}

static int input_of(const group *s, int i)
{
    const oct_node *n = node_of(s);
    return i < n->input_count ? n->inputs[i] : OCT_NO_VALUE;
}

/* Operand i as an 8-bit tensor with one scale. */
static bool tensor_operand(const group *s, int i, oct_quantized *q)
{
    return oct_dequantized_from(s->g, input_of(s, i), q) && oct_dtype_is_int8(q->dtype) && q->channels == 1;
}

/* Likewise for what takes 16 bits too, products above all. */
static bool product_operand(const group *s, int i, oct_quantized *q)
{
    return oct_dequantized_from(s->g, input_of(s, i), q) && q->channels == 1 &&
           (oct_dtype_is_int8(q->dtype) || oct_dtype_is_int16(q->dtype));
}

/* Operand i as 8-bit weights with one scale, or one for each element of `axis`. */
static bool weight_operand(const group *s, int i, int axis, oct_quantized *q)
{
    return oct_dequantized_from(s->g, input_of(s, i), q) && oct_dtype_is_int8(q->dtype) &&
           (q->channels == 1 || q->axis == axis);
}

/* ---- what follows the operator ---------------------------------------------------------------------------
 */

/* A float Relu or Clip with constant bounds narrows [lo, hi]. */
static bool narrow(const oct_graph *g, const oct_node *n, float *lo, float *hi)
{
    float bounds[2] = {n->op == OCT_OP_Relu ? 0.0f : -INFINITY, INFINITY};
    for (int i = 1; n->op == OCT_OP_Clip && i < n->input_count; i++) {
        if (n->inputs[i] == OCT_NO_VALUE)
            continue;
        if (!g->values[n->inputs[i]].data || g->values[n->inputs[i]].dtype != OCTET_F32)
            return false;
        bounds[i - 1] = oct_const_f32(g, n->inputs[i]);
    }
    if (!(bounds[0] <= bounds[1]))
        return false;
    /* clip(clip(x, lo, hi), a, b) */
    *lo = fminf(fmaxf(*lo, bounds[0]), bounds[1]);
    *hi = fminf(fmaxf(*hi, bounds[0]), bounds[1]);
    return true;
}

/* What the activations are in the numbers of y; a Relu whose 0 is the smallest number changes nothing. */
static void set_clamp(group *s)
{
    float scale = oct_const_f32(s->g, s->y.scale);
    int32_t zero = oct_zero_point(s->g, &s->y), min = oct_dtype_min(s->y.dtype),
            max = oct_dtype_max(s->y.dtype);
    s->clamp_min = oct_quantize_f32(s->lo, scale, zero, min, max);
    s->clamp_max = oct_quantize_f32(s->hi, scale, zero, min, max);
    s->clamps = s->clamp_min != min || s->clamp_max != max;
}

/* Follow the operator's result, as long as one reader takes it, to a QuantizeLinear of one scale. */
static void find_quantize(group *s)
{
    const oct_graph *g = s->g;
    int v = node_of(s)->outputs[0];
    s->quantize = -1;
    s->clamps = false;
    s->lo = -INFINITY;
    s->hi = INFINITY;
    while (s->readers->count[v] == 1) {
        int reader = s->readers->node[v];
        const oct_node *n = &g->nodes[reader];
        if (n->inputs[0] != v || n->output_count == 0)
            return;
        if (oct_quantizes_to(g, reader, &s->y) && s->y.channels == 1 &&
            (oct_dtype_is_int8(s->y.dtype) || oct_dtype_is_int16(s->y.dtype))) {
            s->quantize = reader;
            set_clamp(s);
            return;
        }
        if ((n->op != OCT_OP_Relu && n->op != OCT_OP_Clip) || !narrow(g, n, &s->lo, &s->hi))
            return;
        v = n->outputs[0];
    }
}

/* The new node takes the place of the QuantizeLinear (or of the operator, where the result stays float). */
static octet_status replace(group *s, oct_op op, const int *inputs, int count, int *made)
{
    oct_graph *g = s->g;
    int last = s->quantize >= 0 ? s->quantize : s->node;
    int output = g->nodes[last].outputs[0];
    g->nodes[last].output_count = 0;
    int node = oct_add_node_like(g, s->node, op, inputs, count, output);
    if (node < 0)
        return no_memory();
    if (s->quantize >= 0 && s->clamps)
        oct_node_clamp(&g->nodes[node], s->y.dtype, s->clamp_min, s->clamp_max);
    if (made)
        *made = node;
    return OCTET_OK;
}

/* ---- products
 * ---------------------------------------------------------------------------------------------- */

/* A bias that is quantized at x_scale * w_scale, as QLinearConv and QGemm want it. A float constant is
 * quantized so here; *bias is OCT_NO_VALUE where there is none. */
static octet_status bias_operand(group *s, int i, const oct_quantized *x, const oct_quantized *w,
                                 int64_t channels, int *bias, bool *fits)
{
    oct_graph *g = s->g;
    int v = input_of(s, i);
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
    return *bias < 0 ? no_memory() : OCTET_OK;
}

/* Scale and zero point of the result at positions `at` and at + 1, or nothing where it stays float. */
static octet_status set_result(group *s, int *inputs, int at)
{
    inputs[at] = inputs[at + 1] = OCT_NO_VALUE;
    if (s->quantize < 0)
        return OCTET_OK;
    inputs[at] = s->y.scale;
    inputs[at + 1] = oct_explicit_zero(s->g, &s->y);
    return inputs[at + 1] < 0 ? no_memory() : OCTET_OK;
}

static octet_status set_operand(group *s, const oct_quantized *q, int *inputs)
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
    return inputs[2] < 0 ? no_memory() : OCTET_OK;
}

static octet_status fuse_conv(group *s, bool *done)
{
    oct_quantized x, w;
    int in[9];
    bool fits;
    if (!product_operand(s, 0, &x) || !weight_operand(s, 1, 0, &w))
        return OCTET_OK;
    FORWARD(bias_operand(s, 2, &x, &w, s->g->values[w.value].dims[0], &in[8], &fits));
    if (!fits)
        return OCTET_OK;
    FORWARD(set_operand(s, &x, in));
    FORWARD(set_operand(s, &w, in + 3));
    FORWARD(set_result(s, in, 6));
    int made = -1;
    FORWARD(replace(s, OCT_OP_QLinearConv, in, in[8] == OCT_NO_VALUE ? 8 : 9, &made));
    s->g->nodes[made].float_out = s->quantize < 0;
    *done = true;
    return OCTET_OK;
}

/* ---- ConvTranspose
 * ------------------------------------------------------------------------------------------ */

/* The geometry of a ConvTranspose that becomes a convolution: equal strides, no dilation, one group. */
typedef struct upsampling {
    int64_t in, out, ci, co, kernel[2], stride, pad[2], taps[2], made[2], size[2];
} upsampling;

static bool read_upsampling(const group *s, const oct_quantized *w, upsampling *u)
{
    const oct_node *n = node_of(s);
    const oct_value *wv = &s->g->values[w->value], *x = &s->g->values[n->inputs[0]],
                    *y = &s->g->values[n->outputs[0]];
    const oct_attr *strides = oct_node_attr(n, "strides"), *pads = oct_node_attr(n, "pads"),
                   *dilations = oct_node_attr(n, "dilations");
    if (x->rank != 4 || !wv->data || oct_node_int(n, "group", 1) != 1)
        return false;
    for (size_t i = 0; dilations && i < dilations->count; i++) {
        if (dilations->ints[i] != 1)
            return false;
    }
    u->stride = strides ? strides->ints[0] : 1;
    if (strides && strides->ints[1] != u->stride)
        return false;
    u->ci = wv->dims[0];
    u->co = wv->dims[1];
    for (int d = 0; d < 2; d++) {
        u->kernel[d] = wv->dims[2 + d];
        u->pad[d] = pads ? pads->ints[d] : 0;
        u->taps[d] = (u->kernel[d] + u->stride - 1) / u->stride;
        u->made[d] =
            (y->dims[2 + d] - 1 + u->pad[d]) / u->stride + 1; /* rows of phases that the output needs */
        u->size[d] = y->dims[2 + d];
        if (u->made[d] < x->dims[2 + d]) /* the convolution would have to cut its input */
            u->made[d] = x->dims[2 + d];
    }
    const int64_t most = 1 << 28;
    return u->stride <= 16 && u->ci * u->co <= most / (u->stride * u->taps[0]) / (u->stride * u->taps[1]);
}

/* y[q s + r - pad] = sum over j of x[q - j] w[r + s j]: for each phase r a convolution with taps of every
 * s-th weight, last first. W'[(r, c, co)][ci][t, u]; where the kernel has no weight, the zero point. */
static int phase_weights(oct_graph *g, const oct_quantized *w, const upsampling *u)
{
    int64_t s = u->stride, dims[4] = {s * s * u->co, u->ci, u->taps[0], u->taps[1]}, at = 0;
    const uint8_t *from = g->values[w->value].data,
                  *zeros = w->zero == OCT_NO_VALUE ? NULL : g->values[w->zero].data;
    int64_t zero_count = zeros ? (int64_t)g->values[w->zero].data_bytes : 0;
    uint8_t *to = oct_arena_alloc(&g->arena, (size_t)(dims[0] * dims[1] * dims[2] * dims[3]), 1);
    if (!to) {
        (void)oct_fail(OCTET_OUT_OF_MEMORY, "out of host memory in a graph pass");
        return -1;
    }
    for (int64_t m = 0; m < dims[0]; m++) {
        int64_t r = m / u->co / s, c = m / u->co % s, co = m % u->co;
        uint8_t zero = zero_count ? zeros[zero_count > 1 ? co : 0] : 0;
        for (int64_t ci = 0; ci < u->ci; ci++) {
            for (int64_t t = 0; t < dims[2] * dims[3]; t++) {
                int64_t ky = r + s * (u->taps[0] - 1 - t / dims[3]),
                        kx = c + s * (u->taps[1] - 1 - t % dims[3]);
                bool inside = ky < u->kernel[0] && kx < u->kernel[1];
                to[at++] = inside ? from[((ci * u->co + co) * u->kernel[0] + ky) * u->kernel[1] + kx] : zero;
            }
        }
    }
    return oct_add_const_kept(g, w->dtype, 4, dims, to);
}

/* A parameter of one per output channel, once for each phase; those of one for all, and none, stay. */
static int for_each_phase(oct_graph *g, int v, const upsampling *u)
{
    const oct_value *p = v == OCT_NO_VALUE ? NULL : &g->values[v];
    if (!p || p->rank == 0 || p->dims[0] != u->co || !p->data)
        return v;
    int64_t count = u->stride * u->stride * u->co;
    size_t bytes = p->data_bytes;
    char *copy = oct_arena_alloc(&g->arena, bytes, (size_t)(u->stride * u->stride));
    if (!copy) {
        (void)oct_fail(OCTET_OUT_OF_MEMORY, "out of host memory in a graph pass");
        return -2;
    }
    for (int64_t i = 0; i < u->stride * u->stride; i++)
        memcpy(copy + (size_t)i * bytes, p->data, bytes);
    octet_dtype dtype = p->dtype;
    int made = oct_add_const_kept(g, dtype, 1, &count, copy);
    return made < 0 ? -2 : made;
}

static octet_status add_ints(oct_graph *g, int node, const char *name, const int64_t *values, size_t count)
{
    int64_t *ints = oct_arena_alloc(&g->arena, count, sizeof *ints);
    oct_attr *attrs = oct_arena_alloc(&g->arena, g->nodes[node].attr_count + 1, sizeof *attrs);
    RETURN_IF(!ints || !attrs, OCTET_OUT_OF_MEMORY, "out of host memory in a graph pass");
    memcpy(ints, values, count * sizeof *ints);
    for (size_t i = 0; i < g->nodes[node].attr_count; i++)
        attrs[i] = g->nodes[node].attrs[i];
    attrs[g->nodes[node].attr_count++] =
        (oct_attr){.name = name, .kind = OCT_ATTR_INTS, .ints = ints, .count = count};
    g->nodes[node].attrs = attrs;
    return OCTET_OK;
}

/* The phases, in the channels, go to their places; what padding and unequal sizes cut off goes too. */
static octet_status interleave(oct_graph *g, int node, int deep, const upsampling *u, int y)
{
    int64_t n = g->values[y].dims[0], s = u->stride;
    int64_t dims[4] = {n, u->co, u->made[0] * s, u->made[1] * s}, two = 2;
    bool cut = u->pad[0] || u->pad[1] || dims[2] != u->size[0] || dims[3] != u->size[1];
    int wide = cut ? oct_add_like(g, g->values[y].name, g->values[y].dtype, 4, dims) : y;
    int block = wide < 0 ? -1 : oct_add_node_like(g, node, OCT_OP_DepthToSpace, &deep, 1, wide);
    if (block < 0)
        return no_memory();
    g->nodes[block].attr_count = 0;
    FORWARD(oct_node_set_int(g, block, "blocksize", s));
    if (!cut)
        return OCTET_OK;
    const int64_t ends[2] = {u->pad[0] + u->size[0], u->pad[1] + u->size[1]}, axes[2] = {2, 3};
    int in[4] = {wide, oct_add_const(g, OCTET_S64, 1, &two, u->pad),
                 oct_add_const(g, OCTET_S64, 1, &two, ends), oct_add_const(g, OCTET_S64, 1, &two, axes)};
    if (in[1] < 0 || in[2] < 0 || in[3] < 0)
        return no_memory();
    int slice = oct_add_node_like(g, node, OCT_OP_Slice, in, 4, y);
    if (slice < 0)
        return no_memory();
    g->nodes[slice].attr_count = 0;
    g->nodes[slice].opset = 13;
    return OCTET_OK;
}

/* ConvTranspose of stride s is one convolution that makes all s x s phases of the output, and DepthToSpace.
 */
static octet_status fuse_conv_transpose(group *s, bool *done)
{
    oct_graph *g = s->g;
    oct_quantized x, w;
    upsampling u;
    int in[9], bias, made;
    bool fits;
    if (s->quantize < 0 || !oct_dtype_is_int8(s->y.dtype) || !tensor_operand(s, 0, &x) ||
        !weight_operand(s, 1, 1, &w) || !read_upsampling(s, &w, &u))
        return OCTET_OK;
    FORWARD(bias_operand(s, 2, &x, &w, u.co, &bias, &fits));
    if (!fits || (bias != OCT_NO_VALUE && !g->values[bias].data))
        return OCTET_OK;
    FORWARD(set_operand(s, &x, in));
    FORWARD(set_operand(s, &w, in + 3));
    FORWARD(set_result(s, in, 6));
    in[3] = phase_weights(g, &w, &u);
    in[4] = for_each_phase(g, in[4], &u);
    in[5] = for_each_phase(g, in[5], &u);
    in[8] = for_each_phase(g, bias, &u);
    if (in[3] < 0 || in[4] == -2 || in[5] == -2 || in[8] == -2)
        return no_memory();
    int y = s->y.value;
    const oct_value *xv = &g->values[x.value];
    const int64_t dims[4] = {xv->dims[0], u.stride * u.stride * u.co, u.made[0], u.made[1]};
    const int64_t pads[4] = {u.taps[0] - 1, u.taps[1] - 1, u.made[0] - xv->dims[2], u.made[1] - xv->dims[3]};
    int deep = oct_add_like(g, g->values[y].name, s->y.dtype, 4, dims);
    if (deep < 0)
        return no_memory();
    FORWARD(replace(s, OCT_OP_QLinearConv, in, bias == OCT_NO_VALUE ? 8 : 9, &made));
    g->nodes[made].outputs[0] = deep;
    g->values[deep].producer = made;
    g->nodes[made].attr_count = 0;
    FORWARD(add_ints(g, made, "pads", pads, 4));
    *done = true;
    return interleave(g, made, deep, &u, y);
}

static octet_status fuse_matmul(group *s, bool *done)
{
    oct_quantized a, b;
    int in[8];
    int rank = input_of(s, 1) == OCT_NO_VALUE ? 0 : s->g->values[input_of(s, 1)].rank;
    if (!product_operand(s, 0, &a) || !weight_operand(s, 1, rank - 1, &b))
        return OCTET_OK;
    FORWARD(set_operand(s, &a, in));
    FORWARD(set_operand(s, &b, in + 3));
    FORWARD(set_result(s, in, 6));
    int made = -1;
    FORWARD(replace(s, OCT_OP_QLinearMatMul, in, 8, &made));
    s->g->nodes[made].float_out = s->quantize < 0;
    *done = true;
    return OCTET_OK;
}

static octet_status fuse_gemm(group *s, bool *done)
{
    const oct_node *n = node_of(s);
    oct_quantized a, b;
    int in[9];
    bool fits;
    int columns = oct_node_int(n, "transB", 0) ? 0 : 1;
    float alpha = oct_node_float(n, "alpha", 1.0f), beta = oct_node_float(n, "beta", 1.0f);
    if (alpha != 1.0f || (beta != 1.0f && input_of(s, 2) != OCT_NO_VALUE) || !product_operand(s, 0, &a) ||
        !weight_operand(s, 1, columns, &b))
        return OCTET_OK;
    FORWARD(bias_operand(s, 2, &a, &b, s->g->values[b.value].dims[columns], &in[6], &fits));
    if (!fits)
        return OCTET_OK;
    FORWARD(set_operand(s, &a, in));
    FORWARD(set_operand(s, &b, in + 3));
    FORWARD(set_result(s, in, 7));
    *done = true;
    return replace(s, OCT_OP_QGemm, in, s->quantize >= 0 ? 9 : in[6] == OCT_NO_VALUE ? 6 : 7, NULL);
}

/* ---- com.microsoft's operators on one or two tensors
 * ------------------------------------------------------- */

static octet_status fuse_two(group *s, oct_op op, bool *done)
{
    oct_quantized a, b;
    int in[8];
    if (s->quantize < 0 || !tensor_operand(s, 0, &a) || !tensor_operand(s, 1, &b) || a.dtype != b.dtype ||
        a.dtype != s->y.dtype)
        return OCTET_OK;
    FORWARD(set_operand(s, &a, in));
    FORWARD(set_operand(s, &b, in + 3));
    FORWARD(set_result(s, in, 6));
    *done = true;
    return replace(s, op, in, 8, NULL);
}

static octet_status fuse_add(group *s, bool *done)
{
    return fuse_two(s, OCT_OP_QLinearAdd, done);
}

static octet_status fuse_sub(group *s, bool *done)
{
    return fuse_two(s, OCT_OP_QLinearSub, done);
}

static octet_status fuse_mul(group *s, bool *done)
{
    return fuse_two(s, OCT_OP_QLinearMul, done);
}

static octet_status replace_one(group *s, const oct_quantized *x, oct_op op, int *made, bool *done)
{
    int in[5];
    if (s->quantize < 0 || s->clamps || x->dtype != s->y.dtype)
        return OCTET_OK;
    FORWARD(set_operand(s, x, in));
    FORWARD(set_result(s, in, 3));
    *done = true;
    return replace(s, op, in, 5, made);
}

static octet_status fuse_one(group *s, oct_op op, int *made, bool *done)
{
    oct_quantized x;
    return tensor_operand(s, 0, &x) ? replace_one(s, &x, op, made, done) : OCTET_OK;
}

/* An average over all positions takes 16 bits too, where int32 holds their sum. */
static octet_status fuse_positions(group *s, int *made, bool *done)
{
    oct_quantized x;
    const oct_value *value = &s->g->values[input_of(s, 0)];
    int64_t positions = 1;
    for (int d = 2; d < value->rank; d++)
        positions *= value->dims[d];
    if (!product_operand(s, 0, &x) || (oct_dtype_is_int16(x.dtype) && positions > oct_sum_most(x.dtype)))
        return OCTET_OK;
    return replace_one(s, &x, OCT_OP_QLinearGlobalAveragePool, made, done);
}

static octet_status fuse_average_pool(group *s, bool *done)
{
    return fuse_one(s, OCT_OP_QLinearAveragePool, NULL, done);
}

static octet_status fuse_global_pool(group *s, bool *done)
{
    return fuse_positions(s, NULL, done);
}

static octet_status fuse_leaky_relu(group *s, bool *done)
{
    return fuse_one(s, OCT_OP_QLinearLeakyRelu, NULL, done);
}

static octet_status fuse_sigmoid(group *s, bool *done)
{
    return fuse_one(s, OCT_OP_QLinearSigmoid, NULL, done);
}

static octet_status fuse_softmax(group *s, bool *done)
{
    int made = -1, opset = node_of(s)->opset;
    int64_t axis = oct_node_int(node_of(s), "axis", opset < 13 ? 1 : -1);
    FORWARD(fuse_one(s, OCT_OP_QLinearSoftmax, &made, done));
    if (!*done)
        return OCTET_OK;
    FORWARD(oct_node_set_int(s->g, made, "axis", axis));
    return oct_node_set_int(s->g, made, "opset", opset);
}

/* The axes as an attribute, where the integer reductions have them. */
static octet_status fuse_reduction(group *s, oct_op op, const bool *reduced, bool *done)
{
    oct_graph *g = s->g;
    const oct_value *x = &g->values[input_of(s, 0)];
    int64_t *axes = oct_arena_alloc(&g->arena, OCTET_MAX_RANK, sizeof *axes), elems = 1;
    RETURN_IF(!axes, OCTET_OUT_OF_MEMORY, "out of host memory in a graph pass");
    int made = -1;
    oct_attr attr = {.name = "axes", .kind = OCT_ATTR_INTS, .ints = axes};
    for (int d = 0; d < x->rank; d++) {
        if (!reduced[d])
            continue;
        axes[attr.count++] = d;
        elems *= x->dims[d];
    }
    oct_quantized q;
    if (!product_operand(s, 0, &q) || elems > oct_sum_most(q.dtype))
        return OCTET_OK; /* in float, as it is */
    FORWARD(replace_one(s, &q, op, &made, done));
    if (!*done)
        return OCTET_OK;
    FORWARD(oct_node_set_int(g, made, "noop_with_empty_axes", 1)); /* none: that was so before */
    return oct_node_set_attr(g, made, &attr);
}

static octet_status fuse_sum(group *s, bool *done)
{
    bool reduced[OCTET_MAX_RANK];
    FORWARD(oct_reduced_axes(s->g, node_of(s), reduced));
    return fuse_reduction(s, OCT_OP_QLinearReduceSum, reduced, done);
}

/* A mean over rows and columns is a global average; without the dimensions of 1 it is also renamed. */
static octet_status fuse_mean(group *s, bool *done)
{
    oct_graph *g = s->g;
    const oct_value *x = &g->values[input_of(s, 0)];
    bool reduced[OCTET_MAX_RANK], pixels = x->rank >= 3;
    if (s->quantize < 0)
        return OCTET_OK;
    FORWARD(oct_reduced_axes(g, node_of(s), reduced));
    for (int d = 0; d < x->rank; d++)
        pixels = pixels && reduced[d] == (d >= 2);
    if (!pixels)
        return fuse_reduction(s, OCT_OP_QLinearReduceMean, reduced, done);
    int made = -1, y = s->y.value;
    int64_t dims[OCTET_MAX_RANK] = {x->dims[0], x->dims[1]};
    for (int d = 2; d < x->rank; d++)
        dims[d] = 1;
    int rank = x->rank, pooled = y;
    if (g->values[y].rank != rank)
        pooled = oct_add_like(g, g->values[y].name, s->y.dtype, rank, dims);
    if (pooled < 0)
        return no_memory();
    FORWARD(fuse_positions(s, &made, done));
    if (!*done || pooled == y)
        return OCTET_OK;
    g->nodes[made].outputs[0] = pooled;
    g->values[pooled].producer = made;
    const int64_t shape[2] = {dims[0], dims[1]}, two = 2;
    int in[2] = {pooled, oct_add_const(g, OCTET_S64, 1, &two, shape)};
    if (in[1] < 0 || oct_add_node_like(g, made, OCT_OP_Reshape, in, 2, y) < 0)
        return no_memory();
    return OCTET_OK;
}

/* Resize's other inputs stay where they are; the parameters follow them. (Nearest has sunk the
 * DequantizeLinear.) */
static octet_status fuse_resize(group *s, bool *done)
{
    oct_quantized x;
    int q[5], in[8];
    if (s->quantize < 0 || s->clamps || node_of(s)->opset < 11 || !tensor_operand(s, 0, &x) ||
        x.dtype != s->y.dtype)
        return OCTET_OK;
    FORWARD(set_operand(s, &x, q));
    FORWARD(set_result(s, q, 3));
    in[0] = q[0];
    for (int i = 1; i < 4; i++)
        in[i] = input_of(s, i);
    memcpy(in + 4, q + 1, 4 * sizeof *in);
    *done = true;
    return replace(s, OCT_OP_QLinearResize, in, 8, NULL);
}

static octet_status fuse_concat(group *s, bool *done)
{
    int operands = node_of(s)->input_count;
    int *in = oct_arena_alloc(&s->g->arena, 2 + 3 * (size_t)operands, sizeof *in);
    RETURN_IF(!in, OCTET_OUT_OF_MEMORY, "out of host memory in a graph pass");
    if (s->quantize < 0 || s->clamps)
        return OCTET_OK;
    for (int i = 0; i < operands; i++) {
        oct_quantized x;
        if (!tensor_operand(s, i, &x) || x.dtype != s->y.dtype)
            return OCTET_OK;
        FORWARD(set_operand(s, &x, in + 2 + 3 * i));
    }
    FORWARD(set_result(s, in, 0));
    *done = true;
    return replace(s, OCT_OP_QLinearConcat, in, 2 + 3 * operands, NULL);
}

static fuse_fn *const table[OCT_OP_COUNT] = {
    [OCT_OP_Conv] = fuse_conv,
    [OCT_OP_ConvTranspose] = fuse_conv_transpose,
    [OCT_OP_MatMul] = fuse_matmul,
    [OCT_OP_Gemm] = fuse_gemm,
    [OCT_OP_Add] = fuse_add,
    [OCT_OP_Sub] = fuse_sub,
    [OCT_OP_Mul] = fuse_mul,
    [OCT_OP_AveragePool] = fuse_average_pool,
    [OCT_OP_GlobalAveragePool] = fuse_global_pool,
    [OCT_OP_Concat] = fuse_concat,
    [OCT_OP_Resize] = fuse_resize,
    [OCT_OP_Softmax] = fuse_softmax,
    [OCT_OP_ReduceMean] = fuse_mean,
    [OCT_OP_ReduceSum] = fuse_sum,
    [OCT_OP_Sigmoid] = fuse_sigmoid,
    [OCT_OP_LeakyRelu] = fuse_leaky_relu,
};

/* Groups whose integer form is an operator of ONNX or com.microsoft that runtimes have: what other graphs of
 * these become, no file can say. (A mean becomes a Reshape that knows the batch.) */
static bool has_onnx_form(const group *s)
{
    oct_op op = node_of(s)->op;
    oct_quantized x;
    if (!tensor_operand(s, 0, &x) || (s->quantize >= 0 && !oct_dtype_is_int8(s->y.dtype)))
        return false; /* of 16 bits */
    if (s->quantize < 0)
        return op == OCT_OP_Gemm; /* QGemm without an output scale */
    return op != OCT_OP_Sub && op != OCT_OP_Resize && op != OCT_OP_ConvTranspose && op != OCT_OP_ReduceMean &&
           op != OCT_OP_ReduceSum;
}

static octet_status fuse_groups(oct_graph *g, bool portable)
{
    oct_readers readers = {0};
    FORWARD(oct_readers_find(g, &readers));
    octet_status status = OCTET_OK;
    int count = g->node_count;
    for (int i = 0; i < count && status == OCTET_OK; i++) {
        group s = {.g = g, .readers = &readers, .node = i};
        bool done = false;
        if (!table[g->nodes[i].op] || g->nodes[i].output_count != 1)
            continue;
        find_quantize(&s);
        if (!portable || has_onnx_form(&s))
            status = table[g->nodes[i].op](&s, &done);
    }
    oct_readers_free(&readers);
    oct_drop_replaced(g);
    return status;
}

octet_status oct_pass_integer_groups(oct_graph *g)
{
    return fuse_groups(g, false);
}

octet_status oct_integer_groups_portably(oct_graph *g)
{
    return fuse_groups(g, true);
}
