/* Second stage: which nodes of the prepared network stay float or read 16 bits, and so where its pairs go
 * (place.h). By the names that were asked for; a search makes further ones of it. */
#ifndef OCT_PLACED_H
#define OCT_PLACED_H

#include "place.h"
#include "prepared.h"

typedef struct oct_placed {
    const oct_prepared *net;
    bool *marks[2];     /* by octet_raise, by node: it is to stay float, or to read 16 bits */
    oct_pair_places at; /* what follows from that */
} oct_placed;

/* Error: INVALID_ARGUMENT (a name that no node or operator has). */
octet_status oct_placed_make(const oct_prepared *net, oct_placed *p);
/* With these nodes kept higher too. */
octet_status oct_placed_raise(const oct_placed *from, octet_raise raise, const int *nodes, int count,
                              oct_placed *p);
/* With nothing but this node quantized. */
octet_status oct_placed_alone(const oct_placed *from, int node, oct_placed *p);
void oct_placed_free(oct_placed *p);

/* A product or another integer operator. */
bool oct_placed_layer(const oct_placed *p, int node);
/* The node that makes value v; of a clamp that is absorbed, the one before it. -1: an input. */
int oct_placed_maker(const oct_placed *p, int v);

#endif
