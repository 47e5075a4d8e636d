/* What the `octet` command may do to a user's files: it is killed while it writes, finds the disk full, a
 * device or its own input in the place of an output, pipes in the place of inputs. What was there before
 * stays, or what is new is there, whole. src/io alone: test_io.c. OCTET_TEST_LONG: 1,000 kills instead of a
 * few dozen.
 */
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define DIGITS      OCTET_SOURCE_DIR "/examples/digits"
#define MODEL       DIGITS "/digits_int8.onnx"
#define FLOAT_MODEL DIGITS "/digits_f32.onnx"
#define PICTURE     DIGITS "/pictures/digit_3.png"
#define THREE       OCTET_SOURCE_DIR "/tests/data/lstm.onnx" /* outputs y, h and c */
#define SAMPLES                                                                                              \
    "--calibrate", DIGITS "/calibration_images.npy", "--samples=2", "--observer=minmax", "--nearest"

enum { TEXT = 1 << 18, ARGUMENTS = 16, HANGS = 60 };

static char folder[] = "/tmp/octet_writes_XXXXXX";
static char err[TEXT]; /* of the last run */

static void read_text(const char *path, char *text, size_t *bytes)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        fail_msg("%s is not there", path);
    *bytes = fread(text, 1, TEXT - 1, file);
    text[*bytes] = '\0';
    fclose(file);
}

static void write_text(const char *path, const char *text, size_t bytes)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, bytes, file), bytes);
    assert_int_equal(fclose(file), 0);
}

static void check_text(const char *path, const char *wanted)
{
    static char text[TEXT];
    size_t bytes;
    read_text(path, text, &bytes);
    assert_string_equal(text, wanted);
}

/* Start octet with these arguments; what it says goes to "err". One that hangs is ended. */
static pid_t start(const char *const *arguments, rlim_t file_bytes)
{
    pid_t child = fork();
    if (child == 0) {
        struct rlimit limit = {file_bytes, file_bytes};
        int nowhere = open("/dev/null", O_WRONLY), said = open("err", O_WRONLY | O_CREAT | O_TRUNC, 0600);
        if (nowhere < 0 || said < 0 || dup2(nowhere, STDOUT_FILENO) < 0 || dup2(said, STDERR_FILENO) < 0)
            _exit(99);
        if (file_bytes && setrlimit(RLIMIT_FSIZE, &limit) != 0)
            _exit(97);
        alarm(HANGS);
        execv(OCTET_COMMAND, (char *const *)(uintptr_t)arguments);
        _exit(98);
    }
    assert_true(child > 0);
    return child;
}

static int run(rlim_t file_bytes, const char *const *arguments)
{
    int status;
    size_t bytes;
    pid_t child = start(arguments, file_bytes);
    assert_int_equal(waitpid(child, &status, 0), child);
    read_text("err", err, &bytes);
    if (!WIFEXITED(status))
        fail_msg("octet %s died of signal %d", arguments[1], WTERMSIG(status));
    return WEXITSTATUS(status);
}

/* One line of at most 300 characters, with `part` in it. */
static void check_error(int status, const char *part)
{
    size_t length = strlen(err);
    if (status != 1 || strncmp(err, "octet: ", 7) != 0 || strchr(err, '\n') != err + length - 1 ||
        length > 301 || !strstr(err, part))
        fail_msg("exit %d, expected one line with \"%s\", got \"%s\"", status, part, err);
}

#define OCTET(...) ((const char *const[]){"octet", __VA_ARGS__, NULL})
#define FAILS(part, ...)                                                                                     \
    do {                                                                                                     \
        check_error(run(0, OCTET(__VA_ARGS__)), part);                                                       \
    } while (0)
#define WORKS(...)                                                                                           \
    do {                                                                                                     \
        if (run(0, OCTET(__VA_ARGS__)) != 0)                                                                 \
            fail_msg("%s:%d: %s", __FILE__, __LINE__, err);                                                  \
    } while (0)

