/* DequantizeLinear -> operator -> QuantizeLinear becomes the integer operator that ONNX Runtime makes of the
 * same group (docs/numerics.md): QLinearConv, QLinearMatMul, QGemm and com.microsoft's QLinear operators. A
 * float Relu or Clip before the QuantizeLinear becomes the operator's clamp, which is exact: quantization is
 * monotone. A product whose result stays float keeps its integer sum and dequantizes it. Operators that do
 * not fit leave the group as it is, to run in float. */
#include "dtype.h"
#include "groups.h"
#include "moves.h"
#include "op_facts.h"
#include "passes.h"
#include "quant.h"
#include "rewrite.h"

#include <math.h>

/* Did a function rewrite its group? */
typedef octet_status fuse_fn(oct_group *s, bool *done);

/* ---- what follows the operator ---------------------------------------------------------------------------
 */

/* A float Relu or Clip with constant bounds narrows [lo, hi]. */
static bool narrow(const oct_graph *g, const oct_node *n, float *lo, float *hi)
{
    float bounds[2];
    if (!oct_clamp_bounds(g, n, bounds) || !(bounds[0] <= bounds[1]))
        return false;
    /* clip(clip(x, lo, hi), a, b) */
    *lo = fminf(fmaxf(*lo, bounds[0]), bounds[1]);
    *hi = fminf(fmaxf(*hi, bounds[0]), bounds[1]);
    return true;
}

/* What the activations are in the numbers of y; a Relu whose 0 is the smallest number changes nothing. */
static void set_clamp(oct_group *s)
{
    float scale = oct_const_f32(s->g, s->y.scale);
    int32_t zero = oct_zero_point(s->g, &s->y), min = oct_dtype_min(s->y.dtype),
            max = oct_dtype_max(s->y.dtype);
    s->clamp_min = oct_quantize_f32(s->lo, scale, zero, min, max);
    s->clamp_max = oct_quantize_f32(s->hi, scale, zero, min, max);
    s->clamps = s->clamp_min != min || s->clamp_max != max;
}

/* Follow the operator's result, as long as one reader takes it, to a QuantizeLinear of one scale. */
static void find_quantize(oct_group *s)
{
    const oct_graph *g = s->g;
    int v = oct_group_node(s)->outputs[0];
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
        if (oct_op_facts(n->op)->clamp != OCT_CLAMP_IS || !narrow(g, n, &s->lo, &s->hi))
            return;
        v = n->outputs[0];
    }
}

/* ---- products
 * ---------------------------------------------------------------------------------------------- */

/* The first operand with one scale, 8-bit weights with one a channel, a bias at the product of both. */
static octet_status fuse_product(oct_group *s, bool *done)
{
    const oct_node *n = oct_group_node(s);
    const oct_facts *f = oct_op_facts(n->op), *to = oct_op_facts(f->twin);
    int in[OCT_CONV_TABLE], bias = OCT_NO_VALUE, axis = oct_weight_axis(s->g, n), count;
    bool fits = true;
    oct_quantized x, w;
    if (!oct_group_product(s, 0, &x) || !oct_group_weights(s, 1, axis, &w))
        return OCTET_OK;
    if (f->bias >= 0)
        FORWARD(oct_group_bias(s, f->bias, &x, &w, s->g->values[w.value].dims[axis], &bias, &fits));
    if (!fits)
        return OCTET_OK;
    FORWARD(oct_group_operand(s, &x, in + to->operands[0].value));
    FORWARD(oct_group_operand(s, &w, in + to->operands[1].value));
    FORWARD(oct_group_result(s, in, to->result.scale));
    if (to->bias >= 0)
        in[to->bias] = bias;
    for (count = to->max_in; in[count - 1] == OCT_NO_VALUE;)
        count--;
    FORWARD(oct_group_replace(s, f->twin, in, count));
    s->g->nodes[s->made].float_out = s->quantize < 0 && f->twin_reach != OCT_REACH_FLOAT_TOO;
    *done = true;
    return OCTET_OK;
}

static octet_status fuse_gemm(oct_group *s, bool *done)
{
    const oct_node *n = oct_group_node(s);
    float alpha = oct_node_float(n, "alpha", 1.0f), beta = oct_node_float(n, "beta", 1.0f);
    bool plain = alpha == 1.0f && (beta == 1.0f || oct_group_input(s, 2) == OCT_NO_VALUE);
    return plain ? fuse_product(s, done) : OCTET_OK;
}

/* ---- operators whose rows say it all, or nearly so ------------------------------------------------------
 */

/* Inputs of the integer operator: those of the float one where they are parameters, then what its own row
 * says of operands and result. Their number; in: NULL or where they go. */
