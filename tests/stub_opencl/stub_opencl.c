#include "stub_opencl.h"

#define CL_TARGET_OPENCL_VERSION 300
#define CL_USE_DEPRECATED_OPENCL_1_2_APIS
#include <CL/cl.h>

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#if defined(__has_feature)
#if __has_feature(memory_sanitizer)
#include <sanitizer/msan_interface.h>
#define MUST_BE_WRITTEN(data, bytes) __msan_check_mem_is_initialized((data), (bytes))
#endif
#endif
#ifndef MUST_BE_WRITTEN
#define MUST_BE_WRITTEN(data, bytes) ((void)(data), (void)(bytes))
#endif

static atomic_long live;

long stub_opencl_live(void)
{
    return atomic_load(&live);
}

/* ---- devices ------------------------------------------------------------------------------------------- */

#define MIB ((cl_ulong)1 << 20)

struct _cl_device_id {
    cl_device_type type;
    const char *name, *vendor;
    cl_ulong global_bytes, most_bytes, local_bytes;
    size_t most_items;
    cl_bool unified;
};

struct _cl_platform_id {
    const char *name;
    struct _cl_device_id device;
};

/* What decides which kernels are chosen, and how memory is laid out: the host's processor under PoCL, two
 * GPUs, and a device with little of everything, on which weights are cut and streamed. */
static struct _cl_platform_id platforms[STUB_OPENCL_DEVICES] = {
    {"Portable Computing Language",
     {CL_DEVICE_TYPE_CPU, "stub of a processor", "stub", 4096 * MIB, 1024 * MIB, 1 * MIB, 4096, CL_TRUE}},
    {"stub", {CL_DEVICE_TYPE_GPU, "stub of a GPU", "stub", 2048 * MIB, 512 * MIB, MIB / 16, 1024, CL_FALSE}},
    {"stub", {CL_DEVICE_TYPE_GPU, "stub of a small GPU", "ARM", 512 * MIB, 128 * MIB, MIB / 32, 64, CL_TRUE}},
    {"stub", {CL_DEVICE_TYPE_ACCELERATOR, "stub of a chip", "stub", MIB, MIB / 4, MIB / 32, 1, CL_FALSE}},
};

/* An answer, as every clGet function gives it. */
static cl_int tell(const void *answer, size_t bytes, size_t size, void *value, size_t *size_ret)
{
    if (value && size < bytes)
        return CL_INVALID_VALUE;
    if (value)
        memcpy(value, answer, bytes);
    if (size_ret)
        *size_ret = bytes;
    return CL_SUCCESS;
}

static cl_int tell_text(const char *text, size_t size, void *value, size_t *size_ret)
{
    return tell(text, strlen(text) + 1, size, value, size_ret);
}

static cl_int tell_uint(cl_uint number, size_t size, void *value, size_t *size_ret)
{
    return tell(&number, sizeof number, size, value, size_ret);
}

static cl_int tell_ulong(cl_ulong number, size_t size, void *value, size_t *size_ret)
{
    return tell(&number, sizeof number, size, value, size_ret);
}

cl_int clGetPlatformIDs(cl_uint entries, cl_platform_id *list, cl_uint *count)
{
    for (cl_uint i = 0; list && i < entries && i < STUB_OPENCL_DEVICES; i++)
        list[i] = &platforms[i];
    if (count)
        *count = STUB_OPENCL_DEVICES;
    return CL_SUCCESS;
}

cl_int clGetPlatformInfo(cl_platform_id p, cl_platform_info what, size_t size, void *value, size_t *size_ret)
{
    return what == CL_PLATFORM_NAME ? tell_text(p->name, size, value, size_ret)
                                    : tell_text("stub", size, value, size_ret);
}

cl_int clGetDeviceIDs(cl_platform_id p, cl_device_type type, cl_uint entries, cl_device_id *list,
                      cl_uint *count)
{
    if (!(type & p->device.type))
        return CL_DEVICE_NOT_FOUND;
    if (list && entries)
        list[0] = &p->device;
    if (count)
        *count = 1;
    return CL_SUCCESS;
}

