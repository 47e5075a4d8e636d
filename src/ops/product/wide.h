/* Products that take or make 16-bit activations, with 8-bit weights, out of 8-bit products (the formula is in
 * kernels/product/wide.cl), where the variant has no form for 16 bits or only the result has them. For gemm.c
 * and conv.c: what they have in common. */
#ifndef OCT_WIDE_H
#define OCT_WIDE_H

#include "caps.h"
#include "quant_args.h"

/* Is this a product for here? 16 bits on either side. */
bool oct_is_wide(octet_dtype x, octet_dtype y);

/* x as one or two 8-bit tensors, most significant first, and their zero points. */
typedef struct oct_wide_part {
    oct_mem x, sums; /* sums: s32, of the product with it, to be made by the caller */
    octet_dtype dtype;
    oct_quant q; /* no scale */
} oct_wide_part;
typedef struct oct_wide {
    oct_wide_part parts[2];
    int count;
} oct_wide;
octet_status oct_wide_halves(oct_recipe *r, const oct_caps *caps, oct_mem x, octet_dtype dtype, int64_t elems,
                             const oct_quant *q, int64_t sums, oct_wide *out);

/* y [rows][n] from the sums. */
typedef struct oct_wide_result {
    int64_t rows, n;
    oct_mem bias; /* s32 [n] or OCT_MEM_NONE */
    oct_quant x_q, w_q, y_q;
    oct_mem y;
    octet_dtype y_dtype; /* u8, s8, u16, s16 or f32 */
    int32_t clamp_min, clamp_max;
} oct_wide_result;
octet_status oct_wide_join(oct_recipe *r, const oct_caps *caps, const oct_wide *w, const oct_wide_result *q);

#endif
