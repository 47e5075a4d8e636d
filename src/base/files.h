/* Reading files that are not trusted: mapped read-only, regular files only. */
#ifndef OCT_FILES_H
#define OCT_FILES_H

#include "error.h"
#include <stddef.h>

typedef struct oct_map {
    const unsigned char *data; /* valid pointer even for an empty file */
    size_t bytes;
} oct_map;

/* Map a file. A path may lead through symbolic links: the caller named it. Errors: CORRUPT_FILE (cannot be
 * opened, not a regular file), OUT_OF_MEMORY. The file must not be changed while it is mapped. */
octet_status oct_map_file(const char *path, oct_map *map);

/* Map `location` (a relative path from a file that is not trusted) beneath the folder of `beside`. No
 * absolute paths, no "." or "..", no symbolic links on the way, no hard links. Errors: CORRUPT_FILE. */
octet_status oct_map_beneath(const char *beside, const char *location, oct_map *map);

/* The whole pages of [data, data + bytes), if that is in the map, need not stay in memory: they are read from
 * the file again when they are touched. */
void oct_map_give_back(const oct_map *map, const void *data, size_t bytes);

void oct_unmap(oct_map *map);

#endif
