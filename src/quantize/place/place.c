#include "place.h"
#include "prepare.h"
#include "rewrite.h"
#include "sizes.h"

#include <stdlib.h>
#include <string.h>

typedef struct placer {
    const oct_graph *g, *shaped;
    const bool *excluded;
    bool integer_softmax;
    oct_pair_places *p;
    oct_readers readers;
    int *root;   /* by value: what it is a function of, element by element */
    bool *runs;  /* by value: computed in a run, not from constants alone */
    bool *eight; /* by value: what makes it makes 8 bits or a function of them; inputs may be given so */
} placer;

bool oct_is_const(const oct_graph *g, int v)
{
    return v != OCT_NO_VALUE && g->values[v].data;
}

/* A float tensor that is computed. */
static bool is_tensor(const placer *s, int v)
{
    return v != OCT_NO_VALUE && s->shaped->values[v].dtype == OCTET_F32 && !s->shaped->values[v].data &&
           s->runs[v];
}

/* ---- what kind a node is ------------------------------------------------------------------------------- */

static bool good_bias(const placer *s, const oct_node *n)
{
    if (n->input_count < 3 || n->inputs[2] == OCT_NO_VALUE)
        return true;
    int64_t count;
    const oct_value *w = &s->g->values[n->inputs[1]];
    return oct_const_floats(s->g, n->inputs[2], &count) && count == w->dims[oct_weight_axis(s->g, n)];
}

static bool good_product(const placer *s, const oct_node *n)
{
    int64_t count;
    bool constant = oct_const_floats(s->g, n->inputs[1], &count) != NULL;
    if (!is_tensor(s, n->inputs[0]))
        return false;
    switch (n->op) {
    case OCT_OP_Conv:
        return constant && good_bias(s, n);
    case OCT_OP_ConvTranspose:
        return constant && oct_node_int(n, "group", 1) == 1 && good_bias(s, n);
    case OCT_OP_Gemm:
        return constant && oct_node_float(n, "alpha", 1) == 1 && oct_node_float(n, "beta", 1) == 1 &&
               !oct_node_int(n, "transA", 0) && good_bias(s, n);
    case OCT_OP_MatMul:
        return (constant && s->g->values[n->inputs[1]].rank == 2) || is_tensor(s, n->inputs[1]);
    default:
        return false;
    }
}

/* Moving operators whose padding, if they add any, is zero. */
static bool good_move(const placer *s, const oct_node *n)
{
    int64_t count;
    switch (n->op) {
    case OCT_OP_Pad: {
        const float *value = n->input_count > 2 ? oct_const_floats(s->g, n->inputs[2], &count) : NULL;
        return strcmp(oct_node_string(n, "mode", "constant"), "constant") != 0 || n->input_count < 3 ||
               n->inputs[2] == OCT_NO_VALUE || (value && count == 1 && value[0] == 0);
    }
    case OCT_OP_Resize:
        return strcmp(oct_node_string(n, "mode", "nearest"), "nearest") == 0;
    case OCT_OP_MaxPool:
        return n->output_count == 1 || n->outputs[1] == OCT_NO_VALUE;
    default:
        return true;
    }
}

/* Of an element-wise node: the one tensor it is a function of, -1 if there are several. */
static int common_root(const placer *s, const oct_node *n)
{
    int root = -1;
    for (int i = 0; i < n->input_count; i++) {
        int v = n->inputs[i];
        if (v == OCT_NO_VALUE || s->shaped->values[v].data)
            continue;
        if (!is_tensor(s, v) || (root >= 0 && s->root[v] != root))
            return -1;
        root = s->root[v];
    }
    return root;
}

/* Only what spreads small numbers reads the result: steps of 8 bits would be all that is left of these. */
static bool is_spread(const placer *s, int y)
{
    const oct_node *n = s->readers.count[y] == 1 ? &s->g->nodes[s->readers.node[y]] : NULL;
    return n && (n->op == OCT_OP_Sqrt || n->op == OCT_OP_Log || n->op == OCT_OP_Reciprocal);
}

static oct_place_kind elementwise_kind(const placer *s, const oct_node *n)
{
    int y = n->outputs[0], root = common_root(s, n);
    if (root >= 0) {
        /* A larger result is no function of one element any more: a constant has made copies. */
        const oct_value *a = &s->shaped->values[root], *b = &s->shaped->values[y];
        bool same = a->rank == b->rank;
        for (int d = 0; same && d < a->rank; d++)
            same = a->dims[d] == b->dims[d];
        if (same)
            return OCT_PLACE_POINTWISE;
    }
    bool two = n->input_count == 2 && is_tensor(s, n->inputs[0]) && is_tensor(s, n->inputs[1]);
    bool integer = two && oct_op_facts(n->op)->twin_reach == OCT_REACH_FILES && !is_spread(s, y);
    return integer ? OCT_PLACE_INTEGER : OCT_PLACE_FLOAT;
}

