/* src/io: how every file is opened, written and put in its place, and what an error looks like. The command
 * that writes and is killed meanwhile: test_cli_writes.c. */
#include "line.h"
#include "read_file.h"
#include "write_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[] = "/tmp/octet_io_XXXXXX";

static int set_up(void **state)
{
    (void)state;
    signal(SIGXFSZ, SIG_IGN);
    return mkdtemp(folder) && chdir(folder) == 0 ? 0 : -1;
}

static int tear_down(void **state)
{
    char command[64];
    (void)state;
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return chdir("/") == 0 ? system(command) : -1;
}

static void make(const char *path, const char *text)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, strlen(text), f), strlen(text));
    assert_int_equal(fclose(f), 0);
}

static void check_text(const char *path, const char *text)
{
    unsigned char *data;
    size_t bytes;
    const char *why = oct_read_whole(path, &data, &bytes);
    if (why)
        fail_msg("%s: %s", path, why);
    assert_string_equal((char *)data, text);
    assert_int_equal(bytes, strlen(text));
    free(data);
}

/* Nothing lies about but what is expected. */
static void check_names(int expected)
{
    int count = 0;
    DIR *dir = opendir(".");
    assert_non_null(dir);
    for (const struct dirent *e; (e = readdir(dir));)
        count += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
    closedir(dir);
    assert_int_equal(count, expected);
}

static const char *open_with(const char *path, const char *text, oct_out_file *out)
{
    const char *why = oct_out_open(path, out);
    if (!why)
        (void)oct_out_write(out, text, strlen(text));
    return why;
}

static const char *write_text(const char *path, const char *text)
{
    oct_out_file out;
    size_t failed;
    const char *why = open_with(path, text, &out);
    if (!why)
        why = oct_out_finish(&out);
    if (!why)
        why = oct_out_commit(&out, 1, &failed);
    oct_out_abandon(&out);
    return why;
}

static unsigned mode_of(const char *path)
{
    struct stat about;
    assert_int_equal(lstat(path, &about), 0);
    return about.st_mode;
}

/* ---- writing ------------------------------------------------------------------------------------------- */

static void a_file_appears_when_it_is_whole(void **state)
{
    (void)state;
    oct_out_file out;
    size_t failed;
    make("old", "before");
    assert_int_equal(chmod("old", 0640), 0);
    for (int i = 0; i < 2; i++) {
        const char *path = i ? "new" : "old";
        assert_null(open_with(path, "after", &out));
        assert_null(oct_out_finish(&out));
        check_text("old", i ? "after" : "before");
        assert_int_equal(access("new", F_OK), -1);
        assert_string_equal(out.temporary,
                            i ? ".new.octet-0" : ".old.octet-0"); /* as write_file.h promises */
        assert_null(oct_out_commit(&out, 1, &failed));
        check_text(path, "after");
        check_names(1 + i);
    }
    mode_t mask = umask(027);
    assert_null(write_text("masked", "x"));
    umask(mask);
    assert_int_equal(mode_of("old"), S_IFREG | 0640);
    assert_int_equal(mode_of("masked"), S_IFREG | 0640);
    assert_int_equal(mode_of("new"), S_IFREG | (0666 & ~mask));
    assert_null(open_with("old", "never", &out));
    oct_out_abandon(&out);
    check_text("old", "after");
    check_names(3);
    assert_int_equal(remove("old") + remove("new") + remove("masked"), 0);
}

static void owner_is_kept(void **state)
{
    (void)state;
    struct stat about;
    if (geteuid() != 0)
        skip();
    make("theirs", "before");
    assert_int_equal(chown("theirs", 1234, 4321), 0);
    assert_int_equal(chmod("theirs", 0600), 0);
    make(".theirs.octet-0", "left");
    assert_int_equal(chown(".theirs.octet-0", 1234, 4321), 0);
    assert_null(write_text("theirs", "after"));
    check_names(1);
    assert_int_equal(stat("theirs", &about), 0);
    assert_true(about.st_uid == 1234 && about.st_gid == 4321 && about.st_mode == (S_IFREG | 0600));
    assert_int_equal(remove("theirs"), 0);
}

