/* The wrapped calls: see libc_faults.h. CMake takes their names from the lines that begin with WRAP; check.sh
 * holds them to what Octet calls. What a stream does is left to the stream: a call that shall fail finds
 * the full disk (/dev/full) or an unreadable file under it, so buffers and error flags are as in life. */
#define _GNU_SOURCE
#include "libc_faults.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_SITES = 4096, SHORT = -1 /* of ways: a part is done */, END = -2 /* nothing is left to read */ };

extern const char __executable_start; /* of the linker */

typedef struct ordered {
    libc_site site; /* address 0: none */
    long hit, met, fired;
    int sticky, way;
} ordered;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static bool recording;
static libc_site sites[MOST_SITES];
static size_t site_count;
static ordered wanted;
static long held;

void libc_record(void)
{
    pthread_mutex_lock(&lock);
    recording = true;
    site_count = 0;
    wanted = (ordered){0};
    pthread_mutex_unlock(&lock);
}

void libc_stop(void)
{
    pthread_mutex_lock(&lock);
    recording = false;
    wanted.site.address = 0;
    pthread_mutex_unlock(&lock);
}

const libc_site *libc_sites(size_t *count)
{
    *count = site_count;
    return sites;
}

void libc_order(const libc_site *site, long hit, int sticky, int way)
{
    pthread_mutex_lock(&lock);
    recording = false;
    wanted = (ordered){.site = *site, .hit = hit, .sticky = sticky, .way = way};
    pthread_mutex_unlock(&lock);
}

long libc_fired(void)
{
    return wanted.fired;
}

long libc_held(void)
{
    return held;
}

static void note(uintptr_t address, const char *name, libc_kind kind)
{
    size_t i = 0;
    while (i < site_count && sites[i].address != address)
        i++;
    if (i == MOST_SITES)
        abort();
    if (i == site_count)
        sites[site_count++] = (libc_site){address, name, kind, 0};
    sites[i].hits++;
}

static bool is_failing(void *from, const char *name, libc_kind kind)
{
    uintptr_t address = (uintptr_t)from - (uintptr_t)&__executable_start;
    bool fails = false;
    pthread_mutex_lock(&lock);
    if (recording)
        note(address, name, kind);
    if (wanted.site.address == address) {
        long met = ++wanted.met;
        fails = met == wanted.hit || (wanted.sticky && met > wanted.hit);
        wanted.fired += fails;
    }
    pthread_mutex_unlock(&lock);
    return fails;
}

static void hold(long step)
{
    pthread_mutex_lock(&lock);
    held += step;
    pthread_mutex_unlock(&lock);
}

/* ---- ways to fail -------------------------------------------------------------------------------------- */

enum { MOST_WAYS = 5 };
static const struct ways {
    const char *names; /* separated and ended by a blank */
    int ways[MOST_WAYS], count;
} ways[] = {
    {"open openat mkstemp fopen fdopen opendir ", {EACCES, EMFILE, EIO, ENOSPC}, 4},
    {"write pwrite ", {ENOSPC, EIO, SHORT, EINTR}, 4},
    {"read pread ", {EIO, SHORT, END, EINTR}, 4},
    {"rename renameat link linkat mkdir mkdirat ", {EACCES, ENOSPC, EXDEV}, 3},
    {"fstat stat lstat readdir close fsync ftruncate ", {EIO}, 1},
    {"mmap ", {ENOMEM, ENODEV}, 2},
};

static const struct ways *find_ways(const char *name)
{
    static const struct ways one = {"", {EIO}, 1};
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        const char *at = strstr(ways[i].names, name);
        if (at && (at == ways[i].names || at[-1] == ' ') && at[strlen(name)] == ' ')
            return &ways[i];
    }
    return &one;
}

int libc_ways(const libc_site *site)
{
    return site->kind == LIBC_MEMORY ? 1 : find_ways(site->name)->count;
}

/* An interrupted call is made again, so one that always is would never end. */
static int way_now(void)
{
    const struct ways *w = find_ways(wanted.site.name);
    int way = w->ways[wanted.way % w->count];
    return way == EINTR && wanted.sticky ? EIO : way;
}

#define FAILS(kind) is_failing(__builtin_return_address(0), __func__ + sizeof "__wrap_" - 1, kind)
#define WRAP(type, name, parameters)                                                                         \
    type __real_##name parameters;                                                                           \
    type __wrap_##name parameters;                                                                           \
    type __wrap_##name parameters

/* ---- memory and threads -------------------------------------------------------------------------------- */

static void *given(void *block)
{
    if (block)
        hold(1);
    return block;
}

static void *none(void)
{
    errno = ENOMEM;
    return NULL;
}

