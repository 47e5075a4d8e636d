/* PoCL's cache, looked at before PoCL reads it: it takes the files there as they are, and a truncated one is
 * the end of the process (SIGABRT by an assert of LLVM's, SIGBUS in a mapped library), at every start. */
#ifndef CLI_DRIVER_FILES_H
#define CLI_DRIVER_FILES_H

#include <stdbool.h>

/* Removes each program in the cache folder that has a damaged file, and says so on standard error; and the
 * temporary files that PoCL leaves, a day old. What was written within a minute is let alone: it may be being
 * written. Heads and tables are looked at, not every byte. */
void driver_files_check(const char *folder);

/* Is this file what its name says, ELF (.so, .o) or LLVM bitcode (.bc), and whole? Others are. */
bool driver_file_is_whole(const char *path);

#endif
