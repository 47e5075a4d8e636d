/* Reductions, and positions of extremes; where sizes are outer, axis, inner: over one run of neighbouring
 * axes, [outer][axis][inner]. */
#ifndef OCT_REDUCE_H
#define OCT_REDUCE_H

#include "caps.h"
#include "quant_args.h"

typedef enum oct_combine { OCT_COMBINE_MIN, OCT_COMBINE_MAX, OCT_COMBINE_SUM, OCT_COMBINE_PROD } oct_combine;
typedef enum oct_before { OCT_BEFORE_NOTHING, OCT_BEFORE_ABS, OCT_BEFORE_SQUARE } oct_before;
typedef enum oct_after { OCT_AFTER_NOTHING, OCT_AFTER_SCALE, OCT_AFTER_SQRT, OCT_AFTER_LOG } oct_after;

/* y[outer][inner] = after(combine over axis of before(x)), f32; axis > 0. Minima and maxima: a NaN anywhere
 * gives NaN. scale: of OCT_AFTER_SCALE. */
octet_status oct_reduce(oct_recipe *r, const oct_caps *caps, oct_combine combine, oct_before before,
                        oct_after after, float scale, oct_mem x, int64_t outer, int64_t axis, int64_t inner,
                        oct_mem y);
/* y s64 [outer][inner]; x f32, u8 or s8. last: of equals the last. */
octet_status oct_arg_best(oct_recipe *r, const oct_caps *caps, bool largest, bool last, const oct_operand *x,
                          int64_t outer, int64_t axis, int64_t inner, oct_mem y);

/* In integers, of 8- and 16-bit tensors. */
typedef struct oct_q_reduce_request {
    oct_combine combine; /* MIN and MAX: y has the parameters of x, which are not looked at; or SUM */
    bool mean;           /* the sum divided by how many there are */
    bool reduced[OCTET_MAX_RANK];
    oct_operand x, y; /* of one type */
    oct_quant x_q, y_q;
} oct_q_reduce_request;

/* Errors: UNSUPPORTED (sums of more elements than oct_sum_most()). */
octet_status oct_q_reduce(oct_recipe *r, const oct_caps *caps, const oct_q_reduce_request *q);

#endif