WRAP(void *, malloc, (size_t bytes))
{
    return FAILS(LIBC_MEMORY) ? none() : given(__real_malloc(bytes));
}

WRAP(void *, calloc, (size_t count, size_t bytes))
{
    return FAILS(LIBC_MEMORY) ? none() : given(__real_calloc(count, bytes));
}

WRAP(void *, realloc, (void *block, size_t bytes))
{
    if (FAILS(LIBC_MEMORY))
        return none();
    void *moved = __real_realloc(block, bytes);
    if (moved && !block)
        hold(1);
    return moved;
}

WRAP(void *, aligned_alloc, (size_t alignment, size_t bytes))
{
    return FAILS(LIBC_MEMORY) ? none() : given(__real_aligned_alloc(alignment, bytes));
}

WRAP(int, posix_memalign, (void **block, size_t alignment, size_t bytes))
{
    int error = FAILS(LIBC_MEMORY) ? ENOMEM : __real_posix_memalign(block, alignment, bytes);
    if (!error)
        hold(1);
    return error;
}

WRAP(char *, strdup, (const char *text))
{
    return FAILS(LIBC_MEMORY) ? none() : given(__real_strdup(text));
}

WRAP(char *, realpath, (const char *path, char *resolved))
{
    return FAILS(LIBC_FILES) ? none()
           : resolved        ? __real_realpath(path, resolved)
                             : given(__real_realpath(path, NULL));
}

WRAP(char *, strndup, (const char *text, size_t bytes))
{
    return FAILS(LIBC_MEMORY) ? none() : given(__real_strndup(text, bytes));
}

WRAP(void, free, (void *block))
{
    if (block)
        hold(-1);
    __real_free(block);
}

WRAP(void *, mmap, (void *at, size_t bytes, int protection, int flags, int fd, off_t offset))
{
    if (FAILS(LIBC_MEMORY)) {
        errno = ENOMEM;
        return MAP_FAILED;
    }
    void *mapped = __real_mmap(at, bytes, protection, flags, fd, offset);
    if (mapped != MAP_FAILED)
        hold(1);
    return mapped;
}

WRAP(int, munmap, (void *at, size_t bytes))
{
    hold(-1);
    return __real_munmap(at, bytes);
}

WRAP(int, pthread_create,
     (pthread_t * thread, const pthread_attr_t *attributes, void *(*start)(void *), void *user))
{
    return FAILS(LIBC_MEMORY) ? EAGAIN : __real_pthread_create(thread, attributes, start, user);
}

/* ---- descriptors and names ----------------------------------------------------------------------------- */

static int failed(void)
{
    errno = way_now();
    return -1;
}

#define MODE_OF(flags, mode)                                                                                 \
    if ((flags)&O_CREAT) {                                                                                   \
        va_list list;                                                                                        \
        va_start(list, flags);                                                                               \
        (mode) = va_arg(list, mode_t);                                                                       \
        va_end(list);                                                                                        \
    }

WRAP(int, open, (const char *path, int flags, ...))
{
    mode_t mode = 0;
    MODE_OF(flags, mode)
    return FAILS(LIBC_FILES) ? failed() : __real_open(path, flags, mode);
}

WRAP(int, openat, (int folder, const char *path, int flags, ...))
{
    mode_t mode = 0;
    MODE_OF(flags, mode)
    return FAILS(LIBC_FILES) ? failed() : __real_openat(folder, path, flags, mode);
}

WRAP(int, fcntl, (int fd, int what, ...))
{
    va_list list;
    va_start(list, what);
    void *with = va_arg(list, void *);
    va_end(list);
    return FAILS(LIBC_FILES) ? failed() : __real_fcntl(fd, what, with);
}

static ssize_t part(size_t bytes, bool *partly)
{
    int way = way_now();
    *partly = way == SHORT && bytes > 1;
    if (*partly)
        return (ssize_t)(bytes / 2);
    errno = way > 0 ? way : EIO;
    return way == END ? 0 : -1;
}

#define TRANSFER(name, call)                                                                                 \
    if (FAILS(LIBC_FILES)) {                                                                                 \
        bool partly;                                                                                         \
        ssize_t done = part(bytes, &partly);                                                                 \
        if (!partly)                                                                                         \
            return done;                                                                                     \
        bytes = (size_t)done;                                                                                \
    }                                                                                                        \
    return __real_##name call;

WRAP(ssize_t, read, (int fd, void *data, size_t bytes)){TRANSFER(read, (fd, data, bytes))}

WRAP(ssize_t, write, (int fd, const void *data, size_t bytes)){TRANSFER(write, (fd, data, bytes))}

WRAP(ssize_t, pread, (int fd, void *data, size_t bytes, off_t at)){TRANSFER(pread, (fd, data, bytes, at))}

