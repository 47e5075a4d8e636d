/* Tuning: rows in selection (no device asked), the text they are kept as and every way it can be damaged, a
 * search on the device that is here with the smallest budget, a kernel that is wrong, and that results stay
 * the same bytes. */
#include "check.h"
#include "conv.h"
#include "gemm.h"
#include "tune.h"
#include "variants.h"

#include <dirent.h>
#include <octet/experimental.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/octet-tune-XXXXXX";

/* ---- selection ----------------------------------------------------------------------------------------- */

static oct_tuning one_row(oct_tuning_row *row, const char *key, const char *variant, int64_t spread)
{
    memset(row, 0, sizeof *row);
    snprintf(row->key, sizeof row->key, "%s", key);
    snprintf(row->variant, sizeof row->variant, "%s", variant);
    row->spread = spread;
    return (oct_tuning){.rows = row, .count = 1};
}

static void gemm_rows_choose_where_they_fit(void **state)
{
    (void)state;
    oct_tuning_row row;
    oct_tuning tuning = one_row(&row, "gemm 100x64x32 batch 1", "gemm_s8_1x64__x86_vnni512", 0);
    oct_caps caps = {.any_device = true, .x86_avx512_vnni = true, .tuning = &tuning};
    oct_gemm_request q = {.m = 100, .n = 64, .k = 32, .batch = 1};
    assert_string_equal(selected(&oct_gemm_family, &caps, &q), "gemm_s8_1x64__x86_vnni512");
    q.force.variant = "gemm_s8_4x16__portable"; /* what is forced is forced */
    assert_string_equal(selected(&oct_gemm_family, &caps, &q), "gemm_s8_4x16__portable");
    q.force.variant = NULL;
    q.m = 96; /* another problem */
    assert_string_equal(selected(&oct_gemm_family, &caps, &q), "gemm_s8_6x64__x86_vnni512");
    q.m = 100;
    q.b_stride = 64 * 32; /* B packed in each run: another one too */
    assert_string_equal(selected(&oct_gemm_family, &caps, &q), "gemm_s8_6x64__x86_vnni512");
    q.b_stride = 0;
    caps.x86_avx512_vnni = false; /* the row does not run here */
    assert_string_equal(selected(&oct_gemm_family, &caps, &q), "gemm_s8_4x16__portable");
    caps.x86_avx512_vnni = true;
    snprintf(row.variant, sizeof row.variant, "gemm_of_tomorrow");
    assert_string_equal(selected(&oct_gemm_family, &caps, &q), "gemm_s8_6x64__x86_vnni512");
}

static void conv_rows_choose_where_they_fit(void **state)
{
    (void)state;
    oct_conv_request q = {.g = {.n = 1,
                                .h = 8,
                                .w = 8,
                                .c = 16,
                                .oh = 8,
                                .ow = 8,
                                .co = 32,
                                .kh = 3,
                                .kw = 3,
                                .group = 1,
                                .stride_h = 1,
                                .stride_w = 1,
                                .dilation_h = 1,
                                .dilation_w = 1,
                                .pad_top = 1,
                                .pad_left = 1}};
    char key[OCT_TUNING_KEY];
    oct_conv_family.key(&q, key);
    assert_string_equal(key, "conv 1x8x8x16 to 8x8x32 window 3x3 stride 1x1 dilation 1x1 pad 1x1 group 1");
    oct_tuning_row row;
    oct_tuning tuning = one_row(&row, key, "conv_4x16__portable", 0);
    oct_caps caps = {.any_device = true, .x86_avx512_vnni = true};
    assert_string_equal(selected(&oct_conv_family, &caps, &q), "conv_12x32__x86_vnni512");
    caps.tuning = &tuning;
    assert_string_equal(selected(&oct_conv_family, &caps, &q), "conv_4x16__portable");
    snprintf(row.variant, sizeof row.variant, "conv_depthwise_4x16__portable"); /* it is not depthwise */
    assert_string_equal(selected(&oct_conv_family, &caps, &q), "conv_12x32__x86_vnni512");
}

