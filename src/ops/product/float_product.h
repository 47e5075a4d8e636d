/* Float matrix products and convolutions: for what is not quantized. There are two variants: "clblast", a
 * library call (with the window of a convolution written out as rows), and "plain", kernels for any device.
 */
#ifndef OCT_FLOAT_PRODUCT_H
#define OCT_FLOAT_PRODUCT_H

#include "geometry.h"
#include "variant.h"

typedef struct oct_float_matmul_request {
    oct_forced force;
    int64_t m, n, k, batch;
    int64_t a_stride, b_stride; /* elements from one batch to the next; 0: the same for all */
    oct_mem a, b, y;            /* [batch][m][k], [batch][k][n], [batch][m][n], dense */
    float alpha, beta;
    oct_mem c; /* read where beta is not 0 */
    int64_t c_row, c_column;
} oct_float_matmul_request;
octet_status oct_float_matmul(oct_recipe *r, const oct_caps *caps, const oct_float_matmul_request *q);

typedef struct oct_float_conv_request {
    oct_forced force;
    oct_geometry g;
    bool transposed;
    oct_operand x, weights, y; /* NHWC; weights as ONNX has them: [co][c / group][kh][kw], transposed
                                  [c][co / group]... */
    oct_mem bias;              /* [co] or OCT_MEM_NONE */
} oct_float_conv_request;
octet_status oct_float_conv(oct_recipe *r, const oct_caps *caps, const oct_float_conv_request *q);

extern const oct_family oct_float_matmul_family, oct_float_conv_family; /* rows of the same names */

#endif
