/* Fourth stage: of the networks that the settings allow, the one whose outputs are nearest to float. */
#ifndef OCT_SEARCH_H
#define OCT_SEARCH_H

#include "candidate.h"

/* Made by the steps below, in their order; read-only afterwards. What it is of outlives it. */
typedef struct oct_search {
    const oct_observed *seen;
    const oct_placed *placed;
    oct_candidate best; /* so far, once there is one */
    bool found;
    oct_score score;              /* of the best */
    oct_rounded_weights *rounded; /* by node: weights that adaptive rounding made; NULL: none */
    double **shifts;              /* by node: what its bias gains by what the network does; NULL: nothing */
    double tried_db[8];           /* by observer, the most that one came to; NaN: not tried */
} oct_search;

void oct_search_open(const oct_observed *seen, const oct_placed *placed, oct_search *s);
void oct_search_close(oct_search *s);

/* Each observer that may be, with weights rounded to nearest. */
octet_status oct_search_ranges(oct_search *s);
/* Weights rounded adaptively, front to back (round.h), where the settings want that. */
octet_status oct_search_rounding(oct_search *s);
/* No correction of biases, and what the network does taken from them (biases.h). */
octet_status oct_search_biases(oct_search *s);

/* Does the search round adaptively? */
bool oct_rounds_adaptively(const oct_quantize_settings *asked);

/* The method of the best, for a network that differs in one thing. */
oct_method oct_search_method(const oct_search *s);
/* Make a network and keep it if nothing was better yet. */
octet_status oct_search_try(oct_search *s, const oct_method *how, double *judged_db);
/* Make one with pairs at these places, which are freed, and only say how near it is on so many samples. */
octet_status oct_search_score_placed(const oct_search *s, oct_placed *placed, const oct_method *how,
                                     size_t samples, double *judged_db);

#endif
