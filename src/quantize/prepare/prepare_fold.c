/* A product followed by one factor and one term a channel is a product with other weights and another bias.
 */
#include "op_facts.h"
#include "prepare.h"
#include "rewrite.h"

#include <math.h>
#include <stdlib.h>

/* y = factor[c] * x + term[c] */
typedef struct affine {
    double *factor, *term;
    int64_t channels;
} affine;

/* A product with constant weights that may be rewritten: channels of its result, and the axis they are on. */
typedef struct product {
    int node, out;
    int64_t channels;
    int axis;        /* of the result */
    int weight_axis; /* of the weights; ConvTranspose: the channels within a group */
    int64_t groups;  /* ConvTranspose */
} product;

static bool read_product(const oct_prepare_state *p, int node, product *out)
{
    const oct_graph *g = p->g;
    const oct_node *n = &g->nodes[node];
    int64_t count;
    if (n->input_count < 2 || n->output_count != 1 || !oct_const_floats(g, n->inputs[1], &count))
        return false;
    const oct_value *w = &g->values[n->inputs[1]], *y = &p->shaped.values[n->outputs[0]];
    *out = (product){.node = node, .out = n->outputs[0], .groups = 1, .axis = 1};
    if (n->input_count > 2 && n->inputs[2] != OCT_NO_VALUE) {
        const float *bias = oct_const_floats(g, n->inputs[2], &count);
        if (!bias || g->values[n->inputs[2]].rank != 1)
            return false;
    }
    if (oct_op_facts(n->op)->place != OCT_PLACE_PRODUCT || w->rank < 2)
        return false;
    if (n->op == OCT_OP_Gemm && (oct_node_float(n, "alpha", 1) != 1 || oct_node_float(n, "beta", 1) != 1))
        return false;
    out->weight_axis = oct_weight_axis(g, n);
    if (n->op == OCT_OP_ConvTranspose)
        out->groups = oct_node_int(n, "group", 1);
    if (n->op == OCT_OP_MatMul)
        out->axis = y->rank - 1;
    out->channels = w->dims[out->weight_axis] * out->groups;
    if (n->op != OCT_OP_MatMul && n->input_count > 2 && n->inputs[2] != OCT_NO_VALUE)
        return g->values[n->inputs[2]].dims[0] == out->channels;
    return true;
}

bool oct_per_channel(const oct_graph *g, int v, int rank, int axis, int64_t channels, double *out)
{
    int64_t count;
    const float *c = oct_const_floats(g, v, &count);
    if (!c || g->values[v].rank > rank || (count != 1 && count != channels))
        return false;
    int at = axis - (rank - g->values[v].rank);
    if (count != 1 && (at < 0 || g->values[v].dims[at] != channels))
        return false;
    for (int64_t i = 0; i < channels; i++)
        out[i] = c[count == 1 ? 0 : i];
    return true;
}

static bool read_batch_norm(const oct_graph *g, const oct_node *n, affine *a)
{
    const float *in[4];
    for (int i = 0; i < 4; i++) {
        int64_t count;
        in[i] = oct_const_floats(g, n->inputs[1 + i], &count);
        if (!in[i] || count != a->channels)
            return false;
    }
    if (oct_node_int(n, "training_mode", 0))
        return false;
    for (int64_t c = 0; c < a->channels; c++) {
        a->factor[c] = in[0][c] / sqrt((double)in[3][c] + oct_node_float(n, "epsilon", 1e-5f));
        a->term[c] = in[1][c] - a->factor[c] * in[2][c];
    }
    return true;
}

