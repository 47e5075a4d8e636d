/* DequantizeLinear -> operator -> QuantizeLinear becomes the integer operator that ONNX Runtime makes of the
 * same group (docs/numerics.md): QLinearConv, QLinearMatMul, QGemm and com.microsoft's QLinear operators. A
 * float Relu or Clip before the QuantizeLinear becomes the operator's clamp, which is exact: quantization is
 * monotone. A product whose result stays float keeps its integer sum and dequantizes it. One function an
 * operator; those that do not fit leave the group as it is, to run in float. */
#include "dtype.h"
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
    bool has_activation;
    float lo, hi; /* of the activations in between */
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

/* Follow the operator's result, as long as one reader takes it, to a QuantizeLinear of one 8-bit scale. */
static void find_quantize(group *s)
{
    const oct_graph *g = s->g;
    int v = node_of(s)->outputs[0];
    s->quantize = -1;
    s->has_activation = false;
    s->lo = -INFINITY;
    s->hi = INFINITY;
    while (s->readers->count[v] == 1) {
        int reader = s->readers->node[v];
        const oct_node *n = &g->nodes[reader];
        if (n->inputs[0] != v || n->output_count == 0)
            return;
        if (oct_quantizes_to(g, reader, &s->y) && s->y.channels == 1 && oct_dtype_is_int8(s->y.dtype)) {
            s->quantize = reader;
            return;
        }
        if ((n->op != OCT_OP_Relu && n->op != OCT_OP_Clip) || !narrow(g, n, &s->lo, &s->hi))
            return;
        s->has_activation = true;
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
    if (s->quantize >= 0 && s->has_activation) {
        float scale = oct_const_f32(g, s->y.scale);
        int32_t zero = oct_zero_point(g, &s->y), min = oct_dtype_min(s->y.dtype),
                max = oct_dtype_max(s->y.dtype);
        oct_node_clamp(&g->nodes[node], s->y.dtype, oct_quantize_f32(s->lo, scale, zero, min, max),
                       oct_quantize_f32(s->hi, scale, zero, min, max));
    }
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
    if (!tensor_operand(s, 0, &x) || !weight_operand(s, 1, 0, &w))
        return OCTET_OK;
    FORWARD(bias_operand(s, 2, &x, &w, s->g->values[w.value].dims[0], &in[8], &fits));
    if (!fits)
        return OCTET_OK;
    FORWARD(set_operand(s, &x, in));
    FORWARD(set_operand(s, &w, in + 3));
    FORWARD(set_result(s, in, 6));
    int made;
    FORWARD(replace(s, OCT_OP_QLinearConv, in, in[8] == OCT_NO_VALUE ? 8 : 9, &made));
    s->g->nodes[made].float_out = s->quantize < 0;
    *done = true;
    return OCTET_OK;
}

static octet_status fuse_matmul(group *s, bool *done)
{
    oct_quantized a, b;
    int in[8];
    int rank = input_of(s, 1) == OCT_NO_VALUE ? 0 : s->g->values[input_of(s, 1)].rank;
    if (!tensor_operand(s, 0, &a) || !weight_operand(s, 1, rank - 1, &b))
        return OCTET_OK;
    FORWARD(set_operand(s, &a, in));
    FORWARD(set_operand(s, &b, in + 3));
    FORWARD(set_result(s, in, 6));
    int made;
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
    if (alpha != 1.0f || (beta != 1.0f && input_of(s, 2) != OCT_NO_VALUE) || !tensor_operand(s, 0, &a) ||
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
    if (s->quantize < 0 || s->has_activation || !tensor_operand(s, 0, &a) || !tensor_operand(s, 1, &b) ||
        a.dtype != b.dtype || a.dtype != s->y.dtype)
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

static octet_status fuse_one(group *s, oct_op op, int *made, bool *done)
{
    oct_quantized x;
    int in[5];
    if (s->quantize < 0 || s->has_activation || !tensor_operand(s, 0, &x) || x.dtype != s->y.dtype)
        return OCTET_OK;
    FORWARD(set_operand(s, &x, in));
    FORWARD(set_result(s, in, 3));
    *done = true;
    return replace(s, op, in, 5, made);
}

static octet_status fuse_average_pool(group *s, bool *done)
{
    return fuse_one(s, OCT_OP_QLinearAveragePool, NULL, done);
}

static octet_status fuse_global_pool(group *s, bool *done)
{
    return fuse_one(s, OCT_OP_QLinearGlobalAveragePool, NULL, done);
}

static octet_status fuse_leaky_relu(group *s, bool *done)
{
    return fuse_one(s, OCT_OP_QLinearLeakyRelu, NULL, done);
}

static octet_status fuse_sigmoid(group *s, bool *done)
{
    return fuse_one(s, OCT_OP_QLinearSigmoid, NULL, done);
}

static octet_status fuse_concat(group *s, bool *done)
{
    int operands = node_of(s)->input_count;
    int *in = oct_arena_alloc(&s->g->arena, 2 + 3 * (size_t)operands, sizeof *in);
    RETURN_IF(!in, OCTET_OUT_OF_MEMORY, "out of host memory in a graph pass");
    if (s->quantize < 0 || s->has_activation)
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
    [OCT_OP_MatMul] = fuse_matmul,
    [OCT_OP_Gemm] = fuse_gemm,
    [OCT_OP_Add] = fuse_add,
    [OCT_OP_Sub] = fuse_sub,
    [OCT_OP_Mul] = fuse_mul,
    [OCT_OP_AveragePool] = fuse_average_pool,
    [OCT_OP_GlobalAveragePool] = fuse_global_pool,
    [OCT_OP_Concat] = fuse_concat,
    [OCT_OP_Sigmoid] = fuse_sigmoid,
    [OCT_OP_LeakyRelu] = fuse_leaky_relu,
};

octet_status oct_pass_integer_groups(oct_graph *g)
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
        status = table[g->nodes[i].op](&s, &done);
    }
    oct_readers_free(&readers);
    oct_drop_replaced(g);
    return status;
}
