/* Pools, on channels-last operands. */
#include "lower.h"
#include "pool.h"
#include "window.h"

static octet_status pool(lowering *l, const oct_node *n, oct_pool_kind kind)
{
    oct_operand x = oct_lower_input(l, n, 0), y = oct_lower_output(l, n, 0);
    const oct_facts *f = oct_op_facts(n->op);
    oct_pool_request q = {
        .kind = kind, .n = x.dims[0], .c = x.dims[x.rank - 1], .oh = 1, .ow = 1, .x = x, .y = y};
    if (kind == OCT_POOL_GLOBAL_AVERAGE || n->op == OCT_OP_GlobalMaxPool) {
        q.h = q.kh = 1;
        q.w = q.kw = oct_lower_product(&x, 1, x.rank - 1);
        q.stride_h = q.stride_w = q.dilation_h = q.dilation_w = 1;
    } else {
        oct_window win;
        FORWARD(oct_window_resolve(n, &l->g->values[n->inputs[0]], NULL, true, &win));
        q.h = win.in[0];
        q.w = win.in[1];
        q.oh = win.out[0];
        q.ow = win.out[1];
        q.kh = win.kernel[0];
        q.kw = win.kernel[1];
        q.stride_h = win.stride[0];
        q.stride_w = win.stride[1];
        q.dilation_h = win.dilation[0];
        q.dilation_w = win.dilation[1];
        q.pad_top = win.pad_begin[0];
        q.pad_left = win.pad_begin[1];
        q.pad_bottom = win.pad_end[0];
        q.pad_right = win.pad_end[1];
        q.count_include_pad = oct_node_int(n, "count_include_pad", 0) != 0;
    }
    q.x_q = oct_lower_quant(l, n, f->operands[0], x.dtype);
    q.y_q = oct_lower_quant(l, n, f->result, y.dtype);
    return oct_pool(l->r, l->caps, &q);
}

octet_status oct_lower_max_pool(lowering *l, const oct_node *n)
{
    return pool(l, n, OCT_POOL_MAX);
}

octet_status oct_lower_average_pool(lowering *l, const oct_node *n)
{
    return pool(l, n, OCT_POOL_AVERAGE);
}

octet_status oct_lower_global_pool(lowering *l, const oct_node *n)
{
    return pool(l, n, OCT_POOL_GLOBAL_AVERAGE);
}
