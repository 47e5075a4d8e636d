/* Shapes of matrix products. */
#include "infer.h"
#include "op_facts.h"
#include "sizes.h"

octet_status oct_infer_matmul(infer_ctx *c)
{
    const oct_facts *f = oct_op_facts(c->n->op);
    FORWARD(oct_infer_product_operands(c));
    const oct_value *a = oct_infer_in(c, f->operands[0].value), *b = oct_infer_in(c, f->operands[1].value);
    RETURN_IF(a->rank < 1 || b->rank < 1, OCTET_INVALID_ARGUMENT,
              "operands must have at least one dimension");
    int64_t k_a = a->dims[a->rank - 1], k_b = b->dims[b->rank > 1 ? b->rank - 2 : 0];
    RETURN_IF(k_a != k_b, OCTET_INVALID_ARGUMENT, "inner dimensions differ: '%s' has %lld, '%s' has %lld",
              a->name, (long long)k_a, b->name, (long long)k_b);
    oct_value a_batch = *a, b_batch = *b; /* without their matrix dimensions */
    a_batch.rank = a->rank > 2 ? a->rank - 2 : 0;
    b_batch.rank = b->rank > 2 ? b->rank - 2 : 0;
    int rank;
    int64_t dims[OCTET_MAX_RANK + 2];
    FORWARD(oct_infer_broadcast(c, &a_batch, &b_batch, &rank, dims));
    if (a->rank > 1)
        dims[rank++] = a->dims[a->rank - 2];
    if (b->rank > 1)
        dims[rank++] = b->dims[b->rank - 1];
    int64_t columns = b->rank > 1 ? b->dims[b->rank - 1] : 1;
    octet_dtype out;
    FORWARD(oct_infer_product_result(c, columns, &out));
    oct_infer_out(c, 0, out, rank, dims);
    return OCTET_OK;
}

octet_status oct_infer_gemm(infer_ctx *c)
{
    const oct_value *bias = oct_infer_in(c, 2);
    for (int i = 0; i < 2; i++) {
        FORWARD(oct_infer_require_dtype(c, i, oct_infer_f32));
        RETURN_IF(oct_infer_in(c, i)->rank != 2, OCTET_INVALID_ARGUMENT, "A and B must be matrices");
    }
    const oct_value *a = oct_infer_in(c, 0), *b = oct_infer_in(c, 1);
    int ta = oct_node_int(c->n, "transA", 0) != 0, tb = oct_node_int(c->n, "transB", 0) != 0, rank;
    oct_value product = {.name = a->name, .rank = 2, .dims = {a->dims[ta], b->dims[!tb]}};
    RETURN_IF(a->dims[!ta] != b->dims[tb], OCTET_INVALID_ARGUMENT, "inner dimensions differ: %lld and %lld",
              (long long)a->dims[!ta], (long long)b->dims[tb]);
    int64_t dims[OCTET_MAX_RANK] = {0};
    if (bias) {
        FORWARD(oct_infer_require_dtype(c, 2, oct_infer_f32));
        FORWARD(oct_infer_broadcast(c, &product, bias, &rank, dims));
        RETURN_IF(rank != 2 || dims[0] != product.dims[0] || dims[1] != product.dims[1],
                  OCTET_INVALID_ARGUMENT, "C does not broadcast to [%lld, %lld]", (long long)product.dims[0],
                  (long long)product.dims[1]);
    }
    oct_infer_out(c, 0, OCTET_F32, 2, product.dims);
    return OCTET_OK;
}

octet_status oct_infer_qgemm(infer_ctx *c)
{
    FORWARD(oct_infer_require_dtype(c, 0, oct_infer_int16));
    FORWARD(oct_infer_require_dtype(c, 3, oct_infer_int8));
    FORWARD(oct_infer_require_dtype(c, 1, oct_infer_f32));
    FORWARD(oct_infer_require_dtype(c, 4, oct_infer_f32));
    const oct_value *a = oct_infer_in(c, 0), *b = oct_infer_in(c, 3), *bias = oct_infer_in(c, 6);
    RETURN_IF(a->rank != 2 || b->rank != 2, OCTET_INVALID_ARGUMENT, "A and B must be matrices");
    int ta = oct_node_int(c->n, "transA", 0) != 0, tb = oct_node_int(c->n, "transB", 0) != 0;
    int64_t dims[2] = {a->dims[ta], b->dims[!tb]};
    RETURN_IF(a->dims[!ta] != b->dims[tb], OCTET_INVALID_ARGUMENT, "inner dimensions differ: %lld and %lld",
              (long long)a->dims[!ta], (long long)b->dims[tb]);
    int64_t biases = dims[1];
    RETURN_IF(bias && bias->dtype != OCTET_S32, OCTET_INVALID_ARGUMENT, "the bias must be s32");
    RETURN_IF(bias && (!oct_shape_elems(bias->dims, bias->rank, &biases) || biases != dims[1] ||
                       (bias->rank && bias->dims[bias->rank - 1] != dims[1])),
              OCTET_UNSUPPORTED, "the bias has %lld elements; only one per column (%lld) is supported",
              (long long)biases, (long long)dims[1]);
    FORWARD(oct_infer_check_quant(c, 1, 2, a->dtype, 1));
    FORWARD(oct_infer_check_quant(c, 4, 5, b->dtype, dims[1]));
    octet_dtype out = OCTET_F32; /* without an output scale the result is dequantized */
    if (oct_infer_in(c, 7)) {
        out = oct_infer_in(c, 8) ? oct_infer_in(c, 8)->dtype : a->dtype;
        if (oct_infer_in(c, 8))
            FORWARD(oct_infer_require_dtype(c, 8, oct_infer_int16));
        FORWARD(oct_infer_check_quant(c, 7, 8, out, 1));
    }
    oct_infer_out(c, 0, out, 2, dims);
    return OCTET_OK;
}
