/* The layout pass. Every value may exist in two forms: plain (ONNX order: N, C, spatial...) and its
 * channels-last twin. Nodes are taken in order; each asks for its inputs in the form it wants, and a
 * Transpose is made at the first request for a form that does not exist yet. Where the two forms hold the
 * same bytes (one channel, or one pixel) the Transpose is a Reshape, which costs nothing. */
#include "op_facts.h"
#include "passes.h"

#include <stdlib.h>
#include <string.h>

typedef struct layout {
    oct_graph *g;
    int values;      /* of the graph as it was */
    int *twin;       /* per value: channels-last form or OCT_NO_VALUE */
    bool *is_plain;  /* per value: the plain form exists (or will: inputs, constants, plain nodes) */
    oct_node *nodes; /* the new list */
    int node_count, node_capacity;
} layout;

typedef enum form { FORM_PLAIN, FORM_CHANNELS_LAST } form;

static octet_status push_node(layout *w, const oct_node *n)
{
    void *nodes = w->nodes;
    bool ok = oct_grow(&nodes, w->node_count, &w->node_capacity, sizeof *w->nodes);
    w->nodes = nodes;
    if (!ok)
        return oct_out_of_memory("the layout pass");
    w->nodes[w->node_count++] = *n;
    return OCTET_OK;
}

static void permute_dims(const oct_value *from, form to, int64_t *dims)
{
    int r = from->rank;
    dims[0] = from->dims[0];
    for (int i = 1; i < r; i++) {
        if (to == FORM_CHANNELS_LAST)
            dims[i] = i + 1 < r ? from->dims[i + 1] : from->dims[1];
        else
            dims[i] = i == 1 ? from->dims[r - 1] : from->dims[i - 1];
    }
}

/* One channel or one pixel: both forms are the same bytes. `v` is plain. */
static bool forms_coincide(const oct_value *v)
{
    int64_t pixels = 1;
    for (int i = 2; i < v->rank; i++)
        pixels *= v->dims[i] == 1 ? 1 : 2;
    return v->dims[1] == 1 || pixels == 1;
}

static octet_status add_transpose(layout *w, int from, int to, form to_form, bool free_of_charge)
{
    oct_graph *g = w->g;
    int rank = g->values[from].rank;
    oct_node *n = oct_arena_alloc(&g->arena, 1, sizeof *n);
    int *io = oct_arena_alloc(&g->arena, 2, sizeof *io);
    oct_attr *attr = oct_arena_alloc(&g->arena, 1, sizeof *attr);
    int64_t *perm = oct_arena_alloc(&g->arena, OCTET_MAX_RANK, sizeof *perm);
    if (!n || !io || !attr || !perm)
        return oct_out_of_memory("the layout pass");
    perm[0] = 0;
    for (int i = 1; i < rank; i++) {
        if (to_form == FORM_CHANNELS_LAST)
            perm[i] = i + 1 < rank ? i + 1 : 1;
        else
            perm[i] = i == 1 ? rank - 1 : i - 1;
    }
    io[0] = from;
    io[1] = to;
    *attr = (oct_attr){.name = "perm", .kind = OCT_ATTR_INTS, .ints = perm, .count = (size_t)rank};
    n->op = free_of_charge ? OCT_OP_Reshape : OCT_OP_Transpose;
    n->name = to_form == FORM_CHANNELS_LAST ? "to_channels_last" : "to_channels_first";
    n->op_type = oct_op_name(n->op);
    n->domain = "";
    n->opset = 13;
    n->inputs = io;
    n->outputs = io + 1;
    n->input_count = n->output_count = 1;
    n->attrs = attr;
    n->attr_count = free_of_charge ? 0 : 1;
    return push_node(w, n);
}

/* A new value that is the channels-last form of v; -1 when memory is short. */
static int make_twin(layout *w, int v)
{
    int t = oct_graph_add_value(w->g, w->g->values[v].name);
    if (t < 0)
        return -1;
    const oct_value *plain = &w->g->values[v];
    oct_value *twin = &w->g->values[t];
    twin->dtype = plain->dtype;
    twin->rank = plain->rank;
    permute_dims(plain, FORM_CHANNELS_LAST, twin->dims);
    w->twin[v] = t;
    return t;
}

static octet_status want(layout *w, int v, form f, int *out)
{
    if (f == FORM_PLAIN) {
        if (!w->is_plain[v]) {
            w->is_plain[v] = true;
            FORWARD(add_transpose(w, w->twin[v], v, FORM_PLAIN, forms_coincide(&w->g->values[v])));
        }
        *out = v;
        return OCTET_OK;
    }
    if (w->twin[v] == OCT_NO_VALUE) {
        int t = make_twin(w, v);
        if (t < 0)
            return OCTET_OUT_OF_MEMORY;
        FORWARD(add_transpose(w, v, t, FORM_CHANNELS_LAST, forms_coincide(&w->g->values[v])));
    }
    *out = w->twin[v];
    return OCTET_OK;
}

/* The node's first output is made in channels-last form only. */
static octet_status output_channels_last(layout *w, oct_node *n)
{
    int v = n->outputs[0], t = make_twin(w, v);
    if (t < 0)
        return OCTET_OUT_OF_MEMORY;
    w->is_plain[v] = false;
    int *outputs = oct_arena_alloc(&w->g->arena, (size_t)n->output_count, sizeof *outputs);
    if (!outputs)
        return oct_out_of_memory("the layout pass");
    memcpy(outputs, n->outputs, (size_t)n->output_count * sizeof *outputs);
    outputs[0] = t;
    n->outputs = outputs;
    return OCTET_OK;
}

