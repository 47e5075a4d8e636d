/* Whatever is computed from one 8-bit value alone, element by element, is a function of a byte: one table
 * lookup. The pass finds for each value the furthest 8-bit value that it is such a function of (its root),
 * and puts a Table in the place of the operators between. The table itself is made by those very operators:
 * they are copied, with the 256 bytes as their input, and run once, when the session is made (see
 * ops/recipe.h). So every byte is what the operators would have computed, float ones between a
 * DequantizeLinear and a QuantizeLinear included. Operators with one constant a channel make a table of [256,
 * channels]. */
#include "dtype.h"
#include "op_facts.h"
#include "passes.h"
#include "rewrite.h"
#include "sizes.h"

#include <stdlib.h>
#include <string.h>

#define ROOT_NONE  (-1)
#define ROOT_CONST (-2) /* made of constants only */

/* What a value is a function of. */
typedef struct origin {
    int root;
    int axis; /* of the channels that constants on the way have, 0: none (axis 0 is never one) */
    int64_t channels;
} origin;

typedef struct tables {
    oct_graph *g;
    int values; /* of the graph as it was */
    origin *from;
    bool *needed, *wanted; /* wanted: part of the table being made */
    int *copy;             /* in that table, OCT_NO_VALUE: none */
} tables;

/* A constant operand of a node that computes on `rank` dimensions: is it one number, or one a channel? */
static bool constant_fits(const oct_value *v, oct_pointwise kind, int rank, origin *o)
{
    int64_t elems;
    int axis = 1;
    if (!oct_shape_elems(v->dims, v->rank, &elems) || v->rank > rank)
        return false;
    if (elems == 1)
        return true;
    if (kind == OCT_POINTWISE_NUMBERS)
        return false;
    if (kind == OCT_POINTWISE_BROADCAST) {
        for (int d = 0; d < v->rank; d++) {
            if (v->dims[d] == elems)
                axis = d + rank - v->rank;
        }
    }
    if (axis < 1 || axis >= rank || (o->axis && (o->axis != axis || o->channels != elems)))
        return false;
    for (int d = 0; d < v->rank; d++) {
        if (v->dims[d] != 1 && v->dims[d] != elems)
            return false;
    }
    o->axis = axis;
    o->channels = elems;
    return true;
}

/* Add what operand v contributes; false: the node is not a function of one 8-bit value. */
static bool join(const tables *t, int v, oct_pointwise kind, int rank, origin *o)
{
    const origin *in = &t->from[v];
    if (in->root == ROOT_NONE)
        return false;
    if (in->root == ROOT_CONST)
        return constant_fits(&t->g->values[v], kind, rank, o);
    if ((o->root >= 0 && o->root != in->root) ||
        (in->axis && o->axis && (in->axis != o->axis || in->channels != o->channels)))
        return false;
    o->root = in->root;
    if (in->axis) {
        o->axis = in->axis;
        o->channels = in->channels;
    }
    return true;
}

static bool same_dims(const oct_value *a, const oct_value *b)
{
    return a->rank == b->rank &&
           (a->rank == 0 || memcmp(a->dims, b->dims, (size_t)a->rank * sizeof *a->dims) == 0);
}

static bool all_constant(const tables *t, const oct_node *n)
{
    for (int i = 0; i < n->input_count; i++) {
        if (n->inputs[i] != OCT_NO_VALUE && t->from[n->inputs[i]].root != ROOT_CONST)
            return false;
    }
    return true;
}

static void find_origin(tables *t, const oct_node *n)
{
    const oct_graph *g = t->g;
    for (int i = 0; i < n->output_count; i++) {
        int v = n->outputs[i];
        if (v != OCT_NO_VALUE)
            t->from[v] = (origin){.root = oct_dtype_is_int8(g->values[v].dtype) ? v : ROOT_NONE};
    }
    oct_pointwise kind = oct_op_facts(n->op)->pointwise;
    if (kind == OCT_POINTWISE_NO || n->output_count != 1)
        return;
    const oct_value *y = &g->values[n->outputs[0]];
    origin o = {.root = ROOT_CONST};
    if (all_constant(t, n)) {
        t->from[n->outputs[0]] = o;
        return;
    }
    for (int i = 0; i < n->input_count; i++) {
        if (n->inputs[i] != OCT_NO_VALUE && !join(t, n->inputs[i], kind, y->rank, &o))
            return;
    }
    if (same_dims(y, &g->values[o.root]))
        t->from[n->outputs[0]] = o;
}

