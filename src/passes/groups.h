/* A group of the QDQ form: one float operator between DequantizeLinear and QuantizeLinear; what the functions
 * that rewrite groups share (pass_integer_groups.c). Error of all: OUT_OF_MEMORY, whose text rewrite.h's
 * functions have set. */
#ifndef OCT_GROUPS_H
#define OCT_GROUPS_H

#include "rewrite.h"

typedef struct oct_group {
    oct_graph *g;
    oct_readers *readers;
    int node;        /* the float operator */
    int quantize;    /* the QuantizeLinear behind it, -1: the result stays float */
    oct_quantized y; /* what comes out of that */
    float lo, hi;    /* of the activations in between */
    bool clamps;     /* they change what is quantized: */
    int32_t clamp_min, clamp_max;
    int made; /* the node that has taken its place */
} oct_group;

const oct_node *oct_group_node(const oct_group *s);
/* A value, or OCT_NO_VALUE. */
int oct_group_input(const oct_group *s, int i);
/* Operand i as an 8-bit tensor with one scale. */
bool oct_group_tensor(const oct_group *s, int i, oct_quantized *q);
/* Likewise for what takes 16 bits too, products above all. */
bool oct_group_product(const oct_group *s, int i, oct_quantized *q);
/* Operand i as 8-bit weights with one scale, or one for each element of `axis`. */
bool oct_group_weights(const oct_group *s, int i, int axis, oct_quantized *q);
/* A bias that is quantized at x_scale * w_scale, as QLinearConv and QGemm want it. A float constant is
 * quantized so here; *bias is OCT_NO_VALUE where there is none. */
octet_status oct_group_bias(oct_group *s, int i, const oct_quantized *x, const oct_quantized *w,
                            int64_t channels, int *bias, bool *fits);

/* Value, scale and zero point, made where it is absent, as inputs of the integer operator. */
octet_status oct_group_operand(oct_group *s, const oct_quantized *q, int *inputs);
/* Scale and zero point of the result at positions `at` and at + 1, or nothing where it stays float. */
octet_status oct_group_result(oct_group *s, int *inputs, int at);
/* The new node takes the place of the QuantizeLinear (or of the operator, where the result stays float). */
octet_status oct_group_replace(oct_group *s, oct_op op, const int *inputs, int count);

/* ConvTranspose as one convolution of all phases and a DepthToSpace. Sets *done if the group was rewritten.
 */
octet_status oct_group_conv_transpose(oct_group *s, bool *done);

#endif
