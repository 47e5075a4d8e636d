/* FNV-1a, 64 bits (Fowler, Noll, Vo). For cache names and checksums against accidents, not against attackers.
 */
#ifndef OCT_HASH_H
#define OCT_HASH_H

#include <stddef.h>
#include <stdint.h>

#define OCT_HASH_START UINT64_C(0xcbf29ce484222325)

static inline uint64_t oct_hash(uint64_t h, const void *data, size_t n)
{
    const unsigned char *p = data;
    for (size_t i = 0; i < n; i++)
        h = (h ^ p[i]) * UINT64_C(0x100000001b3);
    return h;
}

#endif
