/* An OpenCL layer (ocl-icd: OPENCL_LAYERS) that makes calls fail and counts live objects. What fails is told
 * by fault_layer.h, or to a program that knows nothing of this by the environment:
 *   OCTET_FAULT_CALL=N   the N-th call fails; 0 or unset: none
 *   OCTET_FAULT_CODE=C   with this error (default -5, CL_OUT_OF_RESOURCES)
 *   OCTET_FAULT_STICKY=1 and so does every one after it
 *   OCTET_FAULT_KIND=K   of all calls (default), or counted among those of fault_kind K
 *   OCTET_FAULT_LOCAL=B  kernels that are given more than B bytes of local memory are not launched
 *   OCTET_FAULT_REMOTE=1 devices say that they are behind a server, as those of PoCL-Remote do
 *   OCTET_FAULT_LOG=FILE at exit: "calls N live M", M being objects created and not released
 * Objects are counted by references: create and retain add one, release takes one. tests/fault_layer/check.sh
 * holds the list of calls to what Octet calls. */
#define CL_TARGET_OPENCL_VERSION 300
#define CL_USE_DEPRECATED_OPENCL_1_2_APIS
#include <CL/cl.h>
#include <CL/cl_layer.h>

#include "fault_layer.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const cl_icd_dispatch *next;
static cl_icd_dispatch table;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static fault_order order;
static fault_seen seen;
static long local_limit;
static bool says_remote;
static cl_kernel too_large; /* the last kernel that was given too much */

/* Handles of one sort, to know them again: programs of binaries, parts of devices, events that failed. */
enum { MOST_HANDLES = 1024 };
typedef struct handle_set {
    void *at[MOST_HANDLES];
    size_t count;
} handle_set;
static handle_set of_binaries, parts, failed; /* the latter two once for each reference */

static void put(handle_set *set, void *handle)
{
    pthread_mutex_lock(&lock);
    if (set->count == MOST_HANDLES)
        abort();
    set->at[set->count++] = handle;
    pthread_mutex_unlock(&lock);
}

static bool has(handle_set *set, const void *handle, bool take)
{
    bool found = false;
    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < set->count && !found; i++) {
        found = set->at[i] == handle;
        if (found && take)
            set->at[i] = set->at[--set->count];
    }
    pthread_mutex_unlock(&lock);
    return found;
}

static bool fails(fault_kind kind, const char *name)
{
    pthread_mutex_lock(&lock);
    long n = ++seen.calls[kind];
    bool now = kind == order.kind && order.at && (n == order.at || (order.sticky && n > order.at));
    if (now && seen.fired++ == 0)
        seen.name = name;
    pthread_mutex_unlock(&lock);
    return now;
}

static void count(long step)
{
    pthread_mutex_lock(&lock);
    seen.live += step;
    pthread_mutex_unlock(&lock);
}

void fault_layer_order(const fault_order *wanted)
{
    pthread_mutex_lock(&lock);
    long live = seen.live;
    order = *wanted;
    seen = (fault_seen){.live = live};
    pthread_mutex_unlock(&lock);
}

void fault_layer_look(fault_seen *out)
{
    pthread_mutex_lock(&lock);
    *out = seen;
    pthread_mutex_unlock(&lock);
}

/* ---- forms of calls ------------------------------------------------------------------------------------ */

