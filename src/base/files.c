#define _DEFAULT_SOURCE /* madvise: posix_madvise does nothing here on Linux */
#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static octet_status map_fd(int fd, const char *name, bool one_link, oct_map *map)
{
    struct stat s;
    RETURN_IF(fstat(fd, &s) != 0, OCTET_CORRUPT_FILE, "%s: %s", name, strerror(errno));
    RETURN_IF(!S_ISREG(s.st_mode), OCTET_CORRUPT_FILE, "%s: not a regular file", name);
    RETURN_IF(one_link && s.st_nlink != 1, OCTET_CORRUPT_FILE, "%s: the file has several hard links; copy it",
              name);
    map->bytes = (size_t)s.st_size;
    if (map->bytes == 0) {
        map->data = (const unsigned char *)"";
        return OCTET_OK;
    }
    void *p = mmap(NULL, map->bytes, PROT_READ, MAP_PRIVATE, fd, 0);
    RETURN_IF(p == MAP_FAILED, OCTET_OUT_OF_MEMORY, "%s: cannot map %zu bytes: %s", name, map->bytes,
              strerror(errno));
    map->data = p;
    return OCTET_OK;
}

octet_status oct_map_file(const char *path, oct_map *map)
{
    memset(map, 0, sizeof *map);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe must not block */
    RETURN_IF(fd < 0, OCTET_CORRUPT_FILE, "%s: %s", path, strerror(errno));
    octet_status status = map_fd(fd, path, false, map);
    close(fd);
    return status;
}

static int open_folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (!slash)
        return open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    size_t n = slash == path ? 1 : (size_t)(slash - path);
    char folder[4096];
    if (n >= sizeof folder)
        return -1;
    memcpy(folder, path, n);
    folder[n] = '\0';
    return open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* Open the parts of `location` one by one, so that no link can lead out. */
static int open_beneath(int folder, const char *location)
{
    int at = folder;
    for (const char *part = location;;) {
        size_t n = strcspn(part, "/");
        bool last = part[n] == '\0';
        char name[256];
        if (n == 0 || n >= sizeof name || strncmp(part, "..", n) == 0 || (n == 1 && part[0] == '.')) {
            close(at);
            errno = EINVAL;
            return -1;
        }
        memcpy(name, part, n);
        name[n] = '\0';
        int next = openat(at, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | (last ? O_NONBLOCK : O_DIRECTORY));
        close(at);
        if (next < 0 || last)
            return next;
        at = next;
        part += n + 1;
    }
}

octet_status oct_map_beneath(const char *beside, const char *location, oct_map *map)
{
    memset(map, 0, sizeof *map);
    int folder = open_folder_of(beside);
    RETURN_IF(folder < 0, OCTET_CORRUPT_FILE, "%s: cannot open its folder", beside);
    int fd = open_beneath(folder, location);
    RETURN_IF(
        fd < 0, OCTET_CORRUPT_FILE,
        "external data '%s': %s; it must be a plain file beneath the model's folder, without links or '..'",
        location, strerror(errno));
    octet_status status = map_fd(fd, location, true, map);
    close(fd);
    return status;
}

void oct_map_give_back(const oct_map *map, const void *data, size_t bytes)
{
    uintptr_t start = (uintptr_t)map->data, from = (uintptr_t)data, page = (uintptr_t)sysconf(_SC_PAGESIZE);
    if (!map->bytes || from < start || from - start > map->bytes || bytes > map->bytes - (from - start))
        return;
    uintptr_t first = (from - start + page - 1) / page * page, last = (from - start + bytes) / page * page;
    if (first < last) /* private and never written: nothing but the page tables is lost */
        (void)madvise((void *)(start + first), last - first, MADV_DONTNEED);
}

void oct_unmap(oct_map *map)
{
    if (map->bytes)
        munmap((void *)map->data, map->bytes);
    memset(map, 0, sizeof *map);
}
