/* Lowering: one function per operator family turns a graph node into requests to ops/. Shared helpers are
 * here; the table is in lower.c. Shapes and dtypes have been checked by graph inference: these functions only
 * refuse what the operators cannot do. */
#ifndef OCT_LOWER_H
#define OCT_LOWER_H

#include "caps.h"
#include "geometry.h"
#include "graph.h"
#include "quant_args.h"
#include "recipe.h"
#include "window.h"

typedef struct lowering {
    const oct_graph *g;
    const oct_caps *caps;
    oct_recipe *r;
    oct_mem *mem; /* per graph value */
} lowering;

typedef octet_status lower_fn(lowering *l, const oct_node *n);

/* Input i (output i) of a node; input: dtype NONE if it is absent. */
oct_operand oct_lower_input(const lowering *l, const oct_node *n, int i);
oct_operand oct_lower_output(const lowering *l, const oct_node *n, int i);
bool oct_lower_has_input(const oct_node *n, int i);
/* Scale and zero point at these input positions (-1: none in this operator) for an operand of `dtype`. */
oct_quant oct_lower_quant(const lowering *l, const oct_node *n, int scale, int zero, octet_dtype dtype);
/* The bounds of an 8-bit result of this type: a folded activation's, or the type's own. */
void oct_lower_clamp(const oct_clamp *clamp, octet_dtype dtype, int32_t *lo, int32_t *hi);

/* The geometry of a convolution of x, NHWC, to co channels. */
oct_geometry oct_lower_geometry(const oct_node *n, const oct_operand *x, int64_t co, const oct_window *win);

/* Does a node or the caller read the value? */
bool oct_lower_is_read(const oct_graph *graph, int value);

/* Product of dims[from, to). */
int64_t oct_lower_product(const oct_operand *t, int from, int to);
/* A possibly negative axis of a tensor of this rank. */
int oct_lower_axis(int64_t axis, int rank);

lower_fn oct_lower_conv, oct_lower_max_pool, oct_lower_average_pool, oct_lower_global_pool,
    oct_lower_batch_norm, oct_lower_resize; /* spatial */
lower_fn oct_lower_matmul, oct_lower_qgemm; /* matmul */
lower_fn oct_lower_quantize, oct_lower_dequantize, oct_lower_dynamic_quantize, oct_lower_q_binary,
    oct_lower_q_table, oct_lower_table, oct_lower_q_softmax, oct_lower_q_concat, oct_lower_relu,
    oct_lower_clip;                                             /* pointwise */
lower_fn oct_lower_binary, oct_lower_variadic, oct_lower_unary; /* float */
lower_fn oct_lower_float_conv, oct_lower_conv_transpose, oct_lower_gemm,
    oct_lower_float_matmul;                                                      /* float_product */
lower_fn oct_lower_lstm;                                                         /* recurrent */
lower_fn oct_lower_reduce, oct_lower_q_reduce, oct_lower_arg, oct_lower_softmax; /* reduce */
lower_fn oct_lower_transpose, oct_lower_gather, oct_lower_cast, oct_lower_alias; /* moves */
lower_fn oct_lower_slice, oct_lower_split, oct_lower_concat, oct_lower_expand, oct_lower_tile, oct_lower_pad,
    oct_lower_block; /* boxes */
lower_fn oct_lower_layer_norm, oct_lower_channel_norm, oct_lower_lrn, oct_lower_logic, oct_lower_not,
    oct_lower_where, oct_lower_dropout; /* normalize */

/* Does this node's output hold the same bytes as its first input (Reshape and its kin)? */
bool oct_lower_is_alias(const oct_node *n);

/* Lower every node of a checked, laid-out graph to launches. value_mem[v] receives the memory of value v,
 * output_mem[i] that of graph output i. */
octet_status oct_lower(const oct_graph *graph, const oct_caps *caps, oct_recipe *recipe, oct_mem *value_mem,
                       oct_mem *output_mem);

/* What inspect reports of a node whose shapes are inferred. macs: -1 when a shape is unknown. */
octet_node_path oct_node_path(const oct_graph *graph, const oct_node *node);
int64_t oct_node_macs(const oct_graph *graph, const oct_node *node);

#endif
