/* octet_gemm: a network of one product. Descs come with their defaults filled in and checked. Belongs to one
 * thread at a time. */
#ifndef OCT_GEMM_SESSION_H
#define OCT_GEMM_SESSION_H

#include "runner.h"

struct octet_gemm {
    oct_device *device;
    oct_executor *executor;
    const char *variant;
    oct_mem a, b, c;
    size_t a_bytes, b_bytes, c_bytes;
    size_t c_rows, c_row_bytes, c_stride_bytes; /* what a run writes of the caller's C */
    unsigned char *c_image;                     /* C as on the device, when its rows have gaps; else NULL */
    bool b_is_runtime;
};

/* Uploads and packs b, which is NULL where it comes with each run. */
octet_status oct_gemm_session_make(oct_device *device, const octet_gemm_desc *desc, const void *b,
                                   octet_gemm **gemm);
void oct_gemm_session_free(octet_gemm *gemm); /* NULL is fine */

/* The recipe of this product, for tuning; B is not read, so it must not be run. */
octet_status oct_gemm_session_recipe(oct_device *device, const octet_gemm_desc *desc, oct_recipe *recipe);

octet_status oct_gemm_session_run(octet_gemm *gemm, const void *a, const void *b, void *c);

#endif
