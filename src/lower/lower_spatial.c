/* Convolutions and pools, on channels-last operands. */
#include "conv.h"
#include "floats.h"
#include "lower.h"
#include "pool.h"
#include "resize.h"
#include "resize_op.h"
#include "window.h"

/* Operand positions in a node's inputs; -1: the operator does not have it. */
typedef struct conv_inputs {
    int x, x_scale, x_zero, w, w_scale, w_zero, y_scale, y_zero, bias;
} conv_inputs;

static const conv_inputs qlinear = {0, 1, 2, 3, 4, 5, 6, 7, 8};
static const conv_inputs integer = {0, -1, 2, 1, -1, 3, -1, -1, -1};

/* What pass_chain.c has put behind a convolution. */
static oct_conv_chain lower_chain(lowering *l, const oct_node *n, octet_dtype dtype)
{
    oct_operand table = oct_lower_input(l, n, OCT_CONV_TABLE),
                residual = oct_lower_input(l, n, OCT_CONV_RESIDUAL);
    oct_conv_chain c = {.has_table = oct_operand_present(&table),
                        .has_sum = oct_operand_present(&residual),
                        .table = table.mem,
                        .residual = residual.mem,
                        .swapped = n->swapped};
    if (c.has_sum) {
        c.own_q = oct_lower_quant(l, n, OCT_CONV_OWN_SCALE, OCT_CONV_OWN_SCALE + 1, dtype);
        c.residual_q = oct_lower_quant(l, n, OCT_CONV_RESIDUAL_SCALE, OCT_CONV_RESIDUAL_SCALE + 1, dtype);
        oct_lower_clamp(&n->sum_clamp, dtype, &c.sum_min, &c.sum_max);
        c.sum_q = oct_lower_quant(l, n, OCT_CONV_SUM_SCALE, OCT_CONV_SUM_SCALE + 1, dtype);
    }
    return c;
}

oct_geometry oct_lower_geometry(const oct_node *n, const oct_operand *x, int64_t co, const oct_window *win)
{
    return (oct_geometry){.n = x->dims[0],
                          .h = win->in[0],
                          .w = win->in[1],
                          .c = x->dims[x->rank - 1],
                          .oh = win->out[0],
                          .ow = win->out[1],
                          .co = co,
                          .kh = win->kernel[0],
                          .kw = win->kernel[1],
                          .group = oct_node_int(n, "group", 1),
                          .stride_h = win->stride[0],
                          .stride_w = win->stride[1],
                          .dilation_h = win->dilation[0],
                          .dilation_w = win->dilation[1],
                          .pad_top = win->pad_begin[0],
                          .pad_left = win->pad_begin[1]};
}

octet_status oct_lower_conv(lowering *l, const oct_node *n)
{
    const conv_inputs *at = n->op == OCT_OP_QLinearConv ? &qlinear : &integer;
    oct_operand x = oct_lower_input(l, n, at->x), w = oct_lower_input(l, n, at->w),
                y = oct_lower_output(l, n, 0);
    oct_operand bias = oct_lower_input(l, n, at->bias);
    oct_window win;
    FORWARD(oct_window_resolve(n, &l->g->values[n->inputs[at->x]], &w.dims[2], false, &win));
    oct_conv_request q = {.g = oct_lower_geometry(n, &x, w.dims[0], &win),
                          .x_dtype = x.dtype,
                          .w_dtype = w.dtype,
                          .y_dtype = y.dtype,
                          .x = x.mem,
                          .weights = w.mem,
                          .y = y.mem,
                          .bias = oct_operand_present(&bias) ? bias.mem : OCT_MEM_NONE,
                          .x_q = oct_lower_quant(l, n, at->x_scale, at->x_zero, x.dtype),
                          .w_q = oct_lower_quant(l, n, at->w_scale, at->w_zero, w.dtype),
                          .y_q = oct_lower_quant(l, n, at->y_scale, at->y_zero, y.dtype)};
    oct_lower_clamp(&n->clamp, y.dtype, &q.clamp_min, &q.clamp_max);
    q.then = lower_chain(l, n, y.dtype);
    return oct_conv(l->r, l->caps, &q);
}

static octet_status pool(lowering *l, const oct_node *n, oct_pool_kind kind)
{
    oct_operand x = oct_lower_input(l, n, 0), y = oct_lower_output(l, n, 0);
    bool quantized = n->op == OCT_OP_QLinearAveragePool || n->op == OCT_OP_QLinearGlobalAveragePool;
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
    if (quantized) {
        q.x_q = oct_lower_quant(l, n, 1, 2, x.dtype);
        q.y_q = oct_lower_quant(l, n, 3, 4, y.dtype);
    }
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

octet_status oct_lower_batch_norm(lowering *l, const oct_node *n)
{
    oct_operand x = oct_lower_input(l, n, 0), y = oct_lower_output(l, n, 0);
    oct_mem parameters[4];
    for (int i = 0; i < 4; i++)
        parameters[i] = oct_lower_input(l, n, i + 1).mem;
    return oct_batch_norm(l->r, l->caps, &x, parameters, oct_node_float(n, "epsilon", 1e-5f), &y);
}

octet_status oct_lower_resize(lowering *l, const oct_node *n)
{
    oct_resize r;
    FORWARD(oct_resize_resolve(l->g, n, &r));
    oct_resize_request q = {.x = oct_lower_input(l, n, 0),
                            .y = oct_lower_output(l, n, 0),
                            .h = r.in[0],
                            .w = r.in[1],
                            .oh = r.out[0],
                            .ow = r.out[1],
                            .linear = r.linear,
                            .quantized = n->op == OCT_OP_QLinearResize};
    q.n = q.x.dims[0];
    q.c = q.x.dims[q.x.rank - 1];
    oct_resize_tap *rows = oct_arena_alloc(&l->r->arena, (size_t)r.out[0], sizeof *rows);
    oct_resize_tap *columns = oct_arena_alloc(&l->r->arena, (size_t)r.out[1], sizeof *columns);
    RETURN_IF(!rows || !columns, OCTET_OUT_OF_MEMORY, "out of host memory");
    oct_resize_taps(&r, 0, rows);
    oct_resize_taps(&r, 1, columns);
    q.row_taps = rows;
    q.column_taps = columns;
    if (q.quantized) {
        q.x_q = oct_lower_quant(l, n, 4, 5, q.x.dtype);
        q.y_q = oct_lower_quant(l, n, 6, 7, q.y.dtype);
    }
    return oct_resize_op(l->r, l->caps, &q);
}
