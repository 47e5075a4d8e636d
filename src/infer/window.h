/* The geometry of a convolution or pooling node, resolved: auto_pad, defaults and ceil_mode are gone. One
 * spatial dimension is given as a height of 1. */
#ifndef OCT_WINDOW_H
#define OCT_WINDOW_H

#include "graph.h"

typedef struct oct_window {
    int spatial;           /* spatial dimensions of the node: 1 or 2 */
    int64_t in[2], out[2]; /* height, width */
    int64_t kernel[2], stride[2], dilation[2];
    /* pad_end as declared: ceil_mode may read past it. Negative where a SAME_* pool's stride exceeds its
     * kernel: the first window begins inside, or the last elements belong to none. */
    int64_t pad_begin[2], pad_end[2];
} oct_window;

/* x: the data input (layout by node->channels_last). kernel_dims: NULL, or the weights' spatial dims, which
 * kernel_shape must match. is_pool: ceil_mode applies. Errors: UNSUPPORTED (3-D), INVALID_ARGUMENT (stride 0,
 * ...). */
octet_status oct_window_resolve(const oct_node *node, const oct_value *x, const int64_t *kernel_dims,
                                bool is_pool, oct_window *window);

#endif
