/* The OpenCL C sources of kernels/, embedded by cmake/embed_kernels.cmake. */
#ifndef OCT_KERNEL_SOURCES_H
#define OCT_KERNEL_SOURCES_H

#include <stddef.h>
#include <stdint.h>

typedef struct oct_kernel_source {
    const char *path; /* below kernels/, '/' separated */
    const char *text; /* terminated; `size` does not count the terminator */
    size_t size;
} oct_kernel_source;

extern const oct_kernel_source oct_kernel_sources[]; /* sorted by path */
extern const size_t oct_kernel_source_count;
extern const uint64_t oct_kernel_sources_hash; /* changes with any of them */

#endif
