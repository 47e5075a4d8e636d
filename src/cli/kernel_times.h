/* octet bench MODEL --kernels: how long each kernel of a run takes, over many runs. */
#ifndef CLI_KERNEL_TIMES_H
#define CLI_KERNEL_TIMES_H

#include "cli.h"

#include <stdio.h>

typedef struct kernel_times {
    size_t kernels, runs; /* kernels of a run, and runs that were added */
    double *seconds;      /* by kernel, then by run */
} kernel_times;           /* {0} is none */

/* The last run of a session whose context profiles. 0, or EXIT_FAILED with the error told. */
int kernel_times_add(kernel_times *k, const octet_session *session);
/* A table, longest first; json: NULL, or `"kernels": [...]` goes there too. Sorts the times, so that it is
 * the last that is done with them. 0, or EXIT_FAILED with the error told. */
int kernel_times_report(kernel_times *k, const octet_session *session, FILE *json);
void kernel_times_free(kernel_times *k);

#endif