static int set_up(void **state)
{
    (void)state;
    return mkdtemp(folder) && chdir(folder) == 0 ? 0 : -1;
}

static int tear_down(void **state)
{
    char command[64];
    (void)state;
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return chdir("/") == 0 ? system(command) : -1;
}

/* An input for THREE. */
static void make_input(const char *path)
{
    float x[5 * 2 * 3];
    char file[128 + sizeof x];
    memset(file, ' ', 128);
    memcpy(file, "\x93NUMPY\x01\x00\x76\x00", 10);
    int used = snprintf(file + 10, 110, "{'descr': '<f4', 'fortran_order': False, 'shape': (5, 2, 3), }");
    file[10 + used] = ' ';
    file[127] = '\n';
    for (int i = 0; i < 30; i++)
        x[i] = (float)i / 30;
    memcpy(file + 128, x, sizeof x);
    write_text(path, file, sizeof file);
}

/* Names in a folder that begin with a dot, all of the form that write_file.h promises. */
static int count_left(const char *in)
{
    int count = 0;
    DIR *dir = opendir(in);
    for (const struct dirent *e; dir && (e = readdir(dir));) {
        if (e->d_name[0] != '.' || strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        const char *octet = strstr(e->d_name, ".octet-");
        if (!octet || octet[7] < '0' || octet[7] > '9')
            fail_msg("%s/%s is left", in, e->d_name);
        count++;
    }
    if (dir)
        closedir(dir);
    return count;
}

/* ---- places that outputs must not take ----------------------------------------------------------------- */

static void what_is_no_file_stays(void **state)
{
    (void)state;
    struct stat about;
    WORKS("quantize", FLOAT_MODEL, SAMPLES, "-o", "/dev/null", "--report", "/dev/null");
    assert_int_equal(stat("/dev/null", &about), 0);
    assert_true(S_ISCHR(about.st_mode));
    assert_int_equal(mkfifo("pipe", 0600), 0);
    FAILS("nobody reads", "quantize", FLOAT_MODEL, SAMPLES, "-o", "pipe");
    FAILS("nobody reads", "devices", "--json", "pipe");
    write_text("real", "old", 3);
    assert_int_equal(chmod("real", 0600), 0);
    assert_int_equal(symlink("real", "link"), 0);
    WORKS("quantize", FLOAT_MODEL, SAMPLES, "-o", "link");
    assert_int_equal(lstat("link", &about), 0);
    assert_true(S_ISLNK(about.st_mode));
    assert_int_equal(stat("real", &about), 0);
    assert_true(about.st_size > 10000 && about.st_mode == (S_IFREG | 0600));
    FAILS("No space left", "devices", "--json", "/dev/full");
    FAILS("No space left", "quantize", FLOAT_MODEL, SAMPLES, "-o", "/dev/full");
    assert_int_equal(count_left("."), 0);
    assert_int_equal(remove("pipe") + remove("link") + remove("real"), 0);
}

static void no_input_is_written_over(void **state)
{
    (void)state;
    static char text[TEXT];
    size_t bytes, model_bytes;
    read_text(FLOAT_MODEL, text, &model_bytes);
    write_text("float.onnx", text, model_bytes);
    read_text(DIGITS "/calibration_images.npy", text, &bytes);
    assert_int_equal(mkdir("samples", 0700) + mkdir("out", 0700), 0);
    write_text("samples/a.npy", text, bytes);
    assert_int_equal(symlink("float.onnx", "link") + link("samples/a.npy", "same"), 0);
    FAILS("float.onnx: it would be written and is read", "quantize", "float.onnx", SAMPLES, "-o",
          "float.onnx");
    FAILS("link: it would be written and is read", "quantize", "float.onnx", SAMPLES, "-o", "link");
    FAILS("a.npy: it would be written and is read", "quantize", "float.onnx", "--calibrate", "samples", "-o",
          "samples/a.npy");
    FAILS("a.npy: it would be written and is read", "quantize", "float.onnx", "--calibrate", "samples", "-o",
          "new.onnx", "--report", "same");
    FAILS("two outputs", "quantize", "float.onnx", SAMPLES, "-o", "new.onnx", "--report", "./new.onnx");
    FAILS("float.onnx: it would be written", "bench", "float.onnx", "--seconds=0", "--json", "float.onnx");
    write_text("shapes", "4x4x4\n", 6);
    FAILS("shapes: it would be written", "bench", "--shapes", "shapes", "--seconds=0", "--json", "shapes");
    make_input("out/h.npy");
    FAILS("out/h.npy: it would be written", "run", THREE, "--input=out/h.npy", "--output", "out");
    assert_int_equal(access("out/y.npy", F_OK), -1);
    assert_int_equal(access("new.onnx", F_OK), -1);
    static char now[TEXT];
    read_text("samples/a.npy", now, &bytes);
    assert_memory_equal(now, text, bytes);
    read_text("float.onnx", now, &bytes);
    assert_int_equal(bytes, model_bytes);
    assert_int_equal(count_left(".") + count_left("out") + count_left("samples"), 0);
}

static void a_failed_run_keeps_what_was_there(void **state)
{
    (void)state;
    write_text("old.json", "old", 3);
    FAILS("none.onnx", "bench", "none.onnx", "--json", "old.json");
    check_text("old.json", "old");
    write_text("old.onnx", "old", 3);
    write_text("old.html", "old", 3);
    check_error(run(4096, OCTET("quantize", FLOAT_MODEL, SAMPLES, "-o", "old.onnx", "--report", "old.html")),
                "File too large"); /* of the page */
    check_error(run(20480, OCTET("quantize", FLOAT_MODEL, SAMPLES, "-o", "old.onnx", "--report", "old.html")),
                "File too large"); /* of the model */
    check_text("old.onnx", "old");
    check_text("old.html", "old");
    FAILS("No space left", "quantize", FLOAT_MODEL, SAMPLES, "-o", "/dev/full", "--report", "old.html");
    check_text("old.html", "old");
    make_input("x.npy");
    assert_int_equal(mkdir("made", 0700) + mkdir("made/c.npy", 0700), 0);
    write_text("made/y.npy", "old", 3);
    FAILS("c.npy: cannot be written: it is a folder", "run", THREE, "--input=x.npy", "--output", "made");
    check_text("made/y.npy", "old");
    assert_int_equal(access("made/h.npy", F_OK), -1);
    assert_int_equal(count_left(".") + count_left("made"), 0);
}

static void nothing_is_waited_for(void **state)
{
    (void)state;
    assert_int_equal(mkfifo("pipe", 0600) + mkdir("pipes", 0700), 0);
    static const char *const kinds[] = {"pipes/a.npy", "pipes/a.npz", "pipes/a.pb", "pipes/a.png",
                                        "pipes/a.jpg"};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        assert_int_equal(mkfifo(kinds[i], 0600), 0);
        FAILS("not a regular file but a pipe", "quantize", FLOAT_MODEL, "--calibrate", kinds[i], "-o",
              "x.onnx");
    }
    const char *const devices[] = {"pipe", "/dev/zero", "pipes"};
    for (size_t i = 0; i < sizeof devices / sizeof devices[0]; i++) {
        const char *what = devices[i];
        char input[32];
        snprintf(input, sizeof input, "image=%s", what);
        FAILS("not a regular file", "inspect", what);
        FAILS("not a regular file", "quantize", what, SAMPLES, "-o", "x.onnx");
        FAILS("not a regular file", "run", MODEL, "--input", input);
        FAILS("not a regular file", "run", MODEL, "--image", what);
        FAILS("not a regular file", "run", MODEL, "--image", PICTURE, "--top=1", "--labels", what);
        FAILS("not a regular file", "bench", "--shapes", what);
        FAILS("not a regular file", "bench", MODEL, "--fix", input);
    }
    assert_int_equal(access("x.onnx", F_OK), -1);
}

