/* Resize of rows and columns, channels last. */
#ifndef OCT_RESIZE_OP_H
#define OCT_RESIZE_OP_H

#include "caps.h"
#include "quant_args.h"

typedef struct oct_resize_request {
    oct_operand x, y; /* [n, h, w, c], h 1 for one spatial dimension */
    int64_t n, h, w, c, oh, ow;
    bool linear, quantized; /* nearest takes any dtype; linear f32, or 8 bits with these: */
    oct_quant x_q, y_q;
    const void *row_taps, *column_taps; /* {int32 i0, i1; float w0, w1} each, copied */
} oct_resize_request;

octet_status oct_resize_op(oct_recipe *r, const oct_caps *caps, const oct_resize_request *q);

#endif
