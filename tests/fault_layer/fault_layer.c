/* An OpenCL layer (ocl-icd: OPENCL_LAYERS) that makes one call of a run fail and counts live objects.
 *   OCTET_FAULT_CALL=N   the N-th call of those below fails; 0 or unset: none
 *   OCTET_FAULT_CODE=C   with this error (default -5, CL_OUT_OF_RESOURCES)
 *   OCTET_FAULT_STICKY=1 and so does every one after it
 *   OCTET_FAULT_LOCAL=B  kernels that are given more than B bytes of local memory are not launched
 *   OCTET_FAULT_LOG=FILE at exit: "calls N live M", M being objects created and not released
 * Objects are counted by references: create and retain add one, release takes one. */
#define CL_TARGET_OPENCL_VERSION 300
#define CL_USE_DEPRECATED_OPENCL_1_2_APIS
#include <CL/cl.h>
#include <CL/cl_layer.h>

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

static const cl_icd_dispatch *next;
static cl_icd_dispatch table;
static atomic_long calls, live;
static long failing;
static int sticky;
static long local_limit;
static cl_kernel too_large; /* the last kernel that was given too much */
static cl_int code = CL_OUT_OF_RESOURCES;

static int fails(void)
{
    long n = atomic_fetch_add(&calls, 1) + 1;
    return failing && (n == failing || (sticky && n > failing));
}

/* Calls that make an object and report through a pointer. */
#define CREATE(type, name, parameters, arguments)                                                            \
    static type CL_API_CALL my_##name parameters                                                             \
    {                                                                                                        \
        if (fails()) {                                                                                       \
            if (error)                                                                                       \
                *error = code;                                                                               \
            return NULL;                                                                                     \
        }                                                                                                    \
        type made = next->name arguments;                                                                    \
        if (made)                                                                                            \
            atomic_fetch_add(&live, 1);                                                                      \
        return made;                                                                                         \
    }

/* Calls that return their status. */
#define PLAIN(name, parameters, arguments)                                                                   \
    static cl_int CL_API_CALL my_##name parameters                                                           \
    {                                                                                                        \
        return fails() ? code : next->name arguments;                                                        \
    }

/* Releases and retains never fail: they only count. */
#define COUNT(name, type, step)                                                                              \
    static cl_int CL_API_CALL my_##name(type object)                                                         \
    {                                                                                                        \
        atomic_fetch_add(&live, step);                                                                       \
        return next->name(object);                                                                           \
    }

typedef void(CL_CALLBACK *context_notify)(const char *, const void *, size_t, void *);
typedef void(CL_CALLBACK *program_notify)(cl_program, void *);

CREATE(cl_context, clCreateContext,
       (const cl_context_properties *properties, cl_uint count, const cl_device_id *devices,
        context_notify notify, void *user, cl_int *error),
       (properties, count, devices, notify, user, error))
CREATE(cl_command_queue, clCreateCommandQueue,
       (cl_context context, cl_device_id device, cl_command_queue_properties properties, cl_int *error),
       (context, device, properties, error))
CREATE(cl_mem, clCreateBuffer,
       (cl_context context, cl_mem_flags flags, size_t size, void *host, cl_int *error),
       (context, flags, size, host, error))
CREATE(cl_program, clCreateProgramWithSource,
       (cl_context context, cl_uint count, const char **strings, const size_t *lengths, cl_int *error),
       (context, count, strings, lengths, error))
CREATE(cl_program, clCreateProgramWithBinary,
       (cl_context context, cl_uint count, const cl_device_id *devices, const size_t *lengths,
        const unsigned char **binaries, cl_int *status, cl_int *error),
       (context, count, devices, lengths, binaries, status, error))
CREATE(cl_kernel, clCreateKernel, (cl_program program, const char *name, cl_int *error),
       (program, name, error))

PLAIN(clGetPlatformIDs, (cl_uint entries, cl_platform_id *platforms, cl_uint *count),
      (entries, platforms, count))
PLAIN(clGetDeviceIDs,
      (cl_platform_id platform, cl_device_type type, cl_uint entries, cl_device_id *devices, cl_uint *count),
      (platform, type, entries, devices, count))
PLAIN(clBuildProgram,
      (cl_program program, cl_uint count, const cl_device_id *devices, const char *options,
       program_notify notify, void *user),
      (program, count, devices, options, notify, user))
PLAIN(clFlush, (cl_command_queue queue), (queue))
/* A driver finds out about local memory at the launch. */
static cl_int CL_API_CALL my_clSetKernelArg(cl_kernel kernel, cl_uint index, size_t size, const void *value)
{
    if (!value && local_limit)
        too_large = (long)size > local_limit ? kernel : NULL;
    return fails() ? code : next->clSetKernelArg(kernel, index, size, value);
}

/* A wait that fails has waited all the same: what was enqueued does not go on behind the caller's back, or
 * nobody could ever free what it reads. */
static cl_int CL_API_CALL my_clFinish(cl_command_queue queue)
{
    cl_int status = next->clFinish(queue);
    return fails() ? code : status;
}

/* Enqueues may hand out an event, which is an object too. */
static cl_int count_event(cl_int status, cl_event *event)
{
    if (status == CL_SUCCESS && event)
        atomic_fetch_add(&live, 1);
    return status;
}

