/* Shapes of the quantized operators that are not spatial. */
#include "dtype.h"
#include "infer.h"
#include "sizes.h"

#include <string.h>

octet_status oct_infer_product_result(const infer_ctx *c, octet_dtype *out)
{
    for (int i = 0; i < (c->n->float_out ? 6 : 8); i++)
        FORWARD(oct_infer_require_input(c, i));
    *out = OCTET_F32;
    if (c->n->float_out)
        return OCTET_OK;
    FORWARD(oct_infer_require_dtype(c, 7, oct_infer_int16));
    *out = oct_infer_in(c, 7)->dtype;
    return OCTET_OK;
}

octet_status oct_infer_matmul(infer_ctx *c)
{
    bool quantized = c->n->op == OCT_OP_QLinearMatMul, is_float = c->n->op == OCT_OP_MatMul;
    int bi = quantized ? 3 : 1;
    FORWARD(oct_infer_require_dtype(c, 0,
                                    is_float    ? oct_infer_f32
                                    : quantized ? oct_infer_int16
                                                : oct_infer_int8));
    FORWARD(oct_infer_require_dtype(c, bi, is_float ? oct_infer_f32 : oct_infer_int8));
    const oct_value *a = oct_infer_in(c, 0), *b = oct_infer_in(c, bi);
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
    octet_dtype out = is_float ? OCTET_F32 : OCTET_S32;
    if (quantized) {
        FORWARD(oct_infer_product_result(c, &out));
        FORWARD(oct_infer_check_quant(c, 1, 2, a->dtype, 1));
        FORWARD(oct_infer_check_quant(c, 4, 5, b->dtype, columns));
        FORWARD(oct_infer_check_quant(c, 6, 7, out, 1));
    } else if (!is_float) {
        FORWARD(oct_infer_check_quant(c, -1, 2, a->dtype, 1));
        FORWARD(oct_infer_check_quant(c, -1, 3, b->dtype, columns));
    }
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

octet_status oct_infer_qbinary(infer_ctx *c)
{
    FORWARD(oct_infer_require_dtype(c, 0, oct_infer_int8));
    FORWARD(oct_infer_require_input(c, 3));
    const int scales[] = {1, 4, 6};
    for (int i = 0; i < 3; i++)
        FORWARD(oct_infer_require_dtype(c, scales[i], oct_infer_f32));
    const oct_value *a = oct_infer_in(c, 0), *b = oct_infer_in(c, 3);
    RETURN_IF(a->dtype != b->dtype, OCTET_INVALID_ARGUMENT, "operands have dtypes %s and %s; they must agree",
              oct_dtype_name(a->dtype), oct_dtype_name(b->dtype));
    for (int i = 0; i < 3; i++)
        FORWARD(oct_infer_check_quant(c, scales[i], scales[i] + 1, a->dtype, 1));
    int rank;
    int64_t dims[OCTET_MAX_RANK];
    FORWARD(oct_infer_broadcast(c, a, b, &rank, dims));
    oct_infer_out(c, 0, a->dtype, rank, dims);
    return OCTET_OK;
}

/* y = table[x], the table [256] or one for each channel of `axis`, made by a pass. */
octet_status oct_infer_table(infer_ctx *c)
{
    FORWARD(oct_infer_require_dtype(c, 0, oct_infer_int8));
    FORWARD(oct_infer_require_dtype(c, 1, oct_infer_int8));
    const oct_value *x = oct_infer_in(c, 0), *table = oct_infer_in(c, 1);
    int64_t elems, axis = oct_node_int(c->n, "axis", 1);
    bool fits = oct_shape_elems(table->dims, table->rank, &elems) &&
                (elems == 256 || (axis > 0 && axis < x->rank && elems == 256 * x->dims[axis]));
    RETURN_IF(!fits, OCTET_INTERNAL, "a table does not fit its operand; this is a defect in Octet");
    oct_infer_out(c, 0, table->dtype, x->rank, x->dims);
    return OCTET_OK;
}

/* Inputs: y_scale, y_zero_point, then (tensor, scale, zero point) of each operand. */
octet_status oct_infer_qconcat(infer_ctx *c)
{
    FORWARD(oct_infer_require_dtype(c, 0, oct_infer_f32));
    FORWARD(oct_infer_require_dtype(c, 1, oct_infer_int8));
    octet_dtype out = oct_infer_in(c, 1)->dtype;
    FORWARD(oct_infer_check_quant(c, 0, 1, out, 1));
    RETURN_IF((c->n->input_count - 2) % 3 != 0, OCTET_CORRUPT_FILE,
              "its inputs must come in threes: tensor, scale, zero point");
    int64_t dims[OCTET_MAX_RANK] = {0}, axis = oct_node_int(c->n, "axis", 1);
    int rank = 0;
    for (int i = 2; i < c->n->input_count; i += 3) {
        FORWARD(oct_infer_require_dtype(c, i, oct_infer_int8));
        FORWARD(oct_infer_require_dtype(c, i + 1, oct_infer_f32));
        FORWARD(oct_infer_require_dtype(c, i + 2, oct_infer_int8));
        const oct_value *x = oct_infer_in(c, i);
        RETURN_IF(x->dtype != out, OCTET_INVALID_ARGUMENT, "'%s' is %s, the output %s", x->name,
                  oct_dtype_name(x->dtype), oct_dtype_name(out));
        FORWARD(oct_infer_check_quant(c, i + 1, i + 2, x->dtype, 1));
        if (i == 2) {
            rank = x->rank;
            axis += axis < 0 ? rank : 0;
            RETURN_IF(axis < 0 || axis >= rank, OCTET_INVALID_ARGUMENT, "axis is out of range for rank %d",
                      rank);
            memcpy(dims, x->dims, sizeof dims);
            continue;
        }
        RETURN_IF(x->rank != rank, OCTET_INVALID_ARGUMENT, "'%s' has rank %d, the others %d", x->name,
                  x->rank, rank);
        for (int d = 0; d < rank; d++)
            RETURN_IF(d != axis && x->dims[d] != dims[d], OCTET_INVALID_ARGUMENT,
                      "'%s' has %lld in dimension %d, not %lld", x->name, (long long)x->dims[d], d,
                      (long long)dims[d]);
        RETURN_IF(dims[axis] > OCT_MAX_ELEMS - x->dims[axis], OCTET_INVALID_ARGUMENT,
                  "the output is too large");
        dims[axis] += x->dims[axis];
    }
    oct_infer_out(c, 0, out, rank, dims);
    return OCTET_OK;
}

/* Scale (input 1) and zero point (input 2): one, or one per element of `axis`. */
static octet_status check_axis_quant(infer_ctx *c, octet_dtype zero_dtype)
{
    const oct_value *x = oct_infer_in(c, 0), *scale = oct_infer_in(c, 1), *zero = oct_infer_in(c, 2);
    FORWARD(oct_infer_require_dtype(c, 1, oct_infer_f32));
    RETURN_IF(oct_node_int(c->n, "block_size", 0) != 0, OCTET_UNSUPPORTED,
              "blocked quantization is not supported");
    RETURN_IF(scale->rank > 1, OCTET_UNSUPPORTED, "a scale of rank %d is not supported", scale->rank);
    int64_t elems = scale->rank ? scale->dims[0] : 1, axis = oct_node_int(c->n, "axis", 1), channels = 1;
    if (elems != 1) {
        RETURN_IF(c->n->opset < 13, OCTET_INVALID_ARGUMENT,
                  "a scale per axis needs opset 13; the model has %d", c->n->opset);
        axis += axis < 0 ? x->rank : 0;
        RETURN_IF(axis < 0 || axis >= x->rank, OCTET_INVALID_ARGUMENT, "axis is out of range for rank %d",
                  x->rank);
        channels = x->dims[axis];
    }
    FORWARD(oct_infer_check_quant(c, 1, zero ? 2 : -1, zero_dtype, channels));
    int64_t zeros;
    RETURN_IF(zero && (!oct_shape_elems(zero->dims, zero->rank, &zeros) || zeros != elems),
              OCTET_INVALID_ARGUMENT, "scale and zero point must have the same number of elements");
    return OCTET_OK;
}

octet_status oct_infer_quantize(infer_ctx *c)
{
    static const octet_dtype from[] = {OCTET_F32, OCTET_S32, OCTET_DTYPE_NONE};
    static const octet_dtype to[] = {OCTET_U8, OCTET_S8, OCTET_U16, OCTET_S16, OCTET_DTYPE_NONE};
    static const octet_dtype by_onnx[] = {[2] = OCTET_U8, [3] = OCTET_S8, [4] = OCTET_U16, [5] = OCTET_S16};
    FORWARD(oct_infer_require_dtype(c, 0, from));
    FORWARD(oct_infer_require_input(c, 1));
    octet_dtype out = OCTET_U8;
    int64_t declared = oct_node_int(c->n, "output_dtype", 0);
    if (oct_infer_in(c, 2)) {
        FORWARD(oct_infer_require_dtype(c, 2, to));
        out = oct_infer_in(c, 2)->dtype;
    } else if (declared) {
        RETURN_IF(declared < 2 || declared > 5, OCTET_UNSUPPORTED, "output_dtype %lld is not supported",
                  (long long)declared);
        out = by_onnx[declared];
    }
    FORWARD(check_axis_quant(c, out));
    const oct_value *x = oct_infer_in(c, 0);
    oct_infer_out(c, 0, out, x->rank, x->dims);
    return OCTET_OK;
}

octet_status oct_infer_dequantize(infer_ctx *c)
{
    static const octet_dtype from[] = {OCTET_U8, OCTET_S8, OCTET_U16, OCTET_S16, OCTET_S32, OCTET_DTYPE_NONE};
    FORWARD(oct_infer_require_dtype(c, 0, from));
    FORWARD(oct_infer_require_input(c, 1));
    FORWARD(check_axis_quant(c, oct_infer_in(c, 0)->dtype));
    const oct_value *x = oct_infer_in(c, 0);
    oct_infer_out(c, 0, OCTET_F32, x->rank, x->dims);
    return OCTET_OK;
}

octet_status oct_infer_dynamic_quantize(infer_ctx *c)
{
    FORWARD(oct_infer_require_dtype(c, 0, oct_infer_f32));
    const oct_value *x = oct_infer_in(c, 0);
    int64_t elems;
    RETURN_IF(!oct_shape_elems(x->dims, x->rank, &elems) || elems == 0, OCTET_UNSUPPORTED,
              "an empty tensor has no range to quantize by");
    oct_infer_out(c, 0, OCTET_U8, x->rank, x->dims);
    oct_infer_out(c, 1, OCTET_F32, 0, NULL);
    oct_infer_out(c, 2, OCTET_U8, 0, NULL);
    return OCTET_OK;
}