/* The reader of a product's result as a factor and a term a channel. */
static bool read_affine(const oct_prepare_state *p, int node, const product *of, affine *a)
{
    const oct_graph *g = p->g;
    const oct_node *n = &g->nodes[node];
    int rank = p->shaped.values[of->out].rank, x = n->inputs[0] == of->out ? 0 : 1;
    for (int64_t c = 0; c < a->channels; c++) {
        a->factor[c] = 1;
        a->term[c] = 0;
    }
    if (n->op == OCT_OP_BatchNormalization)
        return x == 0 && of->axis == 1 && read_batch_norm(g, n, a);
    if (n->input_count != 2 || n->inputs[1 - x] == of->out || (x && n->op == OCT_OP_Div))
        return false;
    bool is_term = n->op == OCT_OP_Add || n->op == OCT_OP_Sub;
    if (!is_term && n->op != OCT_OP_Mul && n->op != OCT_OP_Div)
        return false;
    if (!oct_per_channel(g, n->inputs[1 - x], rank, of->axis, a->channels, is_term ? a->term : a->factor))
        return false;
    for (int64_t c = 0; c < a->channels; c++) {
        if (n->op == OCT_OP_Div)
            a->factor[c] = 1 / a->factor[c];
        else if (n->op == OCT_OP_Sub && x == 0)
            a->term[c] = -a->term[c];
        else if (n->op == OCT_OP_Sub)
            a->factor[c] = -1;
        if (!isfinite(a->factor[c]) || !isfinite(a->term[c]))
            return false;
    }
    return true;
}

static octet_status scale_weights(oct_graph *g, const product *of, const affine *a)
{
    int w = g->nodes[of->node].inputs[1];
    oct_value v = g->values[w];
    size_t elems = v.data_bytes / sizeof(float);
    float *made = oct_arena_alloc(&g->arena, elems, sizeof *made);
    if (!made)
        return oct_out_of_memory("quantization");
    int64_t inner = 1, width = v.dims[of->weight_axis];
    for (int d = of->weight_axis + 1; d < v.rank; d++)
        inner *= v.dims[d];
    /* ConvTranspose: the first dimension is of the groups' inputs, one group after the other. */
    int64_t per_group = of->groups > 1 ? (int64_t)elems / of->groups : (int64_t)elems;
    for (int64_t i = 0; i < (int64_t)elems; i++) {
        int64_t c = i / inner % width + (per_group ? i / per_group * width : 0);
        made[i] = (float)(((const float *)v.data)[i] * a->factor[c]);
    }
    return oct_replace_floats(g, of->node, 1, v.rank, v.dims, made);
}

static octet_status change_bias(oct_graph *g, const product *of, const affine *a)
{
    const oct_node *n = &g->nodes[of->node];
    int old = n->input_count > 2 ? n->inputs[2] : OCT_NO_VALUE;
    float *made = oct_arena_alloc(&g->arena, (size_t)of->channels, sizeof *made);
    if (!made)
        return oct_out_of_memory("quantization");
    for (int64_t c = 0; c < of->channels; c++) {
        double b = old == OCT_NO_VALUE ? 0 : ((const float *)g->values[old].data)[c];
        made[c] = (float)(b * a->factor[c] + a->term[c]);
    }
    int value = oct_add_const_kept(g, OCTET_F32, 1, &of->channels, made);
    if (value < 0)
        return OCTET_OUT_OF_MEMORY;
    return oct_set_input(g, of->node, 2, value);
}

/* MatMul has no bias; of matrices it is a Gemm, which has one. */
static octet_status make_gemm(oct_prepare_state *p, const product *of)
{
    oct_node *n = &p->g->nodes[of->node];
    n->op = OCT_OP_Gemm;
    n->op_type = oct_op_name(n->op);
    n->attr_count = 0;
    return OCTET_OK;
}

static bool is_static(const oct_graph *g)
{
    for (int i = 0; i < g->input_count; i++) {
        const oct_value *v = &g->values[g->inputs[i]];
        for (int d = 0; d < v->rank; d++) {
            if (v->dims[d] < 0)
                return false;
        }
        if (v->rank < 0)
            return false;
    }
    return true;
}

static int add_reshape(oct_graph *g, int like, int x, int rank, const int64_t *dims, int y)
{
    int64_t count = rank;
    const int in[2] = {x, oct_add_const(g, OCTET_S64, 1, &count, dims)};
    int node = in[1] < 0 ? -1 : oct_add_node_like(g, like, OCT_OP_Reshape, in, 2, y);
    if (node >= 0)
        g->nodes[node].attr_count = 0;
    return node;
}

