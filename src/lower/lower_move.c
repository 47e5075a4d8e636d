/* Operators that move, rename, pick and repeat elements; most are boxes of elements that move. */
#include "dtype.h"
#include "lower.h"
#include "move.h"
#include "moves.h"
#include "pointwise.h"
#include "quantize_op.h"

#include <string.h>

/* Usually input and output are one memory and nothing is to be done; a graph input that is also an output is
 * copied. */
octet_status oct_lower_alias(lowering *l, const oct_node *n)
{
    oct_operand x = oct_lower_input(l, n, 0), y = oct_lower_output(l, n, 0);
    return x.mem == y.mem ? OCTET_OK : oct_copy(l->r, l->caps, &x, &y);
}

/* Nothing is dropped: the mask is all true, or all 1.0 before opset 10. */
octet_status oct_lower_dropout(lowering *l, const oct_node *n)
{
    static const unsigned char yes = 1;
    static const float one = 1.0f;
    FORWARD(oct_lower_alias(l, n));
    if (n->output_count < 2 || n->outputs[1] == OCT_NO_VALUE || !oct_lower_is_read(l->g, n->outputs[1]))
        return OCTET_OK;
    oct_operand mask = oct_lower_output(l, n, 1), value = {.dtype = mask.dtype};
    value.mem = mask.dtype == OCTET_F32 ? oct_recipe_const_copy(l->r, &one, sizeof one)
                                        : oct_recipe_const_copy(l->r, &yes, sizeof yes);
    oct_box box = {.rank = 1, .dims = {oct_operand_elems(&mask)}, .y_steps = {1}};
    return oct_move_box(l->r, l->caps, &value, &mask, &box);
}

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
    int axis = oct_lower_axis(oct_node_int(n, "axis", 0), x.rank);
    oct_check check;
    return oct_gather(l->r, l->caps, &x, &indices, &y, axis,
                      oct_lower_check(l, n, 1, -x.dims[axis], x.dims[axis] - 1, &check));
}

octet_status oct_lower_cast(lowering *l, const oct_node *n)
{
    oct_operand x = oct_lower_input(l, n, 0), y = oct_lower_output(l, n, 0);
    return oct_cast(l->r, l->caps, &x, &y);
}

/* Two dense tensors with the same dims, to be changed. */
static oct_box dense_box(int rank, const int64_t *dims, const int64_t *x_dims, const int64_t *y_dims)
{
    oct_box b = {.rank = rank};
    memcpy(b.dims, dims, (size_t)rank * sizeof *dims);
    oct_dense_steps(x_dims, rank, b.x_steps);
    oct_dense_steps(y_dims, rank, b.y_steps);
    return b;
}

octet_status oct_lower_slice(lowering *l, const oct_node *n)
{
    oct_operand x = oct_lower_input(l, n, 0), y = oct_lower_output(l, n, 0);
    oct_slice s;
    FORWARD(oct_slice_resolve(l->g, n, &s));
    oct_box b = dense_box(x.rank, s.dims, x.dims, y.dims);
    for (int d = 0; d < x.rank; d++) {
        b.x_start += s.start[d] * b.x_steps[d];
        b.x_steps[d] *= s.step[d];
    }
    return oct_move_box(l->r, l->caps, &x, &y, &b);
}

octet_status oct_lower_split(lowering *l, const oct_node *n)
{
    oct_operand x = oct_lower_input(l, n, 0);
    oct_split s;
    FORWARD(oct_split_resolve(l->g, n, &s));
    int64_t at = 0;
    for (int i = 0; i < n->output_count; at += s.sizes[i++]) {
        if (n->outputs[i] == OCT_NO_VALUE)
            continue;
        oct_operand y = oct_lower_output(l, n, i);
        oct_box b = dense_box(x.rank, y.dims, x.dims, y.dims);
        b.x_start = at * b.x_steps[s.axis];
        FORWARD(oct_move_box(l->r, l->caps, &x, &y, &b));
    }
    return OCTET_OK;
}

octet_status oct_lower_concat(lowering *l, const oct_node *n)
{
    oct_operand y = oct_lower_output(l, n, 0);
    int axis = oct_lower_axis(oct_node_int(n, "axis", 1), y.rank);
    int64_t at = 0;
    for (int i = 0; i < n->input_count; i++) {
        oct_operand x = oct_lower_input(l, n, i);
        oct_box b = dense_box(x.rank, x.dims, x.dims, y.dims);
        b.y_start = at * b.y_steps[axis];
        at += x.dims[axis];
        FORWARD(oct_move_box(l->r, l->caps, &x, &y, &b));
    }
    return OCTET_OK;
}

