/* Runs an executor for a caller whose tensors lie in host memory and who waits for the results: sessions,
 * products, calibration, the tuner and the tests all run this way, on the executor's own buffers. Each call
 * waits before it returns, after a failure too, so nothing that is enqueued refers to the caller's memory any
 * more. */
#ifndef OCT_RUNNER_H
#define OCT_RUNNER_H

#include "executor.h"

typedef struct oct_host_memory {
    oct_mem mem;      /* an INPUT or OUTPUT memory of the recipe */
    const void *from; /* INPUT: its bytes */
    void *to;         /* OUTPUT: where its bytes go; NULL: it is an input, or has no bytes */
} oct_host_memory;

/* Upload the inputs, run, download the outputs. Errors: INVALID_ARGUMENT where a kernel has found an index
 * out of range, also in a run that nobody has waited for before; the outputs are then written. */
octet_status oct_runner_run(oct_executor *e, const oct_host_memory *memories, size_t count);
/* Only the first of these steps, or only the last, which tells likewise. */
octet_status oct_runner_upload(oct_executor *e, const oct_host_memory *memories, size_t count);
octet_status oct_runner_download(oct_executor *e, const oct_host_memory *memories, size_t count);
/* So many runs on what was uploaded before; *seconds: what all of them took. */
octet_status oct_runner_time(oct_executor *e, size_t runs, double *seconds);

#endif
