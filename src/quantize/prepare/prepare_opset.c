/* Operators whose form changed up to operator set 13. The others mean the same there. */
#include "prepare.h"
#include "rewrite.h"

#include <string.h>

typedef octet_status upgrade_fn(oct_prepare_state *p, int node);

static octet_status refuse(const oct_prepare_state *p, int node, const char *why)
{
    const oct_node *n = &p->g->nodes[node];
    return oct_fail(OCTET_UNSUPPORTED,
                    "%s (node '%s') of opset %d: %s; export the model with opset 13 or later", n->op_type,
                    n->name, n->opset, why);
}

/* An attribute of integers becomes input i, and goes. */
static octet_status ints_to_input(oct_prepare_state *p, int node, const char *name, int i)
{
    oct_graph *g = p->g;
    const oct_attr *a = oct_node_attr(&g->nodes[node], name);
    if (!a)
        return OCTET_OK;
    const int64_t count = (int64_t)a->count;
    int v = oct_add_const(g, OCTET_S64, 1, &count, a->ints);
    if (v < 0)
        return OCTET_OUT_OF_MEMORY;
    return oct_set_input(g, node, i, v);
}

static octet_status without(oct_prepare_state *p, int node, const char *const *names)
{
    oct_node *n = &p->g->nodes[node];
    oct_attr *attrs = oct_arena_alloc(&p->g->arena, n->attr_count + 1, sizeof *attrs);
    if (!attrs)
        return oct_out_of_memory("quantization");
    size_t kept = 0;
    for (size_t i = 0; i < n->attr_count; i++) {
        bool goes = false;
        for (const char *const *name = names; *name; name++)
            goes = goes || strcmp(n->attrs[i].name, *name) == 0;
        if (!goes)
            attrs[kept++] = n->attrs[i];
    }
    n->attrs = attrs;
    n->attr_count = kept;
    return OCTET_OK;
}

static octet_status axes_operand(oct_prepare_state *p, int node)
{
    FORWARD(ints_to_input(p, node, "axes", 1));
    return without(p, node, (const char *const[]){"axes", NULL});
}

static octet_status split_operand(oct_prepare_state *p, int node)
{
    FORWARD(ints_to_input(p, node, "split", 1));
    return without(p, node, (const char *const[]){"split", NULL});
}

static octet_status slice_operands(oct_prepare_state *p, int node)
{
    if (p->g->nodes[node].opset >= 10)
        return OCTET_OK;
    FORWARD(ints_to_input(p, node, "starts", 1));
    FORWARD(ints_to_input(p, node, "ends", 2));
    FORWARD(ints_to_input(p, node, "axes", 3));
    return without(p, node, (const char *const[]){"starts", "ends", "axes", NULL});
}

static octet_status pad_operands(oct_prepare_state *p, int node)
{
    if (p->g->nodes[node].opset >= 11)
        return OCTET_OK;
    float value = oct_node_float(&p->g->nodes[node], "value", 0.0f);
    FORWARD(ints_to_input(p, node, "pads", 1));
    int v = oct_add_const(p->g, OCTET_F32, 0, NULL, &value);
    if (v < 0)
        return OCTET_OUT_OF_MEMORY;
    FORWARD(oct_set_input(p->g, node, 2, v));
    return without(p, node, (const char *const[]){"pads", "value", NULL});
}

/* The loader has made the bounds operands. */
static octet_status clip_operands(oct_prepare_state *p, int node)
{
    return without(p, node, (const char *const[]){"min", "max", NULL});
}

/* Opset 10: scales at input 1, positions x / scale, the pixel before. */
static octet_status resize_form(oct_prepare_state *p, int node)
{
    oct_graph *g = p->g;
    if (g->nodes[node].opset >= 11)
        return OCTET_OK;
    int scales = g->nodes[node].inputs[1];
    FORWARD(oct_set_input(g, node, 2, scales));
    g->nodes[node].inputs[1] = OCT_NO_VALUE;
    oct_node *n = &g->nodes[node];
    oct_attr *attrs = oct_arena_alloc(&g->arena, n->attr_count + 2, sizeof *attrs);
    if (!attrs)
        return oct_out_of_memory("quantization");
    for (size_t i = 0; i < n->attr_count; i++)
        attrs[i] = n->attrs[i];
    attrs[n->attr_count++] =
        (oct_attr){.name = "coordinate_transformation_mode", .kind = OCT_ATTR_STRING, .s = "asymmetric"};
    attrs[n->attr_count++] = (oct_attr){.name = "nearest_mode", .kind = OCT_ATTR_STRING, .s = "floor"};
    n->attrs = attrs;
    return OCTET_OK;
}

/* Before opset 13 everything from `axis` on is one row; the same where that is the last dimension. */
static octet_status softmax_axis(oct_prepare_state *p, int node)
{
    const oct_node *n = &p->g->nodes[node];
    int rank = p->shaped.values[n->inputs[0]].rank;
    int64_t axis = oct_node_int(n, "axis", 1);
    axis += axis < 0 ? rank : 0;
    if (axis != rank - 1)
        return refuse(p, node, "it runs over several dimensions at once");
    return oct_node_set_int(p->g, node, "axis", axis);
}

static octet_status spatial_only(oct_prepare_state *p, int node)
{
    if (oct_node_int(&p->g->nodes[node], "spatial", 1) == 0)
        return refuse(p, node, "spatial = 0 has no form later");
    return without(p, node, (const char *const[]){"spatial", NULL});
}

static octet_status to_identity(oct_prepare_state *p, int node)
{
    oct_node *n = &p->g->nodes[node];
    if (n->output_count > 1 && n->outputs[1] != OCT_NO_VALUE)
        return refuse(p, node, "its mask is used");
    n->op = OCT_OP_Identity;
    n->op_type = oct_op_name(n->op);
    n->input_count = n->output_count = 1;
    n->attr_count = 0;
    return OCTET_OK;
}

static upgrade_fn *const upgrades[OCT_OP_COUNT] = {
#define COLUMN_UPGRADED(n, f) f
#define COLUMN_ONNX(n)        NULL
#define COLUMN_MICROSOFT(n)   NULL
#define COLUMN_PASSES         NULL
#define OCT_OP(op, file, ...) [OCT_OP_##op] = COLUMN_##file,
#include "op_table.def"
#undef OCT_OP
};

octet_status oct_prepare_opset(oct_prepare_state *p, int opset)
{
    for (int i = 0; i < p->g->node_count; i++) {
        oct_node *n = &p->g->nodes[i];
        if (strcmp(n->domain, "com.microsoft") == 0)
            continue;
        if (n->opset < OCT_QUANTIZE_OPSET && upgrades[n->op])
            FORWARD(upgrades[n->op](p, i));
        p->g->nodes[i].opset = opset;
    }
    return OCTET_OK;
}