WRAP(ssize_t, pwrite,
     (int fd, const void *data, size_t bytes, off_t at)){TRANSFER(pwrite, (fd, data, bytes, at))}

/* A close that fails has closed: the last of the data could not be written. */
WRAP(int, close, (int fd))
{
    int status = __real_close(fd);
    return FAILS(LIBC_FILES) ? failed() : status;
}

#define WRAP_SIMPLE(name, parameters, arguments)                                                             \
    WRAP(int, name, parameters)                                                                              \
    {                                                                                                        \
        return FAILS(LIBC_FILES) ? failed() : __real_##name arguments;                                       \
    }

WRAP_SIMPLE(mkstemp, (char *path), (path))
WRAP_SIMPLE(fstat, (int fd, struct stat *s), (fd, s))
WRAP_SIMPLE(stat, (const char *path, struct stat *s), (path, s))
WRAP_SIMPLE(lstat, (const char *path, struct stat *s), (path, s))
WRAP_SIMPLE(fstatat, (int folder, const char *path, struct stat *s, int flags), (folder, path, s, flags))
WRAP_SIMPLE(fsync, (int fd), (fd))
WRAP_SIMPLE(ftruncate, (int fd, off_t bytes), (fd, bytes))
WRAP_SIMPLE(fchmod, (int fd, mode_t mode), (fd, mode))
WRAP_SIMPLE(fchown, (int fd, uid_t user, gid_t group), (fd, user, group))
WRAP_SIMPLE(chmod, (const char *path, mode_t mode), (path, mode))
WRAP_SIMPLE(rename, (const char *from, const char *to), (from, to))
WRAP_SIMPLE(renameat, (int at, const char *from, int to_at, const char *to), (at, from, to_at, to))
WRAP_SIMPLE(renameat2, (int at, const char *from, int to_at, const char *to, unsigned how),
            (at, from, to_at, to, how))
WRAP_SIMPLE(select, (int n, fd_set *in, fd_set *out, fd_set *odd, struct timeval *t), (n, in, out, odd, t))
WRAP_SIMPLE(link, (const char *from, const char *to), (from, to))
WRAP_SIMPLE(linkat, (int at, const char *from, int to_at, const char *to, int flags),
            (at, from, to_at, to, flags))
WRAP_SIMPLE(unlink, (const char *path), (path))
WRAP_SIMPLE(unlinkat, (int folder, const char *path, int flags), (folder, path, flags))
WRAP_SIMPLE(remove, (const char *path), (path))
WRAP_SIMPLE(mkdir, (const char *path, mode_t mode), (path, mode))
WRAP_SIMPLE(mkdirat, (int folder, const char *path, mode_t mode), (folder, path, mode))
WRAP_SIMPLE(access, (const char *path, int mode), (path, mode))
WRAP_SIMPLE(faccessat, (int folder, const char *path, int mode, int flags), (folder, path, mode, flags))
WRAP_SIMPLE(flock, (int fd, int what), (fd, what))
typedef int walk_step(const char *, const struct stat *, int, struct FTW *);
WRAP_SIMPLE(nftw, (const char *path, walk_step *step, int folders, int flags), (path, step, folders, flags))
WRAP_SIMPLE(dlinfo, (void *library, int what, void *out), (library, what, out))
WRAP_SIMPLE(dup, (int fd), (fd))
WRAP_SIMPLE(dup2, (int fd, int to), (fd, to))

WRAP(void *, dlopen, (const char *path, int flags))
{
    return FAILS(LIBC_FILES) ? NULL : __real_dlopen(path, flags);
}

WRAP(DIR *, opendir, (const char *path))
{
    return FAILS(LIBC_FILES) ? (failed(), NULL) : __real_opendir(path);
}

WRAP(DIR *, fdopendir, (int fd))
{
    return FAILS(LIBC_FILES) ? (failed(), NULL) : __real_fdopendir(fd);
}

WRAP(struct dirent *, readdir, (DIR * folder))
{
    return FAILS(LIBC_FILES) ? (failed(), NULL) : __real_readdir(folder);
}

typedef int entry_filter(const struct dirent *);
typedef int entry_order(const struct dirent **, const struct dirent **);

/* Whoever called it frees the list and its entries. */
WRAP(int, scandir, (const char *path, struct dirent ***list, entry_filter *filter, entry_order *order))
{
    int n = FAILS(LIBC_FILES) ? failed() : __real_scandir(path, list, filter, order);
    hold(n >= 0 ? n + 1 : 0);
    return n;
}

/* ---- streams ------------------------------------------------------------------------------------------- */

WRAP(FILE *, fopen, (const char *path, const char *mode))
{
    return FAILS(LIBC_FILES) ? (failed(), NULL) : __real_fopen(path, mode);
}

