/* Adaptive rounding: weights rounded so that the product's error on what its samples look like (moments.h) is
 * small, not each weight's own. */
#ifndef OCT_ROUND_PRODUCT_H
#define OCT_ROUND_PRODUCT_H

#include "moments.h"

typedef struct oct_round_options {
    const float *weights;
    const float *others; /* of a product on the same input whose result is added, and that these make up for
                            too; NULL: there is none */
    const float *least;  /* by row: no scale may be less */
    int top;             /* whole numbers of [-top, top] */
    bool fixed_scales;
} oct_round_options;

/* Weights of node to whole numbers times a scale a row.
 * scales: by row, what to begin with, and unless they are fixed the best found near it;
 * made: in the layout of the weights; shift: by row, what the mean of its results lacks then of the float
 * network's. The samples are complete: the moments are used up. */
octet_status oct_moments_round(oct_moments *moments, const oct_round_options *how, float *scales,
                               int8_t *made, double *shift);

#endif