static cl_int tell_device_number(const struct _cl_device_id *d, cl_device_info what, size_t size, void *value,
                                 size_t *size_ret)
{
    switch (what) {
    case CL_DEVICE_TYPE:
        return tell_ulong(d->type, size, value, size_ret);
    case CL_DEVICE_GLOBAL_MEM_SIZE:
        return tell_ulong(d->global_bytes, size, value, size_ret);
    case CL_DEVICE_MAX_MEM_ALLOC_SIZE:
        return tell_ulong(d->most_bytes, size, value, size_ret);
    case CL_DEVICE_LOCAL_MEM_SIZE:
        return tell_ulong(d->local_bytes, size, value, size_ret);
    case CL_DEVICE_LOCAL_MEM_TYPE:
        return tell_uint(d->type == CL_DEVICE_TYPE_CPU ? CL_GLOBAL : CL_LOCAL, size, value, size_ret);
    case CL_DEVICE_MAX_WORK_GROUP_SIZE:
        return tell(&d->most_items, sizeof d->most_items, size, value, size_ret);
    case CL_DEVICE_HOST_UNIFIED_MEMORY:
        return tell_uint(d->unified, size, value, size_ret);
    case CL_DEVICE_MAX_COMPUTE_UNITS:
    case CL_DEVICE_MAX_CLOCK_FREQUENCY:
        return tell_uint(4, size, value, size_ret);
    case CL_DEVICE_AVAILABLE:
    case CL_DEVICE_COMPILER_AVAILABLE:
    case CL_DEVICE_ENDIAN_LITTLE:
        return tell_uint(CL_TRUE, size, value, size_ret);
    default:
        return CL_INVALID_VALUE;
    }
}

cl_int clGetDeviceInfo(cl_device_id d, cl_device_info what, size_t size, void *value, size_t *size_ret)
{
    switch (what) {
    case CL_DEVICE_NAME:
        return tell_text(d->name, size, value, size_ret);
    case CL_DEVICE_VENDOR:
        return tell_text(d->vendor, size, value, size_ret);
    case CL_DRIVER_VERSION:
        return tell_text("1", size, value, size_ret);
    case CL_DEVICE_VERSION:
        return tell_text("OpenCL 1.2 stub", size, value, size_ret);
    case CL_DEVICE_OPENCL_C_VERSION:
        return tell_text("OpenCL C 1.2 stub", size, value, size_ret);
    case CL_DEVICE_EXTENSIONS:
        return tell_text("", size, value, size_ret);
    default:
        return tell_device_number(d, what, size, value, size_ret);
    }
}

/* Devices that are no parts of others are not counted. */
cl_int clRetainDevice(cl_device_id d)
{
    return d ? CL_SUCCESS : CL_INVALID_DEVICE;
}

cl_int clReleaseDevice(cl_device_id d)
{
    return d ? CL_SUCCESS : CL_INVALID_DEVICE;
}

cl_int clCreateSubDevices(cl_device_id d, const cl_device_partition_property *how, cl_uint entries,
                          cl_device_id *list, cl_uint *count)
{
    (void)d, (void)how, (void)entries, (void)list, (void)count;
    return CL_INVALID_VALUE;
}

/* ---- counted objects ----------------------------------------------------------------------------------- */

/* Whatever OpenCL counts; only memory has something in it. */
typedef struct object {
    atomic_int references;
    cl_device_id device;
    unsigned char *data;
    size_t bytes;
} object;

struct _cl_context {
    object o;
};
struct _cl_command_queue {
    object o;
};
struct _cl_mem {
    object o;
};
struct _cl_program {
    object o;
};
struct _cl_kernel {
    object o;
};
struct _cl_event {
    object o;
};

static void *create(cl_device_id device, cl_int *error)
{
    object *o = calloc(1, sizeof *o);
    if (o) {
        atomic_init(&o->references, 1);
        o->device = device;
        atomic_fetch_add(&live, 1);
    }
    if (error)
        *error = o ? CL_SUCCESS : CL_OUT_OF_HOST_MEMORY;
    return o;
}

static cl_int retain(object *o)
{
    atomic_fetch_add(&o->references, 1);
    return CL_SUCCESS;
}

