/* Float matrix products and convolutions: for what is not quantized. There are two variants: "clblast", a
 * library call (with the window of a convolution written out as rows), and "plain", kernels for any device.
 */
#ifndef OCT_FLOAT_PRODUCT_H
#define OCT_FLOAT_PRODUCT_H

#include "caps.h"
#include "recipe.h"

typedef struct oct_float_matmul_request {
    int64_t m, n, k, batch;
    int64_t a_stride, b_stride; /* elements from one batch to the next; 0: the same for all */
    oct_mem a, b, y;            /* [batch][m][k], [batch][k][n], [batch][m][n], dense */
    float alpha, beta;
    oct_mem c; /* read where beta is not 0 */
    int64_t c_row, c_column;
    const char *variant; /* NULL: the one that fits best */
} oct_float_matmul_request;
octet_status oct_float_matmul(oct_recipe *r, const oct_caps *caps, const oct_float_matmul_request *q);

typedef struct oct_float_conv_request {
    bool transposed;
    int64_t n, h, w, c, oh, ow, co, kh, kw, group;
    int64_t stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left;
    oct_operand x, weights,
        y;        /* NHWC; weights as ONNX has them: [co][c / group][kh][kw], transposed [c][co / group]... */
    oct_mem bias; /* [co] or OCT_MEM_NONE */
    const char *variant;
} oct_float_conv_request;
/* The index-th variant that the device has, NULL behind the last. */
const char *oct_float_variant_name(const oct_caps *caps, size_t index);
/* The variant of a product of these sizes. */
const char *oct_float_select(const oct_caps *caps, int64_t m, int64_t n, int64_t k);
octet_status oct_float_conv(oct_recipe *r, const oct_caps *caps, const oct_float_conv_request *q);

#endif
