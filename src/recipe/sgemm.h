/* A float matrix product as a library call, as plain data: C = alpha A B + beta C, everything row-major,
 * sizes and strides in elements, `batch` times. */
#ifndef OCT_SGEMM_H
#define OCT_SGEMM_H

#include <stddef.h>

typedef struct oct_sgemm {
    size_t m, n, k, batch;               /* each at least 1 */
    size_t lda, ldb, ldc;                /* from row to row of A [m][k], B [k][n], C [m][n] */
    size_t a_stride, b_stride, c_stride; /* from one batch to the next; 0 for A or B: the same for all */
    float alpha, beta;
} oct_sgemm;

#endif