static cl_int release(object *o)
{
    if (atomic_fetch_sub(&o->references, 1) == 1) {
        free(o->data);
        free(o);
        atomic_fetch_sub(&live, 1);
    }
    return CL_SUCCESS;
}

cl_context clCreateContext(const cl_context_properties *properties, cl_uint count,
                           const cl_device_id *devices,
                           void(CL_CALLBACK *notify)(const char *, const void *, size_t, void *), void *user,
                           cl_int *error)
{
    (void)properties, (void)notify, (void)user;
    return create(count ? devices[0] : NULL, error);
}

cl_command_queue clCreateCommandQueue(cl_context context, cl_device_id device,
                                      cl_command_queue_properties how, cl_int *error)
{
    (void)context, (void)how;
    return create(device, error);
}

#define COUNTED(type, Name)                                                                                  \
    cl_int clRetain##Name(type x)                                                                            \
    {                                                                                                        \
        return retain(&x->o);                                                                                \
    }                                                                                                        \
    cl_int clRelease##Name(type x)                                                                           \
    {                                                                                                        \
        return release(&x->o);                                                                               \
    }
COUNTED(cl_context, Context)
COUNTED(cl_command_queue, CommandQueue)
COUNTED(cl_mem, MemObject)
COUNTED(cl_program, Program)
COUNTED(cl_kernel, Kernel)
COUNTED(cl_event, Event)

cl_int clGetCommandQueueInfo(cl_command_queue q, cl_command_queue_info what, size_t size, void *value,
                             size_t *size_ret)
{
    return what == CL_QUEUE_DEVICE ? tell(&q->o.device, sizeof q->o.device, size, value, size_ret)
                                   : tell_ulong(0, size, value, size_ret);
}

/* ---- programs and kernels ------------------------------------------------------------------------------ */

cl_program clCreateProgramWithSource(cl_context context, cl_uint count, const char **texts,
                                     const size_t *lengths, cl_int *error)
{
    for (cl_uint i = 0; i < count; i++)
        MUST_BE_WRITTEN(texts[i], lengths ? lengths[i] : strlen(texts[i]) + 1);
    return create(context->o.device, error);
}

cl_program clCreateProgramWithBinary(cl_context context, cl_uint count, const cl_device_id *devices,
                                     const size_t *lengths, const unsigned char **binaries, cl_int *status,
                                     cl_int *error)
{
    for (cl_uint i = 0; i < count; i++) {
        MUST_BE_WRITTEN(binaries[i], lengths[i]);
        if (status)
            status[i] = CL_SUCCESS;
    }
    (void)devices;
    return create(context->o.device, error);
}

cl_int clBuildProgram(cl_program program, cl_uint count, const cl_device_id *devices, const char *options,
                      void(CL_CALLBACK *notify)(cl_program, void *), void *user)
{
    (void)count, (void)devices, (void)notify, (void)user;
    if (options)
        MUST_BE_WRITTEN(options, strlen(options) + 1);
    return program ? CL_SUCCESS : CL_INVALID_PROGRAM;
}

cl_int clGetProgramBuildInfo(cl_program program, cl_device_id device, cl_program_build_info what, size_t size,
                             void *value, size_t *size_ret)
{
    (void)program, (void)device, (void)what;
    return tell_text("", size, value, size_ret);
}

cl_int clGetProgramInfo(cl_program program, cl_program_info what, size_t size, void *value, size_t *size_ret)
{
    static const unsigned char binary[4] = "stub";
    const size_t bytes = sizeof binary;
    (void)program;
    if (what == CL_PROGRAM_BINARY_SIZES)
        return tell(&bytes, sizeof bytes, size, value, size_ret);
    if (what != CL_PROGRAM_BINARIES || size < sizeof(unsigned char *))
        return CL_INVALID_VALUE;
    memcpy(*(unsigned char **)value, binary, sizeof binary);
    return CL_SUCCESS;
}

cl_kernel clCreateKernel(cl_program program, const char *name, cl_int *error)
{
    MUST_BE_WRITTEN(name, strlen(name) + 1);
    return create(program->o.device, error);
}

