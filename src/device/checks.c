/* Checks of buffers that callers own. */
#include "device.h"

octet_status oct_buffer_check(oct_device *device, cl_mem buffer, size_t offset, size_t bytes,
                              const char *name)
{
    if (bytes == 0)
        return OCTET_OK;
    RETURN_IF(!buffer, OCTET_INVALID_ARGUMENT, "buffer '%s' is NULL", name);
    size_t size = 0;
    cl_context context = NULL;
    cl_int err = clGetMemObjectInfo(buffer, CL_MEM_SIZE, sizeof size, &size, NULL);
    if (err == CL_SUCCESS)
        err = clGetMemObjectInfo(buffer, CL_MEM_CONTEXT, sizeof context, &context, NULL);
    RETURN_IF(err != CL_SUCCESS, OCTET_INVALID_ARGUMENT, "buffer '%s' is not a valid cl_mem", name);
    RETURN_IF(context != oct_device_context(device), OCTET_INVALID_ARGUMENT,
              "buffer '%s' belongs to another cl_context; make it in the one given to octet_context_from_cl",
              name);
    RETURN_IF(offset > size || size - offset < bytes, OCTET_INVALID_ARGUMENT,
              "buffer '%s' has %zu bytes; %zu are needed from offset %zu", name, size, bytes, offset);
    return OCTET_OK;
}