static bool is_scalar(const oct_value *v)
{
    for (int i = 0; i < v->rank; i++) {
        if (v->dims[i] != 1)
            return false;
    }
    return true;
}

/* Quantization along an axis would need the axis renamed; those stay plain. */
static bool has_axis_parameters(const oct_graph *g, const oct_node *n)
{
    return oct_op_facts(n->op)->family == OCT_OP_FAMILY_quantize && !is_scalar(&g->values[n->inputs[1]]);
}

/* Can this node run on channels-last operands, and is there a reason to (some operand exists only so)? */
static bool prefers_channels_last(const layout *w, const oct_node *n)
{
    const oct_graph *g = w->g;
    oct_layout wanted = oct_op_facts(n->op)->layout;
    bool follows = wanted == OCT_LAYOUT_FOLLOWS || wanted == OCT_LAYOUT_AXIS;
    if (!follows || n->output_count != 1 || g->values[n->outputs[0]].rank < 3 || has_axis_parameters(g, n))
        return false;
    bool reason = false;
    for (int i = 0; i < n->input_count; i++) {
        int v = n->inputs[i];
        if (v == OCT_NO_VALUE || !oct_op_is_data(n->op, i))
            continue;
        if (g->values[v].rank != g->values[n->outputs[0]].rank && !is_scalar(&g->values[v]))
            return false;
        reason = reason || !w->is_plain[v];
    }
    return reason;
}

static octet_status rename_axis(layout *w, oct_node *n, int rank)
{
    int64_t axis = oct_node_int(n, "axis", 1);
    if (axis < 0)
        axis += rank;
    oct_attr *attrs = oct_arena_alloc(&w->g->arena, n->attr_count + 1, sizeof *attrs);
    if (!attrs)
        return oct_out_of_memory("the layout pass");
    size_t kept = 0;
    for (size_t i = 0; i < n->attr_count; i++) {
        if (strcmp(n->attrs[i].name, "axis") != 0)
            attrs[kept++] = n->attrs[i];
    }
    int64_t renamed = axis == 0 ? 0 : axis == 1 ? rank - 1 : axis - 1;
    attrs[kept++] = (oct_attr){.name = "axis", .kind = OCT_ATTR_INT, .i = renamed};
    n->attrs = attrs;
    n->attr_count = kept;
    return OCTET_OK;
}

static octet_status take_channels_last(layout *w, oct_node *n)
{
    for (int i = 0; i < n->input_count; i++) {
        int v = n->inputs[i];
        bool layout_matters = v != OCT_NO_VALUE && oct_op_is_data(n->op, i) &&
                              w->g->values[v].rank == w->g->values[n->outputs[0]].rank;
        if (v != OCT_NO_VALUE)
            FORWARD(want(w, v, layout_matters ? FORM_CHANNELS_LAST : FORM_PLAIN, &n->inputs[i]));
    }
    if (oct_op_facts(n->op)->layout == OCT_LAYOUT_AXIS)
        FORWARD(rename_axis(w, n, w->g->values[n->outputs[0]].rank));
    return output_channels_last(w, n);
}

static octet_status take_spatial(layout *w, oct_node *n)
{
    /* QLinearAveragePool and QLinearGlobalAveragePool may come with channels last in the file. */
    bool already = oct_node_int(n, "channels_last", 0) != 0;
    n->channels_last = true;
    for (int i = 0; i < n->input_count; i++) {
        bool data = i == 0 || (n->op == OCT_OP_QLinearConv && i == OCT_CONV_RESIDUAL);
        if (n->inputs[i] != OCT_NO_VALUE)
            FORWARD(want(w, n->inputs[i], data && !already ? FORM_CHANNELS_LAST : FORM_PLAIN, &n->inputs[i]));
    }
    return already ? OCTET_OK : output_channels_last(w, n);
}

static octet_status take_plain(layout *w, oct_node *n)
{
    for (int i = 0; i < n->input_count; i++) {
        if (n->inputs[i] != OCT_NO_VALUE)
            FORWARD(want(w, n->inputs[i], FORM_PLAIN, &n->inputs[i]));
    }
    return OCTET_OK;
}

static octet_status take_node(layout *w, oct_node n)
{
    if (oct_op_facts(n.op)->layout == OCT_LAYOUT_SPATIAL)
        FORWARD(take_spatial(w, &n));
    else if (prefers_channels_last(w, &n))
        FORWARD(take_channels_last(w, &n));
    else
        FORWARD(take_plain(w, &n));
    return push_node(w, &n);
}

static octet_status rewrite(layout *w)
{
    oct_graph *g = w->g;
    for (int v = 0; v < w->values; v++) {
        w->twin[v] = OCT_NO_VALUE;
        w->is_plain[v] = true;
    }
    for (int i = 0; i < g->node_count; i++)
        FORWARD(take_node(w, g->nodes[i]));
    for (int i = 0; i < g->output_count; i++) {
        int unchanged;
        FORWARD(want(w, g->outputs[i], FORM_PLAIN, &unchanged));
    }
    return OCTET_OK;
}

octet_status oct_pass_channels_last(oct_graph *g)
{
    layout w = {.g = g, .values = g->value_count};
    w.twin = malloc(((size_t)w.values + 1) * sizeof *w.twin);
    w.is_plain = malloc(((size_t)w.values + 1) * sizeof *w.is_plain);
    octet_status status = w.twin && w.is_plain ? rewrite(&w) : oct_out_of_memory("the layout pass");
    if (status == OCTET_OK) {
        free(g->nodes);
        g->nodes = w.nodes;
        g->node_count = w.node_count;
        g->node_capacity = w.node_capacity;
    } else {
        free(w.nodes);
    }
    free(w.twin);
    free(w.is_plain);
    return status;
}
