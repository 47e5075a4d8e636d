/* QLinearMatMul, MatMulInteger and QGemm as GEMM. */
#include "dtype.h"
#include "gemm.h"
#include "lower.h"
#include "move.h"

#include <string.h>

/* Operand positions in a node's inputs; -1: the operator does not have it. */
typedef struct matmul_inputs {
    int a, a_scale, a_zero, b, b_scale, b_zero, bias, c_scale, c_zero;
} matmul_inputs;

static const matmul_inputs qlinear = {0, 1, 2, 3, 4, 5, -1, 6, 7};
static const matmul_inputs integer = {0, -1, 2, 1, -1, 3, -1, -1, -1};
static const matmul_inputs qgemm = {0, 1, 2, 3, 4, 5, 6, 7, 8};

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

static void set_common(const lowering *l, const oct_node *n, const matmul_inputs *at, oct_gemm_request *q)
{
    oct_operand a = oct_lower_input(l, n, at->a), b = oct_lower_input(l, n, at->b),
                c = oct_lower_output(l, n, 0);
    q->a = a.mem;
    q->b = b.mem;
    q->c = c.mem;
    q->a_dtype = a.dtype;
    q->b_dtype = b.dtype;
    q->c_dtype = c.dtype;
    q->bias = OCT_MEM_NONE;
    q->a_q = oct_lower_quant(l, n, at->a_scale, at->a_zero, a.dtype);
    q->b_q = oct_lower_quant(l, n, at->b_scale, at->b_zero, b.dtype);
    q->c_q = oct_lower_quant(l, n, at->c_scale, at->c_zero, c.dtype);
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
    const matmul_inputs *at = n->op == OCT_OP_QLinearMatMul ? &qlinear : &integer;
    oct_operand a = oct_lower_input(l, n, at->a), b = oct_lower_input(l, n, at->b),
                c = oct_lower_output(l, n, 0);
    oct_gemm_request q = {0};
    set_common(l, n, at, &q);
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
    oct_operand a = oct_lower_input(l, n, qgemm.a), b = oct_lower_input(l, n, qgemm.b),
                bias = oct_lower_input(l, n, qgemm.bias);
    bool trans_a = oct_node_int(n, "transA", 0) != 0;
    oct_gemm_request q = {.transpose_b = oct_node_int(n, "transB", 0) != 0, .batch = 1};
    set_common(l, n, &qgemm, &q);
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