static void links_lead_on(void **state)
{
    (void)state;
    assert_int_equal(mkdir("sub", 0700), 0);
    make("sub/real", "before");
    assert_int_equal(symlink("sub/real", "link") + symlink("nowhere", "dangling"), 0);
    assert_null(write_text("link", "after"));
    assert_true(S_ISLNK(mode_of("link")));
    check_text("sub/real", "after");
    assert_non_null(strstr(write_text("dangling", "x"), "symbolic link"));
    assert_int_equal(access("nowhere", F_OK), -1);
    /* A name that an attacker has put where the temporary one goes is not followed. */
    make("victim", "safe");
    assert_int_equal(symlink("../victim", "sub/.real.octet-0"), 0);
    assert_null(write_text("sub/real", "again"));
    check_text("victim", "safe");
    check_text("sub/real", "again");
    assert_true(S_ISLNK(mode_of("sub/.real.octet-0")));
    assert_int_equal(remove("sub/.real.octet-0") + remove("sub/real") + remove("victim"), 0);
    assert_int_equal(remove("link") + remove("dangling") + rmdir("sub"), 0);
}

static void what_a_killed_process_left_is_removed(void **state)
{
    (void)state;
    oct_out_file one, other;
    size_t failed;
    make(".file.octet-0", "left");
    assert_null(open_with("file", "one", &one));
    assert_string_equal(one.temporary, ".file.octet-0");
    assert_null(open_with("file", "other", &other)); /* one is in work */
    assert_string_equal(other.temporary, ".file.octet-1");
    assert_null(oct_out_finish(&one));
    assert_null(write_text("file", "third")); /* finished, and nobody's to remove yet */
    assert_null(oct_out_commit(&one, 1, &failed));
    check_text("file", "one");
    assert_null(oct_out_finish(&other));
    assert_null(oct_out_commit(&other, 1, &failed));
    check_text("file", "other");
    check_names(1);
    assert_int_equal(remove("file"), 0);
}

static void several_are_all_new_or_all_old(void **state)
{
    (void)state;
    static const char *const paths[] = {"a", "b", "c"};
    oct_out_file outs[3];
    size_t failed = 99;
    make("a", "old a"); /* b is new */
    make("c", "old c");
    for (int broken = 1; broken >= 0; broken--) {
        for (int i = 0; i < 3; i++) {
            assert_null(open_with(paths[i], paths[i], &outs[i]));
            assert_null(oct_out_finish(&outs[i]));
        }
        if (broken) /* somebody takes away what was to be c */
            assert_int_equal(remove(".c.octet-0"), 0);
        const char *why = oct_out_commit(outs, 3, &failed);
        if (broken) {
            assert_non_null(why);
            assert_int_equal(failed, 2);
            check_text("a", "old a");
            assert_int_equal(access("b", F_OK), -1);
            check_text("c", "old c");
        } else {
            assert_null(why);
            for (int i = 0; i < 3; i++)
                check_text(paths[i], paths[i]);
        }
        check_names(broken ? 2 : 3);
    }
    assert_int_equal(remove("a") + remove("b") + remove("c"), 0);
}

static void what_fails_leaves_the_old_file(void **state)
{
    (void)state;
    struct rlimit before, small = {4096, RLIM_INFINITY};
    static char much[65536];
    memset(much, 'x', sizeof much - 1);
    make("kept", "before");
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small.rlim_max = before.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    const char *why = write_text("kept", much);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_string_equal(why, strerror(EFBIG));
    check_text("kept", "before");
    check_names(1);
    assert_string_equal(write_text("/dev/full", "x"), strerror(ENOSPC));
    assert_string_equal(write_text("/dev/full", much), strerror(ENOSPC));
    assert_string_equal(write_text("no/such/folder", "x"), strerror(ENOENT));
    assert_non_null(strstr(write_text(".", "x"), "folder"));
    assert_non_null(strstr(write_text("new/", "x"), "folder"));
    assert_non_null(write_text("", "x"));
    assert_int_equal(remove("kept"), 0);
}

static void what_is_no_file_is_written_to(void **state)
{
    (void)state;
    char text[8] = "";
    assert_null(write_text("/dev/null", "x"));
    assert_true(S_ISCHR(mode_of("/dev/null")));
    assert_int_equal(mkfifo("pipe", 0600), 0);
    assert_non_null(strstr(write_text("pipe", "x"), "nobody reads"));
    int reader = open("pipe", O_RDONLY | O_NONBLOCK);
    assert_null(write_text("pipe", "hello"));
    assert_int_equal(read(reader, text, sizeof text), 5);
    assert_memory_equal(text, "hello", 5);
    assert_true(S_ISFIFO(mode_of("pipe")));
    close(reader);
    /* /dev/stdout behind a "> file": in the file that the process has, behind what it wrote there. */
    int saved = dup(STDOUT_FILENO), file = open("said", O_RDWR | O_CREAT, 0600);
    fflush(stdout);
    dup2(file, STDOUT_FILENO);
    int wrote = (int)write(STDOUT_FILENO, "first ", 6);
    const char *why = write_text("/dev/stdout", "second");
    dup2(saved, STDOUT_FILENO);
    close(saved);
    close(file);
    assert_null(why);
    assert_int_equal(wrote, 6);
    check_text("said", "first second");
    check_names(2);
    assert_int_equal(remove("said") + remove("pipe"), 0);
}

