/* Constant nodes, and renamings of constants, become values that the host knows: shapes and axes must be
 * known before a plan is made. Arithmetic on constants is not done here: the device does it once (see
 * ops/recipe.h). */
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
        if (strcmp(a->name, "value") == 0 && a->kind == OCT_ATTR_TENSOR) {
            v->dtype = a->tensor->dtype;
            v->rank = a->tensor->rank;
            memcpy(v->dims, a->tensor->dims, sizeof v->dims);
            v->data = a->tensor->data;
            v->data_bytes = a->tensor->data_bytes;
            return OCTET_OK;
        }
        if (strcmp(a->name, "value_float") == 0 && a->kind == OCT_ATTR_FLOAT)
            return set_data(g, v, OCTET_F32, 0, 1, &a->f, sizeof a->f);
        if (strcmp(a->name, "value_int") == 0 && a->kind == OCT_ATTR_INT)
            return set_data(g, v, OCTET_S64, 0, 1, &a->i, sizeof a->i);
        if (strcmp(a->name, "value_floats") == 0 && a->kind == OCT_ATTR_FLOATS)
            return set_data(g, v, OCTET_F32, 1, (int64_t)a->count, a->floats, sizeof *a->floats);
        if (strcmp(a->name, "value_ints") == 0 && a->kind == OCT_ATTR_INTS)
            return set_data(g, v, OCTET_S64, 1, (int64_t)a->count, a->ints, sizeof *a->ints);
    }
    return oct_fail(OCTET_UNSUPPORTED, "Constant (node '%s'): strings and sparse tensors are not supported",
                    n->name);
}

octet_status oct_graph_fold_constants(oct_graph *g)
{
    int kept = 0;
    for (int i = 0; i < g->node_count; i++) {
        const oct_node *n = &g->nodes[i];
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
        }
        if (!folded)
            g->nodes[kept++] = g->nodes[i];
    }
    g->node_count = kept;
    return OCTET_OK;
}
