#include "check_args.h"

#include <string.h>

/* Drivers need not know the names of types (CL_KERNEL_ARG_INFO_NOT_AVAILABLE), and some write `struct` before
 * one. */
static octet_status check_type(cl_kernel kernel, const oct_launch *l, cl_uint index, const char *name,
                               const char *type)
{
    char told[128] = "";
    size_t bytes = 0;
    cl_int err = clGetKernelArgInfo(kernel, index, CL_KERNEL_ARG_TYPE_NAME, sizeof told, told, &bytes);
    if (err != CL_SUCCESS || bytes <= 1)
        return OCTET_OK;
    const char *its = strncmp(told, "struct ", 7) == 0 ? told + 7 : told;
    RETURN_IF(strcmp(its, type) != 0, OCTET_INTERNAL,
              "kernel %s of %s: argument %u, %s, is of type %s there and %s in the launch's record; this is "
              "a defect in Octet",
              l->entry, l->file, index, name, its, type);
    return OCTET_OK;
}

octet_status oct_check_args(oct_device *device, cl_kernel kernel, const oct_launch *l)
{
    RETURN_IF(!l->record, OCTET_INTERNAL, "kernel %s of %s is given no record; this is a defect in Octet",
              l->entry, l->file);
    cl_uint count = 0, given = 2 * (cl_uint)l->arg_count + 1;
    cl_int err = clGetKernelInfo(kernel, CL_KERNEL_NUM_ARGS, sizeof count, &count, NULL);
    if (err != CL_SUCCESS)
        return oct_device_fail(device, err, "clGetKernelInfo");
    RETURN_IF(count != given, OCTET_INTERNAL,
              "kernel %s of %s takes %u arguments and is given %u (%s); this is a defect in Octet", l->entry,
              l->file, count, given, l->record->numbers);
    for (int i = 0; i < l->arg_count; i++) {
        FORWARD(check_type(kernel, l, 2 * (cl_uint)i, l->args[i].name, "uchar*"));
        FORWARD(check_type(kernel, l, 2 * (cl_uint)i + 1, l->args[i].name, "ulong"));
    }
    return check_type(kernel, l, count - 1, "its numbers", l->record->numbers);
}
