/* Float functions of one element. */
#include "lower.h"
#include "unary.h"

#include <string.h>

/* Attributes of the functions of one element: name and default of a and b. */
static const struct {
    oct_op op;
    const char *a;
    float a_default;
    const char *b;
    float b_default;
} unary_attributes[] = {
    {OCT_OP_HardSigmoid, "alpha", 0.2f, "beta", 0.5f},
    {OCT_OP_HardSwish, "", 1.0f / 6.0f, "", 0.5f}, /* ONNX fixes them */
    {OCT_OP_LeakyRelu, "alpha", 0.01f, "", 0.0f},
    {OCT_OP_ThresholdedRelu, "alpha", 1.0f, "", 0.0f},
    {OCT_OP_Elu, "alpha", 1.0f, "", 0.0f},
    {OCT_OP_Celu, "alpha", 1.0f, "", 0.0f},
    {OCT_OP_Selu, "alpha", 1.67326319217681884765625f, "gamma", 1.05070102214813232421875f},
};

octet_status oct_lower_unary(lowering *l, const oct_node *n)
{
    oct_operand x = oct_lower_input(l, n, 0), y = oct_lower_output(l, n, 0);
    float a = 0.0f, b = 0.0f;
    for (size_t i = 0; i < sizeof unary_attributes / sizeof unary_attributes[0]; i++) {
        if (unary_attributes[i].op == n->op) {
            a = oct_node_float(n, unary_attributes[i].a, unary_attributes[i].a_default);
            b = oct_node_float(n, unary_attributes[i].b, unary_attributes[i].b_default);
        }
    }
    if (n->op == OCT_OP_Gelu)
        a = strcmp(oct_node_string(n, "approximate", "none"), "tanh") == 0 ? 1.0f : 0.0f;
    return oct_float_unary(l->r, l->caps, oct_op_name(n->op), &x, a, b, &y);
}