octet_status oct_lower_q_concat(lowering *l, const oct_node *n)
{
    oct_operand y = oct_lower_output(l, n, 0);
    oct_quant y_q = oct_lower_quant(l, n, oct_op_facts(n->op)->result, y.dtype);
    int count = oct_node_operands(n);
    oct_operand *inputs = oct_arena_alloc(&l->r->arena, (size_t)count, sizeof *inputs);
    oct_quant *quants = oct_arena_alloc(&l->r->arena, (size_t)count, sizeof *quants);
    RETURN_IF(!inputs || !quants, OCTET_OUT_OF_MEMORY, "out of host memory");
    for (int i = 0; i < count; i++) {
        oct_at at = oct_op_operand(n->op, i);
        inputs[i] = oct_lower_input(l, n, at.value);
        quants[i] = oct_lower_quant(l, n, at, y.dtype);
    }
    int axis = oct_lower_axis(oct_node_int(n, "axis", 1), y.rank);
    return oct_qconcat(l->r, l->caps, inputs, quants, count, axis, &y, &y_q);
}

octet_status oct_lower_expand(lowering *l, const oct_node *n)
{
    oct_operand x = oct_lower_input(l, n, 0), y = oct_lower_output(l, n, 0);
    int64_t dims[OCTET_MAX_RANK];
    int missing = y.rank - x.rank;
    for (int d = 0; d < y.rank; d++)
        dims[d] = d < missing ? 1 : x.dims[d - missing];
    oct_box b = dense_box(y.rank, y.dims, dims, y.dims);
    for (int d = 0; d < y.rank; d++)
        b.x_steps[d] = dims[d] == 1 ? 0 : b.x_steps[d];
    return oct_move_box(l->r, l->caps, &x, &y, &b);
}

/* Each dimension becomes two: the repeats, and what is repeated. */
octet_status oct_lower_tile(lowering *l, const oct_node *n)
{
    oct_operand x = oct_lower_input(l, n, 0), y = oct_lower_output(l, n, 0);
    int64_t x_steps[OCTET_MAX_RANK], y_steps[OCTET_MAX_RANK];
    oct_dense_steps(x.dims, x.rank, x_steps);
    oct_dense_steps(y.dims, y.rank, y_steps);
    oct_box b = {.rank = 2 * x.rank};
    for (int d = 0; d < x.rank; d++) {
        b.dims[2 * d] = x.dims[d] ? y.dims[d] / x.dims[d] : 0;
        b.dims[2 * d + 1] = x.dims[d];
        b.x_steps[2 * d + 1] = x_steps[d];
        b.y_steps[2 * d] = y_steps[d] * x.dims[d];
        b.y_steps[2 * d + 1] = y_steps[d];
    }
    return oct_move_box(l->r, l->caps, &x, &y, &b);
}

/* The padding value everywhere, as a tensor of no dimensions that repeats. */
static octet_status fill(lowering *l, const oct_node *n, const oct_operand *y)
{
    const uint64_t zero = 0;
    oct_operand value = oct_lower_input(l, n, 2);
    if (!oct_operand_present(&value)) {
        float old = oct_node_float(n, "value", 0.0f); /* an attribute before opset 11, of float tensors */
        bool is_float = y->dtype == OCTET_F32;
        value = (oct_operand){.dtype = y->dtype};
        value.mem = oct_recipe_const_copy(l->r, is_float ? (const void *)&old : (const void *)&zero,
                                          oct_dtype_bytes(y->dtype));
    }
    oct_box b = {.rank = y->rank};
    memcpy(b.dims, y->dims, sizeof b.dims);
    oct_dense_steps(y->dims, y->rank, b.y_steps);
    return oct_move_box(l->r, l->caps, &value, y, &b);
}

/* Where element j of a padded dimension comes from. */
static int64_t source(oct_pad_mode mode, int64_t j, int64_t size)
{
    if (mode == OCT_PAD_EDGE)
        return j < 0 ? 0 : j >= size ? size - 1 : j;
    int64_t period = mode == OCT_PAD_WRAP ? size : 2 * (size - 1);
    int64_t at = (j % period + period) % period;
    return at < size ? at : period - at;
}

/* Each is a launch. */
#define MOST_RUNS 4096

/* Pad dimension d of x (the others whole) into y: runs of elements that come from one place, or side by side,
 * forwards or backwards. */
