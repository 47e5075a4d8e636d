/* OpenCL error codes by name, the status each stands for, and which of them mean that the device is gone. */
#include "device_priv.h"

#define CL_PLATFORM_NOT_FOUND_KHR_CODE (-1001)

#define ROW(code)                                                                                            \
    {                                                                                                        \
        code, #code                                                                                          \
    }
static const struct {
    cl_int code;
    const char *name;
} errors[] = {
    ROW(CL_DEVICE_NOT_FOUND),
    ROW(CL_DEVICE_NOT_AVAILABLE),
    ROW(CL_COMPILER_NOT_AVAILABLE),
    ROW(CL_MEM_OBJECT_ALLOCATION_FAILURE),
    ROW(CL_OUT_OF_RESOURCES),
    ROW(CL_OUT_OF_HOST_MEMORY),
    ROW(CL_PROFILING_INFO_NOT_AVAILABLE),
    ROW(CL_MEM_COPY_OVERLAP),
    ROW(CL_IMAGE_FORMAT_MISMATCH),
    ROW(CL_IMAGE_FORMAT_NOT_SUPPORTED),
    ROW(CL_BUILD_PROGRAM_FAILURE),
    ROW(CL_MAP_FAILURE),
    ROW(CL_MISALIGNED_SUB_BUFFER_OFFSET),
    ROW(CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST),
    ROW(CL_COMPILE_PROGRAM_FAILURE),
    ROW(CL_LINKER_NOT_AVAILABLE),
    ROW(CL_LINK_PROGRAM_FAILURE),
    ROW(CL_DEVICE_PARTITION_FAILED),
    ROW(CL_KERNEL_ARG_INFO_NOT_AVAILABLE),
    ROW(CL_INVALID_VALUE),
    ROW(CL_INVALID_DEVICE_TYPE),
    ROW(CL_INVALID_PLATFORM),
    ROW(CL_INVALID_DEVICE),
    ROW(CL_INVALID_CONTEXT),
    ROW(CL_INVALID_QUEUE_PROPERTIES),
    ROW(CL_INVALID_COMMAND_QUEUE),
    ROW(CL_INVALID_HOST_PTR),
    ROW(CL_INVALID_MEM_OBJECT),
    ROW(CL_INVALID_BINARY),
    ROW(CL_INVALID_BUILD_OPTIONS),
    ROW(CL_INVALID_PROGRAM),
    ROW(CL_INVALID_PROGRAM_EXECUTABLE),
    ROW(CL_INVALID_KERNEL_NAME),
    ROW(CL_INVALID_KERNEL_DEFINITION),
    ROW(CL_INVALID_KERNEL),
    ROW(CL_INVALID_ARG_INDEX),
    ROW(CL_INVALID_ARG_VALUE),
    ROW(CL_INVALID_ARG_SIZE),
    ROW(CL_INVALID_KERNEL_ARGS),
    ROW(CL_INVALID_WORK_DIMENSION),
    ROW(CL_INVALID_WORK_GROUP_SIZE),
    ROW(CL_INVALID_WORK_ITEM_SIZE),
    ROW(CL_INVALID_GLOBAL_OFFSET),
    ROW(CL_INVALID_EVENT_WAIT_LIST),
    ROW(CL_INVALID_EVENT),
    ROW(CL_INVALID_OPERATION),
    ROW(CL_INVALID_BUFFER_SIZE),
    ROW(CL_INVALID_GLOBAL_WORK_SIZE),
    ROW(CL_INVALID_PROPERTY),
    {CL_PLATFORM_NOT_FOUND_KHR_CODE, "CL_PLATFORM_NOT_FOUND_KHR"},
};

const char *oct_cl_error_name(cl_int error)
{
    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
        if (errors[i].code == error)
            return errors[i].name;
    }
    return "unknown OpenCL error";
}

static octet_status status_of(cl_int error)
{
    switch (error) {
    case CL_MEM_OBJECT_ALLOCATION_FAILURE:
    case CL_OUT_OF_RESOURCES:
    case CL_OUT_OF_HOST_MEMORY:
        return OCTET_OUT_OF_MEMORY;
    case CL_DEVICE_NOT_FOUND:
    case CL_PLATFORM_NOT_FOUND_KHR_CODE:
        return OCTET_NO_DEVICE;
    default:
        return OCTET_DEVICE_ERROR;
    }
}

octet_status oct_cl_fail(cl_int error, const char *call)
{
    return oct_fail(status_of(error), "%s: %s (%d)", call, oct_cl_error_name(error), (int)error);
}

/* Of these only the first says so; the others are about objects that Octet has made and not released: where
 * one is not valid any more, its driver has dropped it, as NVIDIA's does after a fault. */
static bool says_lost(cl_int error)
{
    return error == CL_DEVICE_NOT_AVAILABLE || error == CL_INVALID_DEVICE || error == CL_INVALID_CONTEXT ||
           error == CL_INVALID_COMMAND_QUEUE;
}

/* What fails on a device that is gone has many names; the driver knows. */
static bool is_available(const oct_device *d)
{
    cl_bool available = CL_TRUE;
    return clGetDeviceInfo(d->id, CL_DEVICE_AVAILABLE, sizeof available, &available, NULL) != CL_SUCCESS ||
           available;
}

static void lose(oct_device *d, cl_int error, const char *call)
{
    int none = CL_SUCCESS;
    if (atomic_compare_exchange_strong(&d->lost, &none, error))
        oct_device_log(d, "the device is lost: %s: %s (%d)", call, oct_cl_error_name(error), (int)error);
}

bool oct_device_is_lost(const oct_device *d)
{
    return atomic_load(&d->lost) != CL_SUCCESS;
}

octet_status oct_device_check(const oct_device *d)
{
    const int error = atomic_load_explicit(&d->lost, memory_order_relaxed);
    RETURN_IF(error != CL_SUCCESS, OCTET_DEVICE_LOST,
              "device '%s' is lost: %s (%d); destroy what was made with its context, and open a new one",
              d->caps.info.name, oct_cl_error_name(error), error);
    return OCTET_OK;
}

octet_status oct_device_fail(oct_device *d, cl_int error, const char *call)
{
    if (says_lost(error) || (status_of(error) == OCTET_DEVICE_ERROR && !is_available(d)))
        lose(d, error, call);
    FORWARD(oct_device_check(d));
    return oct_cl_fail(error, call);
}

octet_status oct_device_check_available(oct_device *d, const char *call)
{
    if (!is_available(d))
        lose(d, CL_DEVICE_NOT_AVAILABLE, call);
    return oct_device_check(d);
}
