/* Calls of the C library that fail by where they stand in Octet: a program that is linked with --wrap calls
 * libc_faults.c instead, which knows each call by its return address (a call site). Drivers and other
 * libraries have calls of their own, which are left alone. */
#ifndef LIBC_FAULTS_H
#define LIBC_FAULTS_H

#include <stddef.h>
#include <stdint.h>

typedef enum libc_kind { LIBC_MEMORY, LIBC_FILES, LIBC_KINDS } libc_kind;

typedef struct libc_site {
    uintptr_t address; /* in the program's file, for addr2line */
    const char *name;  /* of the function that is called there */
    libc_kind kind;
    long hits; /* since recording began */
} libc_site;

/* Forget all sites, and note those that are met from now on until the next call of this section. */
void libc_record(void);
void libc_stop(void);
/* The sites that were noted, in no order; valid until the next libc_record. */
const libc_site *libc_sites(size_t *count);

/* The `hit`-th call at this site from now on fails, sticky: and those after it, in the way `way` of those
 * that the function has (0, 1, ...: another error, or only a part). */
void libc_order(const libc_site *site, long hit, int sticky, int way);
int libc_ways(const libc_site *site);
long libc_fired(void); /* calls that failed on order since then */

/* Blocks of memory and mappings that Octet has made and not freed. */
long libc_held(void);

#endif
