/* Starts on empty caches: many processes at the same time, which in PoCL trip over each other now and then,
 * and builds that fail once. */
#include "check.h"

#include <fcntl.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SIZE = 20, MOST = 32, BUILD_FAILURE = -11 };

static char folder[] = "/tmp/octet-cold-XXXXXX";
static const char *self;

/* ---- children ------------------------------------------------------------------------------------------ */

static void print_line(void *user, const char *line)
{
    (void)user;
    printf("%s\n", line);
}

/* A product of ones, checked, on a new context. */
static int multiply(const char *cache_dir)
{
    unsigned char a[SIZE * SIZE], b[SIZE * SIZE];
    int32_t c[SIZE * SIZE];
    octet_context_desc desc;
    octet_gemm_desc d;
    octet_context *context;
    octet_gemm *g = NULL;
    octet_counters counters;
    memset(a, 1, sizeof a);
    memset(b, 1, sizeof b);
    OCTET_INIT(desc);
    OCTET_INIT(d);
    OCTET_INIT(counters);
    desc.cache_dir = cache_dir;
    desc.log = print_line;
    d.m = d.n = d.k = SIZE;
    d.a_dtype = OCTET_U8;
    d.b_dtype = OCTET_S8;
    octet_status status = octet_context_create(&desc, &context);
    if (status == OCTET_OK)
        status = octet_gemm_create(context, &d, b, &g);
    if (status == OCTET_OK)
        status = octet_gemm_run(g, a, NULL, c);
    if (status == OCTET_OK)
        status = octet_context_counters(context, &counters);
    for (int i = 0; status == OCTET_OK && i < SIZE * SIZE; i++) {
        if (c[i] != SIZE)
            return 2;
    }
    printf("built %d: %s\n", (int)counters.programs_built, status == OCTET_OK ? "" : octet_last_error());
    octet_gemm_destroy(g);
    octet_context_destroy(context);
    return status != OCTET_OK;
}

/* ---- many at once -------------------------------------------------------------------------------------- */

/* A process that waits for the other end of `gate` to be closed, then starts with these empty caches. */
static pid_t start_one(const int gate[2], int number)
{
    char said[64], cache[64];
    pid_t child = fork();
    if (child)
        return child;
    snprintf(said, sizeof said, "%s/said-%d", folder, number);
    snprintf(cache, sizeof cache, "%s/octet", folder);
    int file = open(said, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    char nothing;
    close(gate[1]);
    if (file < 0 || dup2(file, STDOUT_FILENO) < 0 || dup2(file, STDERR_FILENO) < 0 ||
        read(gate[0], &nothing, 1) != 0)
        _exit(98);
    execl(self, self, cache, (char *)NULL);
    _exit(99);
}

static void tell(int number, int status)
{
    char path[64], line[512];
    snprintf(path, sizeof path, "%s/said-%d", folder, number);
    print_message("process %d: status %x:\n", number, (unsigned)status);
    FILE *f = fopen(path, "r");
    while (f && fgets(line, sizeof line, f))
        print_message("    %s", line);
    if (f)
        fclose(f);
}

static void clear_caches(void)
{
    char command[256];
    snprintf(command, sizeof command, "cd %s && rm -rf octet pocl said-* && mkdir -m 700 octet pocl", folder);
    assert_int_equal(system(command), 0);
}

static int failures_of_a_round(int processes)
{
    pid_t children[MOST];
    int gate[2], failures = 0;
    clear_caches();
    assert_int_equal(pipe(gate), 0);
    for (int i = 0; i < processes; i++)
        assert_true((children[i] = start_one(gate, i)) > 0);
    close(gate[0]);
    close(gate[1]);
    for (int i = 0; i < processes; i++) {
        int status;
        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        if (status != 0) {
            failures++;
            tell(i, status);
        }
    }
    return failures;
}

/* Every day a small round; under the long label 32 processes, 50 times. */
static void processes_start_together(void **state)
{
    (void)state;
    bool all = getenv("OCTET_TEST_LONG") != NULL;
    int processes = all ? MOST : 8, rounds = all ? 50 : 1, failures = 0;
    for (int i = 0; i < rounds; i++)
        failures += failures_of_a_round(processes);
    print_message("%d rounds of %d processes on empty caches: %d failures\n", rounds, processes, failures);
    assert_int_equal(failures, 0);
}

/* ---- a build that fails once --------------------------------------------------------------------------- */

/* One run without a cache of Octet's; its n-th call of OpenCL fails as a build does. Was a program built at
 * the second try? */
static bool tried_again(long n, long *calls, int *built, int *code)
{
    char command[1024], line[512];
    bool again = false;
    snprintf(
        command, sizeof command,
        "OPENCL_LAYERS='%s' OCTET_FAULT_CALL=%ld OCTET_FAULT_CODE=%d OCTET_FAULT_LOG=%s/log '%s' '' >%s/said",
        OCTET_FAULT_LAYER, n, BUILD_FAILURE, folder, self, folder);
    int status = system(command);
    assert_true(WIFEXITED(status));
    *code = WEXITSTATUS(status);
    snprintf(command, sizeof command, "%s/said", folder);
    FILE *f = fopen(command, "r");
    assert_non_null(f);
    while (fgets(line, sizeof line, f)) {
        again |= strstr(line, "tried again") && strstr(line, "CL_BUILD_PROGRAM_FAILURE");
        (void)sscanf(line, "built %d", built);
    }
    fclose(f);
    snprintf(command, sizeof command, "%s/log", folder);
    f = fopen(command, "r");
    assert_non_null(f);
    assert_int_equal(fscanf(f, "calls %ld", calls), 1);
    fclose(f);
    return again;
}

static void a_build_that_fails_is_tried_again(void **state)
{
    (void)state;
    long calls, ignored;
    int programs = 0, built = 0, code, again = 0;
    assert_false(tried_again(0, &calls, &programs, &code));
    assert_int_equal(code, 0);
    assert_true(programs > 0);
    for (long n = 1; n <= calls; n++) {
        if (!tried_again(n, &ignored, &built, &code))
            continue;
        again++;
        if (code != 0 || built != programs)
            fail_msg("call %ld: exit %d, %d programs of %d", n, code, built, programs);
    }
    print_message("%ld calls, %d programs\n", calls, programs);
    assert_int_equal(again, 2 * programs); /* creating each, and building it */
}

static int set_up(void **state)
{
    char pocl[64];
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    snprintf(pocl, sizeof pocl, "%s/pocl", folder);
    return setenv("POCL_CACHE_DIR", pocl, 1);
}

static int tear_down(void **state)
{
    char command[64];
    (void)state;
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command);
}

int main(int argc, char **argv)
{
    if (argc == 2)
        return multiply(argv[1]);
    self = argv[0];
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(processes_start_together),
        cmocka_unit_test(a_build_that_fails_is_tried_again),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
