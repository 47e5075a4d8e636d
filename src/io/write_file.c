#define _GNU_SOURCE /* renameat2, O_PATH */
#include "write_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NAMES_TRIED = 100 };

/* ---- where it goes ------------------------------------------------------------------------------------- */

static const char *open_stream(int fd, oct_out_file *out)
{
    out->stream = fd < 0 ? NULL : fdopen(fd, "wb");
    if (out->stream)
        return NULL;
    const char *why = strerror(errno);
    if (fd >= 0)
        close(fd);
    return why;
}

static bool same(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* A file that standard output or error goes to (/dev/stdout behind a "> file"): what the process writes there
 * is one file, so it must stay this one. */
static int own_stream(int opened, const struct stat *target)
{
    struct stat about;
    for (int fd = STDOUT_FILENO; fd <= STDERR_FILENO; fd++) {
        if (fd != opened && fstat(fd, &about) == 0 && same(&about, target))
            return fcntl(fd, F_DUPFD_CLOEXEC, 0);
    }
    return -1;
}

/* `fd`: open for writing, without waiting. What is no regular file, or the process' own stream. *is_direct:
 * it was one, and fd is taken. */
static const char *open_direct(int fd, const struct stat *target, oct_out_file *out, bool *is_direct)
{
    int own = own_stream(fd, target);
    *is_direct = own >= 0 || !S_ISREG(target->st_mode);
    if (!*is_direct)
        return NULL;
    if (own >= 0 || !(S_ISCHR(target->st_mode) || S_ISFIFO(target->st_mode))) {
        close(fd);
        return own >= 0 ? open_stream(own, out) : "neither a file nor a character device nor a pipe";
    }
    int flags = fcntl(fd, F_GETFL);
    (void)fcntl(fd, F_SETFL, flags & ~O_NONBLOCK);
    return open_stream(fd, out);
}

static const char *why_not_open(int error)
{
    switch (error) {
    case ENXIO:
        return "a pipe that nobody reads, or a socket";
    case EISDIR:
        return "it is a folder";
    default:
        return strerror(error);
    }
}

/* The folder of out->path, and the name in it. */
static const char *open_folder(oct_out_file *out)
{
    char *slash = strrchr(out->path, '/');
    out->name = slash ? slash + 1 : out->path;
    if (!*out->name)
        return "it is a folder";
    if (slash) {
        char kept = slash[1];
        slash[1] = '\0';
        out->folder = open(out->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        slash[1] = kept;
    } else {
        out->folder = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    }
    return out->folder < 0 ? strerror(errno) : NULL;
}

/* Renaming would fail at the end of the work: in a sticky folder only its owner replaces a file. */
static bool is_others(const oct_out_file *out, const struct stat *target)
{
    struct stat folder;
    return geteuid() != 0 && target->st_uid != geteuid() && fstat(out->folder, &folder) == 0 &&
           (folder.st_mode & S_ISVTX) && folder.st_uid != geteuid();
}

/* ---- the file beside it -------------------------------------------------------------------------------- */

/* A name that a killed process has left: nobody holds its lock. (The superuser's may be the target's
 * owner's.) */
static bool remove_left(const oct_out_file *out)
{
    struct stat about;
    uid_t me = geteuid();
    int fd = openat(out->folder, out->temporary, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    bool is_left = fd >= 0 && fstat(fd, &about) == 0 && S_ISREG(about.st_mode) &&
                   (about.st_uid == me || me == 0) && flock(fd, LOCK_EX | LOCK_NB) == 0 &&
                   unlinkat(out->folder, out->temporary, 0) == 0;
    if (fd >= 0)
        close(fd);
    return is_left;
}

/* Whether the name is still the file's, now that it is locked: someone may have taken it for one that was
 * left. */
static bool is_still_there(const oct_out_file *out, int fd)
{
    struct stat mine, named;
    bool locked = flock(fd, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK; /* a file system without locks */
    return locked && fstat(fd, &mine) == 0 &&
           fstatat(out->folder, out->temporary, &named, AT_SYMLINK_NOFOLLOW) == 0 && same(&mine, &named);
}

static const char *open_beside(oct_out_file *out, mode_t mode, int *fd)
{
    for (int i = 0; i < NAMES_TRIED; i++) {
        snprintf(out->temporary, sizeof out->temporary, ".%.200s.octet-%d", out->name, i);
        for (int again = 0; again < 2; again++) {
            *fd = openat(out->folder, out->temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                         mode);
            if (*fd >= 0 && is_still_there(out, *fd))
                return NULL;
            if (*fd >= 0)
                close(*fd);
            else if (errno != EEXIST) {
                out->temporary[0] = '\0';
                return strerror(errno);
            } else if (!remove_left(out))
                break;
        }
    }
    out->temporary[0] = '\0';
    return "too many others write it";
}

/* Owner, where it may be given away, and mode of what it replaces: never more than that while it is made. */
static void dress(int fd, const struct stat *target)
{
    struct stat mine;
    bool differs = fstat(fd, &mine) == 0 && (mine.st_uid != target->st_uid || mine.st_gid != target->st_gid);
    (void)(!differs || fchown(fd, target->st_uid, target->st_gid) == 0 ||
           fchown(fd, (uid_t)-1, target->st_gid) == 0);
    (void)fchmod(fd, target->st_mode & 0777);
}

static const char *open_replacement(oct_out_file *out, const struct stat *target)
{
    int fd = -1;
    const char *why = open_folder(out);
    if (!why && target && is_others(out, target))
        why = "it belongs to another user, and only they may replace it in this folder";
    if (!why)
        why = open_beside(out, target ? 0600 : 0666, &fd);
    if (why)
        return why;
    if (target)
        dress(fd, target);
    out->is_new = !target;
    return open_stream(fd, out);
}

/* What is there, opened as writing it would be, so that whoever may not write it may not replace it either.
 */
static const char *open_target(const char *path, oct_out_file *out)
{
    struct stat target;
    int fd = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0 && errno != ENOENT)
        return why_not_open(errno);
    if (fd < 0) {
        if (!*path)
            return strerror(ENOENT);
        if (lstat(path, &target) == 0)
            return "a symbolic link to what is not there";
        out->path = strdup(path);
        return out->path ? open_replacement(out, NULL) : "out of memory";
    }
    if (fstat(fd, &target) != 0) {
        close(fd);
        return strerror(errno);
    }
    bool is_direct;
    const char *why = open_direct(fd, &target, out, &is_direct);
    if (is_direct)
        return why;
    close(fd);
    out->path = realpath(path, NULL);
    return out->path ? open_replacement(out, &target) : strerror(errno);
}

const char *oct_out_open(const char *path, oct_out_file *out)
{
    *out = (oct_out_file){.folder = -1};
    const char *why = open_target(path, out);
    if (why)
        oct_out_abandon(out);
    return why;
}

/* ---- its end ------------------------------------------------------------------------------------------- */

bool oct_out_write(oct_out_file *out, const void *data, size_t bytes)
{
    bool good = !bytes || fwrite(data, 1, bytes, out->stream) == bytes;
    if (!good && !out->error)
        out->error = errno;
    return good;
}

/* The stream stays open, and the file locked, until it is in place. */
const char *oct_out_finish(oct_out_file *out)
{
    if (fflush(out->stream) != 0 || (out->temporary[0] && fsync(fileno(out->stream)) != 0))
        out->error = out->error ? out->error : errno;
    if (ferror(out->stream) && !out->error)
        out->error = EIO; /* a write before this, which left no word */
    return out->error ? strerror(out->error) : NULL;
}

static bool rename_over(const oct_out_file *out)
{
    return renameat(out->folder, out->temporary, out->folder, out->name) == 0;
}

/* Where others follow: so that there is a way back. */
static bool put_in_place(oct_out_file *out)
{
    out->is_swapped =
        !out->is_new && renameat2(out->folder, out->temporary, out->folder, out->name, RENAME_EXCHANGE) == 0;
    return out->is_swapped || rename_over(out);
}

static void take_back(oct_out_file *out)
{
    if (out->is_swapped)
        (void)renameat2(out->folder, out->temporary, out->folder, out->name, RENAME_EXCHANGE);
    else if (out->is_new)
        (void)unlinkat(out->folder, out->name, 0);
    out->is_swapped = false;
}

/* The names are on the disk as well; not every file system can. */
static void sync_folder(const oct_out_file *out)
{
    int fd = openat(out->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        (void)fsync(fd);
        close(fd);
    }
}

const char *oct_out_commit(oct_out_file *outs, size_t count, size_t *failed)
{
    size_t i = 0;
    const char *why = NULL;
    for (; i < count; i++) {
        if (outs[i].temporary[0] && !(count == 1 ? rename_over(&outs[i]) : put_in_place(&outs[i]))) {
            why = strerror(errno);
            break;
        }
    }
    for (size_t k = i; why && k-- > 0;) {
        if (outs[k].temporary[0])
            take_back(&outs[k]);
    }
    for (size_t k = 0; k < count; k++) {
        if (!why && outs[k].temporary[0])
            sync_folder(&outs[k]);
        if (!why && !outs[k].is_swapped)
            outs[k].temporary[0] = '\0'; /* it is the target now */
        oct_out_abandon(&outs[k]);
    }
    *failed = i;
    return why;
}

void oct_out_abandon(oct_out_file *out)
{
    if (out->stream)
        (void)fclose(out->stream);
    if (out->folder >= 0) {
        if (out->temporary[0])
            (void)unlinkat(out->folder, out->temporary, 0);
        close(out->folder);
    }
    free(out->path);
    *out = (oct_out_file){.folder = -1};
}