static int place_parameters(const oct_group *s, oct_op op, int *in)
{
    const oct_node *n = oct_group_node(s);
    int count = oct_op_facts(op)->result.zero + 1;
    for (int k = 0; k < oct_node_operands(n); k++) {
        oct_at at = oct_op_operand(op, k);
        int last = at.zero > at.value ? at.zero : at.value;
        count = last >= count ? last + 1 : count;
    }
    for (int i = 0; in && i < count; i++)
        in[i] = oct_op_is_data(n->op, i) ? OCT_NO_VALUE : oct_group_input(s, i);
    return count;
}

typedef bool tensor_fn(const oct_group *s, int i, oct_quantized *q);

/* Operands for which op has a scale are tensors of the result's type; others are taken as they are. */
static bool operands_fit(const oct_group *s, oct_op op, tensor_fn *tensor)
{
    const oct_node *n = oct_group_node(s);
    bool fit = s->quantize >= 0 && (!s->clamps || oct_op_facts(op)->clamp == OCT_CLAMP_TAKES);
    for (int k = 0; fit && k < oct_node_operands(n); k++) {
        oct_quantized x;
        fit = oct_op_operand(op, k).scale < 0 ||
              (tensor(s, oct_op_operand(n->op, k).value, &x) && x.dtype == s->y.dtype);
    }
    return fit;
}

/* The group as op, by the rows of both. */
static octet_status fuse_as(oct_group *s, oct_op op, tensor_fn *tensor, bool *done)
{
    const oct_node *n = oct_group_node(s);
    if (!operands_fit(s, op, tensor))
        return OCTET_OK;
    int operands = oct_node_operands(n), count = place_parameters(s, op, NULL);
    int *in = oct_arena_alloc(&s->g->arena, (size_t)count, sizeof *in);
    RETURN_IF(!in, OCTET_OUT_OF_MEMORY, "out of host memory in a graph pass");
    (void)place_parameters(s, op, in);
    for (int k = 0; k < operands; k++) {
        oct_at to = oct_op_operand(op, k);
        int from = oct_op_operand(n->op, k).value, parts[3];
        oct_quantized x;
        in[to.value] = oct_group_input(s, from);
        if (to.scale < 0)
            continue;
        (void)tensor(s, from, &x);
        FORWARD(oct_group_operand(s, &x, parts));
        in[to.value] = parts[0];
        in[to.scale] = parts[1];
        in[to.zero] = parts[2];
    }
    FORWARD(oct_group_result(s, in, oct_op_facts(op)->result.scale));
    *done = true;
    return oct_group_replace(s, op, in, count);
}

static oct_op twin_of(const oct_group *s)
{
    return oct_op_facts(oct_group_node(s)->op)->twin;
}

static octet_status fuse_operands(oct_group *s, bool *done)
{
    return fuse_as(s, twin_of(s), oct_group_tensor, done);
}

/* An average over all positions takes 16 bits too, where int32 holds their sum. */
static octet_status fuse_global_pool(oct_group *s, bool *done)
{
    oct_quantized x;
    const oct_value *value = &s->g->values[oct_group_input(s, 0)];
    int64_t positions = 1;
    for (int d = 2; d < value->rank; d++)
        positions *= value->dims[d];
    if (!oct_group_product(s, 0, &x) || (oct_dtype_is_int16(x.dtype) && positions > oct_sum_most(x.dtype)))
        return OCTET_OK;
    return fuse_as(s, OCT_OP_QLinearGlobalAveragePool, oct_group_product, done);
}

static octet_status fuse_softmax(oct_group *s, bool *done)
{
    int opset = oct_group_node(s)->opset;
    int64_t axis = oct_node_int(oct_group_node(s), "axis", opset < 13 ? 1 : -1);
    FORWARD(fuse_operands(s, done));
    if (!*done)
        return OCTET_OK;
    FORWARD(oct_node_set_int(s->g, s->made, "axis", axis));
    return oct_node_set_int(s->g, s->made, "opset", opset);
}

/* The axes as an attribute, where the integer reductions have them. */
static octet_status fuse_reduction(oct_group *s, const bool *reduced, bool *done)
{
    oct_graph *g = s->g;
    const oct_value *x = &g->values[oct_group_input(s, 0)];
    int64_t axes[OCTET_MAX_RANK], elems = 1;
    size_t count = 0;
    for (int d = 0; d < x->rank; d++) {
        if (!reduced[d])
            continue;
        axes[count++] = d;
        elems *= x->dims[d];
    }
    oct_quantized q;
    if (!oct_group_product(s, 0, &q) || elems > oct_sum_most(q.dtype))
        return OCTET_OK; /* in float, as it is */
    FORWARD(fuse_as(s, twin_of(s), oct_group_product, done));
    if (!*done)
        return OCTET_OK;
    FORWARD(oct_node_set_int(g, s->made, "noop_with_empty_axes", 1)); /* none: that was so before */
    return oct_node_set_ints(g, s->made, "axes", axes, count);
}

