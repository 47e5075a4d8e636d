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
const oct_value *oct_infer_in(const infer_ctx *c, int i);
void oct_infer_out(infer_ctx *c, int i, octet_dtype dtype, int rank, const int64_t *dims);
octet_status oct_infer_require_input(const infer_ctx *c, int i);
/* dtype of input i must be one of a zero-terminated list. */
octet_status oct_infer_require_dtype(const infer_ctx *c, int i, const octet_dtype *allowed);
/* A constant integer tensor of rank <= 1 (int32 or int64) as numbers. Errors: UNSUPPORTED when it is not
 * constant. */
octet_status oct_infer_const_ints(const infer_ctx *c, int i, int64_t *out, int capacity, int *count);
/* axes, negative ones resolved, out of range or twice refused. */
octet_status oct_infer_axes(const int64_t *axes, int count, int rank, bool *is_axis);
/* Scale and zero point inputs (-1: the operator has none) of a tensor of `dtype` whose channel count is
 * `channels` (1: per tensor only). Constant scales must be finite and > 0. */
octet_status oct_infer_check_quant(const infer_ctx *c, int scale, int zero, octet_dtype dtype,
                                   int64_t channels);
/* QLinearConv and QLinearMatMul: inputs 0 to 7 are there, and the dtype of the result. */
octet_status oct_infer_product_result(const infer_ctx *c, octet_dtype *out);
octet_status oct_infer_broadcast(const infer_ctx *c, const oct_value *a, const oct_value *b, int *rank,
                                 int64_t *dims);

extern const octet_dtype oct_infer_int8[], oct_infer_int16[],
    oct_infer_f32[]; /* oct_infer_int16: oct_infer_int8 and 16 bits */

/* One per word in the last column of op_table.def. */
infer_fn oct_infer_conv, oct_infer_conv_transpose, oct_infer_pool, oct_infer_global_pool;
infer_fn oct_infer_matmul, oct_infer_gemm, oct_infer_qgemm, oct_infer_qbinary, oct_infer_qconcat,
    oct_infer_table, oct_infer_quantize, oct_infer_dequantize, oct_infer_dynamic_quantize;
infer_fn oct_infer_shape, oct_infer_range, oct_infer_constant_of_shape, oct_infer_gather;
infer_fn oct_infer_unknown, oct_infer_arg, oct_infer_resize, oct_infer_slice, oct_infer_split, oct_infer_pad,
    oct_infer_expand, oct_infer_tile, oct_infer_block, oct_infer_batch_norm;
infer_fn oct_infer_concat, oct_infer_same, oct_infer_reshape, oct_infer_flatten, oct_infer_squeeze,
    oct_infer_unsqueeze, oct_infer_transpose, oct_infer_cast, oct_infer_constant, oct_infer_unary,
    oct_infer_float_same, oct_infer_binary, oct_infer_variadic, oct_infer_reduce, oct_infer_qreduce;
infer_fn oct_infer_logic, oct_infer_not, oct_infer_where, oct_infer_layer_norm, oct_infer_channel_norm,
    oct_infer_lrn, oct_infer_dropout;
infer_fn oct_infer_if, oct_infer_lstm;

#endif
