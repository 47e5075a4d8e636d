/* Pooling, NHWC: maxima of u8, s8, u16, s16 and f32; averages of f32, of u8 and s8 as QLinearAveragePool and
 * QLinearGlobalAveragePool, of u16 and s16 as the latter. */
#ifndef OCT_POOL_H
#define OCT_POOL_H

#include "caps.h"
#include "quant_args.h"

typedef enum oct_pool_kind { OCT_POOL_MAX, OCT_POOL_AVERAGE, OCT_POOL_GLOBAL_AVERAGE } oct_pool_kind;

typedef struct oct_pool_request {
    oct_pool_kind kind;
    int64_t n, h, w, c, oh, ow; /* global: oh and ow 1, the window is not looked at */
    int64_t kh, kw, stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left, pad_bottom, pad_right;
    bool count_include_pad;
    oct_operand x, y;
    oct_quant x_q, y_q; /* averages of integers */
} oct_pool_request;

octet_status oct_pool(oct_recipe *r, const oct_caps *caps, const oct_pool_request *q);

#endif