static cl_int CL_API_CALL my_clEnqueueNDRangeKernel(cl_command_queue queue, cl_kernel kernel, cl_uint dims,
                                                    const size_t *offset, const size_t *global,
                                                    const size_t *local, cl_uint waits,
                                                    const cl_event *wait_list, cl_event *event)
{
    return fails() || (too_large && too_large == kernel)
               ? code
               : count_event(next->clEnqueueNDRangeKernel(queue, kernel, dims, offset, global, local, waits,
                                                          wait_list, event),
                             event);
}

static cl_int CL_API_CALL my_clEnqueueWriteBuffer(cl_command_queue queue, cl_mem buffer, cl_bool blocking,
                                                  size_t offset, size_t size, const void *data, cl_uint waits,
                                                  const cl_event *wait_list, cl_event *event)
{
    return fails() ? code
                   : count_event(next->clEnqueueWriteBuffer(queue, buffer, blocking, offset, size, data,
                                                            waits, wait_list, event),
                                 event);
}

static cl_int CL_API_CALL my_clEnqueueWriteBufferRect(cl_command_queue queue, cl_mem buffer, cl_bool blocking,
                                                      const size_t *buffer_origin, const size_t *host_origin,
                                                      const size_t *region, size_t buffer_row,
                                                      size_t buffer_slice, size_t host_row, size_t host_slice,
                                                      const void *data, cl_uint waits,
                                                      const cl_event *wait_list, cl_event *event)
{
    return fails() ? code
                   : count_event(next->clEnqueueWriteBufferRect(
                                     queue, buffer, blocking, buffer_origin, host_origin, region, buffer_row,
                                     buffer_slice, host_row, host_slice, data, waits, wait_list, event),
                                 event);
}

static cl_int CL_API_CALL my_clEnqueueMarkerWithWaitList(cl_command_queue queue, cl_uint waits,
                                                         const cl_event *wait_list, cl_event *event)
{
    return fails() ? code
                   : count_event(next->clEnqueueMarkerWithWaitList(queue, waits, wait_list, event), event);
}

static cl_int CL_API_CALL my_clEnqueueReadBuffer(cl_command_queue queue, cl_mem buffer, cl_bool blocking,
                                                 size_t offset, size_t size, void *data, cl_uint waits,
                                                 const cl_event *wait_list, cl_event *event)
{
    return fails() ? code
                   : count_event(next->clEnqueueReadBuffer(queue, buffer, blocking, offset, size, data, waits,
                                                           wait_list, event),
                                 event);
}

COUNT(clReleaseContext, cl_context, -1)
COUNT(clReleaseCommandQueue, cl_command_queue, -1)
COUNT(clReleaseMemObject, cl_mem, -1)
COUNT(clReleaseProgram, cl_program, -1)
COUNT(clReleaseKernel, cl_kernel, -1)
COUNT(clReleaseEvent, cl_event, -1)
COUNT(clRetainContext, cl_context, 1)
COUNT(clRetainCommandQueue, cl_command_queue, 1)
COUNT(clRetainMemObject, cl_mem, 1)
COUNT(clRetainEvent, cl_event, 1)

static void report(void)
{
    const char *path = getenv("OCTET_FAULT_LOG");
    FILE *f = path ? fopen(path, "w") : NULL;
    if (f) {
        fprintf(f, "calls %ld live %ld\n", atomic_load(&calls), atomic_load(&live));
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

#define TAKE(name) table.name = my_##name

CL_API_ENTRY cl_int CL_API_CALL clInitLayer(cl_uint entries, const cl_icd_dispatch *target,
                                            cl_uint *entries_out, const cl_icd_dispatch **dispatch)
{
    if (!target || !entries_out || !dispatch || entries < sizeof table / sizeof(void *))
        return CL_INVALID_VALUE;
    next = target;
    table = *target;
    failing = number("OCTET_FAULT_CALL", 0);
    code = (cl_int)number("OCTET_FAULT_CODE", code);
    local_limit = number("OCTET_FAULT_LOCAL", 0);
    sticky = (int)number("OCTET_FAULT_STICKY", 0);
    TAKE(clCreateContext);
    TAKE(clCreateCommandQueue);
    TAKE(clCreateBuffer);
    TAKE(clCreateProgramWithSource);
    TAKE(clCreateProgramWithBinary);
    TAKE(clCreateKernel);
    TAKE(clGetPlatformIDs);
    TAKE(clGetDeviceIDs);
    TAKE(clBuildProgram);
    TAKE(clSetKernelArg);
    TAKE(clFinish);
    TAKE(clFlush);
    TAKE(clEnqueueWriteBufferRect);
    TAKE(clEnqueueMarkerWithWaitList);
    TAKE(clEnqueueNDRangeKernel);
    TAKE(clEnqueueWriteBuffer);
    TAKE(clEnqueueReadBuffer);
    TAKE(clReleaseContext);
    TAKE(clReleaseCommandQueue);
    TAKE(clReleaseMemObject);
    TAKE(clReleaseProgram);
    TAKE(clReleaseKernel);
    TAKE(clReleaseEvent);
    TAKE(clRetainContext);
    TAKE(clRetainCommandQueue);
    TAKE(clRetainMemObject);
    TAKE(clRetainEvent);
    *dispatch = &table;
    *entries_out = sizeof table / sizeof(void *);
    atexit(report);
    return CL_SUCCESS;
}
