/* Normalizations. */
#include "lower.h"
#include "normalize.h"

static oct_mem output_or_none(const lowering *l, const oct_node *n, int i)
{
    return i < n->output_count && n->outputs[i] != OCT_NO_VALUE ? oct_lower_output(l, n, i).mem
                                                                : OCT_MEM_NONE;
}

octet_status oct_lower_layer_norm(lowering *l, const oct_node *n)
{
    oct_operand x = oct_lower_input(l, n, 0);
    int axis = oct_lower_axis(oct_node_int(n, "axis", -1), x.rank);
    oct_normalize_request q = {.rows = oct_lower_product(&x, 0, axis),
                               .length = oct_lower_product(&x, axis, x.rank),
                               .scales = 1,
                               .epsilon = oct_node_float(n, "epsilon", 1e-5f),
                               .x = x.mem,
                               .scale = oct_lower_input(l, n, 1).mem,
                               .bias = oct_lower_input(l, n, 2).mem,
                               .y = oct_lower_output(l, n, 0).mem,
                               .mean = output_or_none(l, n, 1),
                               .inverse = output_or_none(l, n, 2)};
    return oct_normalize(l->r, &q);
}

/* InstanceNormalization: a channel is a group of its own. Before opset 21 a group has one scale. */
octet_status oct_lower_channel_norm(lowering *l, const oct_node *n)
{
    oct_operand x = oct_lower_input(l, n, 0);
    bool by_group = n->op == OCT_OP_GroupNormalization;
    int64_t groups = by_group ? oct_node_int(n, "num_groups", 1) : x.dims[1],
            pixels = oct_lower_product(&x, 2, x.rank), channels = groups ? x.dims[1] / groups : 0;
    oct_normalize_request q = {.rows = pixels ? x.dims[0] * groups : 0,
                               .length = channels * pixels,
                               .run = by_group && n->opset < 21 ? channels * pixels : pixels,
                               .scales = by_group && n->opset < 21 ? groups : x.dims[1],
                               .epsilon = oct_node_float(n, "epsilon", 1e-5f),
                               .x = x.mem,
                               .scale = oct_lower_input(l, n, 1).mem,
                               .bias = oct_lower_input(l, n, 2).mem,
                               .y = oct_lower_output(l, n, 0).mem,
                               .mean = OCT_MEM_NONE,
                               .inverse = OCT_MEM_NONE};
    return oct_normalize(l->r, &q);
}

octet_status oct_lower_lrn(lowering *l, const oct_node *n)
{
    oct_operand x = oct_lower_input(l, n, 0), y = oct_lower_output(l, n, 0);
    return oct_lrn(l->r, l->caps, &x, oct_node_int(n, "size", 1), oct_node_float(n, "alpha", 1e-4f),
                   oct_node_float(n, "beta", 0.75f), oct_node_float(n, "bias", 1.0f), &y);
}

octet_status oct_lower_batch_norm(lowering *l, const oct_node *n)
{
    oct_operand x = oct_lower_input(l, n, 0), y = oct_lower_output(l, n, 0);
    oct_mem parameters[4];
    for (int i = 0; i < 4; i++)
        parameters[i] = oct_lower_input(l, n, i + 1).mem;
    return oct_batch_norm(l->r, l->caps, &x, parameters, oct_node_float(n, "epsilon", 1e-5f), &y);
}
