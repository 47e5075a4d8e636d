/* Matrix products, of integers and of floats. */
#include "dtype.h"
#include "float_product.h"
#include "gemm.h"
#include "lower.h"
#include "move.h"
#include "sizes.h"

#include <string.h>

/* Batch dimensions broadcast as numpy's. Octet's GEMM takes one batch dimension, and either operand may stand
 * still in it; a mixture (A repeats in one dimension, B in another) is refused. */
static octet_status set_batch(oct_gemm_request *q, const oct_operand *a, const oct_operand *b,
                              const oct_operand *c, int a_matrix, int b_matrix, int c_matrix)
{
    int64_t a_batch = oct_lower_product(a, 0, a->rank - a_matrix),
            b_batch = oct_lower_product(b, 0, b->rank - b_matrix);
    q->batch = oct_lower_product(c, 0, c->rank - c_matrix);
    q->a_stride = q->m * q->k;
    q->b_stride = q->k * q->n;
    q->c_stride = q->m * q->n;
    if (b_batch == 1 && a_batch == q->batch) {
        q->m *= q->batch; /* one tall matrix */
        q->batch = 1;
        q->b_stride = 0;
        return OCTET_OK;
    }
    if (a_batch == 1)
        q->a_stride = 0;
    RETURN_IF((a_batch != q->batch && a_batch != 1) || (b_batch != q->batch && b_batch != 1),
              OCTET_UNSUPPORTED,
              "batch dimensions where both operands repeat are not supported; expand one of them");
    return OCTET_OK;
}

static void set_common(const lowering *l, const oct_node *n, oct_gemm_request *q)
{
    const oct_facts *f = oct_op_facts(n->op);
    oct_operand a = oct_lower_input(l, n, f->operands[0].value),
                b = oct_lower_input(l, n, f->operands[1].value), c = oct_lower_output(l, n, 0);
    q->a = a.mem;
    q->b = b.mem;
    q->c = c.mem;
    q->a_dtype = a.dtype;
    q->b_dtype = b.dtype;
    q->c_dtype = c.dtype;
    q->bias = OCT_MEM_NONE;
    q->a_q = oct_lower_quant(l, n, f->operands[0], a.dtype);
    q->b_q = oct_lower_quant(l, n, f->operands[1], b.dtype);
    q->c_q = oct_lower_quant(l, n, f->result, c.dtype);
    oct_lower_clamp(&n->clamp, c.dtype, &q->clamp_min, &q->clamp_max);
}

static octet_status check_counts(const oct_gemm_request *q)
{
    RETURN_IF(q->a_q.scale_count > 1 || q->a_q.zero_count > 1, OCTET_UNSUPPORTED,
              "a scale or zero point per row of A is not supported; use one for the tensor");
    RETURN_IF((q->b_q.scale_count > 1 && q->b_q.scale_count != q->n) ||
                  (q->b_q.zero_count > 1 && q->b_q.zero_count != q->n),
              OCTET_UNSUPPORTED, "scales or zero points of B must be one for the tensor or one per column");
    RETURN_IF(q->c_q.scale_count > 1 || q->c_q.zero_count > 1, OCTET_UNSUPPORTED,
              "a scale or zero point per row of the output is not supported; use one for the tensor");
    return OCTET_OK;
}

octet_status oct_lower_matmul(lowering *l, const oct_node *n)
{
    const oct_facts *f = oct_op_facts(n->op);
    oct_operand a = oct_lower_input(l, n, f->operands[0].value),
                b = oct_lower_input(l, n, f->operands[1].value), c = oct_lower_output(l, n, 0);
    oct_gemm_request q = {0};
    set_common(l, n, &q);
    int a_matrix = a.rank > 1 ? 2 : 1,
        b_matrix = b.rank > 1 ? 2 : 1; /* a vector has no row (column) dimension */
    q.m = a.rank > 1 ? a.dims[a.rank - 2] : 1;
    q.k = a.dims[a.rank - 1];
    q.n = b.rank > 1 ? b.dims[b.rank - 1] : 1;
    q.lda = q.k;
    q.ldb = q.ldc = q.n;
    FORWARD(set_batch(&q, &a, &b, &c, a_matrix, b_matrix, a_matrix + b_matrix - 2));
    FORWARD(check_counts(&q));
    return oct_gemm(l->r, l->caps, &q);
}

