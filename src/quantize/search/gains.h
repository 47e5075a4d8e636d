/* What the outputs would gain, in decibels, if single layers were kept higher. */
#ifndef OCT_GAINS_H
#define OCT_GAINS_H

#include "search.h"

/* By node, the caller's; NaN: it is no layer, or is kept so already. Of the best of a search. */
octet_status oct_gains_find(const oct_search *s, octet_raise raise, double **gains);
/* Take the `most` nodes that gain most out of a list of gains, best first. Their number. */
int oct_gains_take_best(double *gains, int node_count, int most, int *nodes);

#endif
