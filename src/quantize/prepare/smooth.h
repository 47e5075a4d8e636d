/* SmoothQuant (Xiao et al., 2022, arXiv:2211.10438): where a normalization feeds products alone, its channels
 * are divided by s_j = max|X_j|^a / max|W_j|^(1-a) and the rows of the products' weights multiplied, so that
 * channels with outliers do not take the 8 bits from all others. Exact but for float rounding. */
#ifndef OCT_SMOOTH_H
#define OCT_SMOOTH_H

#include "graph.h"

/* What a LayerNormalization makes, or the Mul and Add of one in parts; channels are on the last axis. */
typedef struct oct_smooth_site {
    int value;
    int64_t channels;
    float *peaks; /* [channels]: the largest magnitudes, filled in by who has samples */
} oct_smooth_site;

/* g: sorted; shaped: a copy with shapes inferred. */
octet_status oct_smooth_find(const oct_graph *g, const oct_graph *shaped, oct_smooth_site **sites,
                             int *count);
void oct_smooth_free(oct_smooth_site *sites, int count);
/* Scale by the peaks. Values and nodes keep their places; constants are added. strength: a, 0 to 1. */
octet_status oct_smooth_apply(oct_graph *g, const oct_graph *shaped, const oct_smooth_site *site,
                              double strength);

#endif