static octet_status pad_dim(lowering *l, const oct_operand *x, const oct_operand *y, int d, int64_t begin,
                            oct_pad_mode mode)
{
    oct_box whole = dense_box(x->rank, x->dims, x->dims, y->dims);
    int runs = 0;
    for (int64_t j = 0; j < y->dims[d] && oct_operand_elems(y);) {
        RETURN_IF(++runs > MOST_RUNS, OCTET_UNSUPPORTED,
                  "its pads repeat dimension %d of size %lld more than %d times", d, (long long)x->dims[d],
                  MOST_RUNS);
        int64_t from = source(mode, j - begin, x->dims[d]), run = 1, size = x->dims[d];
        int64_t step = j + 1 < y->dims[d] ? source(mode, j + 1 - begin, size) - from : 1;
        while (step >= -1 && step <= 1 && j + run < y->dims[d] &&
               source(mode, j + run - begin, size) == from + run * step)
            run++;
        oct_box b = whole;
        b.dims[d] = run;
        b.x_start = from * b.x_steps[d];
        b.x_steps[d] *= step;
        b.y_start = j * b.y_steps[d];
        FORWARD(oct_move_box(l->r, l->caps, x, y, &b));
        j += run;
    }
    return OCTET_OK;
}

static octet_status pad_by_copies(lowering *l, oct_operand x, const oct_operand *y, const oct_pad *p)
{
    int left = 0;
    for (int d = 0; d < x.rank; d++)
        left += p->begin[d] || p->end[d];
    if (left == 0)
        return oct_copy(l->r, l->caps, &x, y);
    for (int d = 0; d < x.rank; d++) {
        if (!p->begin[d] && !p->end[d])
            continue;
        oct_operand to = x;
        to.dims[d] = y->dims[d];
        to.mem = --left ? oct_recipe_temp(l->r, (size_t)oct_operand_elems(&to) * oct_dtype_bytes(x.dtype))
                        : y->mem;
        FORWARD(pad_dim(l, &x, &to, d, p->begin[d], p->mode));
        x = to;
    }
    return OCTET_OK;
}

octet_status oct_lower_pad(lowering *l, const oct_node *n)
{
    oct_operand x = oct_lower_input(l, n, 0), y = oct_lower_output(l, n, 0);
    oct_pad p;
    FORWARD(oct_pad_resolve(l->g, n, &p));
    if (p.mode != OCT_PAD_CONSTANT)
        return pad_by_copies(l, x, &y, &p);
    FORWARD(fill(l, n, &y));
    oct_box b = dense_box(x.rank, x.dims, x.dims, y.dims);
    for (int d = 0; d < x.rank; d++) {
        int64_t cut = p.begin[d] < 0 ? -p.begin[d] : 0, cut_end = p.end[d] < 0 ? -p.end[d] : 0;
        b.dims[d] = x.dims[d] - cut - cut_end > 0 ? x.dims[d] - cut - cut_end : 0;
        b.x_start += cut * b.x_steps[d];
        b.y_start += (p.begin[d] > 0 ? p.begin[d] : 0) * b.y_steps[d];
    }
    return oct_move_box(l->r, l->caps, &x, &y, &b);
}

/* Dimensions of the move: n, h, block row, w, block column, c. `deep` has blocks in its channels, `wide` in
 * its pixels; steps of both for one layout. DCR: the channel of deep is (row, column, c); CRD: (c, row,
 * column). */
octet_status oct_lower_block(lowering *l, const oct_node *n)
{
    oct_operand x = oct_lower_input(l, n, 0), y = oct_lower_output(l, n, 0);
    bool to_space = n->op == OCT_OP_DepthToSpace;
    bool crd = strcmp(oct_node_string(n, "mode", "DCR"), "CRD") == 0;
    const oct_operand *deep = to_space ? &x : &y, *wide = to_space ? &y : &x;
    int ch = n->channels_last ? 3 : 1, row = n->channels_last ? 1 : 2;
    int64_t block = oct_node_int(n, "blocksize", 1), c = wide->dims[ch], ds[4], ws[4];
    oct_dense_steps(deep->dims, 4, ds);
    oct_dense_steps(wide->dims, 4, ws);
    oct_box b = {.rank = 6, .dims = {x.dims[0], deep->dims[row], block, deep->dims[row + 1], block, c}};
    const int64_t in_deep[6] = {ds[0],
                                ds[row],
                                crd ? block * ds[ch] : block * c * ds[ch],
                                ds[row + 1],
                                crd ? ds[ch] : c * ds[ch],
                                crd ? block * block * ds[ch] : ds[ch]};
    const int64_t in_wide[6] = {ws[0], ws[row] * block, ws[row], ws[row + 1] * block, ws[row + 1], ws[ch]};
    memcpy(b.x_steps, to_space ? in_deep : in_wide, sizeof in_deep);
    memcpy(b.y_steps, to_space ? in_wide : in_deep, sizeof in_deep);
    return oct_move_box(l->r, l->caps, &x, &y, &b);
}
