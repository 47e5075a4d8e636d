/* The command's care for the caches of drivers: a folder where the user's own cannot be made, nothing made in
 * a home that is not there, damaged files found before PoCL meets them, and what a crash says. Works as root
 * and as a user: the folders that cannot be made are those that nobody can make. */
#define _GNU_SOURCE /* nftw */
#include "check.h"
#include "driver_cache.h"
#include "driver_files.h"

#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MODEL OCTET_SOURCE_DIR "/examples/digits/digits_int8.onnx"
#define IMAGE OCTET_SOURCE_DIR "/examples/digits/pictures/digit_3.png"

enum { TEXT = 1 << 14, PATH = 512 };

static char folder[] = "/tmp/octet-caches-XXXXXX";
static char text[TEXT]; /* what the last command said */

/* A shell's command, with D for this test's folder; its exit status, or 128 and the signal, as shells say. */
static int shell(const char *fmt, ...)
{
    char command[2048], all[2500];
    va_list args;
    va_start(args, fmt);
    vsnprintf(command, sizeof command, fmt, args);
    va_end(args);
    snprintf(all, sizeof all, "D=%s; { %s ; } >$D/said 2>&1", folder, command);
    int status = system(all);
    char path[64];
    snprintf(path, sizeof path, "%s/said", folder);
    FILE *f = fopen(path, "r");
    size_t n = f ? fread(text, 1, TEXT - 1, f) : 0;
    text[n] = '\0';
    if (f)
        fclose(f);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

#define WORKS(...)                                                                                           \
    do {                                                                                                     \
        int works_status_ = shell(__VA_ARGS__);                                                              \
        if (works_status_ != 0)                                                                              \
            fail_msg("%s:%d: exit %d: %s", __FILE__, __LINE__, works_status_, text);                         \
    } while (0)

/* Where no cache can be made the usual way: a device all the same, and everything in the folder for it. */
static void no_cache_folder(void **state)
{
    static const char *const nowhere[] = {
        "HOME=/proc",           "HOME=/proc/no/home",
        "HOME=$D/no-home",      "XDG_CACHE_HOME=$D/file",
        "XDG_CACHE_HOME=/proc", "HOME=",
        "HOME=relative",
    };
    (void)state;
    WORKS("touch $D/file");
    for (size_t i = 0; i < sizeof nowhere / sizeof nowhere[0]; i++) {
        WORKS(
            "rm -rf $D/tmp; mkdir $D/tmp; unset POCL_CACHE_DIR XDG_CACHE_HOME; export TMPDIR=$D/tmp; env %s "
            "%s devices --device Portable --verbose",
            nowhere[i], OCTET_COMMAND);
        if (!strstr(text, "program cache: ") || !strstr(text, "/tmp/octet-"))
            fail_msg("%s: %s", nowhere[i], text);
        WORKS(
            "cd $D/tmp && [ \"$(stat -c %%a octet-$(id -u))\" = 700 ] && ls -d octet-$(id -u)/octet/pocl-*");
        WORKS("[ ! -e $D/no-home ]");
    }
}

/* A home that is there gets its .cache, by this user alone. */
static void a_home_that_is_there(void **state)
{
    (void)state;
    WORKS("rm -rf $D/tmp; mkdir $D/tmp $D/home; unset POCL_CACHE_DIR XDG_CACHE_HOME; HOME=$D/home "
          "TMPDIR=$D/tmp "
          "%s devices --device Portable",
          OCTET_COMMAND);
    WORKS("ls -d $D/home/.cache/octet/pocl-* && [ -z \"$(ls $D/tmp)\" ] && [ ! -e $D/home/.cache/pocl ]");
    WORKS("[ \"$(stat -c %%a $D/home/.cache/octet)\" = 700 ]");
}

/* What others could have put there is not used, and the user's own choice is. */
static void folders_of_others(void **state)
{
    static const char *const traps[] = {"mkdir -m 777 $T && chmod 777 $T", "mkdir -m 755 $T",
                                        "mkdir -m 700 $D/trap; ln -s $D/trap $T", "touch $T"};
    (void)state;
    for (size_t i = 0; i < sizeof traps / sizeof traps[0]; i++) {
        WORKS("rm -rf $D/tmp $D/trap; mkdir $D/tmp; T=$D/tmp/octet-$(id -u); %s", traps[i]);
        (void)shell(
            "unset POCL_CACHE_DIR XDG_CACHE_HOME; HOME=/proc TMPDIR=$D/tmp %s devices --device Portable",
            OCTET_COMMAND);
        WORKS("[ -z \"$(find $D/tmp $D/trap -mindepth 2 2>/dev/null)\" ]");
    }
    WORKS("rm -rf $D/tmp; mkdir $D/tmp $D/mine; HOME=/proc TMPDIR=$D/tmp POCL_CACHE_DIR=$D/mine %s devices "
          "--device Portable",
          OCTET_COMMAND);
    WORKS("[ -n \"$(ls -A $D/mine)\" ] && [ -z \"$(find $D/tmp -name 'pocl-*')\" ]");
}

/* The library leaves the environment alone, and says what to do. */
static void the_library_says_what_to_do(void **state)
{
    (void)state;
    assert_int_equal(shell("HOME=/proc XDG_CACHE_HOME= POCL_CACHE_DIR=/proc/none OCL_ICD_VENDORS=$D/pocl "
                           "%s run %s --image %s",
                           OCTET_COMMAND, MODEL, IMAGE),
                     1);
    if (!strstr(text, "POCL_CACHE_DIR") || strchr(text, '\n') != text + strlen(text) - 1)
        fail_msg("%s", text);
}

/* ---- damage -------------------------------------------------------------------------------------------- */

static void run_digits(const char *cache)
{
    WORKS("unset POCL_CACHE_DIR; XDG_CACHE_HOME=$D/%s %s run %s --image %s --top 1 --quiet", cache,
          OCTET_COMMAND, MODEL, IMAGE);
    if (!strstr(text, " 3 "))
        fail_msg("%s", text);
}

static void damaged_files_are_found(void **state)
{
    static const char *const kinds[] = {"bc", "so"};
    static const struct {
        const char *name, *harm;
    } harms[] = {
        {"emptied", "truncate -s 0 "},
        {"cut", "truncate -s -1000 "},
        {"cut by a byte", "truncate -s -1 "},
        {"zeros for a head", "dd if=/dev/zero bs=1 seek=4 count=400 conv=notrunc of="},
    };
    (void)state;
    WORKS("mkdir $D/sound");
    run_digits("sound");
    for (size_t k = 0; k < 2; k++) {
        for (size_t h = 0; h < sizeof harms / sizeof harms[0]; h++) {
            WORKS("rm -rf $D/harmed; cp -a $D/sound $D/harmed; find $D/harmed -name '*.%s' >$D/list; "
                  "while read -r f; do %s$f; touch -d '1 hour ago' $f; done <$D/list; [ -s $D/list ]",
                  kinds[k], harms[h].harm);
            run_digits("harmed");
            if (!strstr(text, "damaged programs"))
                fail_msg("%s files, %s: it is not told: %s", kinds[k], harms[h].name, text);
            run_digits("harmed");
            if (strstr(text, "damaged"))
                fail_msg("%s files, %s: told again: %s", kinds[k], harms[h].name, text);
        }
    }
    run_digits("sound");
    assert_null(strstr(text, "damaged"));
}

static size_t looked_at;

/* A whole file is; cut anywhere it is not. */
static int cut_everywhere(const char *path, const struct stat *s, int kind, struct FTW *at)
{
    char copy[PATH];
    const char *end = strrchr(path + at->base, '.');
    if (kind != FTW_F || !end || strcmp(end, ".txt") == 0 ||
        looked_at >= 12) /* texts are Octet's own to check */
        return 0;
    if (!driver_file_is_whole(path))
        fail_msg("%s is whole", path);
    snprintf(copy, sizeof copy, "%s/copy%s", folder, end);
    WORKS("cp %s %s", path, copy);
    for (off_t bytes = s->st_size - 1; bytes >= 0;
         bytes = bytes > 300 ? bytes - s->st_size / 97 - 1 : bytes - 1) {
        assert_int_equal(truncate(copy, bytes), 0);
        if (driver_file_is_whole(copy))
            fail_msg("%s, cut to %lld of %lld bytes, passes", path, (long long)bytes, (long long)s->st_size);
    }
    looked_at++;
    return 0;
}

static void cut_files_are_not_whole(void **state)
{
    char cache[PATH];
    (void)state;
    snprintf(cache, sizeof cache, "%s/sound/octet", folder);
    WORKS("find $D/sound -name last_accessed -delete; rm -f $D/sound/octet/*.bin $D/sound/octet/*/tempfile*");
    assert_int_equal(nftw(cache, cut_everywhere, 8, FTW_PHYS), 0);
    assert_int_equal(looked_at, 12);
}

/* What a driver may be writing now is let alone; what it left a day ago is not. */
static void young_files_are_let_alone(void **state)
{
    char cache[PATH];
    (void)state;
    WORKS("mkdir -p $D/young/AB/CD/k $D/young/AB/EF; for f in AB/CD/k/k.so AB/EF/program.bc tempfile_a "
          "tempfile_b; do "
          ": >$D/young/$f; done; touch -d '2 days ago' $D/young/tempfile_b $D/young/AB/EF/program.bc");
    snprintf(cache, sizeof cache, "%s/young", folder);
    driver_files_check(cache);
    WORKS("cd $D/young; [ -e AB/CD/k/k.so ] && [ -e tempfile_a ] && [ ! -e tempfile_b ] && [ ! -e AB/EF ] && "
          "[ -e AB ]");
}

/* ---- crashes ------------------------------------------------------------------------------------------- */

static void a_crash_names_what_to_remove(void **state)
{
    static const int signals[] = {SIGABRT, SIGBUS, SIGSEGV, SIGILL};
    char said[PATH];
    (void)state;
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
        snprintf(said, sizeof said, "%s/crash", folder);
        pid_t child = fork();
        if (child == 0) {
            int file = open(said, O_WRONLY | O_CREAT | O_TRUNC, 0600);
            signal(signals[i], SIG_DFL); /* a sanitizer's would make it an exit status */
            unsetenv("POCL_CACHE_DIR");
            setenv("XDG_CACHE_HOME", folder, 1);
            if (dup2(file, STDERR_FILENO) < 0)
                _exit(98);
            driver_cache_prepare();
            raise(signals[i]);
            _exit(99);
        }
        int status;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == signals[i]);
        WORKS("cat %s", said);
        if (strncmp(text, "octet: ", 7) != 0 || !strstr(text, "remove /tmp/octet-caches-") ||
            !strstr(text, "/octet/pocl-") || strchr(text, '\n') != text + strlen(text) - 1)
            fail_msg("signal %d: %s", signals[i], text);
    }
}

static int set_up(void **state)
{
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    return shell("mkdir $D/pocl; cp /etc/OpenCL/vendors/*pocl* $D/pocl");
}

static int tear_down(void **state)
{
    char command[64];
    (void)state;
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_cache_folder),           cmocka_unit_test(a_home_that_is_there),
        cmocka_unit_test(folders_of_others),         cmocka_unit_test(the_library_says_what_to_do),
        cmocka_unit_test(damaged_files_are_found),   cmocka_unit_test(cut_files_are_not_whole),
        cmocka_unit_test(young_files_are_let_alone), cmocka_unit_test(a_crash_names_what_to_remove),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
