/* Conv, ConvTranspose, Gemm and MatMul that are not quantized. */
#include "float_product.h"
#include "lower.h"
#include "move.h"
#include "window.h"

#include <string.h>

octet_status oct_lower_float_conv(lowering *l, const oct_node *n)
{
    oct_operand x = oct_lower_input(l, n, 0), w = oct_lower_input(l, n, 1), bias = oct_lower_input(l, n, 2),
                y = oct_lower_output(l, n, 0);
    oct_window win;
    FORWARD(oct_window_resolve(n, &l->g->values[n->inputs[0]], &w.dims[2], false, &win));
    oct_float_conv_request q = {
        .g = oct_lower_geometry(n, &x, w.dims[0], &win), .x = x, .weights = w, .y = y, .bias = bias.mem};
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

/* The operand with its last two dimensions exchanged. */
static octet_status transposed(lowering *l, oct_operand *t)
{
    oct_operand from = *t;
    int perm[OCTET_MAX_RANK];
    for (int i = 0; i < t->rank; i++)
        perm[i] = i < t->rank - 2 ? i : 2 * t->rank - 3 - i;
    for (int i = 0; i < t->rank; i++)
        t->dims[i] = from.dims[perm[i]];
    t->mem = oct_recipe_temp(l->r, (size_t)oct_operand_elems(t) * sizeof(float));
    return oct_transpose(l->r, l->caps, &from, t, perm);
}

octet_status oct_lower_gemm(lowering *l, const oct_node *n)
{
    oct_operand a = oct_lower_input(l, n, 0), b = oct_lower_input(l, n, 1), c = oct_lower_input(l, n, 2),
                y = oct_lower_output(l, n, 0);
    if (oct_node_int(n, "transA", 0))
        FORWARD(transposed(l, &a));
    if (oct_node_int(n, "transB", 0))
        FORWARD(transposed(l, &b));
    oct_float_matmul_request q = {.m = a.dims[0],
                                  .n = b.dims[1],
                                  .k = a.dims[1],
                                  .batch = 1,
                                  .a = a.mem,
                                  .b = b.mem,
                                  .y = y.mem,
                                  .alpha = oct_node_float(n, "alpha", 1.0f),
                                  .c = c.mem};
    if (oct_operand_present(&c)) {
        int64_t rows = c.rank == 2 ? c.dims[0] : 1, columns = c.rank ? c.dims[c.rank - 1] : 1;
        q.beta = oct_node_float(n, "beta", 1.0f);
        q.c_column = columns == 1 ? 0 : 1;
        q.c_row = rows == 1 ? 0 : columns;
    }
    return oct_float_matmul(l->r, l->caps, &q);
}

/* The operand's matrices repeated over the output's batch dimensions. */
static octet_status repeat_batches(lowering *l, const oct_operand *y, int batch_rank, oct_operand *t)
{
    oct_operand to = *t;
    oct_box b = {.rank = batch_rank + 2};
    int missing = b.rank - t->rank;
    int64_t dims[OCTET_MAX_RANK], steps[OCTET_MAX_RANK];
    for (int i = 0; i < b.rank; i++) {
        dims[i] = i < missing ? 1 : t->dims[i - missing];
        b.dims[i] = i < batch_rank ? y->dims[i] : dims[i];
    }
    oct_dense_steps(dims, b.rank, steps);
    oct_dense_steps(b.dims, b.rank, b.y_steps);
    for (int i = 0; i < b.rank; i++)
        b.x_steps[i] = dims[i] == 1 && b.dims[i] != 1 ? 0 : steps[i];
    to.rank = b.rank;
    memcpy(to.dims, b.dims, sizeof to.dims);
    to.mem = oct_recipe_temp(l->r, (size_t)oct_operand_elems(&to) * sizeof(float));
    FORWARD(oct_move_box(l->r, l->caps, t, &to, &b));
    *t = to;
    return OCTET_OK;
}

octet_status oct_lower_float_matmul(lowering *l, const oct_node *n)
{
    oct_operand a = oct_lower_input(l, n, 0), b = oct_lower_input(l, n, 1), y = oct_lower_output(l, n, 0);
    bool vector_a = a.rank == 1, vector_b = b.rank == 1;
    int batch_rank = y.rank - !vector_a - !vector_b;
    if (vector_a) {
        a.rank = 2;
        a.dims[1] = a.dims[0];
        a.dims[0] = 1;
    }
    if (vector_b) {
        b.rank = 2;
        b.dims[1] = 1;
    }
    oct_float_matmul_request q = {.m = a.dims[a.rank - 2],
                                  .n = b.dims[b.rank - 1],
                                  .k = a.dims[a.rank - 1],
                                  .batch = oct_lower_product(&y, 0, batch_rank),
                                  .y = y.mem,
                                  .alpha = 1.0f,
                                  .c = OCT_MEM_NONE};
    oct_operand *operands[2] = {&a, &b};
    int64_t *strides[2] = {&q.a_stride, &q.b_stride};
    for (int i = 0; i < 2; i++) {
        int64_t batches = oct_lower_product(operands[i], 0, operands[i]->rank - 2);
        if (batches != 1 && batches != q.batch)
            FORWARD(repeat_batches(l, &y, batch_rank, operands[i]));
        *strides[i] = batches == 1 ? 0 : i ? q.k * q.n : q.m * q.k;
    }
    q.a = a.mem;
    q.b = b.mem;
    return oct_float_matmul(l->r, l->caps, &q);
}
