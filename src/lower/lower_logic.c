/* Comparisons, logic, Where and QLinearWhere. */
#include "logic.h"
#include "lower.h"

octet_status oct_lower_logic(lowering *l, const oct_node *n)
{
    oct_operand a = oct_lower_input(l, n, 0), b = oct_lower_input(l, n, 1), y = oct_lower_output(l, n, 0);
    return oct_logic(l->r, l->caps, oct_op_name(n->op), &a, &b, &y);
}

octet_status oct_lower_not(lowering *l, const oct_node *n)
{
    oct_operand x = oct_lower_input(l, n, 0), y = oct_lower_output(l, n, 0);
    return oct_not(l->r, l->caps, &x, &y);
}

octet_status oct_lower_where(lowering *l, const oct_node *n)
{
    oct_operand c = oct_lower_input(l, n, 0), a = oct_lower_input(l, n, 1), b = oct_lower_input(l, n, 2),
                y = oct_lower_output(l, n, 0);
    return oct_where(l->r, l->caps, &c, &a, &b, &y);
}

octet_status oct_lower_qwhere(lowering *l, const oct_node *n)
{
    const oct_facts *f = oct_op_facts(n->op);
    oct_operand z = oct_lower_output(l, n, 0);
    oct_qwhere_request q = {.condition = oct_lower_input(l, n, f->operands[0].value),
                            .x = oct_lower_input(l, n, f->operands[1].value),
                            .y = oct_lower_input(l, n, f->operands[2].value),
                            .z = z,
                            .x_q = oct_lower_quant(l, n, f->operands[1], z.dtype),
                            .y_q = oct_lower_quant(l, n, f->operands[2], z.dtype),
                            .z_q = oct_lower_quant(l, n, f->result, z.dtype)};
    return oct_qwhere(l->r, l->caps, &q);
}
