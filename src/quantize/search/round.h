/* Adaptive rounding of a whole network (round_product.h), front to back: each product's weights are rounded
 * by what its input is in the float network and in the one that is quantized so far, so that it also takes
 * back what those before it have done. */
#ifndef OCT_ROUND_H
#define OCT_ROUND_H

#include "candidate.h"

/* For a network quantized by this method, whose own rounded weights do not count. from_float: each product by
 * what the float network shows alone, in a single run over the samples. *made: by node, the caller's. */
octet_status oct_round(const oct_observed *seen, const oct_placed *placed, const oct_method *how,
                       bool from_float, oct_rounded_weights **made);

#endif
