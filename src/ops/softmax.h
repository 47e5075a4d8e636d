/* Softmax over `axis` elements of [outer][axis][inner]. */
#ifndef OCT_SOFTMAX_H
#define OCT_SOFTMAX_H

#include "caps.h"
#include "quant_args.h"

typedef struct oct_qsoftmax_request {
    oct_operand x, y; /* u8 or s8 */
    int64_t outer, axis, inner;
    oct_quant x_q, y_q; /* x's scale must be a constant: the host makes the table of exponentials */
} oct_qsoftmax_request;

/* Errors: UNSUPPORTED (x's scale is not a constant). */
octet_status oct_qsoftmax(oct_recipe *r, const oct_caps *caps, const oct_qsoftmax_request *q);

/* Of f32, or its logarithm, over `axis`. */
octet_status oct_softmax(oct_recipe *r, const oct_caps *caps, bool logarithm, oct_mem x, int64_t outer,
                         int64_t axis, int64_t inner, oct_mem y);

#endif
