/* A driver is not believed: a kernel that computes something else than the reference, or that cannot be
 * built, is passed over, and that is remembered. With the kernels that name instructions in OpenCL C
 * (OCTET_X86=emulated), so on any device; what is broken is the text of one of them. */
#include "check.h"
#include "conv.h"
#include "device.h"
#include "gemm.h"
#include "pointwise.h"
#include "ref.h"
#include "trust.h"

#include <octet/experimental.h>
#include <sys/stat.h>
#include <unistd.h>

enum { M = 37, N = 70, K = 150, LOG_CHARS = 1 << 16 };
static char folder[] = "/tmp/octet-trust-XXXXXX", logged[LOG_CHARS];

static void on_line(void *user, const char *line)
{
    size_t used = strlen(logged);
    (void)user;
    snprintf(logged + used, sizeof logged - used, "%s\n", line);
}

static octet_context_desc desc_of(const char *cache)
{
    octet_context_desc desc;
    OCTET_INIT(desc);
    desc.cache_dir = cache;
    desc.log = on_line;
    logged[0] = '\0';
    return desc;
}

static octet_context *open_context(const char *cache)
{
    const octet_context_desc desc = desc_of(cache);
    octet_context *context;
    CHECK_OK(octet_context_create(&desc, &context));
    return context;
}

/* A copy of the kernels' sources in which `file` is edited; its path. Kernels of a developer's folder have no
 * verdicts on disk. */
static void break_kernels(char path[96], const char *name, const char *file, const char *edit)
{
    char command[640];
    snprintf(path, 96, "%s/%s", folder, name);
    snprintf(command, sizeof command,
             "cp -r '" OCTET_SOURCE_DIR "/kernels' '%s' && cp '%s/%s' '%s/before' && sed -i '%s' '%s/%s' && "
             "! cmp -s '%s/before' '%s/%s'",
             path, path, file, folder, edit, path, file, folder, path, file);
    assert_int_equal(system(command), 0);
}

/* A product of u8 and s8, right whatever variant makes it, and which does; how it differs in counters. */
static void multiply(octet_context *context, const char *forced, char variant[64], octet_counters *counters)
{
    static uint8_t a[M * K];
    static int8_t b[K * N];
    static int32_t c[M * N], want[M * N];
    uint64_t state = 7;
    check_fill(&state, OCTET_U8, a, sizeof a, 2);
    check_fill(&state, OCTET_S8, (unsigned char *)b, sizeof b, 2);
    octet_gemm_desc d;
    OCTET_INIT(d);
    d.m = M, d.n = N, d.k = K;
    d.a_dtype = OCTET_U8, d.b_dtype = OCTET_S8;
    d.variant = forced;
    octet_gemm *gemm;
    octet_context_counters_reset(context);
    CHECK_OK(octet_gemm_create(context, &d, b, &gemm));
    CHECK_OK(octet_gemm_run(gemm, a, NULL, c));
    snprintf(variant, 64, "%s", octet_gemm_variant(gemm));
    octet_gemm_destroy(gemm);
    OCTET_INIT(*counters);
    CHECK_OK(octet_context_counters(context, counters));
    oct_ref_gemm(&(oct_ref_gemm_params){.m = M,
                                        .n = N,
                                        .k = K,
                                        .batch = 1,
                                        .lda = K,
                                        .ldb = N,
                                        .ldc = N,
                                        .a_dtype = OCTET_U8,
                                        .b_dtype = OCTET_S8,
                                        .c_dtype = OCTET_S32,
                                        .a = a,
                                        .b = b,
                                        .c = want});
    assert_memory_equal(c, want, sizeof want);
}

#define BEST   "gemm_s8_6x64__x86_vnni512"
#define SECOND "gemm_s8_4x64__x86_vnni512"

