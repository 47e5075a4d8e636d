/* The user's cache folder, shared by this user's processes: program binaries, and what tuning.c keeps. Files
 * are written to a temporary one and renamed, so readers see a whole file or none. The folder and its files
 * must be this user's own and writable by nobody else; whatever is odd is a miss. A program is one file,
 * named by the hash of its key and holding the whole key: magic, sizes, checksum, key, binary. */
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
static char *base_folder(const oct_environment *environment)
{
    const char *xdg = environment->cache_home, *home = environment->home;
    if (xdg[0] == '/') {
        (void)mkdir(xdg, 0700);
        return join(xdg, "octet");
    }
    if (home[0] != '/')
        return NULL;
    char *cache = join(home, ".cache");
    if (!cache)
        return NULL;
    (void)mkdir(cache, 0700);
    char *folder = join(cache, "octet");
    free(cache);
    return folder;
}

char *oct_disk_cache_folder(const char *wanted, const oct_environment *environment)
{
    if (wanted && !*wanted)
        return NULL;
    char *folder = wanted ? join(wanted, "") : base_folder(environment);
    if (folder && own_folder(folder))
        return folder;
    free(folder);
    return NULL;
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

void *oct_cache_read(const char *folder, const char *name, size_t *bytes)
{
    char *path = join(folder, name);
    int fd = path ? open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK) : -1;
    free(path);
    if (fd < 0)
        return NULL;
    char *data = is_own_file(fd, bytes) ? malloc(*bytes + 1) : NULL;
    if (data && !read_all(fd, data, *bytes)) {
        free(data);
        data = NULL;
    }
    if (data)
        data[*bytes] = '\0';
    close(fd);
    return data;
}

bool oct_cache_write(const char *folder, const char *name, const oct_cache_piece *pieces, size_t count)
{
    char *path = join(folder, name), *temporary = join(folder, "tmp-XXXXXX");
    int fd = path && temporary ? mkstemp(temporary) : -1; /* mode 0600 */
    bool ok = fd >= 0;
    for (size_t i = 0; ok && i < count; i++)
        ok = write_all(fd, pieces[i].data, pieces[i].bytes);
    if (fd >= 0) {
        ok = close(fd) == 0 && ok && rename(temporary, path) == 0;
        if (!ok)
            unlink(temporary);
    }
    free(path);
    free(temporary);
    return ok;
}

bool oct_cache_remove(const char *folder, const char *name)
{
    char *path = join(folder, name);
    bool gone = path && (unlink(path) == 0 || errno == ENOENT);
    free(path);
    return gone;
}

/* ---- program binaries ---------------------------------------------------------------------------------- */

static void entry_name(const char *key, char name[32])
{
    snprintf(name, 32, "%016llx.bin", (unsigned long long)oct_hash(OCT_HASH_START, key, strlen(key)));
}

/* Where the binary begins in an entry of this key; 0: it is none. */
static size_t find_binary(const unsigned char *entry, size_t entry_bytes, const char *key)
{
    entry_head head;
    size_t key_bytes = strlen(key);
    if (entry_bytes < sizeof head)
        return 0;
    memcpy(&head, entry, sizeof head);
    size_t rest = entry_bytes - sizeof head;
    if (memcmp(head.magic, magic, sizeof magic) != 0 || head.key_bytes != key_bytes || rest < key_bytes ||
        head.binary_bytes != rest - key_bytes || head.binary_bytes == 0)
        return 0;
    const unsigned char *data = entry + sizeof head;
    bool whole = memcmp(data, key, key_bytes) == 0 && oct_hash(OCT_HASH_START, data, rest) == head.checksum;
    return whole ? sizeof head + key_bytes : 0;
}

unsigned char *oct_disk_cache_get(const char *folder, const char *key, size_t *bytes)
{
    char name[32];
    entry_name(key, name);
    unsigned char *entry = oct_cache_read(folder, name, bytes);
    size_t at = entry ? find_binary(entry, *bytes, key) : 0;
    if (!at) {
        free(entry);
        return NULL;
    }
    *bytes -= at;
    memmove(entry, entry + at, *bytes);
    return entry;
}

void oct_disk_cache_put(const char *folder, const char *key, const unsigned char *binary, size_t bytes)
{
    entry_head head = {.key_bytes = strlen(key), .binary_bytes = bytes};
    if (bytes == 0 || bytes > MAX_ENTRY_BYTES / 2)
        return;
    memcpy(head.magic, magic, sizeof magic);
    head.checksum = oct_hash(oct_hash(OCT_HASH_START, key, strlen(key)), binary, bytes);
    const oct_cache_piece pieces[] = {{&head, sizeof head}, {key, strlen(key)}, {binary, bytes}};
    char name[32];
    entry_name(key, name);
    (void)oct_cache_write(folder, name, pieces, sizeof pieces / sizeof pieces[0]);
}
