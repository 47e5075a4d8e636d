/* Reductions, ArgMax, ArgMin. */
#include "lower.h"
#include "moves.h"
#include "reduce.h"

/* One row an operator: what is done to each element, with the sum so far, and to the result. */
static const struct {
    oct_op op;
    oct_combine combine;
    oct_before before;
    oct_after after;
} reductions[] = {
    {OCT_OP_ReduceMin, OCT_COMBINE_MIN, OCT_BEFORE_NOTHING, OCT_AFTER_NOTHING},
    {OCT_OP_ReduceMax, OCT_COMBINE_MAX, OCT_BEFORE_NOTHING, OCT_AFTER_NOTHING},
    {OCT_OP_ReduceSum, OCT_COMBINE_SUM, OCT_BEFORE_NOTHING, OCT_AFTER_NOTHING},
    {OCT_OP_ReduceMean, OCT_COMBINE_SUM, OCT_BEFORE_NOTHING, OCT_AFTER_SCALE},
    {OCT_OP_ReduceProd, OCT_COMBINE_PROD, OCT_BEFORE_NOTHING, OCT_AFTER_NOTHING},
    {OCT_OP_ReduceL1, OCT_COMBINE_SUM, OCT_BEFORE_ABS, OCT_AFTER_NOTHING},
    {OCT_OP_ReduceL2, OCT_COMBINE_SUM, OCT_BEFORE_SQUARE, OCT_AFTER_SQRT},
    {OCT_OP_ReduceSumSquare, OCT_COMBINE_SUM, OCT_BEFORE_SQUARE, OCT_AFTER_NOTHING},
    {OCT_OP_ReduceLogSum, OCT_COMBINE_SUM, OCT_BEFORE_NOTHING, OCT_AFTER_LOG},
};

/* Of 8 or 16 bits: the smallest, the largest, the sum or the mean, in integers. */
octet_status oct_lower_q_reduce(lowering *l, const oct_node *n)
{
    bool min = n->op == OCT_OP_ReduceMin, sum = oct_op_facts(n->op)->result_kind == OCT_RESULT_GIVEN;
    oct_q_reduce_request q = {.combine = min   ? OCT_COMBINE_MIN
                                         : sum ? OCT_COMBINE_SUM
                                               : OCT_COMBINE_MAX,
                              .mean = n->op == OCT_OP_QLinearReduceMean,
                              .x = oct_lower_input(l, n, 0),
                              .y = oct_lower_output(l, n, 0)};
    FORWARD(oct_reduced_axes(l->g, n, q.reduced));
    q.x_q = oct_lower_quant(l, n, oct_op_facts(n->op)->operands[0], q.x.dtype);
    q.y_q = oct_lower_quant(l, n, oct_op_facts(n->op)->result, q.y.dtype);
    return oct_q_reduce(l->r, l->caps, &q);
}

/* Runs of neighbouring reduced axes, from the last to the first, one launch each; a reduction over nothing
 * but single elements still does what comes before and after. */
octet_status oct_lower_reduce(lowering *l, const oct_node *n)
{
    oct_operand x = oct_lower_input(l, n, 0), y = oct_lower_output(l, n, 0);
    bool reduced[OCTET_MAX_RANK];
    size_t row = 0;
    int64_t inner = 1, total = 1;
    if (x.dtype != OCTET_F32)
        return oct_lower_q_reduce(l, n);
    FORWARD(oct_reduced_axes(l->g, n, reduced));
    while (reductions[row].op != n->op)
        row++;
    int runs = 0;
    for (int i = 0; i < x.rank; i++) {
        runs += reduced[i] && (i == 0 || !reduced[i - 1]);
        total *= reduced[i] ? x.dims[i] : 1;
    }
    if (runs == 0)
        return oct_reduce(l->r, l->caps, reductions[row].combine, reductions[row].before,
                          reductions[row].after, 1.0f, x.mem, oct_operand_elems(&x), 1, 1, y.mem);
    oct_before before = reductions[row].before;
    for (int i = x.rank; i > 0;) {
        if (!reduced[i - 1]) {
            inner *= x.dims[--i];
            continue;
        }
        int64_t axis = 1;
        while (i > 0 && reduced[i - 1])
            axis *= x.dims[--i];
        int64_t outer = oct_lower_product(&x, 0, i);
        bool last = --runs == 0;
        oct_mem to = last ? y.mem : oct_recipe_temp(l->r, (size_t)(outer * inner) * sizeof(float));
        FORWARD(oct_reduce(l->r, l->caps, reductions[row].combine, before,
                           last ? reductions[row].after : OCT_AFTER_NOTHING, 1.0f / (float)total, x.mem,
                           outer, axis, inner, to));
        before = OCT_BEFORE_NOTHING;
        x.mem = to;
    }
    return OCTET_OK;
}

octet_status oct_lower_arg(lowering *l, const oct_node *n)
{
    oct_operand x = oct_lower_input(l, n, 0), y = oct_lower_output(l, n, 0);
    int axis = oct_lower_axis(oct_node_int(n, "axis", 0), x.rank);
    return oct_arg_best(l->r, l->caps, n->op == OCT_OP_ArgMax, oct_node_int(n, "select_last_index", 0) != 0,
                        &x, oct_lower_product(&x, 0, axis), x.dims[axis],
                        oct_lower_product(&x, axis + 1, x.rank), y.mem);
}
