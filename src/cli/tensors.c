/* See tensors.h. */
#include "tensors.h"
#include "cli.h"
#include "npy.h"
#include "shapes.h"
#include "used_files.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int64_t tensor_elements(const octet_tensor *tensor)
{
    size_t bytes = octet_dtype_bytes(tensor->dtype);
    return bytes ? (int64_t)(octet_tensor_bytes(tensor) / bytes) : 0;
}

bool dtype_is_float(octet_dtype dtype)
{
    return dtype == OCTET_F32 || dtype == OCTET_F16 || dtype == OCTET_BF16 || dtype == OCTET_F64;
}

static double half_value(uint16_t bits)
{
    int exponent = bits >> 10 & 31, fraction = bits & 1023;
    double value = exponent == 31  ? (fraction ? NAN : INFINITY)
                   : exponent == 0 ? ldexp(fraction, -24)
                                   : ldexp(1024 + fraction, exponent - 25);
    return bits & 0x8000 ? -value : value;
}

static double bfloat_value(uint16_t bits)
{
    uint32_t wide = (uint32_t)bits << 16;
    float value;
    memcpy(&value, &wide, sizeof value);
    return value;
}

double tensor_value(const octet_tensor *tensor, int64_t i)
{
    const void *data = tensor->data;
    switch (tensor->dtype) {
    case OCTET_F32:
        return ((const float *)data)[i];
    case OCTET_U8:
    case OCTET_BOOL:
        return ((const uint8_t *)data)[i];
    case OCTET_S8:
        return ((const int8_t *)data)[i];
    case OCTET_U16:
        return ((const uint16_t *)data)[i];
    case OCTET_S16:
        return ((const int16_t *)data)[i];
    case OCTET_S32:
        return ((const int32_t *)data)[i];
    case OCTET_S64:
        return (double)((const int64_t *)data)[i];
    case OCTET_F16:
        return half_value(((const uint16_t *)data)[i]);
    case OCTET_BF16:
        return bfloat_value(((const uint16_t *)data)[i]);
    case OCTET_F64:
        return ((const double *)data)[i];
    case OCTET_U32:
        return ((const uint32_t *)data)[i];
    case OCTET_U64:
        return (double)((const uint64_t *)data)[i];
    case OCTET_DTYPE_NONE:
    case OCTET_DTYPE_COUNT:
        break;
    }
    return NAN;
}

const char *shape_text(char *buffer, size_t size, octet_dtype dtype, int rank, const int64_t *dims)
{
    size_t used = (size_t)snprintf(buffer, size, "%s [", octet_dtype_name(dtype));
    for (int i = 0; i < rank && used < size; i++) {
        const char *comma = i ? ", " : "";
        if (dims[i] < 0)
            used += (size_t)snprintf(buffer + used, size - used, "%s?", comma);
        else
            used += (size_t)snprintf(buffer + used, size - used, "%s%lld", comma, (long long)dims[i]);
    }
    if (used < size)
        snprintf(buffer + used, size - used, "]");
    return buffer;
}

int tensor_read(const char *path, octet_tensor *tensor)
{
    size_t length = strlen(path);
    if (length < 3 || strcmp(path + length - 3, ".pb") != 0)
        return npy_read(path, tensor);
    *tensor = (octet_tensor){0};
    if (input_note(path) != EXIT_DONE)
        return EXIT_FAILED;
    return octet_tensor_read_pb(path, tensor, NULL, 0) == OCTET_OK ? EXIT_DONE : cli_octet_error();
}

int tensor_list_make(tensor_list *list, size_t count)
{
    list->items = calloc(count ? count : 1, sizeof *list->items);
    list->count = list->items ? count : 0;
    return list->items ? EXIT_DONE : cli_error("out of memory");
}

void tensor_list_free(tensor_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        octet_tensor_free(&list->items[i]);
    free(list->items);
    list->items = NULL;
    list->count = 0;
}

int session_create_for(const cli_options *options, octet_model *model, const tensor_list *inputs, bool whole,
                       octet_session **session)
{
    octet_session_desc desc;
    OCTET_INIT(desc);
    int status = shapes_border(options, &desc.border);
    if (status != EXIT_DONE)
        return status;
    octet_value_info *infos = calloc(inputs->count ? inputs->count : 1, sizeof *infos);
    if (!infos)
        return cli_error("out of memory");
    octet_status done = OCTET_OK;
    for (size_t i = 0; i < inputs->count && done == OCTET_OK; i++) {
        OCTET_INIT(infos[i]);
        done = octet_model_input(model, i, &infos[i]);
        infos[i].rank = inputs->items[i].rank;
        memcpy(infos[i].dims, inputs->items[i].dims, sizeof infos[i].dims);
    }
    octet_inspection *inspection = NULL;
    desc.memory_limit = options->memory_limit;
    desc.lost_to_others = options->survive;
    desc.inputs = infos;
    desc.input_count = inputs->count;
    if (done == OCTET_OK && options->strict_int8)
        done = octet_inspection_create(model, &desc, &inspection);
    status = done == OCTET_OK ? shapes_check_strict(options, inspection) : cli_octet_error();
    octet_inspection_destroy(inspection);
    if (!whole)
        desc.inputs = NULL;
    if (status == EXIT_DONE && octet_session_create(model, &desc, session) != OCTET_OK)
        status = cli_octet_error();
    free(infos);
    return status;
}
