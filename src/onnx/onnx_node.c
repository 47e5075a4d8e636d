/* Nodes: their operands, and whether they can be run. Attributes: onnx_attribute.c. */
#include "onnx_build.h"
#include "op_facts.h"

#include <stdio.h>
#include <string.h>

/* Whose QuantizeLinear and DequantizeLinear com.microsoft's are. */
#define CONTRIB_PAIR_OPSET 21

static octet_status read_operands(oct_builder *b, oct_scope *scope, char **names, size_t count, int *out)
{
    for (size_t i = 0; i < count; i++) {
        if (!names[i] || !*names[i])
            continue; /* absent */
        out[i] = oct_scope_value(b, scope, names[i]);
        if (out[i] < 0)
            return OCTET_OUT_OF_MEMORY;
    }
    return OCTET_OK;
}

/* Optional trailing operands may be given as empty names; they are as good as not there. */
static int without_trailing_empty(char **names, size_t count)
{
    while (count && (!names[count - 1] || !*names[count - 1]))
        count--;
    return (int)count;
}

/* A first output that nobody wants, of a node that has others, is a value that nobody reads: every node has a
 * first output. */
static octet_status name_first_output(oct_builder *b, oct_node *n)
{
    if (n->output_count < 2 || n->outputs[0] != OCT_NO_VALUE)
        return OCTET_OK;
    n->outputs[0] = oct_graph_add_value(b->graph, n->name);
    return n->outputs[0] < 0 ? OCTET_OUT_OF_MEMORY : OCTET_OK;
}

/* Add the node; what is said of it is checked after. */
static octet_status add_node(oct_builder *b, oct_scope *scope, const onnx_NodeProto *p, size_t index)
{
    const char *op_type = p->op_type ? p->op_type : "", *domain = p->domain ? p->domain : "";
    char made[320];
    if (scope->branch_of)
        snprintf(made, sizeof made, "%.120s/%.120s_%zu", scope->branch_of, op_type, index);
    else
        snprintf(made, sizeof made, "%.256s_%zu", op_type, index);
    const char *name = p->name && *p->name ? p->name : made;
    oct_op op = oct_op_find(op_type, domain);
    int inputs = without_trailing_empty(p->input, p->input_count);
    int outputs = without_trailing_empty(p->output, p->output_count);
    oct_graph *g = b->graph;
    oct_node *n = oct_graph_add_node(g, op == OCT_OP_COUNT ? OCT_OP_Unknown : op, name, inputs, outputs);
    if (!n)
        return OCTET_OUT_OF_MEMORY;
    n->op_type = op == OCT_OP_COUNT ? oct_arena_strdup(&g->arena, op_type) : n->op_type;
    n->domain = oct_arena_strdup(&g->arena, domain);
    if (!n->domain || !n->op_type)
        return oct_build_no_memory();
    n->opset = (int)(strcmp(domain, "com.microsoft") == 0 ? b->ms_opset : b->opset);
    if (n->opset && oct_op_is_contrib_pair(op_type, domain))
        n->opset = CONTRIB_PAIR_OPSET;
    FORWARD(read_operands(b, scope, p->input, (size_t)inputs, n->inputs));
    FORWARD(read_operands(b, scope, p->output, (size_t)outputs, n->outputs));
    return name_first_output(b, n);
}

static octet_status check_node(oct_builder *b, oct_scope *scope, const onnx_NodeProto *p, int node)
{
    const oct_node *n = &b->graph->nodes[node];
    const char *domain = *n->domain ? n->domain : "ai.onnx";
    RETURN_IF(n->op == OCT_OP_Unknown, OCTET_UNSUPPORTED,
              "operator %s (domain '%s', node '%s') is not supported", n->op_type, domain, n->name);
    RETURN_IF(n->opset == 0, OCTET_CORRUPT_FILE,
              "%s (node '%s'): the model imports no operator set of domain '%s'", n->op_type, n->name,
              domain);
    FORWARD(oct_node_check_arity(n));
    FORWARD(oct_check_attributes(n, p));
    if (n->op != OCT_OP_If)
        return oct_build_attributes(b, p, node);
    const char *name = n->name;
    octet_status status = oct_build_branches(b, scope, p, node);
    return status == OCTET_OK ? status : oct_fail_prefix(status, "If (node '%s')", name);
}

/* In a branch that may not be taken, and for inspection, what cannot run is told when it is to run. */
octet_status oct_build_node(oct_builder *b, oct_scope *scope, const onnx_NodeProto *p, size_t index)
{
    oct_graph *g = b->graph;
    FORWARD(add_node(b, scope, p, index));
    int node = g->node_count - 1;
    octet_status status = check_node(b, scope, p, node);
    bool tells_later = b->for_inspection || scope->outer;
    if (status != OCTET_UNSUPPORTED || !tells_later || g->nodes[node].output_count == 0)
        return status;
    oct_node *n = &g->nodes[node];
    n->op = OCT_OP_Unknown;
    n->attr_count = 0;
    n->refusal = oct_arena_strdup(&g->arena, oct_error_text());
    oct_error_clear();
    return n->refusal ? OCTET_OK : oct_build_no_memory();
}
