#include "prepare.h"
#include "branches.h"
#include "hash.h"
#include "op_facts.h"
#include "rewrite.h"
#include "sizes.h"

#include <stdio.h>
#include <string.h>

octet_status oct_shaped_copy(const oct_graph *g, const octet_tensor *inputs, oct_graph *shaped)
{
    octet_status status = oct_graph_clone(g, shaped);
    for (int i = 0; status == OCTET_OK && i < g->input_count; i++) {
        oct_value *v = &shaped->values[shaped->inputs[i]];
        v->rank = inputs[i].rank;
        memcpy(v->dims, inputs[i].dims, sizeof v->dims);
    }
    if (status == OCTET_OK)
        status = oct_graph_infer(shaped);
    if (status != OCTET_OK)
        oct_graph_free(shaped);
    return status;
}

octet_status oct_taken_copy(const oct_graph *g, const octet_tensor *inputs, oct_graph *taken)
{
    oct_graph shaped;
    FORWARD(oct_shaped_copy(g, inputs, &shaped));
    octet_status status = oct_graph_clone(g, taken);
    if (status == OCTET_OK)
        status = oct_graph_take_branches(taken, &shaped);
    oct_graph_free(&shaped);
    return status;
}

octet_status oct_check_branches(const oct_graph *g, const octet_tensor *inputs, const oct_graph *taken)
{
    oct_graph shaped;
    if (taken->branches == OCT_HASH_START) /* there are none */
        return OCTET_OK;
    FORWARD(oct_shaped_copy(g, inputs, &shaped));
    bool same = shaped.branches == taken->branches;
    oct_graph_free(&shaped);
    RETURN_IF(
        !same, OCTET_INVALID_ARGUMENT,
        "with the shapes of this sample an If takes another branch than with those of the first: samples "
        "must agree in that");
    return OCTET_OK;
}

const float *oct_const_floats(const oct_graph *g, int v, int64_t *count)
{
    if (v == OCT_NO_VALUE || !g->values[v].data || g->values[v].dtype != OCTET_F32)
        return NULL;
    *count = (int64_t)(g->values[v].data_bytes / sizeof(float));
    return g->values[v].data;
}

octet_status oct_set_input(oct_graph *g, int node, int i, int value)
{
    oct_node *n = &g->nodes[node];
    int count = i < n->input_count ? n->input_count : i + 1;
    int *inputs = oct_arena_alloc(&g->arena, (size_t)count, sizeof *inputs);
    if (!inputs)
        return oct_out_of_memory("quantization");
    for (int j = 0; j < count; j++)
        inputs[j] = j < n->input_count ? n->inputs[j] : OCT_NO_VALUE;
    inputs[i] = value;
    n->inputs = inputs;
    n->input_count = count;
    return OCTET_OK;
}

octet_status oct_replace_floats(oct_graph *g, int node, int i, int rank, const int64_t *dims,
                                const float *data)
{
    int64_t kept[OCTET_MAX_RANK] = {0}; /* dims may be a value's, which adding one moves */
    const char *name = g->values[g->nodes[node].inputs[i]].name;
    memcpy(kept, dims, (size_t)rank * sizeof *dims);
    int v = oct_add_const_kept(g, OCTET_F32, rank, kept, data);
    if (v < 0)
        return OCTET_OUT_OF_MEMORY;
    g->values[v].name = name;
    return oct_set_input(g, node, i, v);
}

const char *oct_name_after(oct_graph *g, const char *base, const char *what)
{
    char name[320];
    snprintf(name, sizeof name, "%.280s_%s", base, what);
    return oct_arena_strdup(&g->arena, name);
}

octet_status oct_rename_changed(oct_graph *g, int v, const char *what)
{
    const char *name = oct_name_after(g, g->values[v].name, what);
    if (!name)
        return oct_out_of_memory("quantization");
    g->values[v].name = name;
    return OCTET_OK;
}

