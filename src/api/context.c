/* Devices, contexts, counters, host tensors, names. */
#include "api.h"
#include "ceiling.h"

#include "sizes.h"
#include <octet/experimental.h>
#include <octet/opencl.h>
#include <stdlib.h>
#include <string.h>

octet_status oct_api_take_desc(void *mine, size_t mine_size, const void *theirs, const char *type_name)
{
    memset(mine, 0, mine_size);
    if (!theirs)
        return OCTET_OK;
    size_t size;
    memcpy(&size, theirs, sizeof size);
    RETURN_IF(size < sizeof size || size > 65536, OCTET_INVALID_ARGUMENT,
              "%s: struct_size is %zu; initialize the struct with OCTET_INIT", type_name, size);
    memcpy(mine, theirs, size < mine_size ? size : mine_size);
    return OCTET_OK;
}

octet_status oct_api_give_info(void *theirs, const void *mine, size_t mine_size, const char *type_name)
{
    RETURN_IF(!theirs, OCTET_INVALID_ARGUMENT, "%s: the pointer is NULL", type_name);
    size_t size;
    memcpy(&size, theirs, sizeof size);
    RETURN_IF(size < sizeof size || size > 65536, OCTET_INVALID_ARGUMENT,
              "%s: struct_size is %zu; initialize the struct with OCTET_INIT", type_name, size);
    memset(theirs, 0, size);
    memcpy(theirs, mine, size < mine_size ? size : mine_size);
    memcpy(theirs, &size, sizeof size);
    return OCTET_OK;
}

octet_status octet_device_count(size_t *count)
{
    CHECK_ARG(count);
    return oct_devices_count(count);
}

octet_status octet_device_get(size_t index, octet_device_info *info)
{
    octet_device_info mine;
    OCTET_INIT(mine);
    FORWARD(oct_devices_get(index, &mine));
    return GIVE_INFO(info, mine, octet_device_info);
}

static octet_status wrap(oct_device *device, octet_context **context)
{
    octet_context *c = calloc(1, sizeof *c);
    if (!c) {
        oct_device_release(device);
        return oct_out_of_memory("a context");
    }
    c->device = device;
    *context = c;
    return OCTET_OK;
}

octet_status octet_context_create(const octet_context_desc *desc, octet_context **context)
{
    CHECK_ARG(context);
    *context = NULL;
    octet_context_desc mine;
    FORWARD(TAKE_DESC(mine, desc, octet_context_desc));
    oct_device *device;
    FORWARD(oct_device_open(&mine, &device));
    return wrap(device, context);
}

octet_status octet_context_from_cl(cl_context context, cl_command_queue queue, const octet_context_desc *desc,
                                   octet_context **octet)
{
    CHECK_ARG(octet);
    *octet = NULL;
    CHECK_ARG(context);
    CHECK_ARG(queue);
    octet_context_desc mine;
    FORWARD(TAKE_DESC(mine, desc, octet_context_desc));
    oct_device *device;
    FORWARD(oct_device_adopt(context, queue, &mine, &device));
    return wrap(device, octet);
}

void octet_context_destroy(octet_context *context)
{
    if (!context)
        return;
    oct_device_release(context->device);
    free(context);
}

cl_context octet_context_cl(octet_context *context)
{
    return context ? oct_device_context(context->device) : NULL;
}

cl_command_queue octet_context_queue(octet_context *context)
{
    return context ? oct_device_queue(context->device) : NULL;
}

octet_status octet_context_device(const octet_context *context, octet_device_info *info)
{
    CHECK_ARG(context);
    return GIVE_INFO(info, oct_device_caps(context->device)->info, octet_device_info);
}

octet_status octet_context_counters(octet_context *context, octet_counters *counters)
{
    CHECK_ARG(context);
    octet_counters mine;
    OCTET_INIT(mine);
    oct_device_counters(context->device, &mine);
    return GIVE_INFO(counters, mine, octet_counters);
}

void octet_context_counters_reset(octet_context *context)
{
    if (context)
        oct_device_counters_reset(context->device);
}

octet_status octet_context_ceiling(octet_context *context, double *gops)
{
    CHECK_ARG(context);
    CHECK_ARG(gops);
    return oct_ceiling(context->device, gops);
}
