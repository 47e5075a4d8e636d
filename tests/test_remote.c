/* A PoCL device on another machine: its processor is asked, not this host's. The fault layer makes the device
 * here say that it is behind a server, so what it answers is known: the same as this host. */
#include "check.h"
#include "device_priv.h"

#include <stdbool.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TEXT = 1 << 14 };

static char folder[] = "/tmp/octet-remote-XXXXXX";
static char text[TEXT]; /* what the last command said */

static int shell(const char *fmt, ...)
{
    char command[2048], all[2500];
    va_list args;
    va_start(args, fmt);
    vsnprintf(command, sizeof command, fmt, args);
    va_end(args);
    snprintf(all, sizeof all, "D=%s; { %s ; } >$D/said 2>&1", folder, command);
    int status = system(all);
    snprintf(all, sizeof all, "%s/said", folder);
    FILE *f = fopen(all, "r");
    size_t n = f ? fread(text, 1, TEXT - 1, f) : 0;
    text[n] = '\0';
    if (f)
        fclose(f);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* The line "int8 dot" of the first device of PoCL, opened, in this environment. */
static void dot_of(const char *environment, char dot[32])
{
    if (shell("XDG_CACHE_HOME=$D/cache OPENCL_LAYERS='%s' %s %s devices --device Portable --verbose",
              OCTET_FAULT_LAYER, environment, OCTET_COMMAND) != 0)
        fail_msg("%s: %s", environment, text);
    const char *at = strstr(text, "int8 dot     ");
    assert_non_null(at);
    assert_int_equal(sscanf(at, "int8 dot %31s", dot), 1);
}

static void answers_are_taken(void **state)
{
    (void)state;
#define INTEL 0x756e6547, 0x49656e69, 0x6c65746e
#define AMD   0x68747541, 0x69746e65, 0x444d4163
    static const struct {
        cl_uint answers[OCT_X86_ANSWERS];
        bool sane, avx2, vnni, vbmi;
    } cases[] = {
        {{0x20, INTEL, 0xfffa3203, 0xf1bf27eb, 0x1b415fde, 0x602e7},
         true,
         true,
         true,
         true}, /* Sapphire Rapids */
        {{0x10, AMD, 0x7ef8320b, 0x219c97a9, 0x40069c, 0x207}, true, true, false, false}, /* Zen 3 */
        {{0x16, INTEL, 0xfffa3203, 0xd19f67eb, 0x800, 0xe7}, true, true, true, false},    /* Cascade Lake */
        {{0x16, INTEL, 0xfffa3203, 0xd19f67eb, 0x800, 0x7},
         true,
         true,
         false,
         false}, /* its system saves less */
        {{0x16, INTEL, 0xfffa3203, 0xd19f67eb, 0x800, 0x3}, true, false, false, false}, /* and less */
        {{0x16, INTEL, 0xfffa3203, 0xd18f67eb & ~(1u << 30), 0x802, 0xe7}, true, true, false, false},
        {{0x1, INTEL, 0, 0, 0, 0}, true, false, false, false},
        {{0, INTEL, 0, 0xf1bf27eb, 0x1b415fde, 0xe7}, false, false, false, false},
        {{0x20, 0, 0, 0, 0xfffa3203, 0xf1bf27eb, 0x1b415fde, 0x602e7}, false, false, false, false},
        {{0xffffffff, INTEL, 0xfffa3203, 0xf1bf27eb, 0x1b415fde, 0x602e7}, false, false, false, false},
        {{0x20, 0x756e6547, 0x49656e69, 0x444d4163, 0xfffa3203, 0xf1bf27eb, 0x1b415fde, 0x602e7},
         false,
         false,
         false,
         false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        oct_caps caps = {.any_device = true};
        bool sane = oct_x86_take(cases[i].answers, &caps);
        if (sane != cases[i].sane || caps.pocl_x86 != sane || caps.x86_avx2 != cases[i].avx2 ||
            caps.x86_avx512_vnni != cases[i].vnni || caps.x86_avx512_vbmi != cases[i].vbmi)
            fail_msg("case %zu: sane %d, AVX2 %d, VNNI %d, VBMI %d", i, sane, caps.x86_avx2,
                     caps.x86_avx512_vnni, caps.x86_avx512_vbmi);
    }
}

static void a_device_elsewhere_is_asked_once(void **state)
{
    char here[32], there[32];
    (void)state;
    dot_of("", here);
    assert_null(strstr(text, "probe_x86.cl"));
    if (strncmp(here, "x86-", 4) != 0)
        skip();
    dot_of("OCTET_FAULT_REMOTE=1", there);
    assert_non_null(strstr(text, "compiled: probe_x86.cl"));
    assert_string_equal(there, here);
    dot_of("OCTET_FAULT_REMOTE=1", there);
    assert_null(strstr(text, "probe_x86.cl"));
    assert_string_equal(there, here);
}

/* Were the host's own looked at, this would change nothing. */
static void what_is_kept_is_used_if_it_is_whole(void **state)
{
    char here[32], there[32];
    (void)state;
    dot_of("", here);
    if (strncmp(here, "x86-", 4) != 0)
        skip();
    dot_of("OCTET_FAULT_REMOTE=1", there);
    assert_int_equal(shell("sed -i '/^cpuid /s/ [0-9a-f]*$/ 00000000/' $D/cache/octet/x86-*.txt"), 0);
    dot_of("OCTET_FAULT_REMOTE=1", there);
    assert_string_equal(there, "none");
    static const char *const damage[] = {"truncate -s -1", "truncate -s 0", "chmod 666",
                                         "sed -i s/^cpuid/cpuid,/", "sed -i s/[0-9a-f]$/z/"};
    for (size_t i = 0; i < sizeof damage / sizeof damage[0]; i++) {
        assert_int_equal(shell("%s $D/cache/octet/x86-*.txt", damage[i]), 0);
        dot_of("OCTET_FAULT_REMOTE=1", there);
        if (strcmp(there, here) != 0 || !strstr(text, "probe_x86.cl"))
            fail_msg("%s: it is used, or not asked again: %s", damage[i], text);
    }
}

/* A device that cannot answer, or answers nonsense, has portable kernels. */
static void others_are_portable(void **state)
{
    static const struct {
        const char *kernel, *told;
    } cases[] = {
        {"#error no such instruction", "its processor is not known"},
        {"__kernel void probe(__global uint *out) { for (int i = 0; i < 8; i++) out[i] = 0; }",
         "make no sense"},
        {"__kernel void probe(__global uint *out) { for (int i = 0; i < 8; i++) out[i] = ~0u; }",
         "make no sense"},
    };
    char dot[32], environment[128];
    (void)state;
    snprintf(environment, sizeof environment, "OCTET_FAULT_REMOTE=1 OCTET_KERNEL_DIR=%s/kernels", folder);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(
            shell("rm -rf $D/cache/octet $D/kernels; mkdir $D/kernels; : >$D/kernels/tuning.txt; "
                  "echo '%s' >$D/kernels/probe_x86.cl",
                  cases[i].kernel),
            0);
        dot_of(environment, dot);
        if (strcmp(dot, "none") != 0 || !strstr(text, cases[i].told))
            fail_msg("case %zu: %s: %s", i, dot, text);
    }
}

static int set_up(void **state)
{
    (void)state;
    return mkdtemp(folder) ? shell("mkdir $D/cache") : -1;
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
        cmocka_unit_test(answers_are_taken),
        cmocka_unit_test(a_device_elsewhere_is_asked_once),
        cmocka_unit_test(what_is_kept_is_used_if_it_is_whole),
        cmocka_unit_test(others_are_portable),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