cl_int clSetKernelArg(cl_kernel kernel, cl_uint index, size_t bytes, const void *value)
{
    (void)index;
    if (value) /* else so much local memory */
        MUST_BE_WRITTEN(value, bytes);
    return kernel ? CL_SUCCESS : CL_INVALID_KERNEL;
}

/* Nobody here has read the kernel's source: programs that use the stub do without the check of arguments. */
cl_int clGetKernelInfo(cl_kernel kernel, cl_kernel_info what, size_t size, void *value, size_t *size_ret)
{
    (void)kernel, (void)what, (void)size, (void)value, (void)size_ret;
    return CL_INVALID_VALUE;
}

cl_int clGetKernelArgInfo(cl_kernel kernel, cl_uint index, cl_kernel_arg_info what, size_t size, void *value,
                          size_t *size_ret)
{
    (void)kernel, (void)index, (void)what, (void)size, (void)value, (void)size_ret;
    return CL_KERNEL_ARG_INFO_NOT_AVAILABLE;
}

/* ---- memory and the queue, which is always done -------------------------------------------------------- */

cl_mem clCreateBuffer(cl_context context, cl_mem_flags flags, size_t bytes, void *host, cl_int *error)
{
    struct _cl_mem *m = NULL;
    if (!bytes || bytes > context->o.device->most_bytes)
        *error = CL_INVALID_BUFFER_SIZE;
    else
        m = create(context->o.device, error);
    if (!m)
        return NULL;
    m->o.data = calloc(1, bytes);
    m->o.bytes = bytes;
    if (!m->o.data) {
        release(&m->o);
        *error = CL_MEM_OBJECT_ALLOCATION_FAILURE;
        return NULL;
    }
    if (flags & CL_MEM_COPY_HOST_PTR)
        memcpy(m->o.data, host, bytes);
    return m;
}

cl_int clGetMemObjectInfo(cl_mem m, cl_mem_info what, size_t size, void *value, size_t *size_ret)
{
    if (what == CL_MEM_SIZE)
        return tell(&m->o.bytes, sizeof m->o.bytes, size, value, size_ret);
    return CL_INVALID_VALUE;
}

static cl_int finish(cl_command_queue q, cl_event *event)
{
    cl_int error = CL_SUCCESS;
    if (event)
        *event = create(q->o.device, &error);
    return error;
}

static bool within(cl_mem m, size_t offset, size_t bytes)
{
    return offset <= m->o.bytes && bytes <= m->o.bytes - offset;
}

cl_int clEnqueueWriteBuffer(cl_command_queue q, cl_mem m, cl_bool wait, size_t offset, size_t bytes,
                            const void *from, cl_uint waits, const cl_event *events, cl_event *event)
{
    (void)wait, (void)waits, (void)events;
    if (!within(m, offset, bytes))
        return CL_INVALID_VALUE;
    MUST_BE_WRITTEN(from, bytes);
    memcpy(m->o.data + offset, from, bytes);
    return finish(q, event);
}

cl_int clEnqueueReadBuffer(cl_command_queue q, cl_mem m, cl_bool wait, size_t offset, size_t bytes, void *to,
                           cl_uint waits, const cl_event *events, cl_event *event)
{
    (void)wait, (void)waits, (void)events;
    if (!within(m, offset, bytes))
        return CL_INVALID_VALUE;
    memcpy(to, m->o.data + offset, bytes);
    return finish(q, event);
}

cl_int clEnqueueWriteBufferRect(cl_command_queue q, cl_mem m, cl_bool wait, const size_t *at,
                                const size_t *from_at, const size_t *region, size_t pitch, size_t slice,
                                size_t from_pitch, size_t from_slice, const void *from, cl_uint waits,
                                const cl_event *events, cl_event *event)
{
    (void)wait, (void)waits, (void)events;
    for (size_t z = 0; z < region[2]; z++) {
        for (size_t y = 0; y < region[1]; y++) {
            size_t to = (at[2] + z) * slice + (at[1] + y) * pitch + at[0];
            const char *row = (const char *)from + (from_at[2] + z) * from_slice +
                              (from_at[1] + y) * from_pitch + from_at[0];
            if (!within(m, to, region[0]))
                return CL_INVALID_VALUE;
            MUST_BE_WRITTEN(row, region[0]);
            memcpy(m->o.data + to, row, region[0]);
        }
    }
    return finish(q, event);
}

