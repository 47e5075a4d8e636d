#include "passes.h"

octet_status oct_pass_operand_order(oct_graph *g)
{
    for (int i = 0; i < g->node_count; i++) {
        oct_node *n = &g->nodes[i];
        if (n->op != OCT_OP_QLinearAdd && n->op != OCT_OP_QLinearSub)
            continue;
        const oct_value *a = &g->values[n->inputs[0]], *y = &g->values[n->outputs[0]];
        /* The innermost dimension that is not 1: does a repeat along it? */
        for (int d = 1; d <= y->rank; d++) {
            if (y->dims[y->rank - d] == 1)
                continue;
            n->swapped = d > a->rank || a->dims[a->rank - d] == 1;
            break;
        }
    }
    return OCTET_OK;
}
