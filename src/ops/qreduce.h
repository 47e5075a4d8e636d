/* Reductions of 8- and 16-bit tensors, in integers. */
#ifndef OCT_QREDUCE_H
#define OCT_QREDUCE_H

#include "caps.h"
#include "quant_args.h"
#include "reduce.h"

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
