/* Softmax, LogSoftmax, QLinearSoftmax. */
#include "lower.h"
#include "softmax.h"

/* Below opset 13 all dimensions from axis on are one. */
octet_status oct_lower_softmax(lowering *l, const oct_node *n)
{
    oct_operand x = oct_lower_input(l, n, 0), y = oct_lower_output(l, n, 0);
    bool flat = n->opset < 13;
    int axis = oct_lower_axis(oct_node_int(n, "axis", flat ? 1 : -1), x.rank);
    RETURN_IF(axis < 0 || axis >= x.rank, OCTET_INVALID_ARGUMENT, "axis is out of range for rank %d", x.rank);
    int64_t length = flat ? oct_lower_product(&x, axis, x.rank) : x.dims[axis];
    return oct_softmax(l->r, l->caps, n->op == OCT_OP_LogSoftmax, x.mem,
                       length ? oct_lower_product(&x, 0, axis) : 0, length,
                       flat ? 1 : oct_lower_product(&x, axis + 1, x.rank), y.mem);
}

/* Below opset 13 (the operator says by its own attribute) all dimensions from axis on are one. */
octet_status oct_lower_q_softmax(lowering *l, const oct_node *n)
{
    oct_operand x = oct_lower_input(l, n, 0), y = oct_lower_output(l, n, 0);
    bool flat = oct_node_int(n, "opset", 13) < 13;
    int axis = oct_lower_axis(oct_node_int(n, "axis", -1), x.rank);
    RETURN_IF(axis < 0 || axis >= x.rank, OCTET_INVALID_ARGUMENT, "axis is out of range for rank %d", x.rank);
    oct_qsoftmax_request q = {.x = x,
                              .y = y,
                              .outer = oct_lower_product(&x, 0, axis),
                              .axis = flat ? oct_lower_product(&x, axis, x.rank) : x.dims[axis],
                              .inner = flat ? 1 : oct_lower_product(&x, axis + 1, x.rank),
                              .x_q = oct_lower_quant(l, n, oct_op_facts(n->op)->operands[0], x.dtype),
                              .y_q = oct_lower_quant(l, n, oct_op_facts(n->op)->result, y.dtype)};
    return oct_qsoftmax(l->r, l->caps, &q);
}
