#include "onnx_tensor.h"
#include "dtype.h"
#include "sizes.h"

#include <pb_decode.h>
#include <pb_encode.h>
#include <stdlib.h>
#include <string.h>

/* Tensors up to this size are copied when they are not aligned to their element. */
#define ALIGN_COPY_BYTES ((size_t)1 << 20)

static _Thread_local const unsigned char *range_start;
static _Thread_local size_t range_bytes;

void oct_onnx_decode_range(const unsigned char *data, size_t bytes)
{
    range_start = data;
    range_bytes = bytes;
}

/* Contents are written as raw_data only. */
static bool encode_range(pb_ostream_t *stream, const pb_field_t *field)
{
    const oct_wire_range *range = field->pData;
    return !range->data ||
           (pb_encode_tag_for_field(stream, field) && pb_encode_string(stream, range->data, range->bytes));
}

/* nanopb calls this for raw_data and the packed number fields. The stream is a buffer stream over the
 * mapping, whose state is the read position; a number that is not packed comes in a buffer of nanopb's own
 * and is refused, and so is a second piece of the same field. */
bool onnx_TensorProto_callback(pb_istream_t *istream, pb_ostream_t *ostream, const pb_field_t *field)
{
    if (ostream)
        return encode_range(ostream, field);
    if (!istream)
        return true;
    oct_wire_range *out = field->pData;
    const unsigned char *at = istream->state;
    size_t n = istream->bytes_left;
    bool inside =
        at >= range_start && at <= range_start + range_bytes && n <= range_bytes - (size_t)(at - range_start);
    if (!inside || out->data)
        PB_RETURN_ERROR(istream, "tensor contents that are not packed into one piece are not supported");
    out->data = at;
    out->bytes = n;
    return pb_read(istream, NULL, n);
}

static const octet_dtype dtypes[] = {
    [1] = OCTET_F32,  [2] = OCTET_U8,   [3] = OCTET_S8,    [4] = OCTET_U16,  [5] = OCTET_S16,
    [6] = OCTET_S32,  [7] = OCTET_S64,  [9] = OCTET_BOOL,  [10] = OCTET_F16, [11] = OCTET_F64,
    [12] = OCTET_U32, [13] = OCTET_U64, [16] = OCTET_BF16,
};
enum { DTYPES = sizeof dtypes / sizeof dtypes[0] };

octet_dtype oct_onnx_dtype(int32_t t)
{
    return t >= 0 && t < DTYPES ? dtypes[t] : OCTET_DTYPE_NONE;
}

int32_t oct_onnx_type(octet_dtype dtype)
{
    int32_t t = 0;
    while (t < DTYPES && (dtypes[t] != dtype || dtype == OCTET_DTYPE_NONE))
        t++;
    return t < DTYPES ? t : 0;
}

static const char *name_of(const onnx_TensorProto *t)
{
    return t->name ? t->name : "";
}

static octet_status read_shape(const onnx_TensorProto *t, oct_value *v, size_t *bytes)
{
    int64_t elems;
    int32_t type = t->data_type ? *t->data_type : 0;
    v->dtype = oct_onnx_dtype(type);
    RETURN_IF(v->dtype == OCTET_DTYPE_NONE, OCTET_UNSUPPORTED,
              "tensor '%s' has ONNX type %d, which is not supported", name_of(t), (int)type);
    RETURN_IF(t->dims_count > OCTET_MAX_RANK, OCTET_UNSUPPORTED,
              "tensor '%s' has %d dimensions; at most %d are supported", name_of(t), (int)t->dims_count,
              OCTET_MAX_RANK);
    v->rank = (int)t->dims_count;
    for (int i = 0; i < v->rank; i++)
        v->dims[i] = t->dims[i];
    RETURN_IF(!oct_shape_elems(v->dims, v->rank, &elems), OCTET_CORRUPT_FILE,
              "tensor '%s': its shape is negative or too large", name_of(t));
    *bytes = (size_t)elems * oct_dtype_bytes(v->dtype);
    return OCTET_OK;
}

/* ---- external data
 * ----------------------------------------------------------------------------------------- */

static octet_status parse_number(const char *text, const char *key, const char *tensor, size_t *out)
{
    size_t value = 0;
    RETURN_IF(!*text, OCTET_CORRUPT_FILE, "tensor '%s': external data %s is empty", tensor, key);
    for (const char *c = text; *c; c++) {
        RETURN_IF(*c < '0' || *c > '9' || value > SIZE_MAX / 16, OCTET_CORRUPT_FILE,
                  "tensor '%s': external data %s '%.40s' is not a plain number", tensor, key, text);
        value = value * 10 + (size_t)(*c - '0');
    }
    *out = value;
    return OCTET_OK;
}

static octet_status map_external(const oct_onnx_source *s, const char *location, const oct_map **map)
{
    for (oct_onnx_external *e = *s->external; e; e = e->next) {
        if (strcmp(e->location, location) == 0) {
            *map = &e->map;
            return OCTET_OK;
        }
    }
    oct_onnx_external *e = oct_arena_alloc(s->arena, 1, sizeof *e);
    char *copy = oct_arena_strdup(s->arena, location);
    RETURN_IF(!e || !copy, OCTET_OUT_OF_MEMORY, "out of host memory for external data");
    FORWARD(oct_map_beneath(s->path, location, &e->map));
    e->location = copy;
    e->next = *s->external;
    *s->external = e;
    *map = &e->map;
    return OCTET_OK;
}

