#include "correspond.h"
#include "dtype.h"
#include "op_facts.h"
#include "rewrite.h"

#include <stdlib.h>
#include <string.h>

typedef struct finder {
    const oct_graph *g, *shaped;
    oct_quantized *params; /* by value; scale OCT_NO_VALUE: not known */
    oct_shown *list;
    int count;
} finder;

static int input_of(const oct_node *n, int i)
{
    return i < n->input_count ? n->inputs[i] : OCT_NO_VALUE;
}

/* What the elements of a node's integer output y mean. */
static void find_parameters(finder *f, const oct_node *n, int y)
{
    const oct_facts *facts = oct_op_facts(n->op);
    int like = facts->result.value < 0 ? OCT_NO_VALUE : input_of(n, facts->result.value);
    oct_quantized *q = &f->params[y];
    q->dtype = f->shaped->values[y].dtype;
    if (facts->result_kind == OCT_RESULT_GIVEN) {
        q->scale = input_of(n, facts->result.scale);
        q->zero = input_of(n, facts->result.zero);
    } else if (like != OCT_NO_VALUE) {
        q->scale = f->params[like].scale;
        q->zero = f->params[like].zero;
    }
    bool known = q->scale != OCT_NO_VALUE && f->g->values[q->scale].data &&
                 f->g->values[q->scale].data_bytes == sizeof(float) &&
                 (q->zero == OCT_NO_VALUE || f->g->values[q->zero].data);
    if (!known)
        q->scale = q->zero = OCT_NO_VALUE;
}

static size_t without_suffix(const char *name)
{
    static const char *const suffixes[] = {"_dq",        "_q",           "_DequantizeLinear_Output",
                                           "_quantized", "_dequantized", "_QuantizeLinear_Output"};
    size_t length = strlen(name);
    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
        size_t end = strlen(suffixes[i]);
        if (length > end && strcmp(name + length - end, suffixes[i]) == 0)
            return length - end;
    }
    return length;
}

/* The float tensor that a dequantized or quantized value was, through several pairs where there are; itself
 * where an integer operator has made it. */
static int source_of(const oct_graph *g, int v)
{
    for (int from = g->values[v].producer; from >= 0; from = g->values[v].producer) {
        const oct_node *n = &g->nodes[from];
        if (n->op != OCT_OP_QuantizeLinear && n->op != OCT_OP_DequantizeLinear)
            break;
        v = n->inputs[0];
    }
    return v;
}

static void name_it(const finder *f, int v, oct_shown *s)
{
    const oct_value *value = &f->g->values[v];
    int from = s->stands ? source_of(f->g, v) : v;
    int source = value->is_output ? v : from;
    s->node = f->g->values[from].producer;
    s->name = f->g->values[source].name;
    s->length = strlen(s->name);
    if (s->stands && !value->is_output && f->shaped->values[source].dtype != OCTET_F32)
        s->length = without_suffix(s->name);
}

static void take(finder *f, int v, int node)
{
    const oct_value *value = &f->shaped->values[v];
    oct_op op = node < 0 ? OCT_OP_COUNT : f->g->nodes[node].op;
    oct_shown s = {.value = v};
    s.quantized = oct_dtype_is_int8(value->dtype) || oct_dtype_is_int16(value->dtype);
    s.stands = s.quantized || op == OCT_OP_DequantizeLinear;
    if (value->data || (!s.quantized && value->dtype != OCTET_F32))
        return;
    if (s.quantized && f->params[v].scale == OCT_NO_VALUE)
        return;
    if (op == OCT_OP_DequantizeLinear && f->g->values[f->g->nodes[node].inputs[0]].data)
        return; /* weights */
    if (s.quantized) {
        s.scale = oct_const_f32(f->g, f->params[v].scale);
        s.zero = oct_zero_point(f->g, &f->params[v]);
    }
    name_it(f, v, &s);
    int at = 0;
    while (at < f->count &&
           (f->list[at].length != s.length || memcmp(f->list[at].name, s.name, s.length) != 0))
        at++;
    if (at == f->count || (s.stands && !f->list[at].stands))
        f->list[at] = s;
    f->count += at == f->count;
}

octet_status oct_shown_find(const oct_graph *g, const oct_graph *shaped, oct_shown **list, int *count)
{
    size_t values = (size_t)g->value_count + 1;
    finder f = {.g = g, .shaped = shaped};
    f.params = calloc(values, sizeof *f.params);
    f.list = calloc(values, sizeof *f.list);
    *list = f.list;
    *count = 0;
    if (!f.params || !f.list) {
        free(f.params);
        free(f.list);
        *list = NULL;
        return oct_fail(OCTET_OUT_OF_MEMORY, "out of host memory for a comparison");
    }
    for (size_t v = 0; v < values; v++)
        f.params[v].scale = f.params[v].zero = OCT_NO_VALUE;
    for (int i = 0; i < g->input_count; i++)
        take(&f, g->inputs[i], -1);
    for (int i = 0; i < g->node_count; i++) {
        const oct_node *n = &g->nodes[i];
        for (int o = 0; o < n->output_count; o++) {
            if (n->outputs[o] == OCT_NO_VALUE)
                continue;
            find_parameters(&f, n, n->outputs[o]);
            take(&f, n->outputs[o], i);
        }
    }
    free(f.params);
    *count = f.count;
    return OCTET_OK;
}

/* ---- two networks -------------------------------------------------------------------------------------- */

static bool same_tensor(const oct_shown *a, const oct_value *x, const oct_shown *b, const oct_value *y)
{
    return a->length == b->length && memcmp(a->name, b->name, a->length) == 0 && x->rank == y->rank &&
           memcmp(x->dims, y->dims, (size_t)x->rank * sizeof *x->dims) == 0;
}

octet_status oct_pairs_find(const oct_graph *a, const oct_graph *a_shaped, const oct_graph *b,
                            const oct_graph *b_shaped, oct_pairs *pairs)
{
    int b_count = 0, a_count = 0;
    *pairs = (oct_pairs){0};
    oct_shown *theirs = NULL;
    octet_status status = oct_shown_find(a, a_shaped, &pairs->a, &a_count);
    if (status == OCTET_OK)
        status = oct_shown_find(b, b_shaped, &theirs, &b_count);
    if (status == OCTET_OK && !(pairs->b = calloc((size_t)a_count + 1, sizeof *pairs->b)))
        status = oct_fail(OCTET_OUT_OF_MEMORY, "out of host memory for a comparison");
    for (int i = 0; status == OCTET_OK && i < a_count; i++) {
        const oct_shown *mine = &pairs->a[i];
        for (int j = 0; j < b_count; j++) {
            if (!same_tensor(mine, &a_shaped->values[mine->value], &theirs[j],
                             &b_shaped->values[theirs[j].value]))
                continue;
            pairs->b[pairs->count] = theirs[j];
            pairs->a[pairs->count++] = *mine;
            break;
        }
    }
    free(theirs);
    if (status != OCTET_OK)
        oct_pairs_free(pairs);
    return status;
}

void oct_pairs_free(oct_pairs *pairs)
{
    free(pairs->a);
    free(pairs->b);
    memset(pairs, 0, sizeof *pairs);
}
