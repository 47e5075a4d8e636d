/* A product as the sum of two with 8-bit weights each: together they have 16. */
#ifndef OCT_WIDE_PRODUCT_H
#define OCT_WIDE_PRODUCT_H

#include "graph.h"
#include "quant_weights.h"

/* The results of the two, values of a graph. */
typedef struct oct_wide_product {
    int coarse, fine;
} oct_wide_product;

/* Product `node` of g, with constant float weights: the node keeps what 8 bits make of them, a second one
 * gets what that leaves, and an Add makes the result. Values keep their indices; g is to be sorted then. */
octet_status oct_widen_product(oct_graph *g, int node, const oct_weight_options *options,
                               oct_wide_product *made);

#endif
