/* y = Relu(op(...)) and y = Clip(op(...), min, max) on 8-bit data: the clamp moves into op, which clamps
 * anyway. Only when nobody else reads op's own output. */
#include "dtype.h"
#include "passes.h"

#include <stdlib.h>

static bool takes_clamp(oct_op op)
{
    return op == OCT_OP_QLinearConv || op == OCT_OP_QLinearMatMul || op == OCT_OP_QGemm;
}

/* The clamp that a Relu or Clip node is; false if its bounds are not constants. */
static bool clamp_of(const oct_graph *g, const oct_node *n, octet_dtype dtype, int32_t *lo, int32_t *hi)
{
    *lo = oct_dtype_min(dtype);
    *hi = oct_dtype_max(dtype);
    if (n->op == OCT_OP_Relu) {
        *lo = *lo > 0 ? *lo : 0;
        return true;
    }
    for (int i = 1; i < n->input_count; i++) {
        if (n->inputs[i] == OCT_NO_VALUE)
            continue;
        const oct_value *bound = &g->values[n->inputs[i]];
        if (!bound->data || bound->data_bytes != 1 || bound->dtype != dtype)
            return false;
        int32_t v = dtype == OCTET_U8 ? *(const uint8_t *)bound->data : *(const int8_t *)bound->data;
        if (i == 1)
            *lo = v;
        else
            *hi = v;
    }
    if (*lo > *hi) /* ONNX: min above max gives max everywhere */
        *lo = *hi;
    return true;
}

static void fold(oct_graph *g, oct_node *producer, oct_node *n, int32_t lo, int32_t hi)
{
    octet_dtype dtype = g->values[n->outputs[0]].dtype;
    if (!producer->has_clamp) {
        producer->has_clamp = true;
        producer->clamp_min = oct_dtype_min(dtype);
        producer->clamp_max = oct_dtype_max(dtype);
    }
    /* clamp(clamp(x, a, b), lo, hi) is clamp(x, clamp(a, lo, hi), clamp(b, lo, hi)). */
    int32_t *bounds[] = {&producer->clamp_min, &producer->clamp_max};
    for (int i = 0; i < 2; i++)
        *bounds[i] = *bounds[i] < lo ? lo : *bounds[i] > hi ? hi : *bounds[i];
    producer->outputs[0] = n->outputs[0];
    g->values[n->outputs[0]].producer = (int)(producer - g->nodes);
    n->output_count = 0; /* dead: dropped below */
}

octet_status oct_pass_fuse_clamp(oct_graph *g)
{
    int *readers = calloc((size_t)g->value_count + 1, sizeof *readers);
    RETURN_IF(!readers, OCTET_OUT_OF_MEMORY, "out of host memory in a graph pass");
    for (int i = 0; i < g->node_count; i++) {
        for (int j = 0; j < g->nodes[i].input_count; j++) {
            if (g->nodes[i].inputs[j] != OCT_NO_VALUE)
                readers[g->nodes[i].inputs[j]]++;
        }
    }
    for (int i = 0; i < g->node_count; i++) {
        oct_node *n = &g->nodes[i];
        if (n->op != OCT_OP_Relu && n->op != OCT_OP_Clip)
            continue;
        const oct_value *x = &g->values[n->inputs[0]];
        int32_t lo, hi;
        if (x->producer < 0 || x->is_output || readers[n->inputs[0]] != 1 || !oct_dtype_is_int8(x->dtype) ||
            !takes_clamp(g->nodes[x->producer].op) || !clamp_of(g, n, x->dtype, &lo, &hi))
            continue;
        fold(g, &g->nodes[x->producer], n, lo, hi);
    }
    free(readers);
    int kept = 0;
    for (int i = 0; i < g->node_count; i++) {
        if (g->nodes[i].output_count)
            g->nodes[kept++] = g->nodes[i];
    }
    g->node_count = kept;
    return OCTET_OK;
}