/* Calls that make an object and report through a pointer. */
#define CREATE(type, name, parameters, arguments)                                                            \
    static type CL_API_CALL my_##name parameters                                                             \
    {                                                                                                        \
        if (fails(FAULT_CALL, #name)) {                                                                      \
            if (error)                                                                                       \
                *error = order.code;                                                                         \
            return NULL;                                                                                     \
        }                                                                                                    \
        type made = next->name arguments;                                                                    \
        count(made != NULL);                                                                                 \
        return made;                                                                                         \
    }

/* Calls that return their status. */
#define PLAIN(name, parameters, arguments)                                                                   \
    static cl_int CL_API_CALL my_##name parameters                                                           \
    {                                                                                                        \
        return fails(FAULT_CALL, #name) ? order.code : next->name arguments;                                 \
    }

/* A wait that fails has waited all the same, and a release has released: what was enqueued does not go on
 * behind the caller's back, or nobody could ever free what it reads. */
#define DONE(name, parameters, arguments, step)                                                              \
    static cl_int CL_API_CALL my_##name parameters                                                           \
    {                                                                                                        \
        cl_int status = next->name arguments;                                                                \
        count(step);                                                                                         \
        return fails(FAULT_CALL, #name) ? order.code : status;                                               \
    }
#define RELEASE(name, type) DONE(name, (type object), (object), -1)
#define RETAIN(name, type)                                                                                   \
    static cl_int CL_API_CALL my_##name(type object)                                                         \
    {                                                                                                        \
        cl_int status = fails(FAULT_CALL, #name) ? order.code : next->name(object);                          \
        count(status == CL_SUCCESS);                                                                         \
        return status;                                                                                       \
    }

static bool any_failed(cl_uint n, const cl_event *list)
{
    for (cl_uint i = 0; i < n; i++) {
        if (has(&failed, list[i], false))
            return true;
    }
    return false;
}

/* A command that will have failed by the time anybody looks: its event says so, and those that wait for it
 * fail like it; others of the queue go on, and clFinish is content. So PoCL 8 and rusticl do it; PoCL 3.1
 * hangs where it is given such an event, so it never is. */
static cl_int fail_later(cl_command_queue queue, cl_event *event)
{
    cl_int status = event ? next->clEnqueueMarkerWithWaitList(queue, 0, NULL, event) : CL_SUCCESS;
    if (status == CL_SUCCESS && event) {
        count(1);
        put(&failed, *event);
    }
    return status;
}

/* Commands. They may hand out an event, which is an object too. */
#define COMMAND_UNLESS(name, refused, parameters, arguments)                                                 \
    static cl_int CL_API_CALL my_##name parameters                                                           \
    {                                                                                                        \
        if (fails(FAULT_CALL, #name))                                                                        \
            return order.code;                                                                               \
        if (refused)                                                                                         \
            return CL_OUT_OF_RESOURCES;                                                                      \
        if ((event && fails(FAULT_EVENT, #name)) || any_failed(waits, list))                                 \
            return fail_later(queue, event);                                                                 \
        cl_int status = next->name arguments;                                                                \
        count(status == CL_SUCCESS && event);                                                                \
        return status;                                                                                       \
    }
#define COMMAND(name, parameters, arguments) COMMAND_UNLESS(name, false, parameters, arguments)

typedef void(CL_CALLBACK *context_notify)(const char *, const void *, size_t, void *);
typedef void(CL_CALLBACK *program_notify)(cl_program, void *);
typedef void(CL_CALLBACK *event_notify)(cl_event, cl_int, void *);
typedef const cl_event *events;

CREATE(cl_context, clCreateContext,
       (const cl_context_properties *properties, cl_uint n, const cl_device_id *devices,
        context_notify notify, void *user, cl_int *error),
       (properties, n, devices, notify, user, error))
CREATE(cl_command_queue, clCreateCommandQueue,
       (cl_context context, cl_device_id device, cl_command_queue_properties properties, cl_int *error),
       (context, device, properties, error))
CREATE(cl_command_queue, clCreateCommandQueueWithProperties,
       (cl_context context, cl_device_id device, const cl_queue_properties *properties, cl_int *error),
       (context, device, properties, error))
CREATE(cl_mem, clCreateBuffer,
       (cl_context context, cl_mem_flags flags, size_t size, void *host, cl_int *error),
       (context, flags, size, host, error))
CREATE(cl_mem, clCreateSubBuffer,
       (cl_mem buffer, cl_mem_flags flags, cl_buffer_create_type type, const void *info, cl_int *error),
       (buffer, flags, type, info, error))
CREATE(cl_program, clCreateProgramWithSource,
       (cl_context context, cl_uint n, const char **strings, const size_t *lengths, cl_int *error),
       (context, n, strings, lengths, error))
CREATE(cl_kernel, clCreateKernel, (cl_program program, const char *name, cl_int *error),
       (program, name, error))
CREATE(cl_event, clCreateUserEvent, (cl_context context, cl_int *error), (context, error))

static cl_program CL_API_CALL my_clCreateProgramWithBinary(cl_context context, cl_uint n,
                                                           const cl_device_id *devices, const size_t *lengths,
                                                           const unsigned char **binaries, cl_int *status,
                                                           cl_int *error)
{
    bool refused = fails(FAULT_BINARY, __func__ + 3);
    if (fails(FAULT_CALL, __func__ + 3) || refused) {
        if (error)
            *error = order.code;
        return NULL;
    }
    cl_program made = next->clCreateProgramWithBinary(context, n, devices, lengths, binaries, status, error);
    count(made != NULL);
    if (made)
        put(&of_binaries, made);
    return made;
}

static cl_int CL_API_CALL my_clBuildProgram(cl_program program, cl_uint n, const cl_device_id *devices,
                                            const char *options, program_notify notify, void *user)
{
    bool refused = has(&of_binaries, program, false) && fails(FAULT_BINARY, __func__ + 3);
    return fails(FAULT_CALL, __func__ + 3) || refused
               ? order.code
               : next->clBuildProgram(program, n, devices, options, notify, user);
}

static cl_int CL_API_CALL my_clReleaseProgram(cl_program program)
{
    has(&of_binaries, program, true);
    cl_int status = next->clReleaseProgram(program);
    count(-1);
    return fails(FAULT_CALL, __func__ + 3) ? order.code : status;
}

/* Only parts of devices are objects. */
static cl_int CL_API_CALL my_clCreateSubDevices(cl_device_id device, const cl_device_partition_property *how,
                                                cl_uint n, cl_device_id *out, cl_uint *made)
{
    cl_uint there = 0;
    cl_int status =
        fails(FAULT_CALL, __func__ + 3) ? order.code : next->clCreateSubDevices(device, how, n, out, &there);
    for (cl_uint i = 0; status == CL_SUCCESS && out && i < there && i < n; i++) {
        put(&parts, out[i]);
        count(1);
    }
    if (made)
        *made = there;
    return status;
}

static cl_int CL_API_CALL my_clRetainDevice(cl_device_id device)
{
    if (fails(FAULT_CALL, __func__ + 3))
        return order.code;
    if (has(&parts, device, false)) {
        put(&parts, device); /* once for each reference */
        count(1);
    }
    return next->clRetainDevice(device);
}

static cl_int CL_API_CALL my_clReleaseDevice(cl_device_id device)
{
    if (has(&parts, device, true))
        count(-1);
    cl_int status = next->clReleaseDevice(device);
    return fails(FAULT_CALL, __func__ + 3) ? order.code : status;
}

/* A driver finds out about local memory at the launch. */
static cl_int CL_API_CALL my_clSetKernelArg(cl_kernel kernel, cl_uint index, size_t size, const void *value)
{
    if (!value && local_limit)
        too_large = (long)size > local_limit ? kernel : NULL;
    return fails(FAULT_CALL, __func__ + 3) ? order.code : next->clSetKernelArg(kernel, index, size, value);
}

static void *CL_API_CALL my_clEnqueueMapBuffer(cl_command_queue queue, cl_mem buffer, cl_bool blocking,
                                               cl_map_flags flags, size_t offset, size_t size, cl_uint waits,
                                               events list, cl_event *event, cl_int *error)
{
    if (fails(FAULT_CALL, __func__ + 3)) {
        if (error)
            *error = order.code;
        return NULL;
    }
    void *mapped =
        next->clEnqueueMapBuffer(queue, buffer, blocking, flags, offset, size, waits, list, event, error);
    count(mapped && event);
    return mapped;
}

PLAIN(clGetPlatformIDs, (cl_uint n, cl_platform_id *out, cl_uint *made), (n, out, made))
PLAIN(clGetDeviceIDs,
      (cl_platform_id platform, cl_device_type type, cl_uint n, cl_device_id *out, cl_uint *made),
      (platform, type, n, out, made))

/* What is asked of an object. */
#define ASK(name, type, what)                                                                                \
    PLAIN(name, (type object, what which, size_t size, void *value, size_t *size_out),                       \
          (object, which, size, value, size_out))
ASK(clGetPlatformInfo, cl_platform_id, cl_platform_info)
ASK(clGetContextInfo, cl_context, cl_context_info)
ASK(clGetCommandQueueInfo, cl_command_queue, cl_command_queue_info)
ASK(clGetMemObjectInfo, cl_mem, cl_mem_info)
ASK(clGetProgramInfo, cl_program, cl_program_info)
ASK(clGetKernelInfo, cl_kernel, cl_kernel_info)
/* PoCL's CL_DEVICE_REMOTE_SERVER_IP_POCL. */
enum { SERVER_ADDRESS = 0x4503 };

static cl_int CL_API_CALL my_clGetDeviceInfo(cl_device_id device, cl_device_info what, size_t size,
                                             void *value, size_t *size_out)
{
    static const char address[] = "192.0.2.1";
    if (fails(FAULT_CALL, "clGetDeviceInfo"))
        return order.code;
    if (what != SERVER_ADDRESS || !says_remote)
        return next->clGetDeviceInfo(device, what, size, value, size_out);
    if (value && size < sizeof address)
        return CL_INVALID_VALUE;
    if (value)
        memcpy(value, address, sizeof address);
    if (size_out)
        *size_out = sizeof address;
    return CL_SUCCESS;
}
PLAIN(clGetProgramBuildInfo,
      (cl_program program, cl_device_id device, cl_program_build_info which, size_t size, void *value,
       size_t *size_out),
      (program, device, which, size, value, size_out))
PLAIN(clGetKernelArgInfo,
      (cl_kernel kernel, cl_uint index, cl_kernel_arg_info which, size_t size, void *value, size_t *size_out),
      (kernel, index, which, size, value, size_out))
PLAIN(clGetKernelWorkGroupInfo,
      (cl_kernel kernel, cl_device_id device, cl_kernel_work_group_info which, size_t size, void *value,
       size_t *size_out),
      (kernel, device, which, size, value, size_out))
PLAIN(clSetEventCallback, (cl_event event, cl_int type, event_notify notify, void *user),
      (event, type, notify, user))
PLAIN(clSetUserEventStatus, (cl_event event, cl_int status), (event, status))
PLAIN(clFlush, (cl_command_queue queue), (queue))
DONE(clFinish, (cl_command_queue queue), (queue), 0)

static cl_int CL_API_CALL my_clWaitForEvents(cl_uint n, events list)
{
    cl_int status = next->clWaitForEvents(n, list);
    return fails(FAULT_CALL, __func__ + 3) ? order.code
           : any_failed(n, list)           ? CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST
                                           : status;
}

static cl_int CL_API_CALL my_clGetEventInfo(cl_event event, cl_event_info which, size_t size, void *value,
                                            size_t *size_out)
{
    if (fails(FAULT_CALL, __func__ + 3))
        return order.code;
    cl_int status = next->clGetEventInfo(event, which, size, value, size_out);
    if (status == CL_SUCCESS && which == CL_EVENT_COMMAND_EXECUTION_STATUS && value && any_failed(1, &event))
        *(cl_int *)value = order.code;
    return status;
}

static cl_int CL_API_CALL my_clGetEventProfilingInfo(cl_event event, cl_profiling_info which, size_t size,
                                                     void *value, size_t *size_out)
{
    return fails(FAULT_CALL, __func__ + 3) ? order.code
           : any_failed(1, &event)         ? CL_PROFILING_INFO_NOT_AVAILABLE
                                   : next->clGetEventProfilingInfo(event, which, size, value, size_out);
}

static cl_int CL_API_CALL my_clRetainEvent(cl_event event)
{
    if (fails(FAULT_CALL, __func__ + 3))
        return order.code;
    if (any_failed(1, &event))
        put(&failed, event);
    count(1);
    return next->clRetainEvent(event);
}

static cl_int CL_API_CALL my_clReleaseEvent(cl_event event)
{
    has(&failed, event, true);
    count(-1);
    cl_int status = next->clReleaseEvent(event);
    return fails(FAULT_CALL, __func__ + 3) ? order.code : status;
}

COMMAND_UNLESS(clEnqueueNDRangeKernel, too_large &&too_large == kernel,
               (cl_command_queue queue, cl_kernel kernel, cl_uint dims, const size_t *offset,
                const size_t *global, const size_t *local, cl_uint waits, events list, cl_event *event),
               (queue, kernel, dims, offset, global, local, waits, list, event))
COMMAND(clEnqueueReadBuffer,
        (cl_command_queue queue, cl_mem buffer, cl_bool blocking, size_t offset, size_t size, void *data,
         cl_uint waits, events list, cl_event *event),
        (queue, buffer, blocking, offset, size, data, waits, list, event))
COMMAND(clEnqueueWriteBuffer,
        (cl_command_queue queue, cl_mem buffer, cl_bool blocking, size_t offset, size_t size,
         const void *data, cl_uint waits, events list, cl_event *event),
        (queue, buffer, blocking, offset, size, data, waits, list, event))
COMMAND(clEnqueueWriteBufferRect,
        (cl_command_queue queue, cl_mem buffer, cl_bool blocking, const size_t *to, const size_t *from,
         const size_t *region, size_t row, size_t slice, size_t host_row, size_t host_slice, const void *data,
         cl_uint waits, events list, cl_event *event),
        (queue, buffer, blocking, to, from, region, row, slice, host_row, host_slice, data, waits, list,
         event))
COMMAND(clEnqueueCopyBuffer,
        (cl_command_queue queue, cl_mem from, cl_mem to, size_t from_offset, size_t to_offset, size_t size,
         cl_uint waits, events list, cl_event *event),
        (queue, from, to, from_offset, to_offset, size, waits, list, event))
COMMAND(clEnqueueFillBuffer,
        (cl_command_queue queue, cl_mem buffer, const void *pattern, size_t pattern_size, size_t offset,
         size_t size, cl_uint waits, events list, cl_event *event),
        (queue, buffer, pattern, pattern_size, offset, size, waits, list, event))
COMMAND(clEnqueueUnmapMemObject,
        (cl_command_queue queue, cl_mem object, void *mapped, cl_uint waits, events list, cl_event *event),
        (queue, object, mapped, waits, list, event))
COMMAND(clEnqueueMigrateMemObjects,
        (cl_command_queue queue, cl_uint n, const cl_mem *objects, cl_mem_migration_flags flags,
         cl_uint waits, events list, cl_event *event),
        (queue, n, objects, flags, waits, list, event))
COMMAND(clEnqueueMarkerWithWaitList, (cl_command_queue queue, cl_uint waits, events list, cl_event *event),
        (queue, waits, list, event))
COMMAND(clEnqueueBarrierWithWaitList, (cl_command_queue queue, cl_uint waits, events list, cl_event *event),
        (queue, waits, list, event))

RELEASE(clReleaseContext, cl_context)
RELEASE(clReleaseCommandQueue, cl_command_queue)
RELEASE(clReleaseMemObject, cl_mem)
RELEASE(clReleaseKernel, cl_kernel)
RETAIN(clRetainContext, cl_context)
RETAIN(clRetainCommandQueue, cl_command_queue)
RETAIN(clRetainMemObject, cl_mem)
RETAIN(clRetainProgram, cl_program)
RETAIN(clRetainKernel, cl_kernel)

/* ---- the layer ----------------------------------------------------------------------------------------- */

static void report(void)
{
    const char *path = getenv("OCTET_FAULT_LOG");
    FILE *f = path ? fopen(path, "w") : NULL;
    if (f) {
        fprintf(f, "calls %ld live %ld\n", seen.calls[order.kind], seen.live);
        fclose(f);
    }
}

static long number(const char *name, long otherwise)
{
    const char *text = getenv(name);
    return text ? strtol(text, NULL, 10) : otherwise;
}

CL_API_ENTRY cl_int CL_API_CALL clGetLayerInfo(cl_layer_info what, size_t size, void *value, size_t *size_out)
{
    const cl_layer_api_version version = CL_LAYER_API_VERSION_100;
    if (what != CL_LAYER_API_VERSION || (value && size < sizeof version))
        return CL_INVALID_VALUE;
    if (value)
        *(cl_layer_api_version *)value = version;
    if (size_out)
        *size_out = sizeof version;
    return CL_SUCCESS;
}

CL_API_ENTRY cl_int CL_API_CALL clInitLayer(cl_uint entries, const cl_icd_dispatch *target,
                                            cl_uint *entries_out, const cl_icd_dispatch **dispatch)
{
    if (!target || !entries_out || !dispatch || entries < sizeof table / sizeof(void *))
        return CL_INVALID_VALUE;
    next = target;
    table = *target;
#define TAKE(name) table.name = my_##name;
#include "cl_calls.def"
    order = (fault_order){(fault_kind)number("OCTET_FAULT_KIND", FAULT_CALL), number("OCTET_FAULT_CALL", 0),
                          (int)number("OCTET_FAULT_CODE", CL_OUT_OF_RESOURCES),
                          (int)number("OCTET_FAULT_STICKY", 0)};
    local_limit = number("OCTET_FAULT_LOCAL", 0);
    says_remote = number("OCTET_FAULT_REMOTE", 0) != 0;
    *dispatch = &table;
    *entries_out = sizeof table / sizeof(void *);
    atexit(report);
    return CL_SUCCESS;
}
