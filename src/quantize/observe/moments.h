/* What the input of one product looks like to its weights: means and covariances of the numbers that meet one
 * row of them (for a convolution the window under its kernel, borders and all), over samples, in the float
 * network and in the quantized one. */
#ifndef OCT_MOMENTS_H
#define OCT_MOMENTS_H

#include "graph.h"
#include "window.h"

typedef struct oct_moments {
    int64_t groups, rows, depth; /* rows: of weights, all groups together; depth: numbers that a row meets */
    int64_t row_step, step;      /* weight k of row r is data[r * row_step + k * step] */
    int64_t blocks, size,
        pitch; /* a row is cut into so many blocks of `size` numbers, the last one shorter */
    double seen, *sums, *wanted; /* all rows of samples; [groups][depth] their sums, and those of float */
    double count, *part_sums, *part_moves; /* those rows that are multiplied; sums, and of float minus them */
    /* [groups][blocks][size][pitch], of numbers of one block (those of different ones are taken to be
     * independent): sums of products, below the diagonal; and of a difference, by row, with a number. */
    double *products, *crossed;
} oct_moments;

/* *moments stays NULL where node's weights are of no kind that this is known for (a convolution, a matrix).
 * The graph is sorted, its weights float. */
octet_status oct_moments_make(const oct_graph *g, const oct_node *node, oct_moments **moments);
void oct_moments_free(oct_moments *moments);
/* One sample of the node's input, f32, with its dimensions: in the float network, and in the quantized one.
 * Of its rows (places of a convolution) about `most`, evenly spread, are multiplied; all of them make the
 * means. */
octet_status oct_moments_add(oct_moments *moments, const oct_graph *g, const oct_node *node,
                             const octet_tensor *wanted, const octet_tensor *x, int64_t most);

/* Numbers of block `block`. */
int64_t oct_moments_block_size(const oct_moments *moments, int64_t block);
/* Where a group's block begins in products and crossed. */
int64_t oct_moments_block_at(const oct_moments *moments, int64_t group, int64_t block);

#endif
