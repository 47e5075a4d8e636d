/* The public functions that every layer uses too: names of statuses and dtypes, the last error, tensors. */
#include "dtype.h"
#include "error.h"
#include "sizes.h"

#include <octet/octet.h>
#include <stdlib.h>
#include <string.h>

const char *octet_status_name(octet_status status)
{
    static const char *const names[] = {
        [OCTET_OK] = "ok",
        [OCTET_INVALID_ARGUMENT] = "invalid argument",
        [OCTET_UNSUPPORTED] = "unsupported",
        [OCTET_NO_DEVICE] = "no device",
        [OCTET_OUT_OF_MEMORY] = "out of memory",
        [OCTET_DEVICE_ERROR] = "device error",
        [OCTET_CORRUPT_FILE] = "corrupt file",
        [OCTET_INTERNAL] = "internal error",
        [OCTET_DEVICE_LOST] = "device lost",
    };
    return (size_t)status < sizeof names / sizeof names[0] ? names[status] : "unknown status";
}

const char *octet_last_error(void)
{
    return oct_error_text();
}

size_t octet_dtype_bytes(octet_dtype dtype)
{
    return oct_dtype_bytes(dtype);
}

const char *octet_dtype_name(octet_dtype dtype)
{
    return oct_dtype_name(dtype);
}

size_t octet_tensor_bytes(const octet_tensor *t)
{
    int64_t elems;
    if (!t || t->rank < 0 || t->rank > OCTET_MAX_RANK || !oct_shape_elems(t->dims, t->rank, &elems))
        return 0;
    return (size_t)elems * oct_dtype_bytes(t->dtype);
}

octet_status octet_tensor_alloc(octet_tensor *t)
{
    RETURN_IF(!t, OCTET_INVALID_ARGUMENT, "octet_tensor_alloc: argument 't' is NULL");
    int64_t elems;
    RETURN_IF(!oct_dtype_bytes(t->dtype), OCTET_INVALID_ARGUMENT, "octet_tensor_alloc: unknown dtype %d",
              (int)t->dtype);
    RETURN_IF(t->rank < 0 || t->rank > OCTET_MAX_RANK || !oct_shape_elems(t->dims, t->rank, &elems),
              OCTET_INVALID_ARGUMENT, "octet_tensor_alloc: the shape is negative or too large");
    size_t bytes = (size_t)elems * oct_dtype_bytes(t->dtype);
    t->data = calloc(1, bytes ? bytes : 1);
    RETURN_IF(!t->data, OCTET_OUT_OF_MEMORY, "out of host memory for a tensor of %zu bytes", bytes);
    t->data_bytes = bytes;
    return OCTET_OK;
}

void octet_tensor_free(octet_tensor *t)
{
    if (!t)
        return;
    free(t->data);
    memset(t, 0, sizeof *t);
}
