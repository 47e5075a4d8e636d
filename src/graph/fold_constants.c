/* Constant nodes, and renamings and widenings of constants, become values that the host knows: shapes and
 * axes must be known before a plan is made. The bounds of an old Clip, attributes before opset 11, become
 * operands. Arithmetic on constants is not done here: the device does it once (see ops/recipe.h). */
#include "dtype.h"
#include "graph.h"
#include "sizes.h"

#include <string.h>

static octet_status set_data(oct_graph *g, oct_value *v, octet_dtype dtype, int rank, int64_t count,
                             const void *data, size_t elem)
{
    void *copy = oct_arena_alloc(&g->arena, (size_t)count, elem);
    RETURN_IF(!copy, OCTET_OUT_OF_MEMORY, "out of host memory for a graph");
    if (count)
        memcpy(copy, data, (size_t)count * elem);
    v->dtype = dtype;
    v->rank = rank;
    v->dims[0] = count;
    v->data = copy;
    v->data_bytes = (size_t)count * elem;
    return OCTET_OK;
}

static octet_status fold_constant(oct_graph *g, const oct_node *n, oct_value *v)
{
    for (size_t i = 0; i < n->attr_count; i++) {
        const oct_attr *a = &n->attrs[i];
        if (strcmp(a->name, "value") == 0) {
            v->dtype = a->tensor->dtype;
            v->rank = a->tensor->rank;
            memcpy(v->dims, a->tensor->dims, sizeof v->dims);
            v->data = a->tensor->data;
            v->data_bytes = a->tensor->data_bytes;
            return OCTET_OK;
        }
        if (strcmp(a->name, "value_float") == 0)
            return set_data(g, v, OCTET_F32, 0, 1, &a->f, sizeof a->f);
        if (strcmp(a->name, "value_int") == 0)
            return set_data(g, v, OCTET_S64, 0, 1, &a->i, sizeof a->i);
        if (strcmp(a->name, "value_floats") == 0)
            return set_data(g, v, OCTET_F32, 1, (int64_t)a->count, a->floats, sizeof *a->floats);
        if (strcmp(a->name, "value_ints") == 0)
            return set_data(g, v, OCTET_S64, 1, (int64_t)a->count, a->ints, sizeof *a->ints);
    }
    return oct_fail(OCTET_UNSUPPORTED, "Constant (node '%s'): strings and sparse tensors are not supported",
                    n->name);
}

/* Shapes and axes are computed as s32 here and s64 there. */
#define MAX_CAST_ELEMS 64

static octet_status fold_cast(oct_graph *g, const oct_node *n, const oct_value *in, oct_value *out,
                              bool *folded)
{
    int64_t numbers[MAX_CAST_ELEMS], elems;
    const int64_t onnx_s64 = 7;
    if (in->dtype != OCTET_S32 || oct_node_int(n, "to", 0) != onnx_s64 ||
        !oct_shape_elems(in->dims, in->rank, &elems) || elems > MAX_CAST_ELEMS || in->rank > 1)
        return OCTET_OK;
    for (int64_t i = 0; i < elems; i++) {
        int32_t narrow;
        memcpy(&narrow, (const char *)in->data + (size_t)i * sizeof narrow, sizeof narrow);
        numbers[i] = narrow;
    }
    *folded = true;
    return set_data(g, out, OCTET_S64, in->rank, elems, numbers, sizeof *numbers);
}

/* Clip before opset 11: attributes min and max become inputs 1 and 2. */
static octet_status clip_operands(oct_graph *g, oct_node *n)
{
    static const char *const names[] = {"min", "max"};
    int *io = oct_arena_alloc(&g->arena, 4, sizeof *io);
    RETURN_IF(!io, OCTET_OUT_OF_MEMORY, "out of host memory for a graph");
    io[0] = n->inputs[0];
    io[3] = n->outputs[0];
    for (int k = 0; k < 2; k++) {
        const oct_attr *a = oct_node_attr(n, names[k]);
        io[k + 1] = OCT_NO_VALUE;
        if (!a)
            continue;
        io[k + 1] = oct_graph_add_value(g, names[k]);
        if (io[k + 1] < 0)
            return OCTET_OUT_OF_MEMORY;
        FORWARD(set_data(g, &g->values[io[k + 1]], OCTET_F32, 0, 1, &a->f, sizeof a->f));
    }
    n->inputs = io;
    n->input_count = 3;
    n->outputs = io + 3;
    return OCTET_OK;
}

octet_status oct_fold_constants(oct_graph *g, oct_node *nodes, int *count)
{
    int kept = 0;
    for (int i = 0; i < *count; i++) {
        if (nodes[i].op == OCT_OP_Clip && nodes[i].opset < 11)
            FORWARD(clip_operands(g, &nodes[i]));
        const oct_node *n = &nodes[i];
        oct_value *out = n->output_count ? &g->values[n->outputs[0]] : NULL;
        const oct_value *in =
            n->input_count && n->inputs[0] != OCT_NO_VALUE ? &g->values[n->inputs[0]] : NULL;
        bool folded = false;
        if (out && n->op == OCT_OP_Constant) {
            FORWARD(fold_constant(g, n, out));
            folded = true;
        } else if (out && in && in->data && n->op == OCT_OP_Identity) {
            out->dtype = in->dtype;
            out->rank = in->rank;
            memcpy(out->dims, in->dims, sizeof out->dims);
            out->data = in->data;
            out->data_bytes = in->data_bytes;
            folded = true;
        } else if (out && in && in->data && n->op == OCT_OP_Cast) {
            FORWARD(fold_cast(g, n, in, out, &folded));
        }
        if (!folded)
            nodes[kept++] = nodes[i];
    }
    *count = kept;
    return OCTET_OK;
}

octet_status oct_graph_fold_constants(oct_graph *g)
{
    return oct_fold_constants(g, g->nodes, &g->node_count);
}
