/* Rewrite passes over a graph whose shapes are all known (after oct_graph_infer). oct_graph_rewrite runs the
 * table in passes.c in order and checks the graph after each: what then stands there is what runs.
 * oct_graph_lay_out comes last and gives each tensor its order of dimensions. */
#ifndef OCT_PASSES_H
#define OCT_PASSES_H

#include "graph.h"

octet_status oct_graph_rewrite(oct_graph *g); /* g->rewritten: what changed something */
const char *oct_pass_name(size_t pass);       /* NULL past the last */
octet_status oct_graph_lay_out(oct_graph *g);

/* A QDQ graph in the QOperator form, for a file: groups become QLinearConv and its kin where an operator of
 * ONNX or com.microsoft says what they mean, the others stay. Every shape must be known. */
octet_status oct_graph_to_qoperator(oct_graph *g);
octet_status oct_sink_dequantize_portably(oct_graph *g);
octet_status oct_integer_groups_portably(oct_graph *g);

/* An input or output of the network that is float outside and 8-bit inside, per tensor. dtype NONE: it is the
 * same on both sides. */
typedef struct oct_border {
    octet_dtype dtype; /* inside */
    float scale;
    int32_t zero;
} oct_border;
/* Between the two: move the conversions at the border to whoever runs the graph. One entry per graph input
 * and output is filled in. */
octet_status oct_graph_move_border(oct_graph *g, oct_border *inputs, oct_border *outputs);

/* QDQ graphs: see the files. */
octet_status oct_pass_sink_dequantize(oct_graph *g);
octet_status oct_pass_float_weights(oct_graph *g);
octet_status oct_pass_integer_groups(oct_graph *g);
octet_status oct_pass_cancel_pairs(oct_graph *g);

/* What is computed from one 8-bit value alone, element by element, becomes one table lookup. */
octet_status oct_pass_tables(oct_graph *g);

/* QLinearAdd's float result depends on which operand is added first, which ONNX Runtime decides by the shapes
 * in ONNX order (docs/numerics.md): it is noted in the node before dimensions are reordered. */
octet_status oct_pass_operand_order(oct_graph *g);

/* A float BatchNormalization folds into the weights and bias of the Conv before it. */
octet_status oct_pass_batch_norm(oct_graph *g);
/* A Pad of zeros, or zero points, folds into the pads of the convolution behind it. */
octet_status oct_pass_pad(oct_graph *g);

/* Relu and Clip on 8-bit fold into the clamp of the integer operator that makes their input. */
octet_status oct_pass_fuse_clamp(oct_graph *g);

/* A Table and a residual QLinearAdd behind a QLinearConv become part of it. */
octet_status oct_pass_chain(oct_graph *g);

/* Spatial operators get channels_last and N, spatial..., C operands; Transpose nodes appear only where a
 * plain (ONNX order) tensor meets a channels-last one. Elementwise operators and concatenations take the
 * layout they are given. */
octet_status oct_pass_channels_last(oct_graph *g);

#endif