static void read_instead(oct_graph *g, int from, int to)
{
    for (int i = 0; i < g->node_count; i++) {
        for (int j = 0; j < g->nodes[i].input_count; j++) {
            if (g->nodes[i].inputs[j] == from)
                g->nodes[i].inputs[j] = to;
        }
    }
}

/* What makes the input of an Identity that is an output of the network makes the output: a last Softmax is
 * seen to be the last. False: an input or another output of the network goes in there, which keeps its name.
 */
static bool becomes_output(oct_graph *g, const oct_node *identity)
{
    int x = identity->inputs[0], y = identity->outputs[0], from = g->values[x].producer;
    if (from < 0 || g->values[x].is_output)
        return false;
    read_instead(g, x, y);
    for (int o = 0; o < g->nodes[from].output_count; o++) {
        if (g->nodes[from].outputs[o] == x)
            g->nodes[from].outputs[o] = y;
    }
    g->values[y].producer = from;
    return true;
}

/* The same bytes in another shape. */
static bool renames(oct_op op)
{
    return oct_op_facts(op)->result_kind == OCT_RESULT_SAME && op != OCT_OP_Dropout;
}

octet_status oct_prepare_constants(oct_prepare_state *p)
{
    oct_graph *g = p->g;
    for (int i = 0; i < g->node_count; i++) {
        oct_node *n = &g->nodes[i];
        if (n->input_count < 1 || n->inputs[0] == OCT_NO_VALUE || n->outputs[0] == OCT_NO_VALUE)
            continue;
        const oct_value *in = &g->values[n->inputs[0]];
        oct_value *out = &g->values[n->outputs[0]];
        bool one = n->output_count == 1 || n->outputs[1] == OCT_NO_VALUE;
        if (in->data && renames(n->op) && !out->is_output) {
            const oct_value *known = &p->shaped.values[n->outputs[0]];
            out->dtype = in->dtype;
            out->rank = known->rank;
            memcpy(out->dims, known->dims, sizeof out->dims);
            out->data = in->data;
            out->data_bytes = in->data_bytes;
            out->made = in->made;
            n->output_count = 0;
        } else if ((n->op == OCT_OP_Identity || n->op == OCT_OP_Dropout) && one) {
            if (!out->is_output)
                read_instead(g, n->outputs[0], n->inputs[0]);
            if (!out->is_output || becomes_output(g, n))
                n->output_count = 0;
        }
    }
    return OCTET_OK;
}

/* Sort, and learn the shapes of what has come. */
static octet_status infer_again(oct_prepare_state *p, const octet_tensor *inputs)
{
    oct_drop_replaced(p->g);
    FORWARD(oct_graph_sort(p->g));
    oct_graph_free(&p->shaped);
    return oct_shaped_copy(p->g, inputs, &p->shaped);
}

static octet_status all_steps(oct_prepare_state *p, const octet_tensor *inputs, int opset)
{
    FORWARD(oct_prepare_constants(p));
    FORWARD(infer_again(p, inputs));
    FORWARD(oct_prepare_opset(p, opset));
    FORWARD(infer_again(p, inputs));
    FORWARD(oct_prepare_fold(p));
    FORWARD(infer_again(p, inputs));
    FORWARD(oct_prepare_forms(p));
    return infer_again(p, inputs);
}

octet_status oct_prepare(oct_graph *g, const octet_tensor *inputs, int *opset)
{
    *opset = OCT_QUANTIZE_OPSET;
    for (int i = 0; i < g->node_count; i++) {
        bool onnx = strcmp(g->nodes[i].domain, "com.microsoft") != 0;
        *opset = onnx && g->nodes[i].opset > *opset ? g->nodes[i].opset : *opset;
    }
    oct_prepare_state p = {.g = g};
    FORWARD(oct_shaped_copy(g, inputs, &p.shaped));
    octet_status status = oct_graph_take_branches(g, &p.shaped);
    if (status == OCTET_OK)
        status = all_steps(&p, inputs, *opset);
    oct_graph_free(&p.shaped);
    return status;
}
