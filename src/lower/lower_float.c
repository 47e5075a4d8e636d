/* Float arithmetic that surrounds quantized networks. */
#include "floats.h"
#include "lower.h"
#include "move.h"

#include <string.h>

static oct_float_op float_op(oct_op op)
{
    switch (op) {
    case OCT_OP_Add:
        return OCT_FLOAT_ADD;
    case OCT_OP_Sub:
        return OCT_FLOAT_SUB;
    case OCT_OP_Mul:
        return OCT_FLOAT_MUL;
    case OCT_OP_Div:
        return OCT_FLOAT_DIV;
    case OCT_OP_Min:
        return OCT_FLOAT_MIN;
    case OCT_OP_Pow:
        return OCT_FLOAT_POW;
    case OCT_OP_PRelu:
        return OCT_FLOAT_PRELU;
    default:
        return OCT_FLOAT_MAX;
    }
}

octet_status oct_lower_binary(lowering *l, const oct_node *n)
{
    oct_operand a = oct_lower_input(l, n, 0), b = oct_lower_input(l, n, 1), y = oct_lower_output(l, n, 0);
    return oct_float_binary(l->r, l->caps, float_op(n->op), &a, &b, &y);
}

/* A fold from the left; each step has the output's full shape. */
octet_status oct_lower_variadic(lowering *l, const oct_node *n)
{
    oct_operand sofar = oct_lower_input(l, n, 0), y = oct_lower_output(l, n, 0);
    if (n->input_count == 1)
        return oct_copy(l->r, l->caps, &sofar, &y);
    for (int i = 1; i < n->input_count; i++) {
        oct_operand b = oct_lower_input(l, n, i), to = y;
        if (i + 1 < n->input_count)
            to.mem = oct_recipe_temp(l->r, (size_t)oct_operand_elems(&y) * 4);
        FORWARD(oct_float_binary(l->r, l->caps, float_op(n->op), &sofar, &b, &to));
        sofar = to;
    }
    return OCTET_OK;
}

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
