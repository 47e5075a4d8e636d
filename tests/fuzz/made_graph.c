/* See made_graph.h: the list of tensors, and how nodes and constants come into the graph. */
#include "made_graph.h"
#include "dtype.h"
#include "quant.h"
#include "ref.h"
#include "rewrite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- decisions ----------------------------------------------------------------------------------------- */

int made_pick(made_graph *m, int n)
{
    if (!m->left)
        return 0;
    m->left--;
    return *m->at++ % n;
}

uint32_t made_random(made_graph *m)
{
    m->seed ^= m->seed >> 12; /* xorshift64* */
    m->seed ^= m->seed << 25;
    m->seed ^= m->seed >> 27;
    return (uint32_t)((m->seed * UINT64_C(0x2545F4914F6CDD1D)) >> 32);
}

void made_fill(made_graph *m, octet_dtype dtype, void *data, size_t count)
{
    int style = made_pick(m, 4), low = oct_dtype_min(dtype), high = oct_dtype_max(dtype);
    for (size_t i = 0; i < count; i++) {
        uint32_t r = made_random(m);
        int32_t small = (low + high + 1) / 2 + (int32_t)(r % 15) - 7;
        oct_ref_store(dtype, data, (int64_t)i,
                      style < 2    ? low + (int32_t)(r & 255)
                      : style == 2 ? small
                                   : (r & 1 ? low : high));
    }
}

float made_scale(made_graph *m)
{
    return (float)(1 + made_random(m) % 1000) * 0.00037f;
}

int32_t made_zero(made_graph *m, octet_dtype dtype)
{
    int32_t low = oct_dtype_min(dtype);
    int kind = made_pick(m, 4);
    return kind == 0   ? (dtype == OCTET_U8 ? 128 : 0)
           : kind == 1 ? low
           : kind == 2 ? oct_dtype_max(dtype)
                       : low + (int32_t)(made_random(m) & 255);
}

/* ---- constants, nodes ---------------------------------------------------------------------------------- */

int made_const(made_graph *m, octet_dtype dtype, int rank, const int64_t *dims, const void *bytes)
{
    int v = oct_add_const(&m->graph, dtype, rank, dims, bytes);
    return v < 0 ? OCT_NO_VALUE : v;
}

int made_const_f32(made_graph *m, float x)
{
    return made_const(m, OCTET_F32, 0, NULL, &x);
}

int made_const_zero(made_graph *m, octet_dtype dtype, int32_t zero)
{
    uint8_t byte = (uint8_t)zero;
    return made_const(m, dtype, 0, NULL, &byte);
}

int made_const_ints(made_graph *m, const int64_t *ints, int count)
{
    const int64_t dims[1] = {count};
    return made_const(m, OCTET_S64, 1, dims, ints);
}

made_tensor *made_new(made_graph *m, octet_dtype dtype, int rank, const int64_t *dims)
{
    int64_t count = 1;
    for (int d = 0; d < rank; d++)
        count = dims[d] > 0 && count <= MADE_MOST ? count * dims[d] : MADE_MOST + 1;
    if (m->count == MADE_TENSORS || rank > MADE_RANK || count > MADE_MOST)
        return NULL;
    made_tensor *t = &m->tensors[m->count];
    free(t->data); /* of one that came to nothing */
    *t = (made_tensor){.value = OCT_NO_VALUE, .dtype = dtype, .rank = rank, .count = count, .scale = 1};
    if (rank)
        memcpy(t->dims, dims, (size_t)rank * sizeof *dims);
    t->data = malloc((size_t)count * oct_dtype_bytes(dtype));
    return t->data ? t : NULL;
}

static bool add_value(made_graph *m, made_tensor *t)
{
    char name[16];
    snprintf(name, sizeof name, "t%d", m->count);
    t->value = oct_graph_add_value(&m->graph, name);
    if (t->value < 0)
        return false;
    oct_value *v = &m->graph.values[t->value];
    v->dtype = t->dtype;
    v->rank = t->rank;
    memcpy(v->dims, t->dims, (size_t)t->rank * sizeof *t->dims);
    m->count++;
    return true;
}

bool made_node(made_graph *m, oct_op op, const int *inputs, int count, made_tensor *y)
{
    static const char *const microsoft[] = {"QLinearAdd",
                                            "QLinearMul",
                                            "QLinearConcat",
                                            "QLinearAveragePool",
                                            "QGemm",
                                            "QLinearSoftmax",
                                            "QLinearSigmoid",
                                            "QLinearLeakyRelu",
                                            "QLinearGlobalAveragePool",
                                            "QLinearReduceMean"};
    char name[16];
    snprintf(name, sizeof name, "n%d", m->graph.node_count);
    oct_node *n = add_value(m, y) ? oct_graph_add_node(&m->graph, op, name, count, 1) : NULL;
    if (!n)
        return false;
    memcpy(n->inputs, inputs, (size_t)count * sizeof *inputs);
    n->outputs[0] = y->value;
    n->opset = 17;
    for (size_t i = 0; i < sizeof microsoft / sizeof *microsoft; i++) {
        if (strcmp(n->op_type, microsoft[i]) == 0)
            n->domain = "com.microsoft";
    }
    for (int i = 0; i < m->count; i++) {
        for (int j = 0; j < count; j++)
            m->tensors[i].used |= m->tensors[i].value == inputs[j];
    }
    return true;
}

void made_int(made_graph *m, const char *name, int64_t i)
{
    (void)oct_node_set_int(&m->graph, m->graph.node_count - 1, name, i);
}

