#include "lower.h"
#include "dtype.h"
#include "move.h"
#include "recurrent.h"
#include "sizes.h"

#include <string.h>

static lower_fn *const table[OCT_OP_COUNT] = {
    [OCT_OP_QLinearConv] = oct_lower_conv,
    [OCT_OP_ConvInteger] = oct_lower_conv,
    [OCT_OP_MaxPool] = oct_lower_max_pool,
    [OCT_OP_QLinearAveragePool] = oct_lower_average_pool,
    [OCT_OP_QLinearGlobalAveragePool] = oct_lower_global_pool,
    [OCT_OP_QLinearMatMul] = oct_lower_matmul,
    [OCT_OP_MatMulInteger] = oct_lower_matmul,
    [OCT_OP_QGemm] = oct_lower_qgemm,
    [OCT_OP_QLinearAdd] = oct_lower_q_binary,
    [OCT_OP_QLinearMul] = oct_lower_q_binary,
    [OCT_OP_QLinearSub] = oct_lower_q_binary,
    [OCT_OP_Table] = oct_lower_table,
    [OCT_OP_QLinearConcat] = oct_lower_q_concat,
    [OCT_OP_QLinearSigmoid] = oct_lower_q_table,
    [OCT_OP_QLinearLeakyRelu] = oct_lower_q_table,
    [OCT_OP_QLinearSoftmax] = oct_lower_q_softmax,
    [OCT_OP_QLinearReduceMean] = oct_lower_q_reduce,
    [OCT_OP_QLinearReduceSum] = oct_lower_q_reduce,
    [OCT_OP_Relu] = oct_lower_relu,
    [OCT_OP_Clip] = oct_lower_clip,
    [OCT_OP_QuantizeLinear] = oct_lower_quantize,
    [OCT_OP_DequantizeLinear] = oct_lower_dequantize,
    [OCT_OP_DynamicQuantizeLinear] = oct_lower_dynamic_quantize,
    [OCT_OP_Transpose] = oct_lower_transpose,
    [OCT_OP_Cast] = oct_lower_cast,
    [OCT_OP_Conv] = oct_lower_float_conv,
    [OCT_OP_ConvTranspose] = oct_lower_conv_transpose,
    [OCT_OP_Gemm] = oct_lower_gemm,
    [OCT_OP_MatMul] = oct_lower_float_matmul,
    [OCT_OP_Resize] = oct_lower_resize,
    [OCT_OP_QLinearResize] = oct_lower_resize,
    [OCT_OP_Slice] = oct_lower_slice,
    [OCT_OP_Gather] = oct_lower_gather,
    [OCT_OP_Split] = oct_lower_split,
    [OCT_OP_Concat] = oct_lower_concat,
    [OCT_OP_Expand] = oct_lower_expand,
    [OCT_OP_Tile] = oct_lower_tile,
    [OCT_OP_Pad] = oct_lower_pad,
    [OCT_OP_DepthToSpace] = oct_lower_block,
    [OCT_OP_SpaceToDepth] = oct_lower_block,
    [OCT_OP_BatchNormalization] = oct_lower_batch_norm,
    [OCT_OP_Equal] = oct_lower_logic,
    [OCT_OP_Less] = oct_lower_logic,
    [OCT_OP_LessOrEqual] = oct_lower_logic,
    [OCT_OP_Greater] = oct_lower_logic,
    [OCT_OP_GreaterOrEqual] = oct_lower_logic,
    [OCT_OP_And] = oct_lower_logic,
    [OCT_OP_Or] = oct_lower_logic,
    [OCT_OP_Xor] = oct_lower_logic,
    [OCT_OP_Not] = oct_lower_not,
    [OCT_OP_Where] = oct_lower_where,
    [OCT_OP_Dropout] = oct_lower_dropout,
    [OCT_OP_LayerNormalization] = oct_lower_layer_norm,
    [OCT_OP_InstanceNormalization] = oct_lower_channel_norm,
    [OCT_OP_GroupNormalization] = oct_lower_channel_norm,
    [OCT_OP_LRN] = oct_lower_lrn,
    [OCT_OP_LSTM] = oct_lower_lstm,
    [OCT_OP_Reshape] = oct_lower_alias,
    [OCT_OP_Flatten] = oct_lower_alias,
    [OCT_OP_Squeeze] = oct_lower_alias,
    [OCT_OP_Unsqueeze] = oct_lower_alias,
    [OCT_OP_Identity] = oct_lower_alias,
    [OCT_OP_Add] = oct_lower_binary,
    [OCT_OP_Sub] = oct_lower_binary,
    [OCT_OP_Mul] = oct_lower_binary,
    [OCT_OP_Div] = oct_lower_binary,
    [OCT_OP_Min] = oct_lower_variadic,
    [OCT_OP_Max] = oct_lower_variadic,
    [OCT_OP_Pow] = oct_lower_binary,
    [OCT_OP_PRelu] = oct_lower_binary,
    [OCT_OP_ReduceSum] = oct_lower_reduce,
    [OCT_OP_ReduceMean] = oct_lower_reduce,
    [OCT_OP_ReduceProd] = oct_lower_reduce,
    [OCT_OP_ReduceL1] = oct_lower_reduce,
    [OCT_OP_ReduceL2] = oct_lower_reduce,
    [OCT_OP_ReduceSumSquare] = oct_lower_reduce,
    [OCT_OP_ReduceLogSum] = oct_lower_reduce,
    [OCT_OP_ReduceMin] = oct_lower_reduce,
    [OCT_OP_ArgMax] = oct_lower_arg,
    [OCT_OP_ArgMin] = oct_lower_arg,
    [OCT_OP_Softmax] = oct_lower_softmax,
    [OCT_OP_LogSoftmax] = oct_lower_softmax,
    [OCT_OP_AveragePool] = oct_lower_average_pool,
    [OCT_OP_GlobalAveragePool] = oct_lower_global_pool,
    [OCT_OP_GlobalMaxPool] = oct_lower_max_pool,
    [OCT_OP_ReduceMax] = oct_lower_reduce,
};