/* The rows of a work-group, or the parts of k, that a row asks for are in the launch. */
static void spreads_reach_the_launches(void **state)
{
    (void)state;
    oct_tuning_row row;
    oct_tuning tuning = one_row(&row, "gemm 96x64x32 batch 1", "gemm_s8_6x64__x86_vnni512", 24);
    oct_caps caps = {.any_device = true, .x86_avx512_vnni = true, .tuning = &tuning};
    caps.info.max_alloc_bytes = 1 << 30;
    for (int gpu = 0; gpu < 2; gpu++) {
        oct_recipe r;
        oct_recipe_init(&r);
        oct_gemm_request q = {.m = 96, .n = 64, .k = 32, .batch = 1, .lda = 32, .ldb = 64, .ldc = 64};
        q.k = q.lda = gpu ? 4096 : 32;
        q.a_dtype = OCTET_U8;
        q.b_dtype = OCTET_S8;
        q.c_dtype = OCTET_S32;
        q.a = oct_recipe_input(&r, (size_t)(q.m * q.k));
        q.b = oct_recipe_input(&r, (size_t)(q.n * q.k));
        q.c = oct_recipe_output(&r, (size_t)(q.m * q.n) * 4);
        q.bias = q.a_q.scale = q.a_q.zero = q.b_q.scale = q.b_q.zero = q.c_q.scale = q.c_q.zero =
            OCT_MEM_NONE;
        assert_int_equal(oct_gemm(&r, &caps, &q), OCTET_OK);
        const oct_launch *last = r.launches[r.launch_count - 1];
        if (gpu) { /* the product in five parts, then their sum */
            assert_string_equal(last->entry, "reduce");
            assert_int_equal(r.launches[r.launch_count - 2]->global[2], 5);
        } else {
            assert_int_equal(last->global[0], 4);
        }
        assert_int_equal(r.noted_count, 1);
        oct_recipe_free(&r);
        tuning = one_row(&row, "gemm 96x64x4096 batch 1", "gemm_s8_64x64_8x4__dot4", 5);
        caps = (oct_caps){.any_device = true, .prefers_tiles = true, .max_group = 256, .item_words = 128};
        caps.info.local_bytes = 48 << 10;
        caps.info.compute_units = 2;
        caps.info.max_alloc_bytes = 1 << 30;
        caps.tuning = &tuning;
    }
}

static void candidates_are_those_for_the_kind_of_device(void **state)
{
    (void)state;
    oct_caps cpu = {.any_device = true}, gpu = {.any_device = true, .prefers_tiles = true};
    gpu.max_group = 1024;
    gpu.item_words = 128;
    gpu.info.local_bytes = 48 << 10;
    gpu.info.compute_units = 100;
    oct_gemm_request q = {.m = 64, .n = 64, .k = 4096, .batch = 1};
    size_t cpus = 0, gpus = 0;
    for (const oct_variant *v; (v = oct_variant_candidate(&oct_gemm_family, &cpu, &q, cpus)); cpus++)
        assert_non_null(strstr(v->name, "__portable"));
    while (oct_variant_candidate(&oct_gemm_family, &gpu, &q, gpus))
        gpus++;
    assert_int_equal(cpus, 2);
    assert_int_equal(gpus, 13);
    const oct_variant *v = oct_variant_find(&oct_gemm_family, &cpu, &q, "gemm_s8_4x16__portable");
    assert_int_equal(oct_variant_spreads(v, &cpu, &q).count, 0);
    v = oct_variant_find(&oct_gemm_family, &gpu, &q, "gemm_s8_32x64_4x4__dot4");
    oct_spreads s = oct_variant_spreads(v, &gpu, &q);
    assert_true(s.count >= 3 && s.at[0] == 1);
    for (int i = 1; i < s.count; i++)
        assert_true(s.at[i] > s.at[i - 1]);
}

/* ---- text ---------------------------------------------------------------------------------------------- */

#define HEAD "octet-tuning 1\ndevice x\n"

