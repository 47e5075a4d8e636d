/* Opening and reading files that are not trusted. Everything that Octet reads, the library, the command and
 * its pictures, comes through here. Functions return NULL, or in a few words why not; the caller knows the
 * file's name. */
#ifndef OCT_READ_FILE_H
#define OCT_READ_FILE_H

#include <stddef.h>
#include <stdio.h>

/* A regular file, of this many bytes. Pipes, devices, sockets and folders are refused, and never waited for:
 * reading one may not end. A path may lead through symbolic links: the caller named it. */
const char *oct_open_regular(const char *path, int *fd, size_t *bytes);
/* Why what is open there is not a regular file; NULL: it is one, of this many bytes. */
const char *oct_check_regular(int fd, size_t *bytes);
/* The same as a stream. */
const char *oct_open_stream(const char *path, FILE **file, size_t *bytes);

/* Exactly `bytes` from the beginning of the file, which may not be shorter. */
const char *oct_read_exactly(int fd, void *data, size_t bytes);
/* The whole file, and a 0 behind it; free *data. */
const char *oct_read_whole(const char *path, unsigned char **data, size_t *bytes);

#endif
