#include "read_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *check(const struct stat *about)
{
    switch (about->st_mode & S_IFMT) {
    case S_IFREG:
        return about->st_size < 0 || (uintmax_t)about->st_size > SIZE_MAX ? "too large for this machine"
                                                                          : NULL;
    case S_IFDIR:
        return "not a regular file but a folder";
    case S_IFIFO:
        return "not a regular file but a pipe; save what it gives to a file first";
    default:
        return "not a regular file but a device or socket";
    }
}

const char *oct_check_regular(int fd, size_t *bytes)
{
    struct stat about;
    if (fstat(fd, &about) != 0)
        return strerror(errno);
    *bytes = (size_t)about.st_size;
    return check(&about);
}

/* Looked at before it is opened, since that alone does something to devices and to whoever waits at the other
 * end of a pipe; and after it, since it may be another file by then. */
const char *oct_open_regular(const char *path, int *fd, size_t *bytes)
{
    struct stat about;
    if (stat(path, &about) != 0)
        return strerror(errno);
    const char *why = check(&about);
    if (why)
        return why;
    *fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (*fd < 0)
        return strerror(errno);
    why = oct_check_regular(*fd, bytes);
    if (why)
        close(*fd);
    return why;
}

const char *oct_open_stream(const char *path, FILE **file, size_t *bytes)
{
    int fd;
    const char *why = oct_open_regular(path, &fd, bytes);
    if (why)
        return why;
    *file = fdopen(fd, "rb");
    if (*file)
        return NULL;
    why = strerror(errno);
    close(fd);
    return why;
}

const char *oct_read_exactly(int fd, void *data, size_t bytes)
{
    for (size_t at = 0; at < bytes;) {
        ssize_t n = pread(fd, (char *)data + at, bytes - at, (off_t)at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return strerror(errno);
        if (n == 0)
            return "it became shorter while it was read";
        at += (size_t)n;
    }
    return NULL;
}

const char *oct_read_whole(const char *path, unsigned char **data, size_t *bytes)
{
    int fd;
    *data = NULL;
    const char *why = oct_open_regular(path, &fd, bytes);
    if (why)
        return why;
    *data = *bytes < SIZE_MAX ? malloc(*bytes + 1) : NULL;
    why = *data ? oct_read_exactly(fd, *data, *bytes) : "out of memory";
    close(fd);
    if (!why) {
        (*data)[*bytes] = '\0';
        return NULL;
    }
    free(*data);
    *data = NULL;
    return why;
}