static octet_status fuse_sum(oct_group *s, bool *done)
{
    bool reduced[OCTET_MAX_RANK];
    FORWARD(oct_reduced_axes(s->g, oct_group_node(s), reduced));
    return fuse_reduction(s, reduced, done);
}

/* A mean over rows and columns is a global average; without the dimensions of 1 it is also renamed. */
static octet_status fuse_mean(oct_group *s, bool *done)
{
    oct_graph *g = s->g;
    const oct_value *x = &g->values[oct_group_input(s, 0)];
    bool reduced[OCTET_MAX_RANK], pixels = x->rank >= 3;
    if (s->quantize < 0)
        return OCTET_OK;
    FORWARD(oct_reduced_axes(g, oct_group_node(s), reduced));
    for (int d = 0; d < x->rank; d++)
        pixels = pixels && reduced[d] == (d >= 2);
    if (!pixels)
        return fuse_reduction(s, reduced, done);
    int y = s->y.value;
    int64_t dims[OCTET_MAX_RANK] = {x->dims[0], x->dims[1]};
    for (int d = 2; d < x->rank; d++)
        dims[d] = 1;
    int rank = x->rank, pooled = y;
    if (g->values[y].rank != rank)
        pooled = oct_add_like(g, g->values[y].name, s->y.dtype, rank, dims);
    if (pooled < 0)
        return OCTET_OUT_OF_MEMORY;
    FORWARD(fuse_global_pool(s, done));
    if (!*done || pooled == y)
        return OCTET_OK;
    g->nodes[s->made].outputs[0] = pooled;
    g->values[pooled].producer = s->made;
    const int64_t shape[2] = {dims[0], dims[1]}, two = 2;
    int in[2] = {pooled, oct_add_const(g, OCTET_S64, 1, &two, shape)};
    if (in[1] < 0 || oct_add_node_like(g, s->made, OCT_OP_Reshape, in, 2, y) < 0)
        return OCTET_OUT_OF_MEMORY;
    return OCTET_OK;
}

/* (Nearest has sunk the DequantizeLinear.) */
static octet_status fuse_resize(oct_group *s, bool *done)
{
    return oct_group_node(s)->opset < 11 ? OCTET_OK : fuse_operands(s, done);
}

static fuse_fn *const fuses[OCT_OP_COUNT] = {
#define fuse_conv_transpose            oct_group_conv_transpose
#define COLUMN_TWIN(twin, fuse, where) fuse_##fuse
#define COLUMN_NO_TWIN                 NULL
#define OCT_OP(op, file, arity, family, shape, host, lower, macs, runs, operands, result, weights, clamp,    \
               layout, pointwise, sinks, twin, ...)                                                          \
    [OCT_OP_##op] = COLUMN_##twin,
#include "op_table.def"
#undef OCT_OP
};

/* Groups whose integer form is an operator of ONNX or com.microsoft that runtimes have: what other graphs of
 * these become, no file can say. (A mean becomes a Reshape that knows the batch.) */
static bool has_onnx_form(const oct_group *s)
{
    oct_reach reach = oct_op_facts(oct_group_node(s)->op)->twin_reach;
    oct_quantized x;
    int first = 0; /* operand that has a scale */
    while (oct_op_operand(twin_of(s), first).scale < 0)
        first++;
    if (!oct_group_tensor(s, oct_op_operand(oct_group_node(s)->op, first).value, &x) ||
        (s->quantize >= 0 && !oct_dtype_is_int8(s->y.dtype)))
        return false; /* of 16 bits */
    return reach == OCT_REACH_FLOAT_TOO || (reach == OCT_REACH_FILES && s->quantize >= 0);
}

static octet_status fuse_groups(oct_graph *g, bool portable)
{
    oct_readers readers = {0};
    FORWARD(oct_readers_find(g, &readers));
    octet_status status = OCTET_OK;
    int count = g->node_count;
    for (int i = 0; i < count && status == OCTET_OK; i++) {
        oct_group s = {.g = g, .readers = &readers, .node = i};
        bool done = false;
        if (!fuses[g->nodes[i].op] || g->nodes[i].output_count != 1)
            continue;
        find_quantize(&s);
        if (!portable || has_onnx_form(&s))
            status = fuses[g->nodes[i].op](&s, &done);
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
