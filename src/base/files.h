/* Files that are not trusted, in memory: copied where they are small, else mapped read-only. */
#ifndef OCT_FILES_H
#define OCT_FILES_H

#include "error.h"
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <time.h>

typedef struct oct_map {
    const unsigned char *data; /* not NULL, even for an empty file */
    size_t bytes;
    bool is_mapped; /* pages of the file, which is open as fd; else memory */
    int fd;
    dev_t device; /* which file it is */
    ino_t number;
    struct timespec changed; /* last, before it was mapped */
} oct_map;                   /* {0} is none */

/* A file, all of it. A path may lead through symbolic links: the caller named it. One that is not copied must
 * not be written to while it is mapped; to put another in its place does no harm. Errors, which do not name
 * it: CORRUPT_FILE (it cannot be opened, is no regular file), OUT_OF_MEMORY. */
octet_status oct_map_file(const char *path, oct_map *map);
/* Errors: CORRUPT_FILE (it was written to since). */
octet_status oct_map_check(const oct_map *map);
/* Whether what is at the path is this file. */
bool oct_map_is(const oct_map *map, const char *path);

/* Map `location` (a relative path from a file that is not trusted) beneath the folder of `beside`. No
 * absolute paths, no "." or "..", no symbolic links on the way, no hard links. Errors: CORRUPT_FILE. */
octet_status oct_map_beneath(const char *beside, const char *location, oct_map *map);

/* The whole pages of [data, data + bytes), if those are of the file, need not stay in memory: they are read
 * from the file again when they are touched. */
void oct_map_give_back(const oct_map *map, const void *data, size_t bytes);

void oct_unmap(oct_map *map);

#endif