static void a_bad_kernel_is_passed_over(void **state)
{
    (void)state;
    static const struct {
        const char *edit, *said;
    } harms[] = {
        {"s/acc.r..j. = 0;/acc[r][j] = ROWS == 6;/", BEST ": NOT EXACT, "},
        {"s/^#ifndef ROWS/#if ROWS == 6\\nnothing;\\n#endif\\n#ifndef ROWS/", BEST ": cannot be used: "}};
    for (size_t i = 0; i < sizeof harms / sizeof harms[0]; i++) {
        char kernels[96], name[24], variant[64];
        octet_counters counters;
        octet_gemm_desc d;
        octet_gemm *gemm;
        snprintf(name, sizeof name, "bad-%zu", i);
        break_kernels(kernels, name, "gemm/gemm_x86_vnni512.cl", harms[i].edit);
        setenv("OCTET_KERNEL_DIR", kernels, 1);
        octet_context *context = open_context("");
        multiply(context, NULL, variant, &counters);
        assert_string_equal(variant, SECOND);
        assert_non_null(strstr(logged, harms[i].said));
        assert_non_null(strstr(logged, BEST " is not used on this device and driver"));
        assert_non_null(strstr(logged, SECOND ": exact, "));
        OCTET_INIT(d);
        d.m = M, d.n = N, d.k = K;
        d.a_dtype = OCTET_U8, d.b_dtype = OCTET_S8;
        d.variant = BEST;
        assert_int_equal(octet_gemm_create(context, &d, (int8_t[K * N]){0}, &gemm), OCTET_UNSUPPORTED);
        assert_non_null(strstr(octet_last_error(), "not exact"));
        octet_context_destroy(context);
        unsetenv("OCTET_KERNEL_DIR");
    }
}

/* The first start tries, later ones know; neither shows in what is counted. */
static void verdicts_are_kept(void **state)
{
    (void)state;
    char cache[64], command[256], variant[64];
    octet_counters first, later;
    octet_device_info info;
    snprintf(cache, sizeof cache, "%s/cache", folder);
    octet_context *context = open_context(cache);
    multiply(context, NULL, variant, &first);
    assert_string_equal(variant, BEST);
    assert_non_null(strstr(logged, BEST ": exact, "));
    octet_context_destroy(context);

    context = open_context(cache);
    multiply(context, NULL, variant, &later);
    assert_string_equal(variant, BEST);
    assert_null(strstr(logged, "exact"));
    assert_int_equal(first.launches, later.launches);
    assert_int_equal(first.weight_bytes_up, later.weight_bytes_up);
    assert_int_equal(first.input_bytes_up, later.input_bytes_up);
    assert_int_equal(first.output_bytes_down, later.output_bytes_down);
    assert_int_equal(first.transfers, later.transfers);
    assert_int_equal(first.waits, later.waits);
    assert_int_equal(first.device_bytes, later.device_bytes);
    assert_int_equal(first.peak_device_bytes, later.peak_device_bytes);
    octet_context_destroy(context);

    /* As an earlier start on a driver that gets it wrong would have left it. */
    snprintf(command, sizeof command,
             "sed -i 's/^exact gemm/wrong " BEST
             " gemm/' '%s'/verdicts-*.txt && grep -q '^wrong' '%s'/verdicts-*.txt",
             cache, cache);
    assert_int_equal(system(command), 0);
    context = open_context(cache);
    OCTET_INIT(info);
    CHECK_OK(octet_context_device(context, &info));
    assert_string_equal(info.distrusted, BEST);
    multiply(context, NULL, variant, &later);
    assert_string_equal(variant, SECOND);
    octet_context_destroy(context);

    /* A file that is damaged is none. */
    snprintf(command, sizeof command, "sed -i 's/^wrong.*/wrong/' '%s'/verdicts-*.txt", cache);
    assert_int_equal(system(command), 0);
    context = open_context(cache);
    multiply(context, NULL, variant, &later);
    assert_string_equal(variant, BEST);
    assert_non_null(strstr(logged, BEST ": exact, "));
    octet_context_destroy(context);
}

/* ---- each kind of program has a case ------------------------------------------------------------------- */

static const float scales[] = {0.02f};
static const uint8_t zeros[] = {3, 0}, bytes[4096];

static oct_quant quant(oct_recipe *r, octet_dtype dtype)
{
    return (oct_quant){.scale = oct_recipe_const(r, scales, sizeof scales),
                       .zero = oct_recipe_const(r, zeros, 2),
                       .scale_count = 1,
                       .zero_count = 1,
                       .zero_dtype = dtype,
                       .host_scale = scales,
                       .host_zero = zeros};
}

/* A convolution with a table and a sum behind it, by this variant. */
static octet_status chained(oct_recipe *r, const oct_caps *caps, const char *variant, const oct_geometry *g)
{
    const size_t y_bytes = (size_t)(oct_geometry_pixels(g) * g->co);
    const oct_quant q = quant(r, OCTET_U8);
    oct_conv_request c = {.force.variant = variant,
                          .g = *g,
                          .x_dtype = OCTET_U8,
                          .w_dtype = OCTET_S8,
                          .y_dtype = OCTET_U8,
                          .x = oct_recipe_input(r, (size_t)(g->n * g->h * g->w * g->c)),
                          .weights =
                              oct_recipe_const(r, bytes, (size_t)(g->co * g->c / g->group * g->kh * g->kw)),
                          .y = oct_recipe_output(r, y_bytes),
                          .bias = OCT_MEM_NONE,
                          .x_q = q,
                          .w_q = q,
                          .y_q = q,
                          .clamp_max = 255,
                          .then = {.has_table = true,
                                   .has_sum = true,
                                   .table = oct_recipe_const(r, bytes, 256),
                                   .residual = oct_recipe_input(r, y_bytes),
                                   .own_q = q,
                                   .residual_q = q,
                                   .sum_q = q,
                                   .sum_max = 255}};
    c.w_q.zero = OCT_MEM_NONE;
    c.w_q.zero_count = 0;
    return oct_conv(r, caps, &c);
}

