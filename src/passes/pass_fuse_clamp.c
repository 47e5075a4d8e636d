/* y = Relu(op(...)) and y = Clip(op(...), min, max) on 8-bit data: the clamp moves into op, which clamps
 * anyway. Only when nobody else reads op's own output. */
#include "dtype.h"
#include "op_facts.h"
#include "passes.h"
#include "rewrite.h"

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
    oct_node_clamp(producer, g->values[n->outputs[0]].dtype, lo, hi);
    producer->outputs[0] = n->outputs[0];
    g->values[n->outputs[0]].producer = (int)(producer - g->nodes);
    n->output_count = 0; /* replaced */
}

octet_status oct_pass_fuse_clamp(oct_graph *g)
{
    oct_readers readers = {0};
    FORWARD(oct_readers_find(g, &readers));
    for (int i = 0; i < g->node_count; i++) {
        oct_node *n = &g->nodes[i];
        if (oct_op_facts(n->op)->clamp != OCT_CLAMP_IS)
            continue;
        const oct_value *x = &g->values[n->inputs[0]];
        int32_t lo, hi;
        if (x->producer < 0 || readers.count[n->inputs[0]] != 1 || !oct_dtype_is_int8(x->dtype) ||
            oct_op_facts(g->nodes[x->producer].op)->clamp != OCT_CLAMP_TAKES ||
            !clamp_of(g, n, x->dtype, &lo, &hi))
            continue;
        fold(g, &g->nodes[x->producer], n, lo, hi);
    }
    oct_readers_free(&readers);
    oct_drop_replaced(g);
    return OCTET_OK;
}
