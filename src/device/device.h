/* OpenCL: discovery, capabilities, programs and their cache, buffers, the queue, counters. Knows nothing of
 * int8; everything vendor-specific is data in device_caps.c. Of the other layers only run calls
 * OpenCL itself, for the arguments of kernels and for events.
 *
 * Threads: all functions may be called from many threads on one oct_device. A cl_kernel must not be shared
 * between threads (clSetKernelArg): oct_device_kernel gives a new one each time. */
#ifndef OCT_DEVICE_H
#define OCT_DEVICE_H

#define CL_TARGET_OPENCL_VERSION          300
#define CL_USE_DEPRECATED_OPENCL_1_2_APIS /* clCreateCommandQueue: every driver has it */
#include <CL/cl.h>
#include <CL/cl_ext.h>

#include "caps.h"
#include "error.h"
#include "sgemm.h"
#include <octet/octet.h>
#include <stdbool.h>

/* item_words of GPUs of a vendor of this name. */
int oct_item_words(const char *vendor);

typedef struct oct_device oct_device;

/* Open by desc (see octet_context_desc), with an own context and in-order queue. */
octet_status oct_device_open(const octet_context_desc *desc, oct_device **device);
/* Adopt the caller's context and queue (retained). Errors: INVALID_ARGUMENT (not related, out-of-order
 * queue). */
octet_status oct_device_adopt(cl_context context, cl_command_queue queue, const octet_context_desc *desc,
                              oct_device **device);
void oct_device_retain(oct_device *device);
void oct_device_release(oct_device *device); /* NULL is fine */

const oct_caps *oct_device_caps(const oct_device *device);
cl_context oct_device_context(oct_device *device);
cl_command_queue oct_device_queue(oct_device *device);
void oct_device_log(oct_device *device, const char *fmt, ...) OCT_PRINTF(2, 3);
bool oct_device_logs(const oct_device *device); /* does anybody listen? */

octet_status oct_devices_count(size_t *count);
octet_status oct_devices_get(size_t index, octet_device_info *info);

/* A new kernel object of `entry` in the embedded source `file`, built with `options` (program cached in
 * memory per device and on disk). The caller releases it. Errors: DEVICE_ERROR with the build log's first
 * lines. */
octet_status oct_device_kernel(oct_device *device, const char *file, const char *entry, const char *options,
                               cl_kernel *kernel);
/* Build that program alone, if it is not there yet. The same errors. */
octet_status oct_device_need(oct_device *device, const char *file, const char *options);

/* What is known of a program on this device and driver, by its name, "FILE OPTIONS": found beside the
 * reference (run/trust), kept for later starts. */
typedef enum oct_verdict {
    OCT_UNTRIED,
    OCT_EXACT,
    OCT_INEXACT,
    OCT_BROKEN,  /* the driver cannot build or run it; known until the device is closed */
    OCT_UNPROVEN /* it could not be tried alone; likewise */
} oct_verdict;
oct_verdict oct_device_verdict(oct_device *device, const char *program,
                               const char **variant); /* whose; lives as long as the device */
/* variant: whose kernel it is. Errors: OUT_OF_MEMORY. */
octet_status oct_device_judge(oct_device *device, const char *program, oct_verdict verdict,
                              const char *variant);
/* Selection on this device passes this variant over from now on. Errors: DEVICE_ERROR (too many are). */
octet_status oct_device_distrust(oct_device *device, const char *variant); /* which lives as long */

/* Build these programs now, those that are not there yet, several at a time where that is faster
 * (OCTET_BUILD_THREADS threads, at most 8; else, on devices that are not CPUs and whose driver
 * stands it, as many as processors; one: nothing is done, each is built when it is asked for). Logs on the
 * calling thread. Errors: that of the first that fails, as above. */
typedef struct oct_program_name {
    const char *file, *options;
} oct_program_name;
octet_status oct_device_build(oct_device *device, const oct_program_name *programs, size_t count);

/* Device memory. bytes > 0. All buffers end with at least OCT_BUFFER_PAD readable bytes past `bytes`
 * (caps.h). What is held, padding included, is counted. */
octet_status oct_buffer_create(oct_device *device, size_t bytes, cl_mem *buffer);
void oct_buffer_release(oct_device *device, cl_mem buffer); /* NULL is fine */
/* Bytes of the largest buffer, OCT_BUFFER_PAD off, a multiple of `align`. */
size_t oct_buffer_largest(const oct_device *device, size_t align);

/* What a copy reads on the host: dense, or rows of row_bytes that lie row_stride apart there. */
typedef struct oct_host_data {
    const void *data;
    size_t bytes;                 /* all rows together, as they lie on the device */
    size_t row_bytes, row_stride; /* row_bytes 0: dense */
} oct_host_data;

