/* What fuzz targets share. A target is one file with LLVMFuzzerTestOneInput: any bytes are read or refused,
 * nothing else. Built by the preset `fuzz` each is a libFuzzer program (scripts/fuzz runs them); else
 * driver.c goes through files, and changed copies of them, as a test. */
#ifndef FUZZ_H
#define FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A file in this process's own folder, which is made on the first call, in $TMPDIR or else in memory, and
 * goes at its end. The text lives until the fourth call from here. */
const char *fuzz_path(const char *name);
/* The file of that name with these bytes; its path. */
const char *fuzz_file(const char *name, const void *data, size_t size);

/* What a target promises beyond "no crash". */
#define FUZZ_MUST(condition) ((condition) ? (void)0 : fuzz_fail(__FILE__, __LINE__, #condition))
_Noreturn void fuzz_fail(const char *file, int line, const char *what);
extern void (*fuzz_on_failure)(void); /* NULL: nothing more */
extern int fuzz_report; /* where failures are told: standard error, unless someone has hushed that */

#endif