/* ---- making a table
 * ---------------------------------------------------------------------------------------- */

/* The 256 bytes in the order of their bits, [256, 1, ...], repeated along the channels. */
static int all_bytes(oct_graph *g, octet_dtype dtype, int rank, const origin *o, const char *name)
{
    uint8_t bytes[256];
    int64_t dims[OCTET_MAX_RANK] = {256};
    for (int i = 0; i < 256; i++)
        bytes[i] = (uint8_t)i;
    for (int d = 1; d < rank; d++)
        dims[d] = 1;
    int v = oct_add_const(g, dtype, rank, dims, bytes);
    if (v < 0 || !o->axis)
        return v;
    dims[o->axis] = o->channels;
    int64_t rank_dim = rank;
    int shape = oct_add_const(g, OCTET_S64, 1, &rank_dim, dims),
        wide = oct_add_like(g, name, dtype, rank, dims);
    if (shape < 0 || wide < 0)
        return -1;
    oct_node *n = oct_graph_add_node(g, OCT_OP_Expand, name, 2, 1);
    if (!n)
        return -1;
    n->opset = 13;
    n->inputs[0] = v;
    n->inputs[1] = shape;
    n->outputs[0] = wide;
    g->values[wide].producer = g->node_count - 1;
    return wide;
}

/* Mark what y is made of, down to its root. Nodes stand in topological order. */
static void mark(tables *t, int y, int first, int last)
{
    const oct_graph *g = t->g;
    int root = t->from[y].root;
    t->wanted[y] = true;
    for (int i = last; i >= first; i--) {
        const oct_node *n = &g->nodes[i];
        if (n->output_count != 1 || !t->wanted[n->outputs[0]])
            continue;
        for (int j = 0; j < n->input_count; j++) {
            int v = n->inputs[j];
            if (v != OCT_NO_VALUE && v != root && t->from[v].root == root)
                t->wanted[v] = true;
        }
    }
}

/* Copy the marked nodes, with `bytes` in the place of the root. `made` is y's copy. */
static octet_status copy_marked(tables *t, int root, int bytes, int y, int first, int last, int *made)
{
    oct_graph *g = t->g;
    t->copy[root] = bytes;
    for (int i = first; i <= last; i++) {
        int v = g->nodes[i].output_count == 1 ? g->nodes[i].outputs[0] : OCT_NO_VALUE;
        if (v == OCT_NO_VALUE || !t->wanted[v])
            continue;
        int out = oct_add_like(g, g->values[v].name, g->values[v].dtype, g->values[bytes].rank,
                               g->values[bytes].dims);
        int node = out < 0 ? -1 : oct_copy_node(g, i, out);
        if (node < 0)
            return OCTET_OUT_OF_MEMORY;
        for (int j = 0; j < g->nodes[node].input_count; j++) {
            int *in = &g->nodes[node].inputs[j];
            if (*in != OCT_NO_VALUE && *in < t->values && t->copy[*in] != OCT_NO_VALUE)
                *in = t->copy[*in];
        }
        t->copy[v] = out;
        t->wanted[v] = false;
    }
    *made = t->copy[y];
    return OCTET_OK;
}

static void forget(tables *t, int root, int first, int last)
{
    t->copy[root] = OCT_NO_VALUE;
    for (int i = first; i <= last; i++) {
        for (int o = 0; o < t->g->nodes[i].output_count; o++) {
            if (t->g->nodes[i].outputs[o] != OCT_NO_VALUE)
                t->copy[t->g->nodes[i].outputs[o]] = OCT_NO_VALUE;
        }
    }
}

/* Operators between a root and its function: more than these, and it is left alone. */
#define LONGEST_WAY 4096

