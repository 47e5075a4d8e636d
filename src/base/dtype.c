#include "dtype.h"

static const struct {
    size_t bytes;
    const char *name, *cl;
    int32_t min, max;
} facts[OCTET_DTYPE_COUNT] = {
    [OCTET_F32] = {4, "f32", "float", 0, 0},          [OCTET_U8] = {1, "u8", "uchar", 0, 255},
    [OCTET_S8] = {1, "s8", "char", -128, 127},        [OCTET_U16] = {2, "u16", "ushort", 0, 65535},
    [OCTET_S16] = {2, "s16", "short", -32768, 32767}, [OCTET_S32] = {4, "s32", "int", INT32_MIN, INT32_MAX},
    [OCTET_S64] = {8, "s64", "long", 0, 0},           [OCTET_BOOL] = {1, "bool", "uchar", 0, 1},
    [OCTET_F16] = {2, "f16", "ushort", 0, 0},         [OCTET_F64] = {8, "f64", "ulong", 0, 0},
    [OCTET_U32] = {4, "u32", "uint", 0, 0},           [OCTET_U64] = {8, "u64", "ulong", 0, 0},
    [OCTET_BF16] = {2, "bf16", "ushort", 0, 0},
};

static bool known(octet_dtype dtype)
{
    return (unsigned)dtype < OCTET_DTYPE_COUNT && facts[dtype].bytes != 0;
}

size_t oct_dtype_bytes(octet_dtype dtype)
{
    return known(dtype) ? facts[dtype].bytes : 0;
}

const char *oct_dtype_name(octet_dtype dtype)
{
    return known(dtype) ? facts[dtype].name : "?";
}

const char *oct_dtype_cl(octet_dtype dtype)
{
    return known(dtype) ? facts[dtype].cl : "?";
}

bool oct_dtype_is_int8(octet_dtype dtype)
{
    return dtype == OCTET_U8 || dtype == OCTET_S8;
}

bool oct_dtype_is_int16(octet_dtype dtype)
{
    return dtype == OCTET_S16 || dtype == OCTET_U16;
}

int32_t oct_dtype_min(octet_dtype dtype)
{
    return known(dtype) ? facts[dtype].min : 0;
}

int32_t oct_dtype_max(octet_dtype dtype)
{
    return known(dtype) ? facts[dtype].max : 0;
}
