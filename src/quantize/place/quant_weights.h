/* The weights of one product as integers: their scales, and what rounds them. */
#ifndef OCT_QUANT_WEIGHTS_H
#define OCT_QUANT_WEIGHTS_H

#include "graph.h"

/* Weights that adaptive rounding has made (round_product.h): they stand for the nearest ones. */
typedef struct oct_rounded_weights {
    int8_t *made;  /* in the layout of the weights; NULL: there are none */
    float *scales; /* [channels] */
    double *shift; /* [channels]: what the mean of the result lacks */
} oct_rounded_weights;

typedef struct oct_quant_weights {
    const float *data, *bias;       /* bias: [channels], or NULL */
    int64_t elems, channels, inner; /* element i is of channel i / inner % channels */
    int axis;                       /* of the channels */
    int top;                        /* they are of [-top, top] */
    float *scales;                  /* [channels] */
    float *least;                   /* [channels]: what the scales are not to fall below */
    int8_t *made;
} oct_quant_weights;

typedef struct oct_weight_options {
    bool per_tensor, reduce_range;
    float x_scale; /* of what they are multiplied with */
} oct_weight_options;

/* node: a product of g with constant weights. Fills in all but made, which it makes room for in the arena.
 * Errors: INVALID_ARGUMENT (a NaN, an infinity, numbers too small for a float scale), OUT_OF_MEMORY. */
octet_status oct_quant_weights_open(const oct_graph *g, const oct_node *node,
                                    const oct_weight_options *options, oct_arena *arena,
                                    oct_quant_weights *w);
void oct_quant_weights_to_nearest(oct_quant_weights *w);
/* Are they whole numbers of steps as they are, but for float rounding? */
bool oct_quant_weights_are_whole(const oct_quant_weights *w);
/* Take those if their scales are large enough: false if not. */
bool oct_quant_weights_take(oct_quant_weights *w, const oct_rounded_weights *rounded);

/* The list too; NULL: there is none. */
void oct_rounded_list_free(oct_rounded_weights *list, int count);

#endif
