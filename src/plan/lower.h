/* Lowering: one function per operator family turns a graph node into requests to ops/. Shared helpers are
 * here; the table is in lower.c. Shapes and dtypes have been checked by graph inference: these functions only
 * refuse what the operators cannot do. */
#ifndef OCT_LOWER_H
#define OCT_LOWER_H

#include "graph.h"
#include "plan.h"
#include "quant_args.h"

typedef struct lowering {
    const oct_graph *g;
    const oct_caps *caps;
    oct_recipe *r;
    oct_mem *mem; /* per graph value */
} lowering;

typedef octet_status lower_fn(lowering *l, const oct_node *n);

/* Input i (output i) of a node; input: dtype NONE if it is absent. */
oct_operand lower_input(const lowering *l, const oct_node *n, int i);
oct_operand lower_output(const lowering *l, const oct_node *n, int i);
bool lower_has_input(const oct_node *n, int i);
/* Scale and zero point at these input positions (-1: none in this operator) for an operand of `dtype`. */
oct_quant lower_quant(const lowering *l, const oct_node *n, int scale, int zero, octet_dtype dtype);
/* The bounds of an 8-bit result of this type: a folded activation's, or the type's own. */
void lower_clamp(const oct_clamp *clamp, octet_dtype dtype, int32_t *lo, int32_t *hi);

/* Does a node or the caller read the value? */
bool lower_is_read(const oct_graph *graph, int value);

/* Product of dims[from, to). */
int64_t lower_product(const oct_operand *t, int from, int to);
/* A possibly negative axis of a tensor of this rank. */
int lower_axis(int64_t axis, int rank);

lower_fn lower_conv, lower_max_pool, lower_average_pool, lower_global_pool, lower_batch_norm,
    lower_resize;                   /* spatial */
lower_fn lower_matmul, lower_qgemm; /* matmul */
lower_fn lower_quantize, lower_dequantize, lower_dynamic_quantize, lower_q_binary, lower_q_table, lower_table,
    lower_q_softmax, lower_q_concat, lower_relu, lower_clip;                     /* pointwise */
lower_fn lower_binary, lower_variadic, lower_unary;                              /* float */
lower_fn lower_float_conv, lower_conv_transpose, lower_gemm, lower_float_matmul; /* float_product */
lower_fn lower_lstm;                                                             /* recurrent */
lower_fn lower_reduce, lower_q_reduce, lower_arg, lower_softmax;                 /* reduce */
lower_fn lower_transpose, lower_gather, lower_cast, lower_alias;                 /* moves */
lower_fn lower_slice, lower_split, lower_concat, lower_expand, lower_tile, lower_pad, lower_block; /* boxes */
lower_fn lower_layer_norm, lower_channel_norm, lower_lrn, lower_logic, lower_not, lower_where,
    lower_dropout; /* normalize */

/* Does this node's output hold the same bytes as its first input (Reshape and its kin)? */
bool lower_is_alias(const oct_node *n);

#endif