/* Of a name that is too long for a line its beginning and its end are told, and the mend behind it. */
static void long_names_are_shortened(void **state)
{
    (void)state;
    char path[4000];
    memset(path, 'n', sizeof path);
    for (size_t i = 200; i < sizeof path; i += 200)
        path[i] = '/';
    strcpy(path + sizeof path - 12, "/model.onnx");
    FAILS("...", "inspect", path);
    FAILS("/model.onnx: No such file", "inspect", path);
    FAILS("/model.onnx: cannot be written: No such file", "devices", "--json", path);
}

/* ---- kills --------------------------------------------------------------------------------------------- */

typedef struct killed_job {
    const char *name;
    const char *const *arguments;
    const char *in;      /* the folder of what it writes */
    const char *outs[4]; /* NULL behind the last */
    bool varies;         /* what is new has times in it */
} killed_job;

static uint64_t random_state;

static unsigned next_random(unsigned below)
{
    random_state = random_state * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return (unsigned)(random_state >> 33) % below;
}

static void sleep_micros(long micros)
{
    struct timespec t = {micros / 1000000, micros % 1000000 * 1000};
    nanosleep(&t, NULL);
}

/* Wait for so many changes in the folder, so long for each. How many there were. */
static int wait_for_changes(int watch, int most, int milliseconds)
{
    char block[4096] __attribute__((aligned(8)));
    struct pollfd p = {.fd = watch, .events = POLLIN};
    int seen = 0;
    while (seen < most && poll(&p, 1, milliseconds) > 0) {
        ssize_t n = read(watch, block, sizeof block);
        for (ssize_t at = 0; at < n; seen++)
            at += (ssize_t)sizeof(struct inotify_event) + ((const struct inotify_event *)(block + at))->len;
    }
    return seen;
}

