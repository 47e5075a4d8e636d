/* What Octet's own benchmarks, tuner and tests ask beyond octet.h: names of kernel variants, times of
 * kernels, the device's ceiling, the tuning file. EXPERIMENTAL: all of it may change or go with any version,
 * patches too; the names of variants and kernels change whenever the kernels do. Not for programs that have
 * to outlive the Octet they are built with. Two fields of octet.h belong here by their nature:
 * octet_gemm_desc.variant and the variants and spread of octet_tune_result. */
#ifndef OCTET_EXPERIMENTAL_H
#define OCTET_EXPERIMENTAL_H

#include <octet/octet.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Measure the peak of 8-bit multiply-adds, in 10^9 operations per second (two per multiply-add): the
 * ceiling of what a gemm and a session can reach. Takes some tens of milliseconds.
 * Errors: UNSUPPORTED where there is no dot path to measure, OUT_OF_MEMORY, DEVICE_ERROR; *gops is then 0. */
OCTET_API octet_status octet_context_ceiling(octet_context *context, double *gops);

/* A kernel that names instructions of a processor, which only its result tells whether a driver has
 * understood: such a program is tried beside the reference before it is first used, and passed over where it
 * is not exact. */
typedef struct octet_kernel_check {
    size_t struct_size;
    const char *variant; /* the kernel variant; both texts live during the call only */
    const char *program; /* "FILE OPTIONS": as it is built */
    int exact; /* 1: its result is the reference's; 0: it is not, or cannot be built or run, and is not used
                */
} octet_kernel_check;
/* Called for each; not 0 ends it. */
typedef int octet_check_fn(void *user, const octet_kernel_check *check);
/* Try all that the context's device may be given now: some tens of seconds where nothing is cached. Verdicts
 * are kept in the user's cache folder. Errors: INVALID_ARGUMENT (`told` is NULL, or ended it), OUT_OF_MEMORY,
 * DEVICE_ERROR. */
OCTET_API octet_status octet_context_check(octet_context *context, octet_check_fn *told, void *user);

/* Name of GEMM variant `index` of those that this context's device can run, for octet_gemm_desc.variant;
 * NULL past the last. Static. */
OCTET_API const char *octet_gemm_variant_name(octet_context *context, size_t index);
/* The kernel variant that a gemm uses; "" for NULL. Static. */
OCTET_API const char *octet_gemm_variant(const octet_gemm *gemm);
/* Enqueue `count` runs on operands that stay on the device (those of the last octet_gemm_run) and wait:
 * *seconds is the wall time of all of them. Errors: OUT_OF_MEMORY, DEVICE_ERROR. */
OCTET_API octet_status octet_gemm_time(octet_gemm *gemm, size_t count, double *seconds);

/* Time of one kernel of a session's last octet_session_run, where the context was created with `profiling`.
 */
typedef struct octet_kernel_time {
    size_t struct_size;
    const char *node;          /* name of the ONNX node that it works for, or "" */
    const char *kernel;        /* its name; both live until the session is used again */
    uint64_t start_ns, end_ns; /* device clock */
} octet_kernel_time;
/* Kernels of the last run; 0 for NULL, before a run, after one that failed, and without profiling. */
OCTET_API size_t octet_session_kernel_count(const octet_session *session);
/* Kernel `index` of them, in the order they ran. Errors: INVALID_ARGUMENT (index out of range). */
OCTET_API octet_status octet_session_kernel_time(const octet_session *session, size_t index,
                                                 octet_kernel_time *time);

/* Tell `row` each problem that the tuning file of the context's device holds now; seconds and tried are 0,
 * usual_variant and dropped "". A file that is damaged, or not of this device, driver and version, holds
 * nothing.
 * Errors: INVALID_ARGUMENT (`row` ended it), OUT_OF_MEMORY. */
OCTET_API octet_status octet_tuning_list(octet_context *context, octet_tune_fn *row, void *user);
/* The path of that file into path[size], cut to fit; "" where there is no cache folder. It need not exist.
 * Errors: INVALID_ARGUMENT (size is 0). */
OCTET_API octet_status octet_tuning_file(const octet_context *context, char *path, size_t size);

#ifdef __cplusplus
}
#endif
#endif
