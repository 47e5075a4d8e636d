/* Facts about element types, in one table. */
#ifndef OCT_DTYPE_H
#define OCT_DTYPE_H

#include <octet/octet.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

size_t oct_dtype_bytes(octet_dtype dtype);     /* 0 for an unknown type */
const char *oct_dtype_name(octet_dtype dtype); /* "s8", "f32", ...; "?" for an unknown type */
const char *oct_dtype_cl(octet_dtype dtype);   /* the OpenCL C type: "char", "float", ... */
bool oct_dtype_is_int8(octet_dtype dtype);     /* s8 or u8 */
bool oct_dtype_is_int16(octet_dtype dtype);    /* s16 or u16 */
int32_t oct_dtype_min(octet_dtype dtype);      /* smallest value of an 8- or 16-bit or int32 type */
int32_t oct_dtype_max(octet_dtype dtype);      /* largest value, likewise */

#endif
