#define _DEFAULT_SOURCE /* madvise: posix_madvise does nothing here on Linux */
#include "files.h"
#include "read_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* What is small is copied: nobody can take it away then. Pages of what is mapped are gone when the file
 * becomes shorter, and touching them ends the process. */
#define COPY_BYTES ((size_t)16 << 20)

static octet_status copy(int fd, oct_map *map)
{
    unsigned char *data = malloc(map->bytes + 1);
    if (!data)
        return oct_out_of_memory("a file");
    const char *why = oct_read_exactly(fd, data, map->bytes);
    if (why)
        free(data);
    RETURN_IF(why, OCTET_CORRUPT_FILE, "%s", why);
    map->data = data;
    return OCTET_OK;
}

static octet_status map_pages(int fd, oct_map *map)
{
    void *p = mmap(NULL, map->bytes, PROT_READ, MAP_PRIVATE, fd, 0);
    RETURN_IF(p == MAP_FAILED, OCTET_OUT_OF_MEMORY, "it cannot be mapped, %zu bytes: %s", map->bytes,
              strerror(errno));
    map->data = p;
    map->fd = fd;
    map->is_mapped = true;
    return OCTET_OK;
}

/* fd is the map's from here on, or closed. */
static octet_status map_fd(int fd, oct_map *map)
{
    struct stat s;
    const char *why = fstat(fd, &s) != 0 ? strerror(errno) : oct_check_regular(fd, &map->bytes);
    octet_status status = OCTET_OK;
    if (why) {
        status = oct_fail(OCTET_CORRUPT_FILE, "%s", why);
    } else {
        map->device = s.st_dev;
        map->number = s.st_ino;
        map->changed = s.st_mtim;
        status = map->bytes <= COPY_BYTES ? copy(fd, map) : map_pages(fd, map);
    }
    if (status != OCTET_OK)
        memset(map, 0, sizeof *map);
    if (!map->is_mapped)
        close(fd);
    return status;
}

octet_status oct_map_file(const char *path, oct_map *map)
{
    int fd;
    memset(map, 0, sizeof *map);
    const char *why = oct_open_regular(path, &fd, &map->bytes);
    RETURN_IF(why, OCTET_CORRUPT_FILE, "%s", why);
    return map_fd(fd, map);
}

static bool is_unchanged(const oct_map *map, const struct stat *s)
{
    return (size_t)s->st_size == map->bytes && s->st_mtim.tv_sec == map->changed.tv_sec &&
           s->st_mtim.tv_nsec == map->changed.tv_nsec;
}

octet_status oct_map_check(const oct_map *map)
{
    struct stat s;
    RETURN_IF(
        map->is_mapped && (fstat(map->fd, &s) != 0 || !is_unchanged(map, &s)), OCTET_CORRUPT_FILE,
        "the model's file was written to while it was in use; load it again, and replace files by renaming");
    return OCTET_OK;
}

/* A file that is copied may be gone, and its number another's. */
bool oct_map_is(const oct_map *map, const char *path)
{
    struct stat s;
    return stat(path, &s) == 0 && s.st_dev == map->device && s.st_ino == map->number &&
           (map->is_mapped || is_unchanged(map, &s));
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
    struct stat s;
    bool several = fstat(fd, &s) == 0 && S_ISREG(s.st_mode) && s.st_nlink != 1;
    if (several)
        close(fd);
    RETURN_IF(several, OCTET_CORRUPT_FILE, "external data '%s': the file has several hard links; copy it",
              location);
    octet_status status = map_fd(fd, map);
    return status == OCTET_OK ? OCTET_OK : oct_fail_prefix(status, "external data '%s'", location);
}

void oct_map_give_back(const oct_map *map, const void *data, size_t bytes)
{
    uintptr_t start = (uintptr_t)map->data, from = (uintptr_t)data, page = (uintptr_t)sysconf(_SC_PAGESIZE);
    if (!map->is_mapped || from < start || from - start > map->bytes || bytes > map->bytes - (from - start))
        return;
    uintptr_t first = (from - start + page - 1) / page * page, last = (from - start + bytes) / page * page;
    if (first < last) /* private and never written: nothing but the page tables is lost */
        (void)madvise((void *)(start + first), last - first, MADV_DONTNEED);
}

void oct_unmap(oct_map *map)
{
    if (map->is_mapped) {
        munmap((void *)map->data, map->bytes);
        close(map->fd);
    } else {
        free((void *)map->data);
    }
    memset(map, 0, sizeof *map);
}
