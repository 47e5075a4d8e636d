/* Kernels that were found not to be exact on a device, or that its driver cannot build, by the name of their
 * variant: they are not chosen there any more. What finds them is run/trust. */
#ifndef OCT_DISTRUST_H
#define OCT_DISTRUST_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#define OCT_MAX_DISTRUSTED 64

/* Names are only added, by one thread at a time; they may be read meanwhile. {0} is empty. */
typedef struct oct_distrust {
    const char *names[OCT_MAX_DISTRUSTED]; /* not copied: they live as long as the device */
    atomic_size_t count;
} oct_distrust;

/* distrust NULL: nothing is. */
bool oct_is_distrusted(const oct_distrust *distrust, const char *name);
/* false: there is no room for it. */
bool oct_distrust_add(oct_distrust *distrust, const char *name);

#endif
