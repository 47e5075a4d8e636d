/* What rewrite passes share: who reads a value, constants, quantization parameters, new nodes. For
 * src/graph and src/quantize. New nodes and values go to the end of their lists and may move them: passes
 * hold indices, not pointers, across a call that adds. Everything added lives in the graph's arena. */
#ifndef OCT_REWRITE_H
#define OCT_REWRITE_H

#include "graph.h"

/* For each value: how many operands name it, and the last node that does. A graph output counts as one more.
 */
typedef struct oct_readers {
    int *count, *node;
} oct_readers;
octet_status oct_readers_find(const oct_graph *g, oct_readers *r);
void oct_readers_free(oct_readers *r);

/* The node that makes value v if it is of this kind, else -1. v may be OCT_NO_VALUE. */
int oct_producer_of(const oct_graph *g, int v, oct_op op);

/* A quantized tensor: an 8- or 32-bit value with its parameters (value indices; zero may be OCT_NO_VALUE). */
typedef struct oct_quantized {
    int value, scale, zero;
    int64_t channels; /* of the scale: 1 is per tensor */
    int64_t axis;     /* of the channels, not negative; -1 per tensor */
    octet_dtype dtype;
} oct_quantized;

/* v is what a DequantizeLinear with constant parameters makes: what goes in there. */
bool oct_dequantized_from(const oct_graph *g, int v, oct_quantized *q);
/* Node `node` is a QuantizeLinear with constant parameters: what comes out of it. */
bool oct_quantizes_to(const oct_graph *g, int node, oct_quantized *q);
/* Same type, same bytes of scale, same zero point. Per tensor only. */
bool oct_same_parameters(const oct_graph *g, const oct_quantized *a, const oct_quantized *b);
float oct_const_f32(const oct_graph *g, int v);                     /* first element of an f32 constant */
int32_t oct_zero_point(const oct_graph *g, const oct_quantized *q); /* first one */

/* New constants and values; -1 and an error text when memory is short. The bytes are copied. */
int oct_add_const(oct_graph *g, octet_dtype dtype, int rank, const int64_t *dims, const void *bytes);
/* Likewise, with bytes that are in the graph's arena already. */
int oct_add_const_kept(oct_graph *g, octet_dtype dtype, int rank, const int64_t *dims, const void *bytes);
int oct_add_like(oct_graph *g, const char *name, octet_dtype dtype, int rank, const int64_t *dims);
/* q's zero point, made where it is absent: the integer operators want one. */
int oct_explicit_zero(oct_graph *g, const oct_quantized *q);

/* A node with these operands that keeps name, attributes and opset of node `like`. Its index, or -1. */
int oct_add_node_like(oct_graph *g, int like, oct_op op, const int *inputs, int input_count, int output);
/* The same node once more, with operand lists of its own and this output. Its index, or -1. */
int oct_copy_node(oct_graph *g, int node, int output);
/* The node's attributes with this one added, or instead of the one of its name; what it points to is kept as
 * it is and must live as long as the graph. */
octet_status oct_node_set_attr(oct_graph *g, int node, const oct_attr *attr);
/* Likewise, `name` set to an integer. */
octet_status oct_node_set_int(oct_graph *g, int node, const char *name, int64_t i);
/* Likewise, set to integers, which are copied. */
octet_status oct_node_set_ints(oct_graph *g, int node, const char *name, const int64_t *values, size_t count);

/* The node's 8-bit output of this type is clamped to [lo, hi] too, after any clamp it has. */
void oct_node_clamp(oct_node *n, octet_dtype dtype, int32_t lo, int32_t hi);

/* What a float Relu or Clip keeps its results within; false: the bounds are not constant. */
bool oct_clamp_bounds(const oct_graph *g, const oct_node *n, float bounds[2]);

/* Nodes with output_count 0 have been replaced: drop them. */
void oct_drop_replaced(oct_graph *g);

#endif
