/* The environment variables that Octet reads: one struct, filled in one place, once for each device that is
 * listed or opened (tests set variables between two of them). docs/hardware.md lists them; a test
 * compares. */
#ifndef OCT_ENVIRONMENT_H
#define OCT_ENVIRONMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { OCT_ENVIRONMENT_TEXT = 4096 }; /* PATH_MAX here */

/* Texts are "" and numbers -1 where a variable is not set. One that is no number counts as 0, a text that is
 * too long as none. */
typedef struct oct_environment {
    char device[OCT_ENVIRONMENT_TEXT];     /* OCTET_DEVICE */
    char kernel_dir[OCT_ENVIRONMENT_TEXT]; /* OCTET_KERNEL_DIR */
    char cache_home[OCT_ENVIRONMENT_TEXT]; /* XDG_CACHE_HOME */
    char home[OCT_ENVIRONMENT_TEXT];       /* HOME */
    char dot4[OCT_ENVIRONMENT_TEXT];       /* OCTET_DOT4 */
    char lanes[OCT_ENVIRONMENT_TEXT];      /* OCTET_LANES */
    char x86[OCT_ENVIRONMENT_TEXT];        /* OCTET_X86 */
    int64_t verbose;                       /* OCTET_VERBOSE */
    int64_t build_threads;                 /* OCTET_BUILD_THREADS */
    int64_t staging;                       /* OCTET_STAGING */
    int64_t probe;                         /* OCTET_PROBE */
    int64_t memory;                        /* OCTET_MEMORY */
    int64_t max_alloc;                     /* OCTET_MAX_ALLOC */
    int64_t split;                         /* OCTET_SPLIT */
} oct_environment;

void oct_environment_read(oct_environment *environment);

/* Names in order, NULL past the last. */
const char *oct_environment_name(size_t index);

#endif
