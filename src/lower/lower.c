#include "lower.h"
#include "dtype.h"
#include "move.h"
#include "sizes.h"

#include <string.h>

static lower_fn *const lowerings[OCT_OP_COUNT] = {
#define COLUMN_LOWER(f)                                          oct_lower_##f
#define OCT_OP(op, file, arity, family, shape, host, lower, ...) [OCT_OP_##op] = COLUMN_##lower,
#include "op_table.def"
#undef OCT_OP
};

static macs_fn *const macs[OCT_OP_COUNT] = {
#define COLUMN_MACS(f)                                                 oct_macs_##f
#define OCT_OP(op, file, arity, family, shape, host, lower, macs, ...) [OCT_OP_##op] = COLUMN_##macs,
#include "op_table.def"
#undef OCT_OP
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

oct_quant oct_lower_quant(const lowering *l, const oct_node *n, oct_at at, octet_dtype dtype)
{
    oct_quant q = {.scale = OCT_MEM_NONE, .zero = OCT_MEM_NONE, .zero_dtype = dtype};
    if (oct_lower_has_input(n, at.scale)) {
        oct_operand t = oct_lower_input(l, n, at.scale);
        q.scale = t.mem;
        q.scale_count = oct_operand_elems(&t);
        q.host_scale = t.host;
    }
    if (oct_lower_has_input(n, at.zero)) {
        oct_operand t = oct_lower_input(l, n, at.zero);
        q.zero = t.mem;
        q.zero_count = oct_operand_elems(&t);
        q.host_zero = t.host;
    }
    return q;
}

const oct_value *oct_lower_weights(const oct_graph *g, const oct_node *n)
{
    return &g->values[n->inputs[oct_op_facts(n->op)->operands[1].value]];
}

void oct_lower_clamp(const oct_clamp *clamp, octet_dtype dtype, int32_t *lo, int32_t *hi)
{
    *lo = clamp->set ? clamp->min : oct_dtype_min(dtype);
    *hi = clamp->set ? clamp->max : oct_dtype_max(dtype);
}

const oct_check *oct_lower_check(const lowering *l, const oct_node *n, int i, int64_t low, int64_t high,
                                 oct_check *check)
{
    if (!oct_lower_has_input(n, i) || l->g->values[n->inputs[i]].data)
        return NULL;
    *check = (oct_check){n->op_type, n->name, l->g->values[n->inputs[i]].name, low, high};
    return check;
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

bool oct_lower_is_read(const oct_graph *g, int value)
{
    if (g->values[value].is_output)
        return true;
    for (int i = 0; i < g->node_count; i++) {
        for (int k = 0; k < g->nodes[i].input_count; k++) {
            if (g->nodes[i].inputs[k] == value)
                return true;
        }
    }
    return false;
}

/* Does a node's output hold the same bytes as its first input? */
static bool is_alias(const oct_node *n)
{
    return oct_op_facts(n->op)->result_kind == OCT_RESULT_SAME;
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
        if (is_alias(n) && l->mem[n->outputs[0]] != OCT_MEM_NONE && l->mem[n->inputs[0]] == OCT_MEM_NONE)
            l->mem[n->inputs[0]] = l->mem[n->outputs[0]];
    }
}

static void assign_outputs(lowering *l, const oct_node *n)
{
    bool alias = is_alias(n);
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

/* What the host makes to plan a smaller tensor is nothing: then all is planned, and told how much it needs.
 */
#define PLANNED_ANYWAY ((size_t)64 << 20)

/* Before anything is made that is as large. */
static octet_status check_memory(const lowering *l, const oct_node *n)
{
    for (int i = 0; i < n->output_count; i++) {
        const oct_value *v = n->outputs[i] == OCT_NO_VALUE ? NULL : &l->g->values[n->outputs[i]];
        RETURN_IF(v && value_bytes(v) > PLANNED_ANYWAY && value_bytes(v) > l->r->memory_limit,
                  OCTET_OUT_OF_MEMORY,
                  "'%s' takes %zu bytes; the memory limit is %zu: raise it (memory_limit, --memory-limit) or "
                  "take smaller shapes",
                  v->name, value_bytes(v), l->r->memory_limit);
    }
    return OCTET_OK;
}

const oct_value *oct_lower_largest(const oct_graph *g, size_t *bytes)
{
    const oct_value *largest = NULL;
    *bytes = 0;
    for (int i = 0; i < g->node_count; i++) {
        const oct_node *n = &g->nodes[i];
        for (int k = 0; k < n->input_count + n->output_count; k++) {
            int v = k < n->input_count ? n->inputs[k] : n->outputs[k - n->input_count];
            size_t its = v == OCT_NO_VALUE ? 0 : value_bytes(&g->values[v]);
            if (its <= *bytes)
                continue;
            largest = &g->values[v];
            *bytes = its;
        }
    }
    return largest;
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
        octet_status status = check_memory(&l, n);
        if (status == OCTET_OK)
            status = lowerings[n->op](&l, n);
        if (status == OCTET_OK)
            status = recipe->status;
        if (status != OCTET_OK)
            return oct_fail_prefix(status, "%s (node '%s')", n->op_type, n->name);
    }
    return assign_graph_outputs(&l, output_mem);
}

/* Inference leaves no such node behind, unless what it wants is known only in a run. */
octet_status oct_lower_none(lowering *l, const oct_node *n)
{
    return oct_fail(OCTET_UNSUPPORTED, "cannot run in %s; quantize its inputs and outputs",
                    oct_dtype_name(l->g->values[n->outputs[0]].dtype));
}

int64_t oct_macs_none(const oct_graph *g, const oct_node *n)
{
    (void)g, (void)n;
    return 0;
}

int64_t oct_node_macs(const oct_graph *g, const oct_node *n)
{
    return macs[n->op](g, n);
}
