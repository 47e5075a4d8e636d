#include "distrust.h"

#include <string.h>

bool oct_is_distrusted(const oct_distrust *d, const char *name)
{
    /* The cast: C11's atomic_load takes no pointer to const (mended in C17). */
    size_t count = d ? atomic_load_explicit((atomic_size_t *)&d->count, memory_order_acquire) : 0;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(d->names[i], name) == 0)
            return true;
    }
    return false;
}

bool oct_distrust_add(oct_distrust *d, const char *name)
{
    size_t count = atomic_load(&d->count);
    if (oct_is_distrusted(d, name))
        return true;
    if (count == OCT_MAX_DISTRUSTED)
        return false;
    d->names[count] = name;
    atomic_store_explicit(&d->count, count + 1, memory_order_release);
    return true;
}
