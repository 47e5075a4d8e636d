/* Convolutions, on channels-last operands. */
#include "conv.h"
#include "float_product.h"
#include "geometry.h"
#include "lower.h"
#include "sizes.h"
#include "window.h"

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
        c.own_q = oct_lower_quant(l, n, (oct_at){-1, OCT_CONV_OWN_SCALE, OCT_CONV_OWN_SCALE + 1}, dtype);
        c.residual_q =
            oct_lower_quant(l, n, (oct_at){-1, OCT_CONV_RESIDUAL_SCALE, OCT_CONV_RESIDUAL_SCALE + 1}, dtype);
        oct_lower_clamp(&n->sum_clamp, dtype, &c.sum_min, &c.sum_max);
        c.sum_q = oct_lower_quant(l, n, (oct_at){-1, OCT_CONV_SUM_SCALE, OCT_CONV_SUM_SCALE + 1}, dtype);
    }
    return c;
}

static oct_geometry geometry(const oct_node *n, const oct_operand *x, int64_t co, const oct_window *win)
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
    const oct_facts *f = oct_op_facts(n->op);
    oct_operand x = oct_lower_input(l, n, f->operands[0].value),
                w = oct_lower_input(l, n, f->operands[1].value), y = oct_lower_output(l, n, 0);
    oct_operand bias = oct_lower_input(l, n, f->bias);
    oct_window win;
    FORWARD(oct_window_resolve(n, &l->g->values[n->inputs[f->operands[0].value]], &w.dims[2], false, &win));
    oct_conv_request q = {.g = geometry(n, &x, w.dims[0], &win),
                          .x_dtype = x.dtype,
                          .w_dtype = w.dtype,
                          .y_dtype = y.dtype,
                          .x = x.mem,
                          .weights = w.mem,
                          .y = y.mem,
                          .bias = oct_operand_present(&bias) ? bias.mem : OCT_MEM_NONE,
                          .x_q = oct_lower_quant(l, n, f->operands[0], x.dtype),
                          .w_q = oct_lower_quant(l, n, f->operands[1], w.dtype),
                          .y_q = oct_lower_quant(l, n, f->result, y.dtype)};
    oct_lower_clamp(&n->clamp, y.dtype, &q.clamp_min, &q.clamp_max);
    q.then = lower_chain(l, n, y.dtype);
    return oct_conv(l->r, l->caps, &q);
}

octet_status oct_lower_float_conv(lowering *l, const oct_node *n)
{
    oct_operand x = oct_lower_input(l, n, 0), w = oct_lower_input(l, n, 1), bias = oct_lower_input(l, n, 2),
                y = oct_lower_output(l, n, 0);
    oct_window win;
    FORWARD(oct_window_resolve(n, &l->g->values[n->inputs[0]], &w.dims[2], false, &win));
    oct_float_conv_request q = {
        .g = geometry(n, &x, w.dims[0], &win), .x = x, .weights = w, .y = y, .bias = bias.mem};
    return oct_float_conv(l->r, l->caps, &q);
}

/* Element i of an attribute of one integer a spatial dimension, as rows and columns. */
static int64_t spatial_int(const oct_node *n, const char *name, int spatial, int d, int64_t otherwise)
{
    const oct_attr *a = oct_node_attr(n, name);
    int at = d - (2 - spatial);
    return at < 0 ? (otherwise ? 1 : 0) : a && at < (int)a->count ? a->ints[at] : otherwise;
}

octet_status oct_lower_conv_transpose(lowering *l, const oct_node *n)
{
    oct_operand x = oct_lower_input(l, n, 0), w = oct_lower_input(l, n, 1), bias = oct_lower_input(l, n, 2),
                y = oct_lower_output(l, n, 0);
    int spatial = x.rank - 2;
    int64_t group = oct_node_int(n, "group", 1);
    oct_float_conv_request q = {.transposed = true,
                                .g = {.n = x.dims[0],
                                      .h = spatial == 2 ? x.dims[1] : 1,
                                      .w = x.dims[spatial],
                                      .c = x.dims[x.rank - 1],
                                      .oh = spatial == 2 ? y.dims[1] : 1,
                                      .ow = y.dims[spatial],
                                      .co = w.dims[1] * group,
                                      .kh = spatial == 2 ? w.dims[2] : 1,
                                      .kw = w.dims[1 + spatial],
                                      .group = group,
                                      .stride_h = spatial_int(n, "strides", spatial, 0, 1),
                                      .stride_w = spatial_int(n, "strides", spatial, 1, 1),
                                      .dilation_h = spatial_int(n, "dilations", spatial, 0, 1),
                                      .dilation_w = spatial_int(n, "dilations", spatial, 1, 1),
                                      .pad_top = spatial_int(n, "pads", spatial, 0, 0),
                                      .pad_left = spatial_int(n, "pads", spatial, 1, 0)},
                                .x = x,
                                .weights = w,
                                .y = y,
                                .bias = bias.mem};
    return oct_float_conv(l->r, l->caps, &q);
}

/* For each element of the result those of one filter. */
int64_t oct_macs_conv(const oct_graph *g, const oct_node *n)
{
    const oct_value *w = oct_lower_weights(g, n), *y = &g->values[n->outputs[0]];
    int64_t out;
    if (w->rank < 1 || y->rank < 0 || !oct_shape_elems(y->dims, y->rank, &out))
        return -1;
    for (int i = 1; i < w->rank; i++)
        out *= w->dims[i];
    return out;
}

/* Each element of the input meets the weights of its channel. */
int64_t oct_macs_conv_transpose(const oct_graph *g, const oct_node *n)
{
    const oct_value *w = oct_lower_weights(g, n), *x = &g->values[n->inputs[0]];
    int64_t in;
    if (w->rank < 1 || x->rank < 1 || !oct_shape_elems(x->dims, x->rank, &in))
        return -1;
    for (int i = 1; i < w->rank; i++)
        in *= w->dims[i];
    return in;
}
