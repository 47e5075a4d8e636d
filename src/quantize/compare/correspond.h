/* Which tensors of two networks are the same one: the networks are one that has been quantized and its float
 * self, or two quantizations of it. A tensor is known by its name in the float network; in a quantized one
 * what a DequantizeLinear makes of it stands for it, or its 8 or 16 bits where the parameters are known. */
#ifndef OCT_CORRESPOND_H
#define OCT_CORRESPOND_H

#include "graph.h"

/* One tensor of a network, by the name that it has in every form of it. */
typedef struct oct_shown {
    const char *name; /* of the graph's, `length` of it */
    size_t length;
    int value;
    int node;       /* its producer, -1: an input */
    bool stands;    /* dequantized, or quantized: what the rest of the network sees of the float one */
    bool quantized; /* its elements are integers: (x - zero) * scale */
    float scale;
    int32_t zero;
} oct_shown;

/* Those of g, in its order; the caller frees the list. shaped: a copy of g with shapes inferred. */
octet_status oct_shown_find(const oct_graph *g, const oct_graph *shaped, oct_shown **list, int *count);

/* a[i] and b[i] are the same tensor, of the same shape. */
typedef struct oct_pairs {
    oct_shown *a, *b;
    int count;
} oct_pairs;
octet_status oct_pairs_find(const oct_graph *a, const oct_graph *a_shaped, const oct_graph *b,
                            const oct_graph *b_shaped, oct_pairs *pairs);
void oct_pairs_free(oct_pairs *pairs);

#endif
