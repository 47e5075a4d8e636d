/* How element-by-element kernels divide their work, and how broadcast operands are described to them. */
#ifndef OCT_SPLIT_H
#define OCT_SPLIT_H

#include "device.h"
#include "recipe.h"

/* Elements a work-item takes: CPUs run a work-item per work-group and want few of them, GPUs want many. */
int64_t oct_split_chunk(const oct_caps *caps);
/* Work-items for n elements. */
size_t oct_split_items(const oct_caps *caps, int64_t n);

/* Two operands and an output with numpy broadcasting, with dimensions that lie together merged. Dimension 7
 * is the innermost; unused slow dimensions are 1. Steps are in elements, 0 where an operand repeats. */
typedef struct oct_broadcast {
    int64_t dims[8], a[8], b[8];
} oct_broadcast;

/* Errors: INVALID_ARGUMENT (shapes do not broadcast to y's). */
octet_status oct_broadcast_make(const oct_operand *a, const oct_operand *b, const oct_operand *y,
                                oct_broadcast *out);
/* Arguments BROADCAST_ARGS (kernels/broadcast.clh) and the work sizes. */
void oct_broadcast_launch(oct_launch *l, const oct_caps *caps, const oct_broadcast *s);

#endif
