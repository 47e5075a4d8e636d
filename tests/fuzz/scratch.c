/* See fuzz.h. */
#define _XOPEN_SOURCE 700 /* nftw */
#include "fuzz.h"

#include <fcntl.h>
#include <ftw.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FOLDER_CHARS = 256, PATH_CHARS = FOLDER_CHARS + 64, PATHS = 4 };

int fuzz_report = STDERR_FILENO;
void (*fuzz_on_failure)(void);

_Noreturn void fuzz_fail(const char *file, int line, const char *what)
{
    dprintf(fuzz_report, "%s:%d: not so: %s\n", file, line, what);
    if (fuzz_on_failure)
        fuzz_on_failure();
    abort();
}

static char folder[FOLDER_CHARS];
static pid_t owner;

static int remove_one(const char *path, const struct stat *about, int kind, struct FTW *at)
{
    (void)about, (void)kind, (void)at;
    return remove(path);
}

static void remove_folder(void)
{
    if (getpid() == owner)
        nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void make_folder(void)
{
    struct stat s;
    const char *wanted = getenv("TMPDIR"), *memory = "/dev/shm";
    if (!wanted)
        wanted = stat(memory, &s) == 0 && access(memory, W_OK) == 0 ? memory : "/tmp";
    snprintf(folder, sizeof folder, "%s/octet_fuzz_XXXXXX", wanted);
    if (!mkdtemp(folder)) {
        perror(folder);
        exit(1);
    }
    owner = getpid();
    atexit(remove_folder);
}

const char *fuzz_path(const char *name)
{
    static char paths[PATHS][PATH_CHARS];
    static unsigned turn;
    char *path = paths[turn++ % PATHS];
    if (!*folder)
        make_folder();
    snprintf(path, PATH_CHARS, "%s/%s", folder, name);
    return path;
}

const char *fuzz_file(const char *name, const void *data, size_t size)
{
    const char *path = fuzz_path(name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, data, size) != (ssize_t)size || close(fd) != 0) {
        perror(path);
        exit(1);
    }
    return path;
}
