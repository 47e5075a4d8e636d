/* Programs built by several threads at once: each once, the bytes right, logged in order on the caller's
 * thread, and the first failure in order is the one that is told, however the threads run. scripts/test runs
 * this program under the thread sanitizer too. */
#include "check.h"
#include "device.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { DISTINCT = 9, ASKED = 2 * DISTINCT, CALLERS = 3 };

static char folder[] = "/tmp/octet-build-XXXXXX";

/* ---- the log ------------------------------------------------------------------------------------------- */

typedef struct book {
    pthread_t owner;
    char lines[DISTINCT + 1][64];
    int count, strangers;
} book;

static void take_log(void *user, const char *line)
{
    book *b = user;
    b->strangers += !pthread_equal(b->owner, pthread_self());
    if (strstr(line, "unit.cl") && b->count <= DISTINCT)
        snprintf(b->lines[b->count++], sizeof b->lines[0], "%s", line);
}

static oct_device *open_quiet(book *b)
{
    octet_context_desc desc;
    oct_device *d = NULL;
    OCTET_INIT(desc);
    desc.cache_dir = "";
    if (b) {
        memset(b, 0, sizeof *b);
        b->owner = pthread_self();
        desc.log = take_log;
        desc.log_user = b;
    }
    CHECK_OK(oct_device_open(&desc, &d));
    return d;
}

/* ---- what is built ------------------------------------------------------------------------------------- */

static char options[ASKED][24];

/* Every program twice; those of the list do not compile. */
static void ask(oct_program_name names[ASKED], const int *bad, int bads)
{
    for (int i = 0; i < ASKED; i++) {
        snprintf(options[i], sizeof options[i], "-DN=%d", i % DISTINCT);
        for (int b = 0; b < bads; b++) {
            if (bad[b] == i % DISTINCT)
                snprintf(options[i], sizeof options[i], "-DN=nothing_%d", bad[b]);
        }
        names[i] = (oct_program_name){"unit.cl", options[i]};
    }
}

static uint64_t built(oct_device *d)
{
    octet_counters c;
    OCTET_INIT(c);
    oct_device_counters(d, &c);
    return c.programs_built;
}

static int run_unit(oct_device *d, const char *with)
{
    cl_kernel kernel;
    cl_mem buffer;
    cl_int result = -1;
    const size_t one = 1;
    CHECK_OK(oct_device_kernel(d, "unit.cl", "unit", with, &kernel));
    CHECK_OK(oct_buffer_create(d, sizeof result, &buffer));
    assert_int_equal(clSetKernelArg(kernel, 0, sizeof buffer, &buffer), CL_SUCCESS);
    CHECK_OK(oct_device_launch(d, kernel, 1, &one, NULL, 0, NULL, NULL));
    CHECK_OK(oct_device_download(d, OCT_TRAFFIC_OUTPUT, buffer, 0, &result, sizeof result));
    CHECK_OK(oct_device_finish(d));
    oct_buffer_release(d, buffer);
    clReleaseKernel(kernel);
    return result;
}

static void each_is_built_once_and_in_order(void **state)
{
    (void)state;
    static const char *const threads[] = {"2", "5", "99"};
    oct_program_name names[ASKED];
    ask(names, NULL, 0);
    for (size_t t = 0; t < sizeof threads / sizeof threads[0]; t++) {
        book log;
        assert_int_equal(setenv("OCTET_BUILD_THREADS", threads[t], 1), 0); /* read when it is opened */
        oct_device *d = open_quiet(&log);
        const uint64_t before = built(d);
        CHECK_OK(oct_device_build(d, names, ASKED));
        assert_int_equal(built(d) - before, DISTINCT);
        assert_int_equal(log.strangers, 0);
        assert_int_equal(log.count, DISTINCT);
        for (int i = 0; i < DISTINCT; i++) {
            char want[64];
            snprintf(want, sizeof want, "compiled: unit.cl -DN=%d", i);
            assert_string_equal(log.lines[i], want);
        }
        CHECK_OK(oct_device_build(d, names, ASKED)); /* they are there */
        for (int i = 0; i < DISTINCT; i++)
            assert_int_equal(run_unit(d, options[i]), i);
        assert_int_equal(built(d) - before, DISTINCT);
        oct_device_release(d);
    }
}