void made_float(made_graph *m, const char *name, float f)
{
    const oct_attr attr = {.name = name, .kind = OCT_ATTR_FLOAT, .f = f};
    (void)oct_node_set_attr(&m->graph, m->graph.node_count - 1, &attr);
}

void made_ints(made_graph *m, const char *name, const int64_t *ints, size_t count)
{
    (void)oct_node_set_ints(&m->graph, m->graph.node_count - 1, name, ints, count);
}

const made_tensor *made_find(const made_graph *m, int value)
{
    for (int i = 0; i < m->count; i++) {
        if (m->tensors[i].value == value)
            return &m->tensors[i];
    }
    return NULL;
}

/* ---- the whole ----------------------------------------------------------------------------------------- */

/* An input: of 8 bits, or of floats with a QuantizeLinear behind it. */
static bool add_input(made_graph *m)
{
    octet_dtype dtype = made_pick(m, 2) ? OCTET_S8 : OCTET_U8;
    int rank = made_pick(m, 4) ? 4 : 2;
    bool from_float = made_pick(m, 3) == 0;
    int64_t dims[4] = {1 + made_pick(m, 3), 1 + made_pick(m, 9), 1 + made_pick(m, 9), 1 + made_pick(m, 9)};
    made_tensor *t = made_new(m, from_float ? OCTET_F32 : dtype, rank, dims);
    if (!t)
        return false;
    t->scale = made_scale(m);
    t->zero = made_zero(m, dtype);
    if (!from_float) {
        made_fill(m, dtype, t->data, (size_t)t->count);
        return add_value(m, t);
    }
    for (int64_t i = 0; i < t->count; i++)
        ((float *)t->data)[i] = ((float)(made_random(m) % 4096) - 2048.0f) / 16.0f * t->scale;
    if (!add_value(m, t))
        return false;
    made_tensor *q = made_new(m, dtype, rank, dims);
    if (!q)
        return false;
    q->scale = t->scale;
    q->zero = t->zero;
    oct_quantize_row(t->data, (size_t)t->count, q->scale, q->zero, dtype, q->data);
    const int in[] = {t->value, made_const_f32(m, q->scale), made_const_zero(m, dtype, q->zero)};
    return made_node(m, OCT_OP_QuantizeLinear, in, 3, q);
}

static made_op *const ops[] = {
    made_conv,   made_conv,     made_conv,       made_matmul,       made_qgemm,        made_binary,
    made_binary, made_max_pool, made_concat,     made_softmax,      made_average_pool, made_table,
    made_table,  made_clip,     made_requantize, made_transpose,    made_global_pool,  made_reshape,
    made_pad,    made_slice,    made_mean,       made_binary_const,
};
enum { OPS = sizeof ops / sizeof ops[0] };

/* An output as floats, now and then. */
static void add_dequantize(made_graph *m, made_tensor *x)
{
    made_tensor *y = made_new(m, OCTET_F32, x->rank, x->dims);
    if (!y)
        return;
    oct_dequantize_row(x->data, (size_t)x->count, x->scale, x->zero, x->dtype, y->data);
    const int in[] = {x->value, made_const_f32(m, x->scale), made_const_zero(m, x->dtype, x->zero)};
    (void)made_node(m, OCT_OP_DequantizeLinear, in, 3, y);
}

/* What nobody reads is an output, and some others are too. */
static bool add_ports(made_graph *m)
{
    oct_graph *g = &m->graph;
    g->inputs = malloc(MADE_TENSORS * sizeof *g->inputs);
    g->outputs = malloc(MADE_TENSORS * sizeof *g->outputs);
    if (!g->inputs || !g->outputs)
        return false;
    for (int i = 0; i < m->count; i++) {
        const made_tensor *t = &m->tensors[i];
        bool made = false;
        for (int k = 0; k < g->node_count; k++)
            made |= g->nodes[k].outputs[0] == t->value;
        if (!made) {
            g->inputs[g->input_count++] = t->value;
            g->values[t->value].is_input = true;
        } else if (!t->used || made_pick(m, 8) == 1) {
            g->outputs[g->output_count++] = t->value;
            g->values[t->value].is_output = true;
        }
    }
    return true;
}

bool made_graph_make(made_graph *m, const uint8_t *data, size_t size)
{
    memset(m, 0, sizeof *m);
    m->at = data;
    m->left = size;
    m->seed = 0x9E3779B97F4A7C15u;
    for (size_t i = 0; i < size; i++)
        m->seed = (m->seed ^ data[i]) * 1099511628211u;
    m->seed |= 1;
    int inputs = 1 + made_pick(m, 2);
    for (int i = 0; i < inputs; i++) {
        if (!add_input(m))
            return false;
    }
    for (int tries = 0; m->left && tries < MADE_TENSORS && m->count < MADE_TENSORS - 4; tries++) {
        made_op *op = ops[made_pick(m, OPS)];
        int back = made_pick(m, made_pick(m, 3) ? 2 : m->count); /* mostly what was made last */
        made_tensor *x = &m->tensors[m->count - 1 - back % m->count];
        if (oct_dtype_is_int8(x->dtype))
            (void)op(m, x);
    }
    int made = m->count;
    for (int i = 0; i < made; i++) {
        if (oct_dtype_is_int8(m->tensors[i].dtype) && !m->tensors[i].used && made_pick(m, 2))
            add_dequantize(m, &m->tensors[i]);
    }
    return add_ports(m) && oct_graph_sort(&m->graph) == OCTET_OK;
}

void made_graph_free(made_graph *m)
{
    for (int i = 0; i < MADE_TENSORS; i++)
        free(m->tensors[i].data);
    oct_graph_free(&m->graph);
}
