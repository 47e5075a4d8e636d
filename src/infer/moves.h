/* What operators that move elements are to do, resolved from attributes (old operator sets) or constant
 * inputs (new ones): shape inference and lowering ask here, so that they agree. */
#ifndef OCT_MOVES_H
#define OCT_MOVES_H

#include "graph.h"

/* Input i of a node as integers: a constant of s32 or s64, rank at most 1. Errors: UNSUPPORTED (not
 * constant). */
octet_status oct_const_ints(const oct_graph *g, const oct_node *n, int i, int64_t *out, int capacity,
                            int *count);
/* Constant input i of s32 or s64, positions, is in range; where it is no constant a run checks it. Errors:
 * INVALID_ARGUMENT (which element). */
octet_status oct_const_in_range(const oct_graph *g, const oct_node *n, int i, int64_t low, int64_t high);

/* y[j] = x[start + j step] along each dimension. */
typedef struct oct_slice {
    int64_t start[OCTET_MAX_RANK], step[OCTET_MAX_RANK], dims[OCTET_MAX_RANK];
} oct_slice;
octet_status oct_slice_resolve(const oct_graph *g, const oct_node *n, oct_slice *s);

/* Shape gives dimensions [from, to) of a tensor of this rank. */
void oct_shape_range(const oct_node *n, int rank, int64_t *from, int64_t *to);

/* Sizes of a Split's outputs along its axis. */
#define OCT_MAX_SPLIT 64
typedef struct oct_split {
    int axis;
    int64_t sizes[OCT_MAX_SPLIT];
} oct_split;
octet_status oct_split_resolve(const oct_graph *g, const oct_node *n, oct_split *s);

typedef enum oct_pad_mode { OCT_PAD_CONSTANT, OCT_PAD_EDGE, OCT_PAD_REFLECT, OCT_PAD_WRAP } oct_pad_mode;
typedef struct oct_pad {
    oct_pad_mode mode;
    int64_t begin[OCTET_MAX_RANK], end[OCTET_MAX_RANK]; /* negative: elements are cut off */
} oct_pad;
octet_status oct_pad_resolve(const oct_graph *g, const oct_node *n, oct_pad *p);
/* A float Pad that puts no number but 0.0 around: another has no 8-bit form that is exactly it. True too for
 * the modes that repeat what is there. */
bool oct_pads_with_zero(const oct_graph *g, const oct_node *n);

/* Which axes a reduction takes: input 1 (not of QLinearReduceMean and QLinearReduceSum), the attribute, or
 * all. */
octet_status oct_reduced_axes(const oct_graph *g, const oct_node *n, bool reduced[OCTET_MAX_RANK]);

#endif