typedef struct kill_counts {
    int killed, done, old, new, left;
} kill_counts;

/* Each output is what it was, or what it will be. */
static void check_outs(const killed_job *job, char (*wanted)[TEXT], const size_t *sizes, kill_counts *counts)
{
    static char text[TEXT];
    size_t bytes;
    for (int i = 0; job->outs[i]; i++) {
        read_text(job->outs[i], text, &bytes);
        bool is_new = job->varies ? bytes > 2 && strcmp(text + bytes - 2, "}\n") == 0
                                  : bytes == sizes[i] && memcmp(text, wanted[i], bytes) == 0;
        bool is_old = strcmp(text, "old") == 0;
        if (!is_new && !is_old)
            fail_msg("%s: %s has %zu bytes and is neither old nor new", job->name, job->outs[i], bytes);
        counts->old += is_old;
        counts->new += is_new;
    }
}

/* In one of two ways: any time, or as soon as a number of things have happened to the folder. */
static void kill_once(const killed_job *job, int watch, unsigned run_micros, unsigned changes,
                      kill_counts *counts)
{
    int status;
    for (int i = 0; job->outs[i]; i++)
        write_text(job->outs[i], "old", 3);
    (void)wait_for_changes(watch, 1000, 0); /* those are over */
    pid_t child = start(job->arguments, 0);
    if (next_random(4) == 0) {
        sleep_micros((long)next_random(run_micros));
    } else {
        (void)wait_for_changes(watch, 1 + (int)next_random(changes), 400);
        sleep_micros((long)next_random(next_random(2) ? 300 : 5000));
    }
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, &status, 0), child);
    counts->killed += WIFSIGNALED(status);
    counts->done += !WIFSIGNALED(status);
}

