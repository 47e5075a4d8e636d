/* See driver_files.h. A program is FOLDER/XX/HASH/: program.bc, and below it libraries and objects. */
#define _GNU_SOURCE /* nftw */
#include "driver_files.h"
#include "cli.h"

#include <elf.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { PROGRAM_LEVEL = 2, OPEN_FOLDERS = 16, WRITTEN_BY_NOW = 60, LEFT_BEHIND = 24 * 3600 };

/* ---- one file ------------------------------------------------------------------------------------------ */

static bool read_at(int fd, uint64_t at, void *data, size_t bytes)
{
    return at <= INT64_MAX && pread(fd, data, bytes, (off_t)at) == (ssize_t)bytes;
}

/* Linkers write the table of sections last: with it the file is whole. A library has something to load. */
static bool elf_is_whole(int fd, uint64_t size)
{
    Elf64_Ehdr head;
    if (!read_at(fd, 0, &head, sizeof head) || memcmp(head.e_ident, ELFMAG, SELFMAG) != 0)
        return false;
    if (head.e_ident[EI_CLASS] == ELFCLASS32)
        return true; /* none of those that are known here */
    Elf64_Shdr first;
    if (head.e_shnum == 0 || head.e_shentsize != sizeof first || head.e_shoff > size ||
        (uint64_t)head.e_shnum * sizeof first > size - head.e_shoff)
        return false;
    Elf64_Shdr last;
    if (!read_at(fd, head.e_shoff + (head.e_shnum - 1u) * sizeof last, &last, sizeof last) ||
        last.sh_type == SHT_NULL)
        return false;
    bool loads = head.e_type != ET_DYN;
    for (unsigned i = 0; !loads && i < head.e_phnum; i++) {
        Elf64_Phdr part;
        if (!read_at(fd, head.e_phoff + i * sizeof part, &part, sizeof part))
            return false;
        loads = part.p_type == PT_LOAD && part.p_offset <= size && part.p_filesz <= size - part.p_offset;
    }
    return loads;
}

/* Bitcode is a row of blocks, each with its length: an abbreviation of two bits that says "block", its id and
 * width, up to 32 bits; then how many words follow. */
static bool bitcode_is_whole(int fd, uint64_t size)
{
    static const unsigned char magic[4] = {'B', 'C', 0xc0, 0xde};
    unsigned char start[sizeof magic];
    uint32_t block[2];
    uint64_t at = sizeof magic;
    if (size <= at || !read_at(fd, 0, start, sizeof start) || memcmp(start, magic, sizeof magic) != 0)
        return false;
    while (at < size) {
        if (!read_at(fd, at, block, sizeof block) || (block[0] & 3) != 1)
            return false;
        at += sizeof block + (uint64_t)block[1] * sizeof block[1];
    }
    return at == size;
}

static bool ends_in(const char *path, const char *end)
{
    size_t length = strlen(path), n = strlen(end);
    return length > n && strcmp(path + length - n, end) == 0;
}

bool driver_file_is_whole(const char *path)
{
    bool bitcode = ends_in(path, ".bc"), elf = ends_in(path, ".so") || ends_in(path, ".o");
    struct stat s;
    if (!bitcode && !elf)
        return true;
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return true; /* what cannot be read is not damaged by that */
    bool whole =
        fstat(fd, &s) != 0 || !S_ISREG(s.st_mode) ||
        (bitcode ? bitcode_is_whole(fd, (uint64_t)s.st_size) : elf_is_whole(fd, (uint64_t)s.st_size));
    close(fd);
    return whole;
}

/* ---- all of them --------------------------------------------------------------------------------------- */

/* nftw hands nothing on: of the one walk at a time. */
static struct {
    time_t now;
    bool damaged; /* that program */
    size_t removed, kept;
} walk;

static int remove_one(const char *path, const struct stat *s, int kind, struct FTW *at)
{
    (void)s;
    (void)kind;
    (void)at;
    return remove(path);
}

static bool is_older(const struct stat *s, time_t seconds)
{
    return s->st_mtime + seconds < walk.now || s->st_mtime > walk.now + seconds;
}

static int look(const char *path, const struct stat *s, int kind, struct FTW *at)
{
    if (kind == FTW_F && at->level == 1 && strncmp(path + at->base, "tempfile", 8) == 0) {
        if (is_older(s, LEFT_BEHIND))
            (void)unlink(path);
    } else if (kind == FTW_F && at->level > PROGRAM_LEVEL) {
        walk.damaged |= is_older(s, WRITTEN_BY_NOW) && !driver_file_is_whole(path);
    } else if (kind == FTW_DP && at->level == PROGRAM_LEVEL && walk.damaged) {
        walk.damaged = false; /* its folder, after everything in it */
        bool gone = nftw(path, remove_one, OPEN_FOLDERS, FTW_PHYS | FTW_DEPTH) == 0;
        walk.removed += gone;
        walk.kept += !gone;
    }
    return 0;
}

void driver_files_check(const char *folder)
{
    memset(&walk, 0, sizeof walk);
    walk.now = time(NULL);
    (void)nftw(folder, look, OPEN_FOLDERS, FTW_PHYS | FTW_DEPTH);
    if (walk.kept)
        (void)cli_error("the driver's cache is damaged and cannot be mended: remove %s", folder);
    else if (walk.removed)
        (void)cli_error(
            "the driver's cache %s had %zu damaged programs, by a full disk perhaps; they are removed, and "
            "compiled again when they are used",
            folder, walk.removed);
}