/* y, made by node `last`, becomes Table(root, table). */
static octet_status make_table(tables *t, int last)
{
    oct_graph *g = t->g;
    int y = g->nodes[last].outputs[0], table;
    origin o = t->from[y];
    int first = g->values[o.root].producer + 1;
    int bytes = all_bytes(g, g->values[o.root].dtype, g->values[o.root].rank, &o, g->nodes[last].name);
    if (bytes < 0)
        return OCTET_OUT_OF_MEMORY;
    mark(t, y, first, last);
    octet_status status = copy_marked(t, o.root, bytes, y, first, last, &table);
    forget(t, o.root, first, last);
    if (status != OCTET_OK)
        return status;
    g->nodes[last].output_count = 0; /* replaced */
    const int in[] = {o.root, table};
    int node = oct_add_node_like(g, last, OCT_OP_Table, in, 2, y);
    if (node < 0)
        return OCTET_OUT_OF_MEMORY;
    g->nodes[node].attr_count = 0;
    return oct_node_set_int(g, node, "axis", o.axis ? o.axis : 1);
}

static bool wants_table(const tables *t, const oct_node *n, int node)
{
    if (n->output_count != 1 || oct_op_facts(n->op)->pointwise == OCT_POINTWISE_NO)
        return false;
    int y = n->outputs[0], root = t->from[y].root;
    if (root < 0 || root == y || !oct_dtype_is_int8(t->g->values[y].dtype) || t->g->values[y].rank < 1)
        return false;
    int from = t->g->values[root].producer;
    bool chained =
        from >= 0 && t->g->nodes[from].op == OCT_OP_QLinearConv; /* which pass_chain.c goes on with */
    /* One function of bytes is one launch already, whatever the table. */
    bool alone = n->inputs[0] == root && oct_op_facts(n->op)->operand_count == 1 && !chained;
    return !alone && node - t->g->values[root].producer <= LONGEST_WAY;
}

/* From the outputs up: what is read by a node that stays, or by the caller, is needed. */
static octet_status replace_needed(tables *t)
{
    oct_graph *g = t->g;
    for (int i = 0; i < g->output_count; i++)
        t->needed[g->outputs[i]] = true;
    for (int i = g->node_count - 1; i >= 0; i--) {
        const oct_node *n = &g->nodes[i];
        bool needed = false;
        for (int o = 0; o < n->output_count; o++)
            needed = needed || (n->outputs[o] != OCT_NO_VALUE && t->needed[n->outputs[o]]);
        if (!needed)
            continue;
        if (wants_table(t, n, i)) {
            t->needed[t->from[n->outputs[0]].root] = true;
            FORWARD(make_table(t, i));
            continue;
        }
        for (int j = 0; j < n->input_count; j++) {
            if (n->inputs[j] != OCT_NO_VALUE)
                t->needed[n->inputs[j]] = true;
        }
    }
    return OCTET_OK;
}

static octet_status rewrite(tables *t)
{
    const oct_graph *g = t->g;
    for (int v = 0; v < t->values; v++) {
        bool int8 = oct_dtype_is_int8(g->values[v].dtype);
        t->from[v] = (origin){.root = g->values[v].data ? ROOT_CONST : int8 ? v : ROOT_NONE};
        t->copy[v] = OCT_NO_VALUE;
    }
    for (int i = 0; i < g->node_count; i++)
        find_origin(t, &g->nodes[i]);
    return replace_needed(t);
}

octet_status oct_pass_tables(oct_graph *g)
{
    size_t values = (size_t)g->value_count + 1;
    tables t = {.g = g,
                .values = g->value_count,
                .from = calloc(values, sizeof *t.from),
                .needed = calloc(values, sizeof *t.needed),
                .wanted = calloc(values, sizeof *t.wanted),
                .copy = calloc(values, sizeof *t.copy)};
    bool ok = t.from && t.needed && t.wanted && t.copy;
    octet_status status =
        ok ? rewrite(&t) : oct_fail(OCTET_OUT_OF_MEMORY, "out of host memory in a graph pass");
    free(t.from);
    free(t.needed);
    free(t.wanted);
    free(t.copy);
    oct_drop_replaced(g);
    return status;
}