static void only_a_whole_file_of_ours_is_read(void **state)
{
    (void)state;
    oct_tuning t;
    assert_int_equal(oct_tuning_parse(HEAD "v 0 gemm 1x2x3 batch 1\nw 48 conv a b\nend 2\n", HEAD, &t),
                     OCTET_OK);
    assert_int_equal(t.count, 2);
    assert_string_equal(oct_tuning_find(&t, "gemm 1x2x3 batch 1")->variant, "v");
    assert_int_equal(oct_tuning_find(&t, "conv a b")->spread, 48);
    assert_null(oct_tuning_find(&t, "conv a"));
    assert_null(oct_tuning_find(NULL, "conv a"));
    oct_tuning_free(&t);
    assert_int_equal(oct_tuning_parse(HEAD "end 0\n", HEAD, &t), OCTET_OK);
    oct_tuning_free(&t);
    static const char *const bad[] = {
        "",
        HEAD,
        "octet-tuning 2\ndevice x\nend 0\n",
        "octet-tuning 1\ndevice y\nend 0\n",
        HEAD "end 0",
        HEAD "end 1\n",
        HEAD "end 0\nend 0\n",
        HEAD "v 0 k\n",
        HEAD "v 0 k\nend 0\n",
        HEAD "v 0 k\nv 0 k\nend 2\n", /* twice the same */
        HEAD "v 0\nend 1\n",
        HEAD "v -1 k\nend 1\n",
        HEAD "v 1000001 k\nend 1\n",
        HEAD "v 99999999999999999999 k\nend 1\n",
        HEAD "v x k\nend 1\n",
        HEAD "v 0 k\x01\nend 1\n",
        HEAD "v 0 k\xff\nend 1\n",
        HEAD "\nend 0\n",
        HEAD "a_variant_name_of_more_than_sixty_three_characters_which_there_cannot_be 0 k\nend 1\n",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (oct_tuning_parse(bad[i], HEAD, &t) != OCTET_CORRUPT_FILE || t.count || t.rows)
            fail_msg("text %zu was taken: %s", i, bad[i]);
    }
    char text[1024] = HEAD "v 0 ";
    size_t at = strlen(text);
    memset(text + at, 'k', OCT_TUNING_KEY);
    strcpy(text + at + OCT_TUNING_KEY, "\nend 1\n");
    assert_int_equal(oct_tuning_parse(text, HEAD, &t), OCTET_CORRUPT_FILE);
}

/* ---- rows that come with the library ------------------------------------------------------------------- */

#define SHIPPED "octet-shipped-tuning 1\n# why\n"

static void shipped_rows_are_for_whom_they_say(void **state)
{
    (void)state;
    octet_device_info info = {.vendor = "Some Vendor Inc.", .name = "Chip 9000", .dot4 = "khr"};
    static const char text[] = SHIPPED "section\ndevice Chip 9\nvendor Some\nspecial 3 a\n\n"
                                       "section\nvendor Other\nnot_this_one 1 b\n"
                                       "section\ndot nvidia\nnor_this 1 b\n"
                                       "section\ndot khr\nof_path 0 b\nof_path 0 a\nof_path 0 c\n"
                                       "section\nof_all 0 d\nof_all 0 a\nend\n";
    oct_tuning t = {0};
    oct_tuning_row own = {.key = "c", .variant = "the_users", .spread = 7};
    CHECK_OK(oct_tuning_set(&t, &own));
    CHECK_OK(oct_tuning_ship(text, &info, &t));
    assert_int_equal(t.count, 4);
    assert_string_equal(oct_tuning_find(&t, "a")->variant, "special"); /* the first */
    assert_int_equal(oct_tuning_find(&t, "a")->spread, 3);
    assert_string_equal(oct_tuning_find(&t, "b")->variant, "of_path");
    assert_string_equal(oct_tuning_find(&t, "c")->variant, "the_users"); /* outranks */
    assert_string_equal(oct_tuning_find(&t, "d")->variant, "of_all");
    static const char *const bad[] = {
        "",
        "octet-tuning 1\nend\n",
        SHIPPED,
        SHIPPED "v 0 k\nend\n", /* no section */
        SHIPPED "section\nv 0 k\n",
        SHIPPED "section\nv 0 k\nend",
        SHIPPED "section\nv 0 k\nend\nv 0 k\n",
        SHIPPED "section\nv 0 k\nv 0\nend\n",
        SHIPPED "section\nv 0 k\nvendor late\nend\n",
        SHIPPED "section\nv 1000001 k\nend\n",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (oct_tuning_ship(bad[i], &info, &t) != OCTET_CORRUPT_FILE || t.count != 4)
            fail_msg("text %zu was taken: %s", i, bad[i]);
    }
    oct_tuning_free(&t);
}

/* ---- on the device ------------------------------------------------------------------------------------- */

static char logged[4096];

static void take_log(void *user, const char *line)
{
    (void)user;
    if (strstr(line, "tuning") && strlen(logged) + strlen(line) + 2 < sizeof logged)
        strcat(strcat(logged, line), "\n");
}

