/* Resize, resolved: output sizes, and for each output position the input positions and weights that make it,
 * in the float32 arithmetic of ONNX Runtime's CPU provider (upsample.cc, upsamplebase.h). Rows and columns
 * only. */
#ifndef OCT_RESIZE_H
#define OCT_RESIZE_H

#include "graph.h"

typedef struct oct_resize {
    bool linear;
    int spatial;           /* 1 or 2 dimensions; one is given as a height of 1 */
    int64_t in[2], out[2]; /* height, width */
    float scale[2];
    const char *coordinates, *nearest;
    bool simple; /* opset 10: coordinates are divided, and rounded toward the input's start */
} oct_resize;

/* x: the data input, in the layout of node->channels_last. Errors: UNSUPPORTED (cubic, more dimensions, ...).
 */
octet_status oct_resize_resolve(const oct_graph *g, const oct_node *n, oct_resize *r);

/* y = w0 x[i0] + w1 x[i1] at each of r->out[d] positions; nearest has i0 only. */
typedef struct oct_resize_tap {
    int32_t i0, i1;
    float w0, w1;
} oct_resize_tap;
void oct_resize_taps(const oct_resize *r, int d, oct_resize_tap *taps);

#endif