/* Copies are counted by kind. Upload does not block: `data` must stay valid until the next oct_device_finish.
 */
typedef enum oct_traffic { OCT_TRAFFIC_WEIGHT, OCT_TRAFFIC_INPUT, OCT_TRAFFIC_OUTPUT } oct_traffic;
octet_status oct_device_upload(oct_device *device, oct_traffic kind, cl_mem buffer, size_t offset,
                               const oct_host_data *from);
octet_status oct_device_download(oct_device *device, oct_traffic kind, cl_mem buffer, size_t offset,
                                 void *data, size_t bytes);
/* Upload weights beside the queue, on one of their own, once `after` (an event of the queue) is complete;
 * *done is complete with the copy. What reads the copy must wait for that, and the caller releases it. `data`
 * must stay valid until then, or until oct_device_finish_after has been given a failure. */
octet_status oct_device_upload_beside(oct_device *device, cl_mem buffer, size_t offset,
                                      const oct_host_data *from, cl_event after, cl_event *done);
/* Whether the weights of the last upload have been taken from the host's memory when it returned. */
bool oct_device_copies_at_once(oct_device *device);
/* An event that is complete when everything enqueued so far is. */
octet_status oct_device_mark(oct_device *device, cl_event *event);
void oct_event_release(cl_event event); /* NULL is fine */
bool oct_event_is_over(cl_event event); /* done, or failed */
/* Commands that were enqueued and whose event then said that they failed: drivers go on with what is behind
 * them, and finish without an error. A count that has grown between two looks: something in between is not
 * what it should be, perhaps another thread's. Looks at the copies of weights that are complete. */
uint64_t oct_device_failures(oct_device *device);
/* Wait for the event's command, count it above if it failed, release the event. NULL is fine. */
void oct_device_settle(oct_device *device, cl_event event);

/* Enqueue a kernel whose arguments are set. local NULL: driver's choice. It waits for these events; event may
 * be NULL. */
octet_status oct_device_launch(oct_device *device, cl_kernel kernel, cl_uint dims, const size_t *global,
                               const size_t *local, cl_uint wait_count, const cl_event *waits,
                               cl_event *event);
/* Enqueue C = alpha A B + beta C by CLBlast, with A, B and C at these offsets, in bytes; the rest as above.
 * CLBlast compiles at its first call for a kind of product, and allocates in calls. Errors: UNSUPPORTED (a
 * build without CLBlast), INVALID_ARGUMENT (an offset that does not fit floats). */
octet_status oct_device_sgemm(oct_device *device, const oct_sgemm *product, const cl_mem buffers[3],
                              const size_t offsets[3], cl_uint wait_count, const cl_event *waits,
                              cl_event *event);
octet_status oct_device_finish(oct_device *device); /* wait for everything enqueued; counted as one wait */
/* Finish, also after a failure (enqueued copies refer to the caller's memory) and then uploads beside the
 * queue too; gives back `status` and its text if it is one, else what finishing gave. */
octet_status oct_device_finish_after(oct_device *device, octet_status status);
/* Wait for everything, uploads beside the queue too, whether it succeeds or not; not counted. */
void oct_device_quiesce(oct_device *device);
/* Is this caller-owned buffer of the device's context and large enough? Errors: INVALID_ARGUMENT, by `name`.
 */
octet_status oct_buffer_check(oct_device *device, cl_mem buffer, size_t offset, size_t bytes,
                              const char *name);

bool oct_device_profiling(const oct_device *device);
/* Start and end of a finished event, device clock, ns. Releases the event. */
octet_status oct_event_times(cl_event event, uint64_t *start_ns, uint64_t *end_ns);

void oct_device_counters(oct_device *device, octet_counters *counters);
void oct_device_counters_reset(oct_device *device);
/* What this thread does between these two is nobody's work and is not counted: probes. They may nest. */
void oct_device_pause_counters(void);
void oct_device_resume_counters(void);
/* Constants of an executor are on the device: that took so long. */
void oct_device_count_load(oct_device *device, double seconds);

/* A DEVICE_ERROR, OUT_OF_MEMORY or NO_DEVICE failure for an OpenCL error code, "clFoo: CL_BAR (-5)". */
octet_status oct_cl_fail(cl_int error, const char *call);
/* The same for a call on this device, which may be lost: DEVICE_LOST then, now and from all that is called
 * for it. */
octet_status oct_device_fail(oct_device *device, cl_int error, const char *call);
bool oct_device_is_lost(const oct_device *device);
/* DEVICE_LOST, with its text, of a device that is. */
octet_status oct_device_check(const oct_device *device);
const char *oct_cl_error_name(cl_int error);

#endif
