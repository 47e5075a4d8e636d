/* Convolution as implicit GEMM, NHWC in and out; weights come as the file's own OIHW bytes and are packed on
 * the device. Groups, depthwise, strides, dilations, pads. Padding is the input's zero point (a real 0). */
#ifndef OCT_CONV_H
#define OCT_CONV_H

#include "geometry.h"
#include "product.h"

#include "conv/conv_args.clh"

/* What each result goes through before it is stored, in this order: a table of 256 bytes, and QLinearAdd with
 * the element of `residual` at its place. */
typedef struct oct_conv_chain {
    bool has_table, has_sum;
    oct_mem table;
    oct_mem residual;                   /* y's shape and dtype */
    oct_quant own_q, residual_q, sum_q; /* QLinearAdd's a, b and c */
    bool swapped;                       /* as in oct_qbinary_request */
    int32_t sum_min, sum_max;           /* clamp of the sum */
} oct_conv_chain;

typedef struct oct_conv_request {
    oct_forced force;             /* spread: pixels of a work-group */
    oct_geometry g;               /* oh and ow are computed by the caller, checked here */
    octet_dtype x_dtype, w_dtype; /* u8 or s8; x also u16 or s16 (wide.h) */
    octet_dtype y_dtype;          /* s32 (ConvInteger), u8 or s8; u16 or s16 */
    oct_mem x, weights, y;
    oct_mem bias;            /* s32 [co] or OCT_MEM_NONE */
    oct_quant x_q, w_q, y_q; /* x, y: count 1; w: 1 or co */
    int32_t clamp_min, clamp_max;
    oct_conv_chain then; /* 8-bit y only */
} oct_conv_request;

octet_status oct_conv(oct_recipe *r, const oct_caps *caps, const oct_conv_request *q);
/* Its variants: the rows of conv_variants.def. */
extern const oct_family oct_conv_family;

#endif