static octet_context *open_context(const char *cache)
{
    octet_context_desc desc;
    octet_context *context = NULL;
    OCTET_INIT(desc);
    desc.cache_dir = cache;
    desc.log = take_log;
    logged[0] = '\0';
    CHECK_OK(octet_context_create(&desc, &context));
    return context;
}

enum { M = 3, N = 21, K = 37 };

static octet_gemm_desc product(void)
{
    octet_gemm_desc d;
    OCTET_INIT(d);
    d.m = M;
    d.n = N;
    d.k = K;
    d.a_dtype = OCTET_U8;
    d.b_dtype = OCTET_S8;
    d.a_zero = 7;
    return d;
}

/* The product on this context, and which variant made it. */
static void multiply(octet_context *context, int32_t c[M * N], char variant[64])
{
    unsigned char a[M * K], b[K * N];
    uint64_t s = 11;
    octet_gemm_desc d = product();
    octet_gemm *gemm = NULL;
    check_fill(&s, OCTET_U8, a, sizeof a, 0);
    check_fill(&s, OCTET_S8, b, sizeof b, 0);
    CHECK_OK(octet_gemm_create(context, &d, b, &gemm));
    CHECK_OK(octet_gemm_run(gemm, a, NULL, c));
    snprintf(variant, 64, "%s", octet_gemm_variant(gemm));
    octet_gemm_destroy(gemm);
}

typedef struct story {
    int told, stop;
    char problem[OCT_TUNING_KEY], variant[64], dropped[1024];
    size_t tried;
} story;

static int take_story(void *user, const octet_tune_result *r)
{
    story *s = user;
    s->told++;
    s->tried = r->tried;
    snprintf(s->problem, sizeof s->problem, "%s", r->problem);
    snprintf(s->variant, sizeof s->variant, "%s", r->variant);
    snprintf(s->dropped, sizeof s->dropped, "%s", r->dropped);
    return s->stop;
}

static octet_status tune(octet_context *context, story *s)
{
    octet_gemm_desc d = product();
    octet_tune_desc desc;
    OCTET_INIT(desc);
    desc.seed = 3;
    desc.found = take_story;
    desc.user = s;
    return octet_tune_gemm(context, &d, &desc);
}

/* What the file of the context's device holds. */
static int known(octet_context *context)
{
    story s = {0};
    CHECK_OK(octet_tuning_list(context, take_story, &s));
    return s.told;
}

static void what_is_found_is_used_and_forgotten(void **state)
{
    (void)state;
    int32_t before[M * N], after[M * N];
    char variant[64];
    story s = {0}, listed = {0};
    octet_context *context = open_context(folder);
    multiply(context, before, variant);
    assert_int_equal(known(context), 0);
    CHECK_OK(tune(context, &s));
    assert_int_equal(s.told, 1);
    assert_string_equal(s.problem, "gemm 3x21x37 batch 1");
    assert_string_equal(s.dropped, "");
    assert_true(s.tried >= 2);
    CHECK_OK(octet_tuning_list(context, take_story, &listed));
    assert_int_equal(listed.told, 1);
    assert_string_equal(listed.variant, s.variant);
    octet_context_destroy(context);
    context = open_context(folder);
    assert_non_null(strstr(logged, "1 problems of this device are known"));
    multiply(context, after, variant);
    assert_string_equal(variant, s.variant);
    assert_memory_equal(before, after, sizeof after);
    CHECK_OK(octet_tuning_reset(context));
    CHECK_OK(octet_tuning_reset(context)); /* nothing to forget is fine */
    assert_int_equal(known(context), 0);
    octet_context_destroy(context);
}

static void a_row_that_was_not_the_estimate_is_followed(void **state)
{
    (void)state;
    static const char *const wanted[] = {"gemm_s8_1x16__portable", "gemm_s8_4x16__portable"};
    int32_t results[2][M * N];
    char variant[64];
    for (int i = 0; i < 2; i++) {
        octet_context_desc desc;
        OCTET_INIT(desc);
        desc.cache_dir = folder;
        oct_device *device;
        oct_tuning_row row;
        oct_tuning rows = one_row(&row, "gemm 3x21x37 batch 1", wanted[i], 0);
        CHECK_OK(oct_device_open(&desc, &device));
        CHECK_OK(oct_tuning_store(device, &rows));
        oct_device_release(device);
        octet_context *context = open_context(folder);
        assert_int_equal(known(context), 1); /* the second took the place of the first */
        multiply(context, results[i], variant);
        assert_string_equal(variant, wanted[i]);
        if (i)
            CHECK_OK(octet_tuning_reset(context));
        octet_context_destroy(context);
    }
    assert_memory_equal(results[0], results[1], sizeof results[0]);
}