bool oct_lower_has_input(const oct_node *n, int i)
{
    return i >= 0 && i < n->input_count && n->inputs[i] != OCT_NO_VALUE;
}

static oct_operand operand(const lowering *l, int value)
{
    const oct_value *v = &l->g->values[value];
    oct_operand t = {.mem = l->mem[value], .dtype = v->dtype, .rank = v->rank, .host = v->data};
    memcpy(t.dims, v->dims, sizeof t.dims);
    return t;
}

oct_operand oct_lower_input(const lowering *l, const oct_node *n, int i)
{
    oct_operand absent = {.mem = OCT_MEM_NONE};
    return oct_lower_has_input(n, i) ? operand(l, n->inputs[i]) : absent;
}

oct_operand oct_lower_output(const lowering *l, const oct_node *n, int i)
{
    return operand(l, n->outputs[i]);
}

oct_quant oct_lower_quant(const lowering *l, const oct_node *n, int scale, int zero, octet_dtype dtype)
{
    oct_quant q = {.scale = OCT_MEM_NONE, .zero = OCT_MEM_NONE, .zero_dtype = dtype};
    if (oct_lower_has_input(n, scale)) {
        oct_operand t = oct_lower_input(l, n, scale);
        q.scale = t.mem;
        q.scale_count = oct_operand_elems(&t);
        q.host_scale = t.host;
    }
    if (oct_lower_has_input(n, zero)) {
        oct_operand t = oct_lower_input(l, n, zero);
        q.zero = t.mem;
        q.zero_count = oct_operand_elems(&t);
        q.host_zero = t.host;
    }
    return q;
}

void oct_lower_clamp(const oct_clamp *clamp, octet_dtype dtype, int32_t *lo, int32_t *hi)
{
    *lo = clamp->set ? clamp->min : oct_dtype_min(dtype);
    *hi = clamp->set ? clamp->max : oct_dtype_max(dtype);
}

int64_t oct_lower_product(const oct_operand *t, int from, int to)
{
    int64_t p = 1;
    for (int i = from; i < to; i++)
        p *= t->dims[i];
    return p;
}

int oct_lower_axis(int64_t axis, int rank)
{
    return (int)(axis < 0 ? axis + rank : axis);
}

static size_t value_bytes(const oct_value *v)
{
    int64_t elems = 0;
    return oct_shape_elems(v->dims, v->rank, &elems) ? (size_t)elems * oct_dtype_bytes(v->dtype) : 0;
}

/* Memories of graph inputs, outputs and constants; then outputs travel backwards through renaming nodes, so
 * that the operator above a final Reshape writes the output itself. */
static void assign_fixed_memories(lowering *l)
{
    const oct_graph *g = l->g;
    for (int v = 0; v < g->value_count; v++) {
        const oct_value *value = &g->values[v];
        l->mem[v] = OCT_MEM_NONE;
        if (value->data)
            l->mem[v] = (value->made ? oct_recipe_const_made : oct_recipe_const)(l->r, value->data,
                                                                                 value->data_bytes);
    }
    for (int i = 0; i < g->input_count; i++)
        l->mem[g->inputs[i]] = oct_recipe_input(l->r, value_bytes(&g->values[g->inputs[i]]));
    for (int i = 0; i < g->output_count; i++) {
        if (l->mem[g->outputs[i]] == OCT_MEM_NONE)
            l->mem[g->outputs[i]] = oct_recipe_output(l->r, value_bytes(&g->values[g->outputs[i]]));
    }
    for (int i = g->node_count - 1; i >= 0; i--) {
        const oct_node *n = &g->nodes[i];
        if (oct_lower_is_alias(n) && l->mem[n->outputs[0]] != OCT_MEM_NONE &&
            l->mem[n->inputs[0]] == OCT_MEM_NONE)
            l->mem[n->inputs[0]] = l->mem[n->outputs[0]];
    }
}

