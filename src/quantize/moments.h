/* What the input of one product looks like to its weights: mean and covariance of the numbers that meet one
 * row of them (for a convolution the window under its kernel, borders and all), over samples; and weights
 * rounded so that the product's error on such input is small, not each weight's own (adaptive rounding). */
#ifndef OCT_MOMENTS_H
#define OCT_MOMENTS_H

#include "graph.h"
#include "window.h"

typedef struct oct_moments {
    int64_t groups, rows, depth; /* rows: of weights, all groups together; depth: numbers that a row meets */
    int64_t row_step, step;      /* weight k of row r is data[r * row_step + k * step] */
    double seen, *sums;          /* all rows of samples, and [groups][depth] their sums */
    double count, *part_sums;    /* those rows that are multiplied, and likewise */
    /* [groups][depth in blocks][block][block], below the diagonal: sums of products, then the factor. Numbers
     * of different blocks are taken to be independent. */
    double *products;
    int *order; /* [groups][depth], within blocks: which is rounded first. NULL: products are still sums */
    int8_t *made;
    float *made_with; /* [rows], the scales of `made`; NULL: nothing is made yet */
} oct_moments;

/* *moments stays NULL where node's weights are of no kind that this is known for (a convolution, a matrix).
 * The graph is sorted, its weights float. */
octet_status oct_moments_make(const oct_graph *g, const oct_node *node, oct_moments **moments);
void oct_moments_free(oct_moments *moments);
/* One sample of the node's input, f32, with its dimensions; of its rows (places of a convolution) about
 * `most`, evenly spread, are multiplied; all of them make the mean. */
octet_status oct_moments_add(oct_moments *moments, const oct_graph *g, const oct_node *node,
                             const octet_tensor *x, int64_t most);
/* Of number k that row r meets. */
double oct_moments_mean(const oct_moments *moments, int64_t row, int64_t k);

/* weights / scales to whole numbers of [-top, top], in the layout of the weights; scales: by row. The samples
 * are complete: nothing can be added any more. */
octet_status oct_moments_round(oct_moments *moments, const float *weights, const float *scales, int top,
                               int8_t *made);

#endif