/* A convolution and a product with a B of each run, straight from requests. */
static octet_status count_results(void *user, const oct_tune_result *r)
{
    int *count = user;
    assert_string_equal(r->dropped, "");
    assert_int_equal(r->index, *count);
    assert_int_equal(r->count, 2);
    ++*count;
    return OCTET_OK;
}

static void every_kind_of_product_is_tuned_once(void **state)
{
    (void)state;
    octet_context_desc desc;
    OCTET_INIT(desc);
    desc.cache_dir = folder;
    oct_device *device;
    CHECK_OK(oct_device_open(&desc, &device));
    static const unsigned char zero[1] = {3}, weights[6 * 5 * 9];
    static const float scales[6] = {0.01f, 0.02f, 0.03f, 0.01f, 0.02f, 0.03f};
    oct_recipe r;
    oct_recipe_init(&r);
    const oct_quant none = {.scale = OCT_MEM_NONE, .zero = OCT_MEM_NONE};
    const oct_mem x = oct_recipe_input(&r, 7 * 7 * 5), y = oct_recipe_output(&r, 4 * 4 * 6);
    oct_conv_request conv = {.g = {.n = 1,
                                   .h = 7,
                                   .w = 7,
                                   .c = 5,
                                   .oh = 4,
                                   .ow = 4,
                                   .co = 6,
                                   .kh = 3,
                                   .kw = 3,
                                   .group = 1,
                                   .stride_h = 2,
                                   .stride_w = 2,
                                   .dilation_h = 1,
                                   .dilation_w = 1,
                                   .pad_top = 1,
                                   .pad_left = 1},
                             .x_dtype = OCTET_U8,
                             .w_dtype = OCTET_S8,
                             .y_dtype = OCTET_U8,
                             .x = x,
                             .y = y,
                             .bias = OCT_MEM_NONE,
                             .x_q = none,
                             .w_q = none,
                             .y_q = none,
                             .clamp_max = 255};
    conv.weights = oct_recipe_const(&r, weights, sizeof weights);
    conv.x_q.zero = oct_recipe_const(&r, zero, 1);
    conv.x_q.host_zero = zero;
    conv.x_q.zero_count = 1;
    conv.w_q.scale = oct_recipe_const(&r, scales, sizeof scales);
    conv.w_q.scale_count = 6;
    oct_gemm_request gemm = {.m = 2,
                             .n = 9,
                             .k = 13,
                             .batch = 3,
                             .lda = 13,
                             .ldb = 9,
                             .ldc = 9,
                             .a_stride = 26,
                             .b_stride = 117,
                             .c_stride = 18,
                             .a_dtype = OCTET_S8,
                             .b_dtype = OCTET_U8,
                             .c_dtype = OCTET_S32,
                             .bias = OCT_MEM_NONE,
                             .a_q = none,
                             .b_q = none,
                             .c_q = none};
    gemm.a = oct_recipe_input(&r, 78);
    gemm.b = oct_recipe_input(&r, 351);
    gemm.c = oct_recipe_output(&r, 54 * 4);
    gemm.b_q.zero = oct_recipe_input(&r, 1); /* known only at run time */
    gemm.b_q.zero_count = 1;
    CHECK_OK(oct_conv(&r, oct_device_caps(device), &conv));
    CHECK_OK(oct_gemm(&r, oct_device_caps(device), &gemm));
    CHECK_OK(oct_conv(&r, oct_device_caps(device), &conv)); /* the same problem again */
    assert_int_equal(r.noted_count, 3);
    int count = 0;
    oct_tune_options options = {.seed = 5, .found = count_results, .user = &count};
    CHECK_OK(oct_tune(device, &r, &options));
    assert_int_equal(count, 2);
    oct_tuning rows;
    CHECK_OK(oct_tuning_read(device, &rows));
    assert_int_equal(rows.count, 2);
    assert_non_null(oct_tuning_find(&rows, "gemm 2x9x13 batch 3 own"));
    oct_tuning_free(&rows);
    CHECK_OK(oct_tuning_forget(device));
    oct_recipe_free(&r);
    oct_device_release(device);
}

