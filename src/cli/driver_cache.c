/* See driver_cache.h. Below the base, $XDG_CACHE_HOME or $HOME/.cache: octet/ is the library's cache, and
 * octet/pocl-VERSION-IDENTITY/ PoCL's. No folder is made in a home that is not there. */
#define _GNU_SOURCE /* dlinfo */
#include "driver_cache.h"
#include "driver_files.h"

#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool set_path(char path[PATH_MAX], const char *folder, const char *name)
{
    int length = snprintf(path, PATH_MAX, "%s/%s", folder, name);
    return length > 0 && length < PATH_MAX;
}

/* This user's own folder, made if need be, open to nobody else in these ways, and one that can be written. */
static bool own_folder(const char *path, mode_t closed)
{
    struct stat s;
    (void)mkdir(path, 0700);
    return lstat(path, &s) == 0 && S_ISDIR(s.st_mode) && s.st_uid == geteuid() && (s.st_mode & closed) == 0 &&
           faccessat(AT_FDCWD, path, W_OK | X_OK, AT_EACCESS) == 0;
}

/* ---- where --------------------------------------------------------------------------------------------- */

/* The library's folder by the XDG rule, which takes absolute paths only. */
static bool usual_folder(char octet[PATH_MAX])
{
    const char *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    char base[PATH_MAX];
    if (xdg && *xdg == '/') {
        if (!set_path(octet, xdg, "octet"))
            return false;
        (void)mkdir(xdg, 0700);
    } else {
        if (!home || *home != '/' || !set_path(base, home, ".cache") || !set_path(octet, base, "octet"))
            return false;
        (void)mkdir(base, 0700);
    }
    return own_folder(octet, 0022);
}

/* A base of this user's own among the temporary files, which others can write to: so nobody else may even
 * read it. */
static bool temporary_folder(char octet[PATH_MAX])
{
    const char *temporary = getenv("TMPDIR");
    char name[40], base[PATH_MAX];
    snprintf(name, sizeof name, "octet-%lu", (unsigned long)geteuid());
    return set_path(base, temporary && *temporary == '/' ? temporary : "/tmp", name) &&
           own_folder(base, 0077) && set_path(octet, base, "octet") && own_folder(octet, 0077) &&
           setenv("XDG_CACHE_HOME", base, 1) == 0;
}

/* ---- whose --------------------------------------------------------------------------------------------- */

enum { NAME_CHARS = 80 };

/* FNV-1a. */
static uint64_t hash(uint64_t h, const void *data, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        h = (h ^ ((const unsigned char *)data)[i]) * UINT64_C(0x100000001b3);
    return h;
}

/* What the loader would load by this name: its version from the name of the file, and what tells one build
 * from another. It stays loaded: it is wanted anyway. */
static void add_driver(const char *library, char version[NAME_CHARS], uint64_t *identity)
{
    char path[PATH_MAX];
    struct link_map *map = NULL;
    struct stat s;
    void *handle = dlopen(library, RTLD_LAZY | RTLD_LOCAL);
    if (!handle || dlinfo(handle, RTLD_DI_LINKMAP, &map) != 0 || !realpath(map->l_name, path) ||
        stat(path, &s) != 0)
        return;
    const char *end = strstr(path, ".so.");
    snprintf(version, NAME_CHARS, "%.40s", end ? end + 4 : "0");
    const int64_t parts[] = {s.st_size, s.st_mtim.tv_sec, s.st_mtim.tv_nsec};
    *identity = hash(hash(*identity, path, strlen(path)), parts, sizeof parts);
}

/* An .icd file of a loader names a library in its first line. */
static void add_icd(const char *path, char version[NAME_CHARS], uint64_t *identity)
{
    char line[PATH_MAX];
    FILE *f = fopen(path, "r");
    if (!f)
        return;
    bool read = fgets(line, sizeof line, f) != NULL;
    fclose(f);
    if (!read)
        return;
    line[strcspn(line, "\r\n \t")] = '\0';
    const char *name = strrchr(line, '/');
    if (strstr(name ? name : line, "pocl"))
        add_driver(line, version, identity);
}

static int is_icd(const struct dirent *entry)
{
    size_t length = strlen(entry->d_name);
    return length > 4 && strcmp(entry->d_name + length - 4, ".icd") == 0;
}

/* "pocl-VERSION-IDENTITY" of the PoCL that the loader will find; of several, of all together. */
static bool name_of_pocl(char name[NAME_CHARS])
{
    const char *vendors = getenv("OCL_ICD_VENDORS");
    char version[NAME_CHARS] = "", path[PATH_MAX];
    uint64_t identity = UINT64_C(0xcbf29ce484222325);
    struct dirent **entries = NULL;
    if (!vendors || !*vendors)
        vendors = "/etc/OpenCL/vendors";
    int count = scandir(vendors, &entries, is_icd, alphasort);
    if (count < 0)
        add_icd(vendors, version, &identity);
    for (int i = 0; i < count; i++) {
        if (set_path(path, vendors, entries[i]->d_name))
            add_icd(path, version, &identity);
        free(entries[i]);
    }
    free(entries);
    snprintf(name, NAME_CHARS, "pocl-%.40s-%08x", version, (unsigned)(identity ^ identity >> 32));
    return *version != '\0';
}

/* ---- what a crash says --------------------------------------------------------------------------------- */

static const int crashes[] = {SIGABRT, SIGBUS, SIGSEGV, SIGILL};
enum { CRASHES = sizeof crashes / sizeof crashes[0] };
static struct sigaction before[CRASHES];
static char advice[PATH_MAX + 200];

/* Then on as without this: whoever handled the signal before does. */
static void on_crash(int number)
{
    ssize_t written = write(STDERR_FILENO, advice, strlen(advice));
    (void)written;
    for (int i = 0; i < CRASHES; i++)
        sigaction(crashes[i], &before[i], NULL);
    raise(number);
}

static void advise_on_crash(const char *folder)
{
    snprintf(advice, sizeof advice,
             "octet: the process crashed, here or in a driver. Should it do so at every start, the driver's "
             "cache is "
             "damaged: remove %s\n",
             folder);
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = on_crash;
    sigemptyset(&action.sa_mask);
    for (int i = 0; i < CRASHES; i++)
        sigaction(crashes[i], &action, &before[i]);
}

void driver_cache_prepare(void)
{
    char octet[PATH_MAX], pocl[PATH_MAX], name[NAME_CHARS];
    const char *own = getenv("POCL_CACHE_DIR");
    bool known = usual_folder(octet) || temporary_folder(octet);
    if (own && *own) {
        advise_on_crash(own);
        return;
    }
    if (!known || !name_of_pocl(name) || !set_path(pocl, octet, name) || !own_folder(pocl, 0022) ||
        setenv("POCL_CACHE_DIR", pocl, 1) != 0)
        return;
    driver_files_check(pocl);
    advise_on_crash(pocl);
}
