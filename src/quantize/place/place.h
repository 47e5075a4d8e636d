/* Where a float network gets its QuantizeLinear and DequantizeLinear pairs. Chosen so that every quantized
 * node is one that runs in integers, with the same bytes, in Octet and in ONNX Runtime; element-wise chains
 * on one 8-bit tensor stay float inside (they are functions of one byte, which Octet makes a table of), and
 * so does what no integer operator reads. */
#ifndef OCT_PLACE_H
#define OCT_PLACE_H

#include "op_facts.h"

typedef struct oct_pair_places {
    oct_place_kind *kind; /* by node */
    bool *absorbed;       /* by node: a Relu or Clip that is the clamp of the quantized node before it */
    bool *pair;           /* by value: it is quantized and dequantized */
    bool *integer;        /* by value: a quantized node makes it */
    int *like;            /* by value: the value whose parameters it has, often itself */
    bool *raised;         /* by node: it reads 16 bits */
    bool *wide;           /* by value: its pair has 16 bits */
    bool *narrow;         /* by value that is wide: a pair of 8 bits follows, for those that read these */
} oct_pair_places;

typedef struct oct_place_options {
    const bool *excluded; /* by node: stays float */
    const bool *raised;   /* by node: reads 16 bits */
    bool integer_softmax; /* a Softmax at the end is quantized too */
} oct_place_options;

/* g: sorted; shaped: a copy of it with shapes inferred. */
octet_status oct_place_pairs(const oct_graph *g, const oct_graph *shaped, const oct_place_options *options,
                             oct_pair_places *p);
/* Its last step: raised, wide and narrow. */
void oct_place_wide(const oct_graph *g, const bool *raised, oct_pair_places *p);
/* Of a value that is wide: does this node read its 16 bits? */
bool oct_reads_wide(const oct_pair_places *p, const oct_graph *g, int node, int v);
void oct_pair_places_free(oct_pair_places *p);

bool oct_is_const(const oct_graph *g, int v);

#endif
