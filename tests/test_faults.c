/* Calls that fail, once or from then on: no crash, no hang, an error in one line or the right result, nothing
 * left behind, and a sound run afterwards. fault_layer/victim.c makes them fail and looks; here it is run on
 * a sample; OCTET_FAULTS is other options for it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[] = "/tmp/octet-faults-XXXXXX";

static void path_in(char *out, size_t size, const char *name)
{
    snprintf(out, size, "%s/%s", folder, name);
}

/* The last line of a file; "" where there is none. */
static const char *last_line(const char *name)
{
    static char text[4096];
    char path[64];
    path_in(path, sizeof path, name);
    FILE *f = fopen(path, "r");
    text[0] = '\0';
    while (f && fgets(text, sizeof text, f)) {
    }
    if (f)
        fclose(f);
    return text;
}

static void every_fault_is_an_error_or_survived(void **state)
{
    (void)state;
    const char *how = getenv("OCTET_FAULTS");
    char command[1024];
    snprintf(command, sizeof command, "'%s' '%s' %s >'%s/said'; s=$?; cat '%s/said'; exit $s",
             OCTET_FAULT_VICTIM, folder, how ? how : "--sample 3 --recheck 8", folder, folder);
    int status = system(command);
    long calls, events, binaries, memory, files;
    int counted = sscanf(last_line("said"),
                         "injected: calls %ld (%*d survived), events %ld (%*d survived), binaries %ld (%*d "
                         "survived), memory %ld (%*d survived), files %ld",
                         &calls, &events, &binaries, &memory, &files);
    if (status != 0 || counted != 5)
        fail_msg("status %d at: %s", status, last_line("at"));
    assert_true(calls > 50 && events > 10 && binaries > 50 && memory > 50 && files > 50);
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
        cmocka_unit_test(every_fault_is_an_error_or_survived),
        cmocka_unit_test(local_memory_is_probed),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
