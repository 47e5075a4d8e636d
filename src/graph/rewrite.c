#include "rewrite.h"
#include "dtype.h"
#include "sizes.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

octet_status oct_readers_find(const oct_graph *g, oct_readers *r)
{
    r->count = calloc((size_t)g->value_count + 1, sizeof *r->count);
    r->node = calloc((size_t)g->value_count + 1, sizeof *r->node);
    if (!r->count || !r->node) {
        oct_readers_free(r);
        return oct_out_of_memory("a graph pass");
    }
    for (int i = 0; i < g->node_count; i++) {
        for (int j = 0; j < g->nodes[i].input_count; j++) {
            int v = g->nodes[i].inputs[j];
            if (v == OCT_NO_VALUE)
                continue;
            r->count[v]++;
            r->node[v] = i;
        }
    }
    for (int i = 0; i < g->output_count; i++)
        r->count[g->outputs[i]]++;
    return OCTET_OK;
}

void oct_readers_free(oct_readers *r)
{
    free(r->count);
    free(r->node);
    memset(r, 0, sizeof *r);
}

int oct_producer_of(const oct_graph *g, int v, oct_op op)
{
    if (v == OCT_NO_VALUE)
        return -1;
    int p = g->values[v].producer;
    return p >= 0 && g->nodes[p].op == op ? p : -1;
}

/* Constant parameters at inputs 1 and 2 of a (De)QuantizeLinear on a tensor of `rank`. */
static bool read_parameters(const oct_graph *g, const oct_node *n, int rank, oct_quantized *q)
{
    q->scale = n->inputs[1];
    q->zero = n->input_count > 2 ? n->inputs[2] : OCT_NO_VALUE;
    const oct_value *scale = &g->values[q->scale],
                    *zero = q->zero == OCT_NO_VALUE ? NULL : &g->values[q->zero];
    if (!scale->data || scale->rank > 1 || (zero && !zero->data) || oct_node_int(n, "block_size", 0) != 0)
        return false;
    q->channels = scale->rank ? scale->dims[0] : 1;
    q->axis = -1;
    if (q->channels != 1) {
        q->axis = oct_node_int(n, "axis", 1);
        q->axis += q->axis < 0 ? rank : 0;
    }
    return true;
}

bool oct_dequantized_from(const oct_graph *g, int v, oct_quantized *q)
{
    int p = oct_producer_of(g, v, OCT_OP_DequantizeLinear);
    if (p < 0)
        return false;
    const oct_node *n = &g->nodes[p];
    q->value = n->inputs[0];
    q->dtype = g->values[q->value].dtype;
    return read_parameters(g, n, g->values[q->value].rank, q);
}

bool oct_quantizes_to(const oct_graph *g, int node, oct_quantized *q)
{
    const oct_node *n = &g->nodes[node];
    if (n->op != OCT_OP_QuantizeLinear)
        return false;
    q->value = n->outputs[0];
    q->dtype = g->values[q->value].dtype;
    return read_parameters(g, n, g->values[q->value].rank, q);
}

float oct_const_f32(const oct_graph *g, int v)
{
    float f;
    memcpy(&f, g->values[v].data, sizeof f);
    return f;
}

int32_t oct_zero_point(const oct_graph *g, const oct_quantized *q)
{
    if (q->zero == OCT_NO_VALUE)
        return 0;
    const void *bytes = g->values[q->zero].data;
    switch (q->dtype) {
    case OCTET_U8:
        return *(const uint8_t *)bytes;
    case OCTET_S8:
        return *(const int8_t *)bytes;
    default: {
        int32_t wide = 0;
        memcpy(&wide, bytes, oct_dtype_bytes(q->dtype));
        return q->dtype == OCTET_S16 ? (int16_t)wide : wide;
    }
    }
}

bool oct_same_parameters(const oct_graph *g, const oct_quantized *a, const oct_quantized *b)
{
    return a->dtype == b->dtype && a->channels == 1 && b->channels == 1 &&
           oct_const_f32(g, a->scale) == oct_const_f32(g, b->scale) &&
           oct_zero_point(g, a) == oct_zero_point(g, b);
}

int oct_add_like(oct_graph *g, const char *name, octet_dtype dtype, int rank, const int64_t *dims)
{
    int v = oct_graph_add_value(g, name);
    if (v < 0)
        return -1;
    g->values[v].dtype = dtype;
    g->values[v].rank = rank;
    if (rank > 0)
        memcpy(g->values[v].dims, dims, (size_t)rank * sizeof *dims);
    return v;
}

int oct_add_const_kept(oct_graph *g, octet_dtype dtype, int rank, const int64_t *dims, const void *bytes)
{
    int64_t elems = 0;
    int v = oct_add_like(g, "constant", dtype, rank, dims);
    if (v < 0 || !oct_shape_elems(dims, rank, &elems))
        return -1;
    g->values[v].data_bytes = (size_t)elems * oct_dtype_bytes(dtype);
    g->values[v].data = bytes;
    g->values[v].made = true;
    return v;
}

