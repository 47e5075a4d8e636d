/* How element-by-element kernels divide their work, and how broadcast operands are described to them. */
#ifndef OCT_WORK_ITEMS_H
#define OCT_WORK_ITEMS_H

#include "caps.h"
#include "recipe.h"

#include "pointwise/pointwise_args.clh"

/* How the elements of a kernel are spread over work-items: a row of lane_variants.def. */
typedef struct oct_lanes {
    const char *name;
    int lanes;      /* elements of a vector */
    bool coalesced; /* a vector a work-item, side by side; else a stretch each */
} oct_lanes;

/* Work-items of a group: enough to fill a compute unit with the groups it holds. Devices that do not take as
 * many run the portable row. */
#define OCT_GROUP_ITEMS 128

/* The rows in order, NULL after the last. */
const oct_lanes *oct_lanes_variant(size_t index);
/* For `rows` rows of `length` elements, the widest of which (input or output) has elem_bytes: that of
 * caps->lanes, or the next that can be; else on GPUs the widest vectors of up to 16 bytes that lie aligned in
 * every row and keep all compute units busy. */
const oct_lanes *oct_lanes_select(const oct_caps *caps, int64_t length, int64_t rows, size_t elem_bytes);
/* Build options: "" for the portable row. */
const char *oct_lanes_options(const oct_lanes *v);
/* Elements of a work-item. */
int64_t oct_lanes_chunk(const oct_lanes *v, const oct_caps *caps);
/* Work sizes for `rows` rows of `length` elements, `depth` times. Coalesced, there may be more work-items
 * than elements and rows. */
void oct_lanes_launch(oct_launch *l, const oct_caps *caps, const oct_lanes *v, int64_t length, int64_t rows,
                      int64_t depth);
/* Work-items in groups of a size that suits a GPU, side by side along the first dimension first: *global is
 * rounded up. */
void oct_group_items(const oct_caps *caps, size_t global[3], size_t local[3]);

/* Elements a work-item takes: CPUs run a work-item per work-group and want few of them, GPUs want many. */
int64_t oct_item_chunk(const oct_caps *caps);
/* Work-items for n elements. */
size_t oct_item_count(const oct_caps *caps, int64_t n);

/* Operands and an output with numpy broadcasting, with dimensions that lie together merged. Dimension 7 is
 * the innermost; unused slow dimensions are 1. Steps are in elements, 0 where an operand repeats. */
#define OCT_BROADCAST_OPERANDS 8
typedef struct oct_broadcast {
    int64_t dims[8], steps[OCT_BROADCAST_OPERANDS][8];
} oct_broadcast;

/* Errors: INVALID_ARGUMENT (shapes do not broadcast to y's). */
octet_status oct_broadcast_make(const oct_operand *const *operands, int count, const oct_operand *y,
                                oct_broadcast *out);
/* How its rows are best spread. */
const oct_lanes *oct_broadcast_lanes(const oct_caps *caps, const oct_broadcast *s, size_t elem_bytes);
/* Of two operands: the numbers that their kernel's record has, and the work sizes. v NULL: the portable row,
 * whatever the device. */
broadcast_part oct_broadcast_numbers(const oct_caps *caps, const oct_broadcast *s, const oct_lanes *v);
void oct_broadcast_launch(oct_launch *l, const oct_caps *caps, const oct_broadcast *s, const oct_lanes *v);

#endif
