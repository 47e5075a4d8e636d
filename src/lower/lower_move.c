/* Transpose, Cast, and the operators that only rename. */
#include "dtype.h"
#include "lower.h"
#include "move.h"

octet_status oct_lower_transpose(lowering *l, const oct_node *n)
{
    oct_operand x = oct_lower_input(l, n, 0), y = oct_lower_output(l, n, 0);
    const oct_attr *perm = oct_node_attr(n, "perm");
    int order[OCTET_MAX_RANK];
    for (int i = 0; i < x.rank; i++)
        order[i] = perm ? (int)perm->ints[i] : x.rank - 1 - i;
    return oct_transpose(l->r, l->caps, &x, &y, order);
}

octet_status oct_lower_gather(lowering *l, const oct_node *n)
{
    oct_operand x = oct_lower_input(l, n, 0), indices = oct_lower_input(l, n, 1),
                y = oct_lower_output(l, n, 0);
    return oct_gather(l->r, l->caps, &x, &indices, &y, oct_lower_axis(oct_node_int(n, "axis", 0), x.rank));
}

octet_status oct_lower_cast(lowering *l, const oct_node *n)
{
    oct_operand x = oct_lower_input(l, n, 0), y = oct_lower_output(l, n, 0);
    return oct_cast(l->r, l->caps, &x, &y);
}

bool oct_lower_is_alias(const oct_node *n)
{
    switch (n->op) {
    case OCT_OP_Reshape:
    case OCT_OP_Flatten:
    case OCT_OP_Squeeze:
    case OCT_OP_Unsqueeze:
    case OCT_OP_Identity:
    case OCT_OP_Dropout:
        return true;
    default:
        return false;
    }
}

/* Usually input and output are one memory and nothing is to be done; a graph input that is also an output is
 * copied. */
octet_status oct_lower_alias(lowering *l, const oct_node *n)
{
    oct_operand x = oct_lower_input(l, n, 0), y = oct_lower_output(l, n, 0);
    return x.mem == y.mem ? OCTET_OK : oct_copy(l->r, l->caps, &x, &y);
}