int oct_add_const(oct_graph *g, octet_dtype dtype, int rank, const int64_t *dims, const void *bytes)
{
    int64_t elems = 0;
    void *copy = oct_shape_elems(dims, rank, &elems)
                     ? oct_arena_alloc(&g->arena, (size_t)elems, oct_dtype_bytes(dtype))
                     : NULL;
    if (!copy) {
        (void)oct_out_of_memory("a graph pass");
        return -1;
    }
    if (elems)
        memcpy(copy, bytes, (size_t)elems * oct_dtype_bytes(dtype));
    return oct_add_const_kept(g, dtype, rank, dims, copy);
}

int oct_explicit_zero(oct_graph *g, const oct_quantized *q)
{
    const int32_t zero = 0;
    return q->zero != OCT_NO_VALUE ? q->zero : oct_add_const(g, q->dtype, 0, NULL, &zero);
}

int oct_add_node_like(oct_graph *g, int like, oct_op op, const int *inputs, int input_count, int output)
{
    oct_node *n = oct_graph_add_node(g, op, g->nodes[like].name, input_count, 1);
    if (!n)
        return -1;
    const oct_node *from = &g->nodes[like];
    n->opset = from->opset;
    n->attrs = from->attrs;
    n->attr_count = from->attr_count;
    memcpy(n->inputs, inputs, (size_t)input_count * sizeof *inputs);
    n->outputs[0] = output;
    g->values[output].producer = g->node_count - 1;
    return g->node_count - 1;
}

int oct_copy_node(oct_graph *g, int node, int output)
{
    const oct_node *from = &g->nodes[node];
    int copy = oct_add_node_like(g, node, from->op, from->inputs, from->input_count, output);
    if (copy < 0)
        return -1;
    oct_node *n = &g->nodes[copy];
    oct_node whole = g->nodes[node];
    whole.inputs = n->inputs;
    whole.outputs = n->outputs;
    *n = whole;
    return copy;
}

octet_status oct_node_set_attr(oct_graph *g, int node, const oct_attr *attr)
{
    oct_node *n = &g->nodes[node];
    oct_attr *attrs = oct_arena_alloc(&g->arena, n->attr_count + 1, sizeof *attrs);
    if (!attrs)
        return oct_out_of_memory("a graph pass");
    size_t kept = 0;
    for (size_t a = 0; a < n->attr_count; a++) {
        if (strcmp(n->attrs[a].name, attr->name) != 0)
            attrs[kept++] = n->attrs[a];
    }
    attrs[kept++] = *attr;
    n->attrs = attrs;
    n->attr_count = kept;
    return OCTET_OK;
}

octet_status oct_node_set_int(oct_graph *g, int node, const char *name, int64_t i)
{
    const oct_attr attr = {.name = name, .kind = OCT_ATTR_INT, .i = i};
    return oct_node_set_attr(g, node, &attr);
}

octet_status oct_node_set_ints(oct_graph *g, int node, const char *name, const int64_t *values, size_t count)
{
    int64_t *ints = oct_arena_alloc(&g->arena, count, sizeof *ints);
    RETURN_IF(!ints, OCTET_OUT_OF_MEMORY, "out of host memory in a graph pass");
    if (count)
        memcpy(ints, values, count * sizeof *ints);
    const oct_attr attr = {.name = name, .kind = OCT_ATTR_INTS, .ints = ints, .count = count};
    return oct_node_set_attr(g, node, &attr);
}

void oct_node_clamp(oct_node *n, octet_dtype dtype, int32_t lo, int32_t hi)
{
    if (!n->clamp.set)
        n->clamp = (oct_clamp){true, oct_dtype_min(dtype), oct_dtype_max(dtype)};
    /* clamp(clamp(x, a, b), lo, hi) is clamp(x, clamp(a, lo, hi), clamp(b, lo, hi)). */
    int32_t *bounds[] = {&n->clamp.min, &n->clamp.max};
    for (int i = 0; i < 2; i++)
        *bounds[i] = *bounds[i] < lo ? lo : *bounds[i] > hi ? hi : *bounds[i];
}

bool oct_clamp_bounds(const oct_graph *g, const oct_node *n, float bounds[2])
{
    bounds[0] = n->op == OCT_OP_Relu ? 0.0f : -INFINITY;
    bounds[1] = INFINITY;
    for (int i = 1; i < n->input_count; i++) {
        const oct_value *v = n->inputs[i] == OCT_NO_VALUE ? NULL : &g->values[n->inputs[i]];
        if (v && (!v->data || v->dtype != OCTET_F32 || v->data_bytes != sizeof(float)))
            return false;
        if (v)
            bounds[i - 1] = oct_const_f32(g, n->inputs[i]);
    }
    return true;
}

void oct_drop_replaced(oct_graph *g)
{
    int kept = 0;
    for (int i = 0; i < g->node_count; i++) {
        if (g->nodes[i].output_count)
            g->nodes[kept++] = g->nodes[i];
    }
    g->node_count = kept;
}
