/* A float graph with a placement and parameters becomes a QDQ graph: pairs around tensors, weights and biases
 * as integers. */
#ifndef OCT_INSERT_H
#define OCT_INSERT_H

#include "graph.h"
#include "observer.h"
#include "place.h"
#include "quant_weights.h"

typedef struct oct_parameters {
    float scale;
    int32_t zero;
} oct_parameters;

typedef struct oct_insert_options {
    octet_dtype activations, wide; /* wide: of tensors that a placement has in 16 bits */
    bool per_tensor, symmetric, reduce_range, correct_bias;
    bool adaptive; /* weights that are rounded already, where there are any */
} oct_insert_options;

/* Parameters that hold a range in a type of activations. Error: INVALID_ARGUMENT (the scale is too small for
 * float32: "scale underflow"). */
octet_status oct_parameters_of(oct_range r, octet_dtype dtype, bool symmetric, oct_parameters *out);
/* What they hold. */
oct_range oct_parameters_range(const oct_parameters *p, octet_dtype dtype);

typedef struct oct_insert {
    const oct_graph *from;              /* float, sorted */
    const oct_pair_places *place;       /* of it */
    const oct_parameters *params;       /* by value of it; those of `like` count */
    const oct_parameters *wide;         /* likewise, in 16 bits; NULL where the placement has none */
    const oct_observer *observers;      /* by value: means for bias correction; NULL: none */
    const oct_rounded_weights *rounded; /* by node: its weights; NULL: none */
    double *const *shifts;              /* by node: added to its bias, [channels]; NULL: none */
    oct_insert_options options;
    oct_graph *to;  /* receives the result, a clone of `from`, sorted */
    int *shown;     /* by value of `from`: the value of `to` that stands for it (dequantized) */
    int *constants; /* for its own use, as is: */
    int *narrow;    /* by value of `from` that has two pairs: what the second makes */
} oct_insert;
octet_status oct_insert_pairs(oct_insert *s);

/* Node `node` of the placement absorbs its operand: may the clamp be left to the quantization behind it? */
bool oct_clamp_vanishes(const oct_graph *g, int node, const oct_parameters *p, octet_dtype dtype);

#endif
