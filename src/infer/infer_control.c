/* If, as far as its branch was not taken (branches.h), and what Octet does not know. */
#include "infer.h"

/* The first input of the network that value v depends on, NULL if none is found. The nodes before are in
 * their order. */
static const char *input_behind(const oct_graph *g, int v)
{
    for (int i = g->node_count - 1; i >= 0 && !g->values[v].is_input; i--) {
        const oct_node *n = &g->nodes[i];
        bool makes = false;
        for (int o = 0; o < n->output_count; o++)
            makes = makes || n->outputs[o] == v;
        for (int j = 0; makes && j < n->input_count; j++) {
            if (n->inputs[j] != OCT_NO_VALUE && !g->values[n->inputs[j]].data) {
                v = n->inputs[j];
                break;
            }
        }
    }
    return g->values[v].is_input ? g->values[v].name : NULL;
}

/* Only an If whose condition is not known gets here. */
octet_status oct_infer_if(infer_ctx *c)
{
    const oct_value *condition = oct_infer_in(c, 0);
    const char *input = input_behind(c->g, c->n->inputs[0]);
    RETURN_IF(condition->dtype != OCTET_BOOL || (condition->data && condition->data_bytes != 1),
              OCTET_INVALID_ARGUMENT, "its condition '%s' is not one bool", condition->name);
    RETURN_IF(
        input, OCTET_UNSUPPORTED,
        "which branch it takes is known only in a run, from input '%s'; fix that input (--fix %s=VALUE, "
        "octet_model_desc.fixed)",
        input, input);
    return oct_fail(OCTET_UNSUPPORTED,
                    "which branch it takes is known only in a run, from '%s'; conditions must follow from "
                    "constants and shapes",
                    condition->name);
}

octet_status oct_infer_unknown(infer_ctx *c)
{
    return oct_fail(OCTET_UNSUPPORTED, "%s", c->n->refusal ? c->n->refusal : "not supported");
}
