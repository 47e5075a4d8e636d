/* What making an executor (executor_load.c) and running it (executor.c, runner.c) share; for these files
 * only. */
#ifndef OCT_EXECUTOR_PRIV_H
#define OCT_EXECUTOR_PRIV_H

#include "executor.h"
#include "memory_plan.h"

typedef struct bound_launch {
    cl_kernel kernel; /* NULL: a library call, */
    oct_sgemm product;
    cl_mem operands[3];
    size_t offsets[3];
    cl_uint dims;
    size_t global[3], local[3];
    int node;
    const char *name; /* kernel function; static storage */
    cl_event event;   /* of the last run, when profiling */
} bound_launch;

/* A kernel argument pair that lies in scratch memory, which may move, or is the host's, where the caller's
 * buffer may take its place. */
typedef struct patch {
    oct_mem mem;   /* OCT_MEM_NONE: an absent operand */
    size_t offset; /* in the memory */
    size_t launch;
    cl_uint index;
} patch;

/* A constant to upload in every run; launches are those of the run list. */
typedef struct bound_stream {
    oct_host_data from;
    size_t offset;       /* in scratch */
    size_t start, first; /* may begin when launches before `start` are done; `first` reads it */
    cl_event done;       /* of the last run, until it is waited for */
} bound_stream;

struct oct_executor {
    oct_device *device;
    oct_store *store, own_store;
    bound_launch *run;
    size_t run_count, load_count;
    patch *patches;
    size_t patch_count;
    bound_stream *streams;
    size_t stream_count;
    oct_mem_info *mems; /* sizes and kinds; host pointers are cleared */
    oct_place *places;  /* in runs */
    int mem_count;
    size_t arena_bytes, scratch_bytes, weight_bytes, streamed_bytes;
    uint64_t scratch_generation; /* that the arguments are set for */
    oct_launch_time *times;
    cl_mem flag;   /* where kernels note a number out of range; NULL: no launch has any to check */
    oct_flag seen; /* as the last download found it */
    oct_check *checks;
    oct_arena texts;   /* of checks */
    bool external;     /* some memory is a buffer of the caller's */
    uint64_t failures; /* of the device (oct_device_failures) when the last run began */
};

/* Copy into / out of an INPUT / OUTPUT memory of the recipe. Neither waits: data must stay valid until the
 * next oct_device_finish. */
octet_status oct_executor_upload(oct_executor *e, oct_mem mem, const void *data);
octet_status oct_executor_download(oct_executor *e, oct_mem mem, void *data);
octet_status oct_executor_use_own_buffers(oct_executor *e);

/* What the launches enqueued so far have found out of range: enqueue reading it, and after the next
 * oct_device_finish tell. A flag that was raised is lowered again. Errors: INVALID_ARGUMENT (node, tensor,
 * position, number, and what is in range). Both do nothing where there is nothing to check. */
octet_status oct_executor_read_flag(oct_executor *e);
octet_status oct_executor_check_flag(oct_executor *e);
/* Enqueue lowering it. */
octet_status oct_executor_lower_flag(oct_executor *e);
/* What is streamed fails behind the queue's back, and so does what only events know of. After the last run
 * has been waited for: DEVICE_ERROR if something did. */
octet_status oct_executor_settle(oct_executor *e);

/* A place in memory made of several buffers. */
cl_mem oct_region_at(const oct_store *s, const oct_region_buffers *region, size_t *offset);
/* Argument `index` of a kernel counts both of a memory's. */
octet_status oct_set_mem_arg(const oct_executor *e, bound_launch *l, cl_uint index, cl_mem buffer,
                             size_t offset);
octet_status oct_executor_enqueue(oct_executor *e, bound_launch *l, cl_uint wait_count, const cl_event *waits,
                                  cl_event *event);

#endif
