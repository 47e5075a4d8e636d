/* Program binaries on disk, shared by this user's processes. One file an entry, named by the hash of its key
 * and holding the whole key: magic, sizes, checksum, key, binary. Written to a temporary file and renamed, so
 * readers see a whole entry or none. The folder and its entries must be this user's own and writable by
 * nobody else; whatever is odd is a miss. */
#include "device_priv.h"
#include "hash.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_ENTRY_BYTES ((size_t)256 << 20)

typedef struct entry_head {
    char magic[8];
    uint64_t key_bytes, binary_bytes;
    uint64_t checksum; /* of key and binary */
} entry_head;

static const char magic[8] = "OCTETC1";

/* The user's own folder, mode 0700, made if need be. */
static bool own_folder(const char *path)
{
    struct stat s;
    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        return false;
    return lstat(path, &s) == 0 && S_ISDIR(s.st_mode) && s.st_uid == geteuid() && (s.st_mode & 0022) == 0;
}

static char *join(const char *folder, const char *name)
{
    size_t bytes = strlen(folder) + strlen(name) + 2;
    char *path = malloc(bytes);
    if (path)
        snprintf(path, bytes, "%s/%s", folder, name);
    return path;
}

/* $XDG_CACHE_HOME, or $HOME/.cache (made if need be). Only absolute paths count, as the XDG rule says. */
static char *base_folder(void)
{
    const char *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    if (xdg && xdg[0] == '/') {
        (void)mkdir(xdg, 0700);
        return join(xdg, "octet");
    }
    if (!home || home[0] != '/')
        return NULL;
    char *cache = join(home, ".cache");
    if (!cache)
        return NULL;
    (void)mkdir(cache, 0700);
    char *folder = join(cache, "octet");
    free(cache);
    return folder;
}

char *oct_disk_cache_folder(const char *wanted)
{
    if (wanted && !*wanted)
        return NULL;
    char *folder = wanted ? join(wanted, "") : base_folder();
    if (folder && own_folder(folder))
        return folder;
    free(folder);
    return NULL;
}

static char *entry_path(const char *folder, const char *key)
{
    char name[32];
    snprintf(name, sizeof name, "%016llx.bin",
             (unsigned long long)oct_hash(OCT_HASH_START, key, strlen(key)));
    return join(folder, name);
}

static bool read_all(int fd, void *data, size_t bytes)
{
    for (char *at = data; bytes;) {
        ssize_t n = read(fd, at, bytes);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        at += n;
        bytes -= (size_t)n;
    }
    return true;
}

static bool write_all(int fd, const void *data, size_t bytes)
{
    for (const char *at = data; bytes;) {
        ssize_t n = write(fd, at, bytes);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        at += n;
        bytes -= (size_t)n;
    }
    return true;
}

static bool is_own_file(int fd, size_t *bytes)
{
    struct stat s;
    if (fstat(fd, &s) != 0 || !S_ISREG(s.st_mode) || s.st_uid != geteuid() || (s.st_mode & 0022) ||
        s.st_nlink != 1)
        return false;
    *bytes = s.st_size > 0 ? (size_t)s.st_size : 0;
    return *bytes <= MAX_ENTRY_BYTES;
}

/* The binary of an open entry, or NULL. */
static unsigned char *read_entry(int fd, const char *key, size_t *bytes)
{
    entry_head head;
    size_t file_bytes, key_bytes = strlen(key);
    if (!is_own_file(fd, &file_bytes) || file_bytes < sizeof head || !read_all(fd, &head, sizeof head))
        return NULL;
    size_t rest = file_bytes - sizeof head;
    if (memcmp(head.magic, magic, sizeof magic) != 0 || head.key_bytes != key_bytes || rest < key_bytes ||
        head.binary_bytes != rest - key_bytes || head.binary_bytes == 0)
        return NULL;
    unsigned char *data = malloc(rest);
    if (data && read_all(fd, data, rest) && memcmp(data, key, key_bytes) == 0 &&
        oct_hash(OCT_HASH_START, data, rest) == head.checksum) {
        *bytes = rest - key_bytes;
        memmove(data, data + key_bytes, *bytes);
        return data;
    }
    free(data);
    return NULL;
}

unsigned char *oct_disk_cache_get(const char *folder, const char *key, size_t *bytes)
{
    char *path = entry_path(folder, key);
    int fd = path ? open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK) : -1;
    free(path);
    if (fd < 0)
        return NULL;
    unsigned char *binary = read_entry(fd, key, bytes);
    close(fd);
    return binary;
}

static bool write_entry(int fd, const char *key, const unsigned char *binary, size_t bytes)
{
    entry_head head = {.key_bytes = strlen(key), .binary_bytes = bytes};
    memcpy(head.magic, magic, sizeof magic);
    head.checksum = oct_hash(oct_hash(OCT_HASH_START, key, strlen(key)), binary, bytes);
    return write_all(fd, &head, sizeof head) && write_all(fd, key, strlen(key)) &&
           write_all(fd, binary, bytes);
}

void oct_disk_cache_put(const char *folder, const char *key, const unsigned char *binary, size_t bytes)
{
    if (bytes == 0 || bytes > MAX_ENTRY_BYTES / 2)
        return;
    char *path = entry_path(folder, key), *temporary = join(folder, "tmp-XXXXXX");
    int fd = path && temporary ? mkstemp(temporary) : -1; /* mode 0600 */
    if (fd >= 0) {
        bool ok = write_entry(fd, key, binary, bytes);
        ok = close(fd) == 0 && ok;
        if (!ok || rename(temporary, path) != 0)
            unlink(temporary);
    }
    free(path);
    free(temporary);
}
