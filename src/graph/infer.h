/* Inside shape inference: what a rule sees of its node. A rule checks what ONNX says of the operator and sets
 * dtype and dims of every output. */
#ifndef OCT_INFER_H
#define OCT_INFER_H

#include "graph.h"

typedef struct infer_ctx {
    oct_graph *g;
    const oct_node *n;
} infer_ctx;

typedef octet_status infer_fn(infer_ctx *c);

/* Input i, or NULL when it is absent. Pointers are good until a value is added (rules add none). */
const oct_value *infer_in(const infer_ctx *c, int i);
void infer_out(infer_ctx *c, int i, octet_dtype dtype, int rank, const int64_t *dims);
octet_status infer_require_input(const infer_ctx *c, int i);
/* dtype of input i must be one of a zero-terminated list. */
octet_status infer_require_dtype(const infer_ctx *c, int i, const octet_dtype *allowed);
/* A constant integer tensor of rank <= 1 (int32 or int64) as numbers. Errors: UNSUPPORTED when it is not
 * constant. */
octet_status infer_const_ints(const infer_ctx *c, int i, int64_t *out, int capacity, int *count);
/* axes, negative ones resolved, out of range or twice refused. */
octet_status infer_axes(const int64_t *axes, int count, int rank, bool *is_axis);
/* Scale and zero point inputs (-1: the operator has none) of a tensor of `dtype` whose channel count is
 * `channels` (1: per tensor only). Constant scales must be finite and > 0. */
octet_status infer_check_quant(const infer_ctx *c, int scale, int zero, octet_dtype dtype, int64_t channels);
/* QLinearConv and QLinearMatMul: inputs 0 to 7 are there, and the dtype of the result. */
octet_status infer_product_result(const infer_ctx *c, octet_dtype *out);
octet_status infer_broadcast(const infer_ctx *c, const oct_value *a, const oct_value *b, int *rank,
                             int64_t *dims);

extern const octet_dtype infer_int8[], infer_int16[], infer_f32[]; /* infer_int16: infer_int8 and 16 bits */

/* One per word in the last column of op_table.def. */
infer_fn infer_conv, infer_conv_transpose, infer_pool, infer_global_pool;
infer_fn infer_matmul, infer_gemm, infer_qgemm, infer_qbinary, infer_qconcat, infer_table, infer_quantize,
    infer_dequantize, infer_dynamic_quantize;
infer_fn infer_shape, infer_range, infer_constant_of_shape, infer_gather;
infer_fn infer_unknown, infer_arg, infer_resize, infer_slice, infer_split, infer_pad, infer_expand,
    infer_tile, infer_block, infer_batch_norm;
infer_fn infer_concat, infer_same, infer_reshape, infer_flatten, infer_squeeze, infer_unsqueeze,
    infer_transpose, infer_cast, infer_constant, infer_unary, infer_float_same, infer_binary, infer_variadic,
    infer_reduce, infer_qreduce;
infer_fn infer_logic, infer_not, infer_where, infer_layer_norm, infer_channel_norm, infer_lrn, infer_dropout;
infer_fn infer_if, infer_lstm;

#endif
