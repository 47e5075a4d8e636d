/* Inside shape inference: what a rule sees of its node. A rule checks what ONNX says of the operator and sets
 * dtype and dims of every output. */
#ifndef OCT_INFER_H
#define OCT_INFER_H

#include "graph.h"
#include "window.h"

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
/* The attribute axis (or `otherwise`) of a tensor of this rank, not negative. */
octet_status oct_infer_axis(const infer_ctx *c, int64_t otherwise, int rank, int64_t *axis);
/* axes, negative ones resolved, out of range or twice refused. */
octet_status oct_infer_axes(const int64_t *axes, int count, int rank, bool *is_axis);
/* Scale and zero point inputs (-1: the operator has none) of a tensor of `dtype` whose channel count is
 * `channels` (1: per tensor only). Constant scales must be finite and > 0. */
octet_status oct_infer_check_quant(const infer_ctx *c, int scale, int zero, octet_dtype dtype,
                                   int64_t channels);
/* The scales and zero points that its row gives operands and result, where it does: of this dtype, one each.
 */
octet_status oct_infer_check_scales(const infer_ctx *c, octet_dtype dtype);
/* Output 0 is as input 0; allowed: NULL or the dtypes that are taken. */
octet_status oct_infer_like(infer_ctx *c, const octet_dtype *allowed);
/* Convolutions and matrix products, in floats and integers, by their rows: dtypes of both operands; what is
 * given of the result, its dtype, and all scales and zero points. */
octet_status oct_infer_product_operands(const infer_ctx *c);
octet_status oct_infer_product_result(const infer_ctx *c, int64_t channels, octet_dtype *out);
/* Spatial operators: input 0 is [N, C, spatial...]; where the channels of x are; output 0 from x's batch, and
 * windows. */
octet_status oct_infer_require_spatial(const infer_ctx *c);
int oct_infer_channel_axis(const infer_ctx *c, const oct_value *x);
void oct_infer_spatial_out(infer_ctx *c, octet_dtype dtype, const oct_value *x, int64_t channels,
                           const oct_window *w);
/* Output 0 of a reduction. */
octet_status oct_infer_reduced(infer_ctx *c);
octet_status oct_infer_broadcast(const infer_ctx *c, const oct_value *a, const oct_value *b, int *rank,
                                 int64_t *dims);

extern const octet_dtype oct_infer_int8[], oct_infer_int16[],
    oct_infer_f32[]; /* oct_infer_int16: oct_infer_int8 and 16 bits */

/* The rules that op_table.def names. */
#define COLUMN_SHAPE(rule)                          oct_infer_##rule
#define OCT_OP(op, file, arity, family, shape, ...) infer_fn COLUMN_##shape;
#include "op_table.def"
#undef OCT_OP
#undef COLUMN_SHAPE

#endif