static octet_status read_external(const oct_onnx_source *s, const onnx_TensorProto *t, oct_value *v,
                                  size_t bytes)
{
    const char *location = NULL;
    size_t offset = 0, length = bytes;
    RETURN_IF(!s->external, OCTET_UNSUPPORTED, "tensor '%s': external data is not supported here",
              name_of(t));
    for (size_t i = 0; i < t->external_data_count; i++) {
        const char *key = t->external_data[i].key, *value = t->external_data[i].value;
        if (!key || !value)
            continue;
        if (strcmp(key, "location") == 0)
            location = value;
        else if (strcmp(key, "offset") == 0)
            FORWARD(parse_number(value, key, name_of(t), &offset));
        else if (strcmp(key, "length") == 0)
            FORWARD(parse_number(value, key, name_of(t), &length));
    }
    RETURN_IF(!location, OCTET_CORRUPT_FILE, "tensor '%s': external data without a location", name_of(t));
    RETURN_IF(length != bytes, OCTET_CORRUPT_FILE,
              "tensor '%s': external data has %zu bytes; its shape needs %zu", name_of(t), length, bytes);
    const oct_map *map = NULL;
    octet_status status = map_external(s, location, &map);
    if (status != OCTET_OK)
        return oct_fail_prefix(status, "tensor '%s'", name_of(t));
    RETURN_IF(offset > map->bytes || map->bytes - offset < bytes, OCTET_CORRUPT_FILE,
              "tensor '%s': external data at %zu + %zu is past the end of '%s' (%zu bytes)", name_of(t),
              offset, bytes, location, map->bytes);
    v->data = map->data + offset;
    v->data_bytes = bytes;
    return OCTET_OK;
}

/* ---- contents in the file
 * ---------------------------------------------------------------------------------- */

static octet_status wrong_size(const onnx_TensorProto *t, size_t has, size_t needs)
{
    return oct_fail(OCTET_CORRUPT_FILE, "tensor '%s': %zu bytes of contents; its shape needs %zu", name_of(t),
                    has, needs);
}

/* Fixed-width packed floats and doubles are little-endian in the file, as raw_data is. */
static octet_status use_range(const onnx_TensorProto *t, const oct_wire_range *range, oct_value *v,
                              size_t bytes)
{
    if (range->bytes != bytes)
        return wrong_size(t, range->bytes, bytes);
    v->data = range->data ? range->data : (const unsigned char *)"";
    v->data_bytes = bytes;
    return OCTET_OK;
}

/* Packed varints, narrowed to the tensor's type. */
static octet_status unpack(const oct_onnx_source *s, const onnx_TensorProto *t, const oct_wire_range *range,
                           oct_value *v, size_t bytes)
{
    size_t elem = oct_dtype_bytes(v->dtype), count = bytes / elem;
    if (range->bytes < count) /* a varint has at least one byte: checked before anything is allocated */
        return wrong_size(t, range->bytes, bytes);
    unsigned char *out = oct_arena_alloc(s->arena, count, elem);
    RETURN_IF(!out, OCTET_OUT_OF_MEMORY, "out of host memory for tensor '%s'", name_of(t));
    pb_istream_t stream = pb_istream_from_buffer(range->data, range->bytes);
    for (size_t i = 0; i < count; i++) {
        uint64_t value;
        RETURN_IF(!pb_decode_varint(&stream, &value), OCTET_CORRUPT_FILE,
                  "tensor '%s': its contents end early", name_of(t));
        memcpy(out + i * elem, &value, elem); /* little-endian hosts only, like the devices */
    }
    RETURN_IF(stream.bytes_left, OCTET_CORRUPT_FILE, "tensor '%s': more contents than its shape needs",
              name_of(t));
    v->data = out;
    v->data_bytes = bytes;
    return OCTET_OK;
}

static octet_status read_contents(const oct_onnx_source *s, const onnx_TensorProto *t, oct_value *v,
                                  size_t bytes)
{
    if (t->raw_data.data)
        return use_range(t, &t->raw_data, v, bytes);
    switch (v->dtype) {
    case OCTET_F32:
        return use_range(t, &t->float_data, v, bytes);
    case OCTET_F64:
        return use_range(t, &t->double_data, v, bytes);
    case OCTET_S64:
        return unpack(s, t, &t->int64_data, v, bytes);
    case OCTET_U32:
    case OCTET_U64:
        return unpack(s, t, &t->uint64_data, v, bytes);
    default:
        return unpack(s, t, &t->int32_data, v, bytes);
    }
}

static octet_status align(const oct_onnx_source *s, oct_value *v)
{
    size_t elem = oct_dtype_bytes(v->dtype);
    if (elem == 1 || v->data_bytes > ALIGN_COPY_BYTES || (uintptr_t)v->data % elem == 0)
        return OCTET_OK;
    void *copy = oct_arena_alloc(s->arena, v->data_bytes, 1);
    RETURN_IF(!copy, OCTET_OUT_OF_MEMORY, "out of host memory for a tensor");
    memcpy(copy, v->data, v->data_bytes);
    v->data = copy;
    return OCTET_OK;
}

octet_status oct_onnx_tensor(const oct_onnx_source *s, const onnx_TensorProto *t, oct_value *v)
{
    size_t bytes = 0;
    FORWARD(read_shape(t, v, &bytes));
    RETURN_IF(t->segment, OCTET_UNSUPPORTED, "tensor '%s' is in segments, which is not supported",
              name_of(t));
    if (t->data_location && *t->data_location == onnx_TensorProto_DataLocation_EXTERNAL)
        FORWARD(read_external(s, t, v, bytes));
    else
        FORWARD(read_contents(s, t, v, bytes));
    return align(s, v);
}