/* A MatMul of more than two dimensions and the term behind it, as a Gemm between two Reshapes: what ONNX
 * Runtime makes of it too, where the shapes are known. */
static octet_status flatten_gemm(oct_prepare_state *p, const product *of, int reader)
{
    oct_graph *g = p->g;
    const oct_value x = p->shaped.values[g->nodes[of->node].inputs[0]], y = p->shaped.values[of->out];
    int64_t flat[2] = {1, x.dims[x.rank - 1]}, made[2];
    for (int d = 0; d < x.rank - 1; d++)
        flat[0] *= x.dims[d];
    made[0] = flat[0];
    made[1] = y.dims[y.rank - 1];
    int in = oct_add_like(g, x.name, OCTET_F32, 2, flat), out = oct_add_like(g, y.name, OCTET_F32, 2, made);
    if (in < 0 || out < 0 || add_reshape(g, of->node, g->nodes[of->node].inputs[0], 2, flat, in) < 0 ||
        add_reshape(g, of->node, out, y.rank, y.dims, g->nodes[reader].outputs[0]) < 0)
        return OCTET_OUT_OF_MEMORY;
    FORWARD(oct_set_input(g, of->node, 0, in));
    g->nodes[of->node].outputs[0] = out;
    g->nodes[reader].output_count = 0;
    return make_gemm(p, of);
}

static octet_status fold_into(oct_prepare_state *p, const product *of, int reader, affine *a, bool *done)
{
    oct_graph *g = p->g;
    bool factors = false, terms = false, flatten = false;
    if (!read_affine(p, reader, of, a))
        return OCTET_OK;
    for (int64_t c = 0; c < a->channels; c++) {
        factors = factors || a->factor[c] != 1;
        terms = terms || a->term[c] != 0;
    }
    if (g->nodes[of->node].op == OCT_OP_MatMul && terms) {
        const oct_value *x = &p->shaped.values[g->nodes[of->node].inputs[0]];
        flatten = x->rank != 2;
        if (g->values[g->nodes[of->node].inputs[1]].rank != 2 || x->rank < 2 || (flatten && !is_static(g)))
            return OCTET_OK;
        FORWARD(flatten ? flatten_gemm(p, of, reader) : make_gemm(p, of));
    }
    if (factors)
        FORWARD(scale_weights(g, of, a));
    if (terms || (g->nodes[of->node].input_count > 2 && factors))
        FORWARD(change_bias(g, of, a));
    *done = !flatten; /* the Reshape behind ends the chain */
    if (flatten)
        return OCTET_OK;
    g->nodes[of->node].outputs[0] = g->nodes[reader].outputs[0];
    g->nodes[reader].output_count = 0;
    return OCTET_OK;
}

/* Fold whatever follows the product, as long as nothing else reads its result. */
static octet_status fold_chain(oct_prepare_state *p, const oct_readers *readers, int node)
{
    product of;
    bool done = true;
    while (done && read_product(p, node, &of) && readers->count[of.out] == 1 &&
           !p->g->values[of.out].is_output) {
        done = false;
        affine a = {.channels = of.channels};
        a.factor = calloc((size_t)of.channels + 1, sizeof *a.factor);
        a.term = calloc((size_t)of.channels + 1, sizeof *a.term);
        octet_status status = a.factor && a.term ? fold_into(p, &of, readers->node[of.out], &a, &done)
                                                 : oct_out_of_memory("quantization");
        free(a.factor);
        free(a.term);
        FORWARD(status);
    }
    return OCTET_OK;
}

octet_status oct_prepare_fold(oct_prepare_state *p)
{
    oct_readers readers = {0};
    FORWARD(oct_readers_find(p->g, &readers));
    octet_status status = OCTET_OK;
    for (int i = 0; status == OCTET_OK && i < p->g->node_count; i++) {
        if (p->g->nodes[i].output_count)
            status = fold_chain(p, &readers, i);
    }
    oct_readers_free(&readers);
    return status;
}
