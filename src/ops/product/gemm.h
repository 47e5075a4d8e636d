/* GEMM: C[batch][m][n] = A[batch][m][k] x B[(batch)][k][n] with exact int32 accumulation; see octet_gemm_desc
 * for the arithmetic. Appends launches to a recipe: packing B (once when B is a constant), preparing
 * multipliers and corrections, the product. */
#ifndef OCT_GEMM_H
#define OCT_GEMM_H

#include "product.h"

typedef struct oct_gemm_request {
    oct_forced force; /* spread: parts of k, or rows of a work-group */
    int64_t m, n, k, batch;
    int64_t lda, ldb, ldc;                /* row strides, elements */
    int64_t a_stride, b_stride, c_stride; /* batch strides, elements; b_stride 0: one B for all */
    bool transpose_b;                     /* B is stored [n][k] */
    octet_dtype a_dtype, b_dtype;         /* u8 or s8; A also u16 or s16 (wide.h) */
    octet_dtype c_dtype;                  /* s32, f32, u8 or s8; u16 or s16 */
    oct_mem a, b, c;
    oct_mem bias;                 /* s32 [n] or OCT_MEM_NONE */
    oct_quant a_q, b_q, c_q;      /* a scale: 1 or m (f32 out only); a zero: 1; b: 1 or n; c: 1 */
    int32_t clamp_min, clamp_max; /* 8-bit output; the caller gives the type's range when there is no clamp */
} oct_gemm_request;

/* Errors: UNSUPPORTED (k past the overflow bound of the types, unknown or inapplicable forced variant),
 * INVALID_ARGUMENT. */
octet_status oct_gemm(oct_recipe *r, const oct_caps *caps, const oct_gemm_request *q);

/* Its variants: the rows of gemm_variants.def. */
extern const oct_family oct_gemm_family;
/* Largest k whose exact sum fits int32 for these types; zero points present lower it (NUMERICS.md). */
int64_t oct_gemm_max_k(octet_dtype a, octet_dtype b, bool zero_points);

#endif