static bool any_input(const oct_node *n, const bool *of)
{
    for (int i = 0; i < n->input_count; i++) {
        if (n->inputs[i] != OCT_NO_VALUE && of[n->inputs[i]])
            return true;
    }
    return false;
}

static oct_place_kind kind_of(const placer *s, int node)
{
    const oct_node *n = &s->g->nodes[node];
    if (n->output_count < 1 || !is_tensor(s, n->outputs[0]) || *n->domain)
        return OCT_PLACE_FLOAT;
    oct_place_kind kind = s->excluded[node] ? OCT_PLACE_FLOAT : oct_op_facts(n->op)->place;
    if (kind == OCT_PLACE_POINTWISE)
        return elementwise_kind(s, n);
    if (kind == OCT_PLACE_PRODUCT)
        return good_product(s, n) ? kind : OCT_PLACE_FLOAT;
    if (kind == OCT_PLACE_SAME)
        return is_tensor(s, n->inputs[0]) && good_move(s, n) ? kind : OCT_PLACE_FLOAT;
    for (int i = 0; i < n->input_count && kind == OCT_PLACE_INTEGER; i++)
        kind = is_tensor(s, n->inputs[i]) ? kind : OCT_PLACE_FLOAT;
    if (n->op == OCT_OP_Concat && !any_input(n, s->eight))
        return OCT_PLACE_FLOAT;
    /* The probabilities a network ends with keep their digits: many of them are below 1/256. */
    if (n->op == OCT_OP_Softmax && s->g->values[n->outputs[0]].is_output && !s->integer_softmax)
        return OCT_PLACE_FLOAT;
    return kind;
}

/* ---- pairs --------------------------------------------------------------------------------------------- */

/* A Relu or Clip that alone reads what a quantized node makes. */
static void find_absorbed(const placer *s, int node)
{
    const oct_node *n = &s->g->nodes[node];
    if (oct_op_facts(n->op)->clamp != OCT_CLAMP_IS || s->p->kind[node] != OCT_PLACE_POINTWISE)
        return;
    int x = n->inputs[0], from = s->g->values[x].producer;
    if (from < 0 || s->readers.count[x] != 1 || s->p->absorbed[from])
        return;
    oct_place_kind kind = s->p->kind[from];
    s->p->absorbed[node] = kind == OCT_PLACE_PRODUCT || kind == OCT_PLACE_INTEGER;
}

/* Products that may keep a float result, as an integer sum that is dequantized, in Octet as in ONNX Runtime.
 */
static bool may_stay_float(const oct_node *n)
{
    return oct_op_facts(n->op)->family == OCT_OP_FAMILY_gemm;
}

static bool is_integer_kind(oct_place_kind kind)
{
    return kind == OCT_PLACE_PRODUCT || kind == OCT_PLACE_INTEGER;
}

static void mark(bool *flag, bool value, bool *changed)
{
    *changed = *changed || (value && !*flag);
    *flag = *flag || value;
}

/* What node i asks of the values around it. */
static void place_node(const placer *s, int i, bool *changed)
{
    const oct_node *n = &s->g->nodes[i];
    oct_pair_places *p = s->p;
    oct_place_kind kind = p->kind[i];
    int y = n->outputs[0];
    if (is_integer_kind(kind)) {
        for (int j = 0; j < n->input_count; j++) {
            if (is_tensor(s, n->inputs[j]) && (j < 2 || kind == OCT_PLACE_INTEGER))
                mark(&p->pair[n->inputs[j]], true, changed);
        }
        bool absorbed = s->readers.count[y] == 1 && p->absorbed[s->readers.node[y]] &&
                        s->g->nodes[s->readers.node[y]].inputs[0] == y;
        if (!absorbed && !may_stay_float(n))
            mark(&p->pair[y], true, changed);
        mark(&p->integer[y], true, changed);
    } else if (p->absorbed[i]) {
        int from = s->g->values[n->inputs[0]].producer;
        if (!may_stay_float(&s->g->nodes[from]))
            mark(&p->pair[y], true, changed);
        mark(&p->integer[y], true, changed);
    } else if (kind == OCT_PLACE_SAME) {
        bool any = p->pair[n->inputs[0]] && s->eight[n->inputs[0]];
        for (int o = 0; o < n->output_count; o++)
            any = any || (n->outputs[o] != OCT_NO_VALUE && p->pair[n->outputs[o]]);
        mark(&p->pair[n->inputs[0]], any, changed);
        for (int o = 0; o < n->output_count; o++) {
            if (n->outputs[o] == OCT_NO_VALUE)
                continue;
            mark(&p->pair[n->outputs[o]], any, changed);
            mark(&p->integer[n->outputs[o]], any, changed);
        }
    } else if (n->op == OCT_OP_Sigmoid && s->g->values[y].is_output && kind == OCT_PLACE_POINTWISE) {
        mark(&p->pair[y], p->pair[n->inputs[0]], changed);
        mark(&p->integer[y], p->pair[n->inputs[0]], changed);
    }
}

