/* Convolution as implicit GEMM, NHWC in and out; weights come as the file's own OIHW bytes and are packed on
 * the device. Groups, depthwise, strides, dilations, pads. Padding is the input's zero point (a real 0).
 * Variants are the rows of conv_variants.def. */
#ifndef OCT_CONV_H
#define OCT_CONV_H

#include "caps.h"
#include "product.h"
#include "quant_args.h"
#include "tuning.h"

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
    int64_t n, h, w, c;    /* input NHWC */
    int64_t oh, ow, co;    /* output NHWC; computed by the caller, checked here */
    int64_t kh, kw, group; /* weights [co][c / group][kh][kw] */
    int64_t stride_h, stride_w, dilation_h, dilation_w;
    int64_t pad_top, pad_left;    /* bottom and right follow from oh, ow */
    octet_dtype x_dtype, w_dtype; /* u8 or s8; x also u16 or s16 (wide.h) */
    octet_dtype y_dtype;          /* s32 (ConvInteger), u8 or s8; u16 or s16 */
    oct_mem x, weights, y;
    oct_mem bias;            /* s32 [co] or OCT_MEM_NONE */
    oct_quant x_q, w_q, y_q; /* x, y: count 1; w: 1 or co */
    int32_t clamp_min, clamp_max;
    oct_conv_chain then; /* 8-bit y only */
    const char *variant; /* force one by name, NULL: select */
    int64_t spread;      /* with that: pixels of a work-group; 0: what the variant does by itself */
} oct_conv_request;

octet_status oct_conv(oct_recipe *r, const oct_caps *caps, const oct_conv_request *q);
const char *oct_conv_variant_name(const oct_caps *caps, size_t index);
const char *oct_conv_select(const oct_caps *caps, const oct_conv_request *q);
/* For tuning, as in gemm.h. */
void oct_conv_key(const oct_conv_request *q, char key[OCT_TUNING_KEY]);
const char *oct_conv_candidate(const oct_caps *caps, const oct_conv_request *q, size_t index);
oct_spreads oct_conv_spreads(const oct_caps *caps, const oct_conv_request *q, const char *variant);

#endif
