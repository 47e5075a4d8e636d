/* Weights of 16 bits as two tensors of 8: a product whose weights cost the outputs most becomes the sum of
 * two, the second with what the first one's rounding leaves (wide_product.h). It is twice the work there, so
 * only a small share of the network's is spent. */
#ifndef OCT_WIDEN_H
#define OCT_WIDEN_H

#include "search.h"

/* Do the settings call for it? With 16-bit activations and adaptive rounding it is weights that cost. */
bool oct_widens(const oct_quantize_settings *asked);
/* A prepared network with wide products, as the best of the search has them pay. p->wide_count 0: there are
 * none, and nothing was made. */
octet_status oct_widen(const oct_search *s, oct_prepared *p);

#endif
