/* Every OpenCL call of a run fails once, with each error that drivers give: no crash, a status with one line
 * of text, and nothing left alive. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define MODEL OCTET_SOURCE_DIR "/examples/digits/digits_int8.onnx"

static char folder[] = "/tmp/octet-faults-XXXXXX";

typedef struct outcome {
    int code; /* exit status, or 1000 + the signal */
    long calls, live;
    char text[1024];
} outcome;

static void path_in(char *out, size_t size, const char *name)
{
    snprintf(out, size, "%s/%s", folder, name);
}

static outcome run_victim(long failing, int error, int sticky)
{
    char log[64], text[64], cache[64], command[1024];
    path_in(log, sizeof log, "log");
    path_in(text, sizeof text, "text");
    path_in(cache, sizeof cache, "cache");
    remove(log);
    snprintf(command, sizeof command,
             "OPENCL_LAYERS='%s' OCTET_FAULT_CALL=%ld OCTET_FAULT_CODE=%d OCTET_FAULT_STICKY=%d "
             "OCTET_FAULT_LOG='%s' '%s' "
             "'%s' '%s' >'%s' 2>&1",
             OCTET_FAULT_LAYER, failing, error, sticky, log, OCTET_FAULT_VICTIM, MODEL, cache, text);
    int status = system(command);
    outcome o = {
        .code = WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status), .calls = -1, .live = -1};
    FILE *f = fopen(log, "r");
    if (f) {
        if (fscanf(f, "calls %ld live %ld", &o.calls, &o.live) != 2)
            o.calls = -1;
        fclose(f);
    }
    f = fopen(text, "r");
    size_t n = f ? fread(o.text, 1, sizeof o.text - 1, f) : 0;
    o.text[n] = '\0';
    if (f)
        fclose(f);
    return o;
}

static void a_sound_run_leaves_nothing(void **state)
{
    (void)state;
    outcome o = run_victim(0, -5, 0);
    if (o.code != 0)
        fail_msg("exit %d: %s", o.code, o.text);
    assert_true(o.calls > 50);
    assert_int_equal(o.live, 0);
}

static void every_failure_is_an_error_and_leaks_nothing(void **state)
{
    (void)state;
    static const int errors[] = {-5, -4, -6, -14};
    outcome sound = run_victim(0, -5, 0);
    assert_int_equal(sound.code, 0);
    /* Neighbouring argument settings are alike: after the first calls, every fifth is tried. */
    int tried = 0, refused = 0;
    for (long n = 1; n <= sound.calls; n += n < 40 ? 1 : 5, tried++) {
        int error = errors[n % 4], sticky = n % 2;
        outcome o = run_victim(n, error, sticky);
        if (o.code != 0 && o.code != 1)
            fail_msg("call %ld failing with %d: exit %d: %s", n, error, o.code, o.text);
        if (o.live != 0)
            fail_msg("call %ld failing with %d: %ld objects left: %s", n, error, o.live, o.text);
        const char *line_end = strchr(o.text, '\n');
        if (o.code == 1 && (!line_end || line_end[1] || line_end == o.text))
            fail_msg("call %ld failing with %d: not one line: %s", n, error, o.text);
        refused += o.code == 1;
    }
    print_message("%ld calls, %d tried, %d gave an error, the others were survived\n", sound.calls, tried,
                  refused);
    assert_true(refused > tried / 2);
}

/* `octet devices` with a driver that launches nothing with more local memory than this; the text of the
 * device's line about it. calls: OpenCL calls, to tell a look at the cache from a search. */
static void local_memory_line(const char *cache, const char *probe, long limit, char line[256], long *calls)
{
    char log[64], text[64], command[1024], all[4096];
    path_in(log, sizeof log, "log");
    path_in(text, sizeof text, "text");
    const char *home = getenv("HOME"), *kernels = getenv("POCL_CACHE_DIR");
    snprintf(
        command, sizeof command,
        "OPENCL_LAYERS='%s' OCTET_FAULT_LOG='%s' OCTET_FAULT_LOCAL=%ld OCTET_PROBE=%s XDG_CACHE_HOME='%s' "
        "POCL_CACHE_DIR='%s%s' '%s' devices --device 0 >'%s' 2>&1",
        OCTET_FAULT_LAYER, log, limit, probe, cache, kernels ? kernels : home,
        kernels ? "" : "/.cache/pocl/kcache", OCTET_COMMAND, text);
    int status = system(command);
    FILE *f = fopen(text, "r");
    size_t n = f ? fread(all, 1, sizeof all - 1, f) : 0;
    all[n] = '\0';
    if (f)
        fclose(f);
    if (status != 0)
        fail_msg("octet devices: %s", all);
    const char *at = strstr(all, "local memory ");
    assert_non_null(at);
    snprintf(line, 256, "%.*s", (int)strcspn(at, "\n"), at);
    f = fopen(log, "r");
    assert_non_null(f);
    assert_int_equal(fscanf(f, "calls %ld", calls), 1);
    fclose(f);
}

/* Local memory that the driver promises and does not give is found by trying, told, and remembered. */
static void local_memory_is_probed(void **state)
{
    (void)state;
    char cache[64], line[256], full[256];
    long calls, searched, later;
    path_in(cache, sizeof cache, "probe-cache");
    assert_int_equal(mkdir(cache, 0700), 0);
    local_memory_line(cache, "0", 20000, full, &calls); /* not tried: believed */
    assert_null(strstr(full, "driver says"));
    local_memory_line(cache, "1", 20000, line, &searched);
    if (!strstr(line, "local memory 19.0 KiB, ") || !strstr(line, "; the driver says "))
        fail_msg("%s", line);
    assert_true(searched > calls + 20);
    local_memory_line(cache, "1", 20000, line, &later); /* from the cache */
    assert_non_null(strstr(line, "local memory 19.0 KiB, "));
    assert_int_equal(later, calls);
    char command[128];
    snprintf(command, sizeof command, "rm '%s'/octet/probe-*.txt", cache);
    assert_int_equal(system(command), 0);
    local_memory_line(cache, "1", 1, line, &searched); /* none at all */
    assert_non_null(strstr(line, "local memory 0 B, "));
    assert_int_equal(system(command), 0);
    local_memory_line(cache, "1", 1L << 30, line, &searched); /* all of it */
    assert_string_equal(line, full);
    assert_true(searched < calls + 20);
}

static int set_up(void **state)
{
    (void)state;
    char cache[64];
    if (!mkdtemp(folder))
        return 1;
    path_in(cache, sizeof cache, "cache");
    return mkdir(cache, 0700);
}

static int tear_down(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sound_run_leaves_nothing),
        cmocka_unit_test(every_failure_is_an_error_and_leaks_nothing),
        cmocka_unit_test(local_memory_is_probed),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