cl_int clEnqueueFillBuffer(cl_command_queue q, cl_mem m, const void *pattern, size_t pattern_bytes,
                           size_t offset, size_t bytes, cl_uint waits, const cl_event *events,
                           cl_event *event)
{
    (void)waits, (void)events;
    if (!within(m, offset, bytes))
        return CL_INVALID_VALUE;
    for (size_t i = 0; i < bytes; i++)
        m->o.data[offset + i] = ((const unsigned char *)pattern)[i % pattern_bytes];
    return finish(q, event);
}

void *clEnqueueMapBuffer(cl_command_queue q, cl_mem m, cl_bool wait, cl_map_flags flags, size_t offset,
                         size_t bytes, cl_uint waits, const cl_event *events, cl_event *event, cl_int *error)
{
    (void)wait, (void)flags, (void)waits, (void)events;
    *error = within(m, offset, bytes) ? finish(q, event) : CL_INVALID_VALUE;
    return *error == CL_SUCCESS ? m->o.data + offset : NULL;
}

cl_int clEnqueueUnmapMemObject(cl_command_queue q, cl_mem m, void *mapped, cl_uint waits,
                               const cl_event *events, cl_event *event)
{
    (void)m, (void)mapped, (void)waits, (void)events;
    return finish(q, event);
}

cl_int clEnqueueNDRangeKernel(cl_command_queue q, cl_kernel kernel, cl_uint dims, const size_t *offset,
                              const size_t *global, const size_t *local, cl_uint waits,
                              const cl_event *events, cl_event *event)
{
    size_t items = 1;
    (void)offset, (void)waits, (void)events;
    for (cl_uint i = 0; i < dims; i++) {
        if (!global[i] || (local && (!local[i] || global[i] % local[i])))
            return CL_INVALID_WORK_GROUP_SIZE;
        items *= local ? local[i] : 1;
    }
    if (!kernel || items > q->o.device->most_items)
        return CL_INVALID_WORK_GROUP_SIZE;
    return finish(q, event);
}

cl_int clEnqueueMarkerWithWaitList(cl_command_queue q, cl_uint waits, const cl_event *events, cl_event *event)
{
    (void)waits, (void)events;
    return finish(q, event);
}

cl_int clEnqueueBarrierWithWaitList(cl_command_queue q, cl_uint waits, const cl_event *events,
                                    cl_event *event)
{
    (void)waits, (void)events;
    return finish(q, event);
}

cl_int clWaitForEvents(cl_uint count, const cl_event *events)
{
    (void)events;
    return count ? CL_SUCCESS : CL_INVALID_VALUE;
}

cl_int clGetEventProfilingInfo(cl_event event, cl_profiling_info what, size_t size, void *value,
                               size_t *size_ret)
{
    (void)event, (void)what;
    return tell_ulong(0, size, value, size_ret);
}

cl_int clGetEventInfo(cl_event event, cl_event_info what, size_t size, void *value, size_t *size_ret)
{
    (void)event;
    return what == CL_EVENT_COMMAND_EXECUTION_STATUS ? tell_uint(CL_COMPLETE, size, value, size_ret)
                                                     : CL_INVALID_VALUE;
}

cl_int clSetEventCallback(cl_event event, cl_int when, void(CL_CALLBACK *notify)(cl_event, cl_int, void *),
                          void *user)
{
    notify(event, CL_COMPLETE, user);
    return when == CL_COMPLETE ? CL_SUCCESS : CL_INVALID_VALUE;
}

cl_int clFlush(cl_command_queue q)
{
    return q ? CL_SUCCESS : CL_INVALID_COMMAND_QUEUE;
}

cl_int clFinish(cl_command_queue q)
{
    return q ? CL_SUCCESS : CL_INVALID_COMMAND_QUEUE;
}