static void its_caller_can_end_it(void **state)
{
    (void)state;
    story s = {.stop = 1};
    octet_context *context = open_context(folder);
    assert_int_equal(tune(context, &s), OCTET_INVALID_ARGUMENT);
    assert_int_equal(known(context), 1); /* what was told is kept */
    octet_tune_desc bad;
    OCTET_INIT(bad);
    bad.seconds = -1;
    octet_gemm_desc d = product();
    assert_int_equal(octet_tune_gemm(context, &d, &bad), OCTET_INVALID_ARGUMENT);
    d.k = 40000;
    assert_int_equal(octet_tune_gemm(context, &d, NULL), OCTET_UNSUPPORTED);
    CHECK_OK(octet_tuning_reset(context));
    octet_context_destroy(context);
    context = open_context(""); /* nowhere to keep it */
    assert_int_equal(tune(context, &s), OCTET_INVALID_ARGUMENT);
    assert_non_null(strstr(octet_last_error(), "cache folder"));
    octet_context_destroy(context);
}

/* A file that is damaged, somebody else's or writable by others counts for nothing, is told of in the log
 * where it is a tuning file, and is replaced by the next tuning. */
static void bad_files_are_ignored(void **state)
{
    (void)state;
    char path[256], text[4096];
    story s = {0};
    octet_context *context = open_context(folder);
    CHECK_OK(tune(context, &s));
    CHECK_OK(octet_tuning_file(context, path, sizeof path));
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t bytes = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    static const char *const why[] = {"breaks off", "behind its end", "another device", "zero byte"};
    for (int harm = 0; harm < 5; harm++) {
        char bad[4200];
        size_t n = bytes;
        memcpy(bad, text, bytes);
        if (harm == 0)
            n -= 3;
        else if (harm == 1)
            bad[n++] = 'x';
        else if (harm == 2)
            bad[20] ^= 1;
        else if (harm == 3)
            bad[n - 4] = '\0';
        file = fopen(path, "wb");
        assert_int_equal(fwrite(bad, 1, n, file), n);
        fclose(file);
        assert_int_equal(chmod(path, harm == 4 ? 0666 : 0600), 0);
        octet_context *other = open_context(folder);
        if (harm < 4 && !strstr(logged, why[harm]))
            fail_msg("harm %d: the log says %s", harm, logged);
        assert_int_equal(known(other), 0);
        octet_context_destroy(other);
    }
    CHECK_OK(tune(context, &s));
    assert_int_equal(known(context), 1);
    CHECK_OK(octet_tuning_reset(context));
    octet_context_destroy(context);
}

/* Kernels of which one is wrong, or does not compile: it is dropped by name, and another is taken. */
static void a_bad_kernel_is_dropped_by_name(void **state)
{
    (void)state;
    static const struct {
        const char *edit, *dropped;
    } harms[] = {
        {"s/acc.r. = 0;/acc[r] = ROWS == 1;/", "gemm_s8_1x16__portable (wrong result)"},
        {"s/acc.r. = 0;/acc[r] = ROWS == 1 ? nothing : 0;/", "(device error)"},
    };
    for (size_t i = 0; i < sizeof harms / sizeof harms[0]; i++) {
        char command[512], kernels[64];
        story s = {0};
        snprintf(kernels, sizeof kernels, "%s/kernels-%zu", folder, i);
        snprintf(command, sizeof command,
                 "cp -r '" OCTET_SOURCE_DIR "/kernels' '%s' && cd '%s/gemm' && "
                 "grep -q 'acc.r. = 0;' gemm_portable.cl && sed -i '%s' gemm_portable.cl",
                 kernels, kernels, harms[i].edit);
        assert_int_equal(system(command), 0);
        setenv("OCTET_KERNEL_DIR", kernels, 1);
        octet_context *context = open_context(folder);
        octet_status status = tune(context, &s);
        unsetenv("OCTET_KERNEL_DIR");
        if (i == 1 && status != OCTET_OK) { /* only portable kernels serve here, none of which compiles */
            assert_int_equal(status, OCTET_DEVICE_ERROR);
            assert_non_null(strstr(octet_last_error(), "no variant gives the right result"));
        } else {
            CHECK_OK(status);
            assert_non_null(strstr(s.dropped, harms[i].dropped));
            assert_null(strstr(s.variant, "1x16__portable"));
        }
        CHECK_OK(octet_tuning_reset(context));
        octet_context_destroy(context);
    }
}