/* alpha multiplies a_scale in float32, as ONNX Runtime does (qgemm.cc: alpha * a_scale * b_scale / y_scale).
 */
static octet_status apply_alpha(lowering *l, const oct_node *n, oct_gemm_request *q)
{
    float alpha = oct_node_float(n, "alpha", 1.0f);
    if (alpha == 1.0f)
        return OCTET_OK;
    RETURN_IF(!(alpha > 0.0f) || !q->a_q.host_scale, OCTET_UNSUPPORTED,
              "alpha is %g; only alpha 1, or a positive one with a constant a_scale, is supported",
              (double)alpha);
    float scale;
    memcpy(&scale, q->a_q.host_scale, sizeof scale);
    scale = alpha * scale;
    q->a_q.scale = oct_recipe_const_copy(l->r, &scale, sizeof scale);
    q->a_q.host_scale = NULL;
    return OCTET_OK;
}

static octet_status transpose_a(lowering *l, oct_gemm_request *q, const oct_operand *a)
{
    oct_operand flipped = *a;
    flipped.dims[0] = a->dims[1];
    flipped.dims[1] = a->dims[0];
    flipped.mem = oct_recipe_temp(l->r, (size_t)(a->dims[0] * a->dims[1]) * oct_dtype_bytes(a->dtype));
    q->a = flipped.mem;
    const int perm[2] = {1, 0};
    return oct_transpose(l->r, l->caps, a, &flipped, perm);
}

octet_status oct_lower_qgemm(lowering *l, const oct_node *n)
{
    const oct_facts *f = oct_op_facts(n->op);
    oct_operand a = oct_lower_input(l, n, f->operands[0].value),
                b = oct_lower_input(l, n, f->operands[1].value), bias = oct_lower_input(l, n, f->bias);
    bool trans_a = oct_node_int(n, "transA", 0) != 0;
    oct_gemm_request q = {.transpose_b = oct_node_int(n, "transB", 0) != 0, .batch = 1};
    set_common(l, n, &q);
    q.m = a.dims[trans_a ? 1 : 0];
    q.k = a.dims[trans_a ? 0 : 1];
    q.n = b.dims[q.transpose_b ? 0 : 1];
    q.lda = q.k;
    q.ldb = b.dims[1];
    q.ldc = q.n;
    FORWARD(check_counts(&q));
    FORWARD(apply_alpha(l, n, &q));
    if (trans_a)
        FORWARD(transpose_a(l, &q, &a));
    if (oct_operand_present(&bias)) {
        RETURN_IF(oct_operand_elems(&bias) != q.n, OCTET_UNSUPPORTED,
                  "the bias has %lld elements; only one per column (%lld) is supported",
                  (long long)oct_operand_elems(&bias), (long long)q.n);
        q.bias = bias.mem;
    }
    return oct_gemm(l->r, l->caps, &q);
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

static int64_t times_depth(const oct_graph *g, const oct_node *n, bool trans_a)
{
    const oct_value *x = &g->values[n->inputs[0]], *y = &g->values[n->outputs[0]];
    int64_t out;
    if (x->rank < 1 || y->rank < 0 || !oct_shape_elems(y->dims, y->rank, &out))
        return -1;
    return out * x->dims[trans_a ? 0 : x->rank - 1];
}

int64_t oct_macs_matmul(const oct_graph *g, const oct_node *n)
{
    return times_depth(g, n, false);
}

int64_t oct_macs_gemm(const oct_graph *g, const oct_node *n)
{
    return times_depth(g, n, oct_node_int(n, "transA", 0) != 0);
}