WRAP(FILE *, fdopen, (int fd, const char *mode))
{
    return FAILS(LIBC_FILES) ? (failed(), NULL) : __real_fdopen(fd, mode);
}

WRAP_SIMPLE(fseek, (FILE * f, long at, int from), (f, at, from))

WRAP(long, ftell, (FILE * f))
{
    return FAILS(LIBC_FILES) ? failed() : __real_ftell(f);
}

WRAP(FILE *, fmemopen, (void *data, size_t bytes, const char *mode))
{
    return FAILS(LIBC_MEMORY) ? none() : __real_fmemopen(data, bytes, mode);
}

/* Put a file that fails where the stream's is: a full disk to write to, a folder to read from. Gives what to
 * put back, -1: nothing can be. Errors are told on standard error, which is left alone. */
static int spoil(FILE *f)
{
    int fd = fileno(f), kept = fd >= 0 && fd != STDERR_FILENO ? __real_dup(fd) : -1;
    bool writes = kept >= 0 && (__real_fcntl(fd, F_GETFL) & O_ACCMODE) != O_RDONLY;
    int other = writes ? __real_open("/dev/full", O_WRONLY) : __real_open("/", O_RDONLY);
    if (kept >= 0)
        __real_dup2(other, fd);
    __real_close(other);
    return kept;
}

int __real_fflush(FILE *);
static void mend(FILE *f, int kept)
{
    if (kept < 0)
        return;
    if ((__real_fcntl(kept, F_GETFL) & O_ACCMODE) != O_RDONLY)
        __real_fflush(f); /* into the full disk */
    __real_dup2(kept, fileno(f));
    __real_close(kept);
}

#define WRAP_STREAM(type, name, parameters, arguments, f, bad)                                               \
    WRAP(type, name, parameters)                                                                             \
    {                                                                                                        \
        if (!FAILS(LIBC_FILES))                                                                              \
            return __real_##name arguments;                                                                  \
        int kept = spoil(f);                                                                                 \
        type done = __real_##name arguments;                                                                 \
        mend(f, kept);                                                                                       \
        return kept >= 0 && ferror(f) ? (bad) : done;                                                        \
    }

WRAP_STREAM(size_t, fread, (void *data, size_t size, size_t n, FILE *f), (data, size, n, f), f, 0)
WRAP_STREAM(size_t, fwrite, (const void *data, size_t size, size_t n, FILE *f), (data, size, n, f), f, 0)
WRAP_STREAM(int, fflush, (FILE * f), (f), f, EOF)
WRAP_STREAM(int, fputs, (const char *text, FILE *f), (text, f), f, EOF)
WRAP_STREAM(int, fputc, (int c, FILE *f), (c, f), f, EOF)
WRAP_STREAM(int, putc, (int c, FILE *f), (c, f), f, EOF)
WRAP_STREAM(int, puts, (const char *text), (text), stdout, EOF)
WRAP_STREAM(int, putchar, (int c), (c), stdout, EOF)
WRAP_STREAM(int, vfprintf, (FILE * f, const char *format, va_list list), (f, format, list), f, EOF)
WRAP_STREAM(int, fgetc, (FILE * f), (f), f, EOF)
WRAP_STREAM(int, getc, (FILE * f), (f), f, EOF)
WRAP_STREAM(char *, fgets, (char *line, int bytes, FILE *f), (line, bytes, f), f, NULL)

#define PRINT(f, format)                                                                                     \
    va_list list;                                                                                            \
    va_start(list, format);                                                                                  \
    bool fails = FAILS(LIBC_FILES);                                                                          \
    int kept = fails ? spoil(f) : -1;                                                                        \
    int done = __real_vfprintf(f, format, list);                                                             \
    va_end(list);                                                                                            \
    mend(f, kept);                                                                                           \
    return kept >= 0 && ferror(f) ? EOF : done;

WRAP(int, printf, (const char *format, ...)){PRINT(stdout, format)}

WRAP(int, fprintf, (FILE * f, const char *format, ...)){PRINT(f, format)}

/* As a close that fails: what was not written yet is lost. */
WRAP(int, fclose, (FILE * f))
{
    if (!FAILS(LIBC_FILES))
        return __real_fclose(f);
    int kept = spoil(f);
    (void)__real_fclose(f);
    if (kept >= 0)
        __real_close(kept);
    errno = EIO;
    return EOF;
}

WRAP(ssize_t, getline, (char **line, size_t *room, FILE *f))
{
    char *before = *line;
    if (FAILS(LIBC_MEMORY)) {
        errno = ENOMEM;
        return -1;
    }
    ssize_t n = __real_getline(line, room, f);
    if (!before && *line)
        hold(1);
    return n;
}
