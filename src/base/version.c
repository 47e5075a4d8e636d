/* Facts about the library and the public types that need no other layer. */
#include "dtype.h"
#include "sizes.h"

#include <string.h>

#define TEXT_(x) #x
#define TEXT(x)  TEXT_(x)

const char *octet_version(void)
{
    return TEXT(OCTET_VERSION_MAJOR) "." TEXT(OCTET_VERSION_MINOR) "." TEXT(OCTET_VERSION_PATCH);
}

void octet_init(void *desc, size_t size)
{
    memset(desc, 0, size);
    memcpy(desc, &size, sizeof size); /* struct_size is the first member of every descriptor */
}