static void share(const placer *s)
{
    oct_pair_places *p = s->p;
    for (int v = 0; v < s->g->value_count; v++)
        p->like[v] = v;
    for (int i = 0; i < s->g->node_count; i++) {
        const oct_node *n = &s->g->nodes[i];
        for (int o = 0; p->kind[i] == OCT_PLACE_SAME && o < n->output_count; o++) {
            if (n->outputs[o] != OCT_NO_VALUE)
                p->like[n->outputs[o]] = p->like[n->inputs[0]];
        }
    }
}

static void set_outputs(const oct_node *n, bool *of, bool to)
{
    for (int o = 0; o < n->output_count; o++) {
        if (n->outputs[o] != OCT_NO_VALUE)
            of[n->outputs[o]] = to;
    }
}

/* Of a node whose kind is known. */
static bool makes_eight(const placer *s, int node)
{
    const oct_node *n = &s->g->nodes[node];
    switch (s->p->kind[node]) {
    case OCT_PLACE_FLOAT:
        return false;
    case OCT_PLACE_SAME:
        return s->eight[n->inputs[0]];
    case OCT_PLACE_POINTWISE:
        return s->p->absorbed[node] || s->eight[s->root[n->outputs[0]]];
    default:
        return true;
    }
}

static void place_all(placer *s)
{
    const oct_graph *g = s->g;
    oct_pair_places *p = s->p;
    for (int v = 0; v < g->value_count; v++) {
        s->root[v] = v;
        s->runs[v] = s->eight[v] = g->values[v].is_input;
    }
    for (int i = 0; i < g->node_count; i++) {
        set_outputs(&g->nodes[i], s->runs, any_input(&g->nodes[i], s->runs));
        p->kind[i] = kind_of(s, i);
        if (p->kind[i] == OCT_PLACE_POINTWISE)
            s->root[g->nodes[i].outputs[0]] = common_root(s, &g->nodes[i]);
        find_absorbed(s, i);
        if (p->absorbed[i]) /* its result is what is quantized: chains begin there */
            s->root[g->nodes[i].outputs[0]] = g->nodes[i].outputs[0];
        set_outputs(&g->nodes[i], s->eight, makes_eight(s, i));
    }
    for (bool changed = true; changed;) {
        changed = false;
        for (int i = 0; i < g->node_count; i++)
            place_node(s, i, &changed);
        for (int i = g->node_count - 1; i >= 0; i--)
            place_node(s, i, &changed);
    }
    share(s);
}

void oct_pair_places_free(oct_pair_places *p)
{
    free(p->kind);
    free(p->absorbed);
    free(p->pair);
    free(p->integer);
    free(p->like);
    free(p->raised);
    free(p->wide);
    free(p->narrow);
    memset(p, 0, sizeof *p);
}

octet_status oct_place_pairs(const oct_graph *g, const oct_graph *shaped, const oct_place_options *options,
                             oct_pair_places *p)
{
    size_t nodes = (size_t)g->node_count + 1, values = (size_t)g->value_count + 1;
    *p = (oct_pair_places){.kind = calloc(nodes, sizeof *p->kind),
                           .absorbed = calloc(nodes, sizeof *p->absorbed),
                           .pair = calloc(values, sizeof *p->pair),
                           .integer = calloc(values, sizeof *p->integer),
                           .like = calloc(values, sizeof *p->like),
                           .raised = calloc(nodes, sizeof *p->raised),
                           .wide = calloc(values, sizeof *p->wide),
                           .narrow = calloc(values, sizeof *p->narrow)};
    placer s = {.g = g,
                .shaped = shaped,
                .excluded = options->excluded,
                .integer_softmax = options->integer_softmax,
                .p = p};
    s.root = calloc(values, sizeof *s.root);
    s.runs = calloc(values, sizeof *s.runs);
    s.eight = calloc(values, sizeof *s.eight);
    octet_status status = OCTET_OK;
    if (!p->kind || !p->absorbed || !p->pair || !p->integer || !p->like || !p->raised || !p->wide ||
        !p->narrow || !s.root || !s.runs || !s.eight)
        status = oct_fail(OCTET_OUT_OF_MEMORY, "out of host memory for a graph");
    if (status == OCTET_OK)
        status = oct_readers_find(g, &s.readers);
    if (status == OCTET_OK) {
        place_all(&s);
        oct_place_wide(g, options->raised, p);
    } else {
        oct_pair_places_free(p);
    }
    oct_readers_free(&s.readers);
    free(s.root);
    free(s.runs);
    free(s.eight);
    return status;
}