static void one_thread_builds_nothing_ahead(void **state)
{
    (void)state;
    oct_program_name names[ASKED];
    ask(names, NULL, 0);
    assert_int_equal(setenv("OCTET_BUILD_THREADS", "1", 1), 0);
    oct_device *one = open_quiet(NULL);
    assert_int_equal(unsetenv("OCTET_BUILD_THREADS"), 0);
    oct_device *usual = open_quiet(NULL);
    const uint64_t before_one = built(one), before_usual = built(usual);
    CHECK_OK(oct_device_build(one, names, ASKED));
    assert_int_equal(built(one) - before_one, 0);
    if (!oct_device_caps(usual)->prefers_tiles || oct_device_caps(usual)->one_build) {
        CHECK_OK(oct_device_build(usual, names, ASKED)); /* a CPU, or a simulator, as it comes */
        assert_int_equal(built(usual) - before_usual, 0);
    }
    oct_device_release(one);
    oct_device_release(usual);
}

static void the_first_failure_is_told(void **state)
{
    (void)state;
    static const int bad[] = {7, 3, 8};
    static const char *const threads[] = {"2", "3", "8"};
    oct_program_name names[ASKED];
    ask(names, bad, 3);
    for (int round = 0; round < 6; round++) {
        book log;
        assert_int_equal(setenv("OCTET_BUILD_THREADS", threads[round % 3], 1), 0);
        oct_device *d = open_quiet(&log);
        assert_int_equal(oct_device_build(d, names, ASKED), OCTET_DEVICE_ERROR);
        if (!strstr(oct_error_text(), "kernel unit.cl -DN=nothing_3 on"))
            fail_msg("round %d: %s", round, oct_error_text());
        assert_null(strstr(oct_error_text(), "nothing_7"));
        assert_true(log.count >= 3 && log.strangers == 0); /* what went well is kept */
        for (int i = 0; i < 3; i++)
            assert_int_equal(run_unit(d, options[i]), i);
        oct_device_release(d);
    }
}

/* ---- several callers ----------------------------------------------------------------------------------- */

typedef struct caller {
    pthread_t thread;
    oct_device *device;
    const oct_program_name *names;
    octet_status status;
} caller;

static void *call(void *argument)
{
    caller *c = argument;
    c->status = oct_device_build(c->device, c->names, ASKED);
    return NULL;
}

static void callers_share_what_is_built(void **state)
{
    (void)state;
    oct_program_name names[ASKED];
    ask(names, NULL, 0);
    assert_int_equal(setenv("OCTET_BUILD_THREADS", "4", 1), 0);
    oct_device *d = open_quiet(NULL);
    const uint64_t before = built(d);
    caller callers[CALLERS];
    for (int i = 0; i < CALLERS; i++) {
        callers[i] = (caller){.device = d, .names = names, .status = OCTET_INTERNAL};
        assert_int_equal(pthread_create(&callers[i].thread, NULL, call, &callers[i]), 0);
    }
    for (int i = 0; i < CALLERS; i++) {
        assert_int_equal(pthread_join(callers[i].thread, NULL), 0);
        assert_int_equal(callers[i].status, OCTET_OK);
    }
    assert_int_equal(built(d) - before, DISTINCT);
    oct_device_release(d);
}

static int set_up(void **state)
{
    (void)state;
    char path[64];
    if (!mkdtemp(folder) || setenv("OCTET_KERNEL_DIR", folder, 1) != 0)
        return 1;
    snprintf(path, sizeof path, "%s/unit.cl", folder);
    FILE *f = fopen(path, "w");
    return !f || fputs("__kernel void unit(__global int *out) { out[0] = N; }\n", f) < 0 || fclose(f) != 0;
}

static int tear_down(void **state)
{
    (void)state;
    char path[64];
    snprintf(path, sizeof path, "%s/unit.cl", folder);
    return remove(path) != 0 || rmdir(folder) != 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_is_built_once_and_in_order),
        cmocka_unit_test(one_thread_builds_nothing_ahead),
        cmocka_unit_test(the_first_failure_is_told),
        cmocka_unit_test(callers_share_what_is_built),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
