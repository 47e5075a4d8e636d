/* Conversions between floats and integers. */
#include "lower.h"
#include "quantize_op.h"

octet_status oct_lower_quantize(lowering *l, const oct_node *n)
{
    oct_operand x = oct_lower_input(l, n, 0), y = oct_lower_output(l, n, 0);
    oct_quant q = oct_lower_quant(l, n, oct_op_facts(n->op)->result, y.dtype);
    return oct_quantize_op(l->r, l->caps, &x, &q, oct_lower_axis(oct_node_int(n, "axis", 1), x.rank), &y);
}

octet_status oct_lower_dequantize(lowering *l, const oct_node *n)
{
    oct_operand x = oct_lower_input(l, n, 0), y = oct_lower_output(l, n, 0);
    oct_quant q = oct_lower_quant(l, n, oct_op_facts(n->op)->operands[0], x.dtype);
    return oct_dequantize_op(l->r, l->caps, &x, &q, oct_lower_axis(oct_node_int(n, "axis", 1), x.rank), &y);
}

octet_status oct_lower_dynamic_quantize(lowering *l, const oct_node *n)
{
    oct_operand x = oct_lower_input(l, n, 0), y = oct_lower_output(l, n, 0),
                scale = oct_lower_output(l, n, 1), zero = oct_lower_output(l, n, 2);
    return oct_dynamic_quantize_op(l->r, l->caps, &x, &y, &scale, &zero);
}
