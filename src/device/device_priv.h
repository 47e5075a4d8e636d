/* Inside of oct_device, for the files of this folder only. */
#ifndef OCT_DEVICE_PRIV_H
#define OCT_DEVICE_PRIV_H

#include "device.h"
#include "distrust.h"
#include "environment.h"
#include "tuning.h"

#include <pthread.h>
#include <stdatomic.h>

typedef struct oct_program_entry oct_program_entry; /* programs.c */
typedef struct oct_verdict_entry oct_verdict_entry; /* verdicts.c */

/* Indices of oct_device.counters. */
enum {
    COUNT_WEIGHT_UP,
    COUNT_INPUT_UP,
    COUNT_OUTPUT_DOWN,
    COUNT_TRANSFERS,
    COUNT_LAUNCHES,
    COUNT_WAITS,
    COUNT_BUILT,
    COUNT_CACHED,
    COUNT_LOAD_NS,
    COUNTER_COUNT
};

#define OCT_STAGING_PIECES 2

typedef struct oct_copiers oct_copiers;

/* Pinned host memory that weights pass through (staging.c). */
typedef struct oct_staging {
    pthread_mutex_t lock;
    size_t piece_bytes; /* 0: none */
    cl_mem buffer[OCT_STAGING_PIECES];
    unsigned char *at[OCT_STAGING_PIECES]; /* mapped */
    cl_event busy[OCT_STAGING_PIECES];     /* the copy out of it that was enqueued last */
    int turn;
    oct_copiers *copiers; /* NULL: not started */
} oct_staging;

struct oct_device {
    atomic_int references;
    cl_platform_id platform;
    cl_device_id id;
    cl_context context;
    cl_command_queue queue;
    _Atomic(cl_command_queue) upload_queue; /* made when it is first needed */
    bool profiling;
    oct_caps caps;
    atomic_int lost; /* the error that told so; CL_SUCCESS: it is there */
    octet_log_fn log;
    void *log_user;
    pthread_mutex_t programs_lock;
    oct_program_entry *programs;
    pthread_mutex_t verdicts_lock;
    oct_verdict_entry *verdicts;
    oct_distrust distrust;
    char *cache_dir; /* NULL: no disk cache */
    oct_tuning tuning;
    oct_environment environment;
    uint64_t real_bytes; /* of memory there really is, for tests; 0: whatever the driver gives */
    atomic_bool used_blas;
    oct_staging staging;
    atomic_uint_fast64_t failures; /* commands whose events say that they failed */
    atomic_uint_fast64_t counters[COUNTER_COUNT];
    atomic_uint_fast64_t held_bytes, peak_bytes; /* of buffers */
};

/* cl_errors.c: where calls succeed on a device that is gone, its driver may still know. */
octet_status oct_device_check_available(oct_device *device, const char *call);

/* device_caps.c: everything that is asked of a driver. */
octet_status oct_caps_query(cl_platform_id platform, cl_device_id id, oct_caps *caps);
void oct_caps_name_paths(oct_caps *caps); /* info.dot4, info.matrix from the rest */
/* Take this dot product path. Errors: INVALID_ARGUMENT (unknown, or the device does not have it). */
octet_status oct_caps_choose_dot4(oct_caps *caps, const char *name);
/* dot4_probe.c: paths that only running a kernel tells; then OCTET_DOT4, for tests and developers. */
octet_status oct_device_probe_dot4(oct_device *device);
/* x86_probe.c: what of an x86 processor kernels may use. By its answers to CPUID, kernels/probe_x86.cl has
 * them in order; false: they make no sense, and nothing is used. */
enum { OCT_X86_ANSWERS = 8 };
bool oct_x86_take(const cl_uint answers[OCT_X86_ANSWERS], oct_caps *caps);
void oct_x86_host(oct_caps *caps); /* this host's */
/* That of a device behind a server, by running a kernel there, and by what is kept of that. */
void oct_device_probe_x86(oct_device *device);
void oct_x86_known(cl_device_id id, oct_caps *caps, const oct_environment *environment);
#define OCT_DEVICE_REMOTE_SERVER_IP_POCL 0x4503 /* PoCL's cl_ext_pocl.h: text, of remote devices only */

/* local_probe.c: caps.info.local_bytes becomes what a kernel can have; GPUs only, or as OCTET_PROBE says. Of
 * a device that is not open: what is known of it. */
void oct_device_probe_local(oct_device *device);
void oct_local_known(octet_device_info *info, const oct_environment *environment);
/* blas.c */
bool oct_blas_built(void);
void oct_blas_forget(oct_device *device);
/* traffic.c */
void oct_count(oct_device *device, int which, uint64_t n);
/* programs.c */
void oct_programs_free(oct_device *device);

/* verdicts.c: what earlier starts found, and caps.distrust, which is empty. Of a device that is not open: the
 * variants that are known not to be exact, into info->distrusted. */
void oct_verdicts_load(oct_device *device);
void oct_verdicts_free(oct_device *device);
void oct_verdicts_known(octet_device_info *info, const oct_environment *environment);

/* A file of kernels/ as it is, malloc'd (also where it fails); for what is not a kernel. */
octet_status oct_kernel_text(const oct_device *device, const char *path, char **text);

/* tuning.c: the rows of this user's file for the device and, behind them, those that come with the library,
 * kept in the device. A file that is not there or not right gives none. */
void oct_tuning_load(oct_device *device);
void oct_tuning_unload(oct_device *device);

/* disk_cache.c: files between processes. Everything that goes wrong is a miss or a write that did not happen,
 * never an error. */
char *oct_disk_cache_folder(const char *wanted,
                            const oct_environment *environment); /* malloc'd; NULL: no cache */
typedef struct oct_cache_piece {
    const void *data;
    size_t bytes;
} oct_cache_piece;
/* A file of the folder, malloc'd, with a zero byte behind it; NULL: none that can be trusted. */
void *oct_cache_read(const char *folder, const char *name, size_t *bytes);
/* Whole or not at all. */
bool oct_cache_write(const char *folder, const char *name, const oct_cache_piece *pieces, size_t count);
bool oct_cache_remove(const char *folder, const char *name); /* true: it is not there now */
/* A binary for exactly this key, malloc'd; NULL: none. */
unsigned char *oct_disk_cache_get(const char *folder, const char *key, size_t *bytes);
void oct_disk_cache_put(const char *folder, const char *key, const unsigned char *binary, size_t bytes);

/* staging.c: write through pinned memory. false: the device has no staging, nothing was done. after, done: as
 * for oct_device_upload_beside, NULL where there is nothing to wait for or nobody asks; *done only without an
 * error. */
size_t oct_staging_bytes(const oct_caps *caps, const oct_environment *environment);
bool oct_staging_write(oct_device *device, cl_command_queue queue, cl_mem buffer, size_t offset,
                       const oct_host_data *from, cl_event after, cl_event *done, cl_int *err);
/* Settle the copies that are complete. */
void oct_staging_look(oct_device *device);
void oct_staging_close(oct_device *device);
/* copiers.c: bytes [first, first + count) of `from`, as they lie on the device; together: by several threads,
 * which are started when there are none. One copy at a time. */
void oct_copiers_copy(oct_copiers **copiers, bool together, const oct_host_data *from, size_t first,
                      size_t count, unsigned char *to);
void oct_copiers_stop(oct_copiers *copiers);

#endif
