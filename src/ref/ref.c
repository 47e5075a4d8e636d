/* What the reference operators share: reading and writing integers of any type, parameters per channel. */
#include "ref.h"
#include "dtype.h"

bool oct_ref_is_wide(octet_dtype x, octet_dtype y)
{
    return oct_dtype_is_int16(x) || oct_dtype_is_int16(y);
}

int32_t oct_ref_load(octet_dtype dtype, const void *data, int64_t i)
{
    switch (dtype) {
    case OCTET_U8:
    case OCTET_BOOL:
        return ((const uint8_t *)data)[i];
    case OCTET_S8:
        return ((const int8_t *)data)[i];
    case OCTET_U16:
        return ((const uint16_t *)data)[i];
    case OCTET_S16:
        return ((const int16_t *)data)[i];
    default:
        return ((const int32_t *)data)[i];
    }
}

void oct_ref_store(octet_dtype dtype, void *data, int64_t i, int32_t value)
{
    switch (dtype) {
    case OCTET_U8:
    case OCTET_S8:
    case OCTET_BOOL:
        ((uint8_t *)data)[i] = (uint8_t)value;
        break;
    case OCTET_U16:
    case OCTET_S16:
        ((uint16_t *)data)[i] = (uint16_t)value;
        break;
    default:
        ((int32_t *)data)[i] = value;
    }
}

float oct_ref_scale(const oct_ref_quant *q, int64_t i)
{
    return q->scale ? q->scale[q->scale_count > 1 ? i : 0] : 1.0f;
}

int32_t oct_ref_zero(const oct_ref_quant *q, octet_dtype dtype, int64_t i)
{
    return q->zero ? oct_ref_load(dtype, q->zero, q->zero_count > 1 ? i : 0) : 0;
}