/* Until it was killed so often; rounds in which it was done first are told, too. */
static void kill_job(const killed_job *job, int kills, kill_counts *sum)
{
    static char wanted[3][TEXT];
    size_t sizes[3];
    kill_counts counts = {0};
    struct timespec from, to;
    (void)mkdir(job->in, 0700);
    int watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    assert_true(watch >= 0);
    assert_true(
        inotify_add_watch(watch, job->in, IN_CREATE | IN_MODIFY | IN_MOVED_TO | IN_ATTRIB | IN_DELETE) >= 0);
    clock_gettime(CLOCK_MONOTONIC, &from);
    if (run(0, job->arguments) != 0)
        fail_msg("%s: %s", job->name, err);
    clock_gettime(CLOCK_MONOTONIC, &to);
    unsigned micros = (unsigned)((to.tv_sec - from.tv_sec) * 1000000 + (to.tv_nsec - from.tv_nsec) / 1000);
    for (int i = 0; job->outs[i]; i++)
        read_text(job->outs[i], wanted[i], &sizes[i]);
    unsigned changes = (unsigned)wait_for_changes(watch, 1000, 0);
    while (counts.killed < kills && counts.done < 20 * kills) {
        kill_once(job, watch, micros + 1, changes + 1, &counts);
        check_outs(job, wanted, sizes, &counts);
        counts.left += count_left(job->in) > 0;
    }
    close(watch);
    if (run(0, job->arguments) != 0) /* the rerun is right, and tidies up */
        fail_msg("%s: %s", job->name, err);
    assert_int_equal(count_left(job->in), 0);
    kill_counts after = {0};
    check_outs(job, wanted, sizes, &after);
    assert_int_equal(after.old, 0);
    print_message(
        "%s: %d killed, %d were done; files: %d old, %d new, 0 broken; a temporary one was left %d times\n",
        job->name, counts.killed, counts.done, counts.old, counts.new, counts.left);
    sum->killed += counts.killed;
    sum->left += counts.left;
}

static void killed_while_it_writes(void **state)
{
    (void)state;
    const killed_job jobs[] = {
        {"run -o",
         OCTET("run", THREE, "--input=x.npy", "--output", "k_run", "--quiet"),
         "k_run",
         {"k_run/y.npy", "k_run/h.npy", "k_run/c.npy"},
         false},
        {"quantize -o --report",
         OCTET("quantize", FLOAT_MODEL, SAMPLES, "-o", "k_quantize/q.onnx", "--report", "k_quantize/q.html"),
         "k_quantize",
         {"k_quantize/q.onnx", "k_quantize/q.html"},
         false},
        {"bench --json",
         OCTET("bench", "--gemm=4x4x4", "--seconds=0", "--json", "k_bench/b.json"),
         "k_bench",
         {"k_bench/b.json"},
         true},
        {"devices --json",
         OCTET("devices", "--json", "k_devices/d.json"),
         "k_devices",
         {"k_devices/d.json"},
         false},
    };
    enum { JOBS = sizeof jobs / sizeof jobs[0] };
    const char *seed = getenv("OCTET_TEST_SEED");
    int kills = getenv("OCTET_TEST_LONG") ? 1000 / JOBS : 10;
    kill_counts sum = {0};
    random_state = seed ? strtoull(seed, NULL, 10) : (uint64_t)time(NULL);
    print_message("OCTET_TEST_SEED=%llu\n", (unsigned long long)random_state);
    make_input("x.npy");
    for (int i = 0; i < JOBS; i++)
        kill_job(&jobs[i], kills, &sum);
    print_message("%d killed in all\n", sum.killed);
    assert_int_equal(sum.killed, kills * JOBS);
    assert_true(sum.left > 0); /* else none was hit while it wrote */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_no_file_stays),
        cmocka_unit_test(no_input_is_written_over),
        cmocka_unit_test(a_failed_run_keeps_what_was_there),
        cmocka_unit_test(nothing_is_waited_for),
        cmocka_unit_test(long_names_are_shortened),
        cmocka_unit_test(killed_while_it_writes),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