/* ---- reading ------------------------------------------------------------------------------------------- */

static void only_files_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *path, *why;
    } rows[] = {{".", "a folder"},         {"pipe", "a pipe"},        {"to_pipe", "a pipe"},
                {"/dev/zero", "a device"}, {"/dev/null", "a device"}, {"none", "No such file"}};
    int fd;
    unsigned char *data;
    size_t bytes;
    FILE *stream;
    assert_int_equal(mkfifo("pipe", 0600) + symlink("pipe", "to_pipe"), 0);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *why[] = {oct_open_regular(rows[i].path, &fd, &bytes),
                             oct_open_stream(rows[i].path, &stream, &bytes),
                             oct_read_whole(rows[i].path, &data, &bytes)};
        for (int k = 0; k < 3; k++) {
            if (!why[k] || !strstr(why[k], rows[i].why))
                fail_msg("%s: %s", rows[i].path, why[k] ? why[k] : "opened");
        }
    }
    make("file", "1234");
    assert_null(oct_open_regular("file", &fd, &bytes));
    assert_int_equal(bytes, 4);
    char some[8];
    assert_non_null(strstr(oct_read_exactly(fd, some, 5), "shorter"));
    close(fd);
    assert_int_equal(remove("pipe") + remove("to_pipe") + remove("file"), 0);
}

/* ---- the line ------------------------------------------------------------------------------------------ */

static void format(char line[OCT_LINE_BYTES], const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    oct_line_format(line, fmt, args);
    va_end(args);
}

static void errors_are_a_line(void **state)
{
    (void)state;
    char line[OCT_LINE_BYTES];
    static char name[70000];
    format(line, "%s: %d", "a\nb\tc\x1b[2Jd\x7f", 5);
    assert_string_equal(line, "a b c?[2Jd?: 5");
    for (size_t n = 0; n < 3 * OCT_LINE_BYTES; n++) {
        memset(name, 'n', n);
        name[n] = '\0';
        format(line, "%s", name);
        assert_int_equal(strlen(line), n < OCT_LINE_CHARS ? n : OCT_LINE_CHARS);
        assert_int_equal(strstr(line, "...") != NULL, n > OCT_LINE_CHARS);
    }
    memset(name, 'n', sizeof name - 1);
    format(line, "node '%s': %s is not supported; take out the node", name, "Foo");
    assert_int_equal(strlen(line), OCT_LINE_CHARS);
    assert_memory_equal(line, "node 'nnn", 9);
    const char *end = "nnn': Foo is not supported; take out the node";
    assert_string_equal(line + strlen(line) - strlen(end), end);
    /* Characters of UTF-8 are cut out whole, wherever they stand. */
    for (int shift = 0; shift < 4; shift++) {
        memset(name, 'x', (size_t)shift);
        for (size_t i = (size_t)shift; i + 4 < 2000; i += 4)
            memcpy(name + i, "\xf0\x9f\x90\x99", 5);
        format(line, "%s", name);
        assert_true(strlen(line) <= OCT_LINE_CHARS && strlen(line) > OCT_LINE_CHARS - 8);
        const char *dots = strstr(line, "...");
        assert_non_null(dots);
        assert_memory_equal(dots - 4, "\xf0\x9f\x90\x99...\xf0\x9f\x90\x99", 11);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_appears_when_it_is_whole),
        cmocka_unit_test(owner_is_kept),
        cmocka_unit_test(links_lead_on),
        cmocka_unit_test(what_a_killed_process_left_is_removed),
        cmocka_unit_test(several_are_all_new_or_all_old),
        cmocka_unit_test(what_fails_leaves_the_old_file),
        cmocka_unit_test(what_is_no_file_is_written_to),
        cmocka_unit_test(only_files_are_read),
        cmocka_unit_test(errors_are_a_line),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