/* A row of the library's is used where the user has none; the user's own outranks it; one that does not run
 * here is passed over. The bytes are the same each time. */
static void shipped_rows_are_used_and_outranked(void **state)
{
    (void)state;
    static const struct {
        const char *shipped, *own, *used;
    } cases[] = {
        {NULL, NULL, NULL},
        {"gemm_s8_1x16__portable", NULL, "gemm_s8_1x16__portable"},
        {"gemm_s8_4x16__portable", NULL, "gemm_s8_4x16__portable"},
        {"gemm_s8_1x16__portable", "gemm_s8_4x16__portable", "gemm_s8_4x16__portable"},
        {"gemm_of_tomorrow", NULL, NULL},
        {"damaged row", NULL, NULL},
    };
    int32_t first[M * N], result[M * N];
    char usual[64], variant[64];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char command[256], kernels[64], file[96];
        snprintf(kernels, sizeof kernels, "%s/shipped-%zu", folder, i);
        snprintf(command, sizeof command, "cp -r '" OCTET_SOURCE_DIR "/kernels' '%s'", kernels);
        snprintf(file, sizeof file, "%s/tuning.txt", kernels);
        assert_int_equal(system(command), 0);
        FILE *f = cases[i].shipped ? fopen(file, "w") : NULL;
        if (f) {
            fprintf(f, "octet-shipped-tuning 1\nsection\n%s 0 gemm 3x21x37 batch 1\nend\n", cases[i].shipped);
            assert_int_equal(fclose(f), 0);
        }
        setenv("OCTET_KERNEL_DIR", kernels, 1);
        octet_context *context = open_context(folder);
        if (cases[i].own) {
            octet_context_destroy(context);
            octet_context_desc desc;
            OCTET_INIT(desc);
            desc.cache_dir = folder;
            oct_device *device;
            oct_tuning_row row;
            oct_tuning rows = one_row(&row, "gemm 3x21x37 batch 1", cases[i].own, 0);
            CHECK_OK(oct_device_open(&desc, &device));
            CHECK_OK(oct_tuning_store(device, &rows));
            oct_device_release(device);
            context = open_context(folder);
        }
        multiply(context, i ? result : first, variant);
        unsetenv("OCTET_KERNEL_DIR");
        if (i == 0)
            strcpy(usual, variant);
        else
            assert_memory_equal(result, first, sizeof first);
        assert_string_equal(variant, cases[i].used ? cases[i].used : usual);
        assert_int_equal(known(context), cases[i].own ? 1 : 0); /* what is shipped is not the user's */
        assert_int_equal(strstr(logged, "known from the library") != NULL,
                         cases[i].shipped && !cases[i].own && i < 5);
        assert_int_equal(strstr(logged, "none that comes with the library") != NULL, i == 5);
        CHECK_OK(octet_tuning_reset(context));
        octet_context_destroy(context);
    }
}

static int set_up(void **state)
{
    (void)state;
    return !mkdtemp(folder);
}

static int tear_down(void **state)
{
    char command[64];
    (void)state;
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command) != 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gemm_rows_choose_where_they_fit),
        cmocka_unit_test(conv_rows_choose_where_they_fit),
        cmocka_unit_test(spreads_reach_the_launches),
        cmocka_unit_test(candidates_are_those_for_the_kind_of_device),
        cmocka_unit_test(only_a_whole_file_of_ours_is_read),
        cmocka_unit_test(what_is_found_is_used_and_forgotten),
        cmocka_unit_test(a_row_that_was_not_the_estimate_is_followed),
        cmocka_unit_test(every_kind_of_product_is_tuned_once),
        cmocka_unit_test(its_caller_can_end_it),
        cmocka_unit_test(bad_files_are_ignored),
        cmocka_unit_test(a_bad_kernel_is_dropped_by_name),
        cmocka_unit_test(shipped_rows_are_for_whom_they_say),
        cmocka_unit_test(shipped_rows_are_used_and_outranked),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