static void assign_outputs(lowering *l, const oct_node *n)
{
    bool alias = oct_lower_is_alias(n);
    for (int i = 0; i < n->output_count; i++) {
        int v = n->outputs[i];
        if (v == OCT_NO_VALUE || l->mem[v] != OCT_MEM_NONE)
            continue;
        l->mem[v] =
            alias && i == 0 ? l->mem[n->inputs[0]] : oct_recipe_temp(l->r, value_bytes(&l->g->values[v]));
    }
}

/* A graph output that is a constant or a graph input has a memory of another kind: it is copied. */
static octet_status assign_graph_outputs(lowering *l, oct_mem *output_mem)
{
    for (int i = 0; i < l->g->output_count; i++) {
        oct_operand x = operand(l, l->g->outputs[i]), y = x;
        if (l->r->status == OCTET_OK && l->r->mems[x.mem].kind != OCT_MEM_OUTPUT) {
            y.mem = oct_recipe_output(l->r, value_bytes(&l->g->values[l->g->outputs[i]]));
            FORWARD(oct_copy(l->r, l->caps, &x, &y));
        }
        output_mem[i] = y.mem;
    }
    return l->r->status;
}

octet_status oct_lower(const oct_graph *graph, const oct_caps *caps, oct_recipe *recipe, oct_mem *value_mem,
                       oct_mem *output_mem)
{
    lowering l = {.g = graph, .caps = caps, .r = recipe, .mem = value_mem};
    assign_fixed_memories(&l);
    for (int i = 0; i < graph->node_count; i++) {
        const oct_node *n = &graph->nodes[i];
        assign_outputs(&l, n);
        recipe->current_node = i;
        lower_fn *lower = oct_op_is_unary(n->op) ? oct_lower_unary : table[n->op];
        RETURN_IF(!lower, OCTET_UNSUPPORTED,
                  "%s (node '%s') cannot run in %s; quantize its inputs and outputs", n->op_type, n->name,
                  oct_dtype_name(graph->values[n->outputs[0]].dtype));
        octet_status status = lower(&l, n);
        if (status == OCTET_OK)
            status = recipe->status;
        if (status != OCTET_OK)
            return oct_fail_prefix(status, "%s (node '%s')", n->op_type, n->name);
    }
    return assign_graph_outputs(&l, output_mem);
}

octet_node_path oct_node_path(const oct_graph *g, const oct_node *n)
{
    octet_node_path path = oct_op_path(n->op);
    int data = n->op == OCT_OP_QLinearConcat ? 2 : 0; /* its parameters come first */
    bool float_data = n->input_count > data && n->inputs[data] != OCT_NO_VALUE &&
                      g->values[n->inputs[data]].dtype == OCTET_F32;
    bool is_converter = n->op == OCT_OP_QuantizeLinear || n->op == OCT_OP_DynamicQuantizeLinear;
    return path == OCTET_NODE_INT8 && float_data && !is_converter ? OCTET_NODE_FLOAT : path;
}

int64_t oct_node_macs(const oct_graph *g, const oct_node *n)
{
    int weights;
    switch (n->op) {
    case OCT_OP_LSTM: {
        oct_recurrent r;
        if (oct_recurrent_resolve(g, n, &r) == OCTET_OK)
            return r.steps * r.batch * r.directions * OCT_LSTM_GATES * r.hidden * (r.inputs + r.hidden);
        oct_error_clear();
        return -1;
    }
    case OCT_OP_QLinearConv:
    case OCT_OP_QLinearMatMul:
    case OCT_OP_QGemm:
        weights = 3;
        break;
    case OCT_OP_ConvInteger:
    case OCT_OP_MatMulInteger:
    case OCT_OP_Conv:
    case OCT_OP_ConvTranspose:
    case OCT_OP_MatMul:
    case OCT_OP_Gemm:
        weights = 1;
        break;
    default:
        return 0;
    }
    const oct_value *w = &g->values[n->inputs[weights]], *x = &g->values[n->inputs[0]],
                    *y = &g->values[n->outputs[0]];
    int64_t out = 0, per_output = 1;
    if (w->rank < 1 || x->rank < 1 || y->rank < 0 || !oct_shape_elems(y->dims, y->rank, &out))
        return -1;
    if (n->op == OCT_OP_ConvTranspose) { /* each input element meets the weights of its channel */
        for (int i = 1; i < w->rank; i++)
            per_output *= w->dims[i];
        return oct_shape_elems(x->dims, x->rank, &out) ? out * per_output : -1;
    }
    if (n->op == OCT_OP_QLinearConv || n->op == OCT_OP_ConvInteger || n->op == OCT_OP_Conv) {
        for (int i = 1; i < w->rank; i++)
            per_output *= w->dims[i];
    } else {
        per_output = x->dims[(n->op == OCT_OP_QGemm || n->op == OCT_OP_Gemm) && oct_node_int(n, "transA", 0)
                                 ? 0
                                 : x->rank - 1];
    }
    return out * per_output;
}