static octet_status lookup(oct_recipe *r, const oct_caps *caps)
{
    const oct_operand x = {.mem = oct_recipe_input(r, 99), .dtype = OCTET_U8, .rank = 1, .dims = {99}};
    oct_operand y = x;
    y.mem = oct_recipe_output(r, 99);
    return oct_table_op(r, caps, &x, &y, bytes);
}

static void what_is_used_is_tried(void **state)
{
    (void)state;
    static const oct_geometry wide = {.n = 2,
                                      .h = 6,
                                      .w = 6,
                                      .c = 20,
                                      .oh = 6,
                                      .ow = 6,
                                      .co = 40,
                                      .kh = 3,
                                      .kw = 3,
                                      .group = 1,
                                      .stride_h = 1,
                                      .stride_w = 1,
                                      .dilation_h = 1,
                                      .dilation_w = 1,
                                      .pad_top = 1,
                                      .pad_left = 1},
                              deep = {.n = 1,
                                      .h = 6,
                                      .w = 6,
                                      .c = 70,
                                      .oh = 3,
                                      .ow = 3,
                                      .co = 70,
                                      .kh = 3,
                                      .kw = 3,
                                      .group = 70,
                                      .stride_h = 2,
                                      .stride_w = 2,
                                      .dilation_h = 1,
                                      .dilation_w = 1,
                                      .pad_top = 1,
                                      .pad_left = 1};
    static const char *const said[] = {"conv_8x48__x86_vnni512: exact, ",
                                       "conv_depthwise_4x64__x86_vnni512: exact, ",
                                       OCT_TABLE_X86 ": exact, "};
    const octet_context_desc desc = desc_of("");
    oct_device *device;
    CHECK_OK(oct_device_open(&desc, &device));
    for (int i = 0; i < 3; i++) {
        bool changed = true;
        oct_recipe r;
        oct_recipe_init(&r);
        r.piece_bytes = 1 << 20;
        logged[0] = '\0';
        CHECK_OK(i == 0   ? chained(&r, oct_device_caps(device), "conv_8x48__x86_vnni512", &wide)
                 : i == 1 ? chained(&r, oct_device_caps(device), NULL, &deep)
                          : lookup(&r, oct_device_caps(device)));
        CHECK_OK(oct_trust(device, &r, &changed));
        assert_false(changed);
        if (!strstr(logged, said[i]) || strstr(logged, "could not be tried"))
            fail_msg("case %d: the log says %s", i, logged);
        logged[0] = '\0';
        CHECK_OK(oct_trust(device, &r, &changed));
        assert_string_equal(logged, "");
        oct_recipe_free(&r);
    }
    oct_device_release(device);
}

/* A table by instructions that the driver gets wrong: look-ups go by plain code. */
static void a_bad_table_is_passed_over(void **state)
{
    (void)state;
    char kernels[96];
    bool changed = false;
    break_kernels(kernels, "bad-table", "pointwise/table_x86_vbmi.cl",
                  "s/x86_look_up(values, \\(.*\\));/1 + &/");
    setenv("OCTET_KERNEL_DIR", kernels, 1);
    const octet_context_desc desc = desc_of("");
    oct_device *device;
    CHECK_OK(oct_device_open(&desc, &device));
    oct_recipe r;
    oct_recipe_init(&r);
    CHECK_OK(lookup(&r, oct_device_caps(device)));
    CHECK_OK(oct_trust(device, &r, &changed));
    assert_true(changed);
    assert_false(oct_table_is_x86(oct_device_caps(device)));
    oct_recipe_free(&r);
    oct_device_release(device);
    unsetenv("OCTET_KERNEL_DIR");
}

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) && setenv("OCTET_X86", "emulated", 1) == 0 ? 0 : 1;
}

static int remove_folder(void **state)
{
    char command[128];
    (void)state;
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bad_kernel_is_passed_over),
        cmocka_unit_test(verdicts_are_kept),
        cmocka_unit_test(what_is_used_is_tried),
        cmocka_unit_test(a_bad_table_is_passed_over),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
