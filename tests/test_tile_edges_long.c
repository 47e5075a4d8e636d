/* Each kernel for GPUs on one shape that goes one row, one column and a few terms past a tile, once: small
 * enough for a simulator that looks for races and reads out of bounds (scripts/test runs it under Oclgrind,
 * which is what it is for). Products with k whole and in two parts; rows aligned to 16 bytes and not. */
#include "harness.h"
#include "subject.h"

/* Terms of k: past one stage of 64 and two of 32; of the kernels for few rows, past one turn through local
 * memory and one round after it. */
enum { ODD_TERMS = 69, ALIGNED_TERMS = 80, LONG_TERMS = 2048 + 512 + 17 };

/* Columns of C that a work-item or work-group makes. */
static int64_t columns_of(const oct_variant *v)
{
    return v->tile.bm ? v->tile.bn : v->nb;
}

/* The noted request once, with random data, against the reference of every row. */
static void run_once(const oct_noted *noted, const oct_recipe *of, const char *variant, int64_t spread)
{
    oct_subject s;
    oct_subject_mems mems;
    oct_executor *e = NULL;
    oct_recipe r;
    char what[128];
    snprintf(what, sizeof what, "%s, spread %lld", variant, (long long)spread);
    CHECK_OK(oct_subject_make(&s, of, noted, &(oct_subject_options){.seed = 17, .chained = true}));
    unsigned char *got = malloc((size_t)s.rows * s.row_bytes), *want = malloc(s.row_bytes);
    assert_true(got && want);
    oct_recipe_init(&r);
    octet_status status = oct_subject_recipe(&s, oct_device_caps(device), variant, spread, &r, &mems);
    if (status == OCTET_OK)
        status = oct_executor_create(device, &r, NULL, &e);
    const oct_host_memory memories[] = {{.mem = mems.a, .from = s.a}, {.mem = mems.c, .to = got}};
    if (status == OCTET_OK)
        status = oct_runner_run(e, memories, 2);
    if (status != OCTET_OK)
        fail_msg("%s: %s", what, oct_error_text());
    for (int64_t row = 0; row < s.rows; row++) {
        oct_subject_reference(&s, row, want);
        harness_compare(got + (size_t)row * s.row_bytes, want, s.row_bytes, what);
    }
    oct_executor_destroy(e);
    oct_recipe_free(&r);
    oct_subject_free(&s);
    free(got);
    free(want);
    print_message("%s\n", what);
}

static oct_quant one_of_each(oct_recipe *r, octet_dtype dtype)
{
    static const float scale = 1.0f;
    static const unsigned char zero = 130;
    return harness_quant(r, dtype, &scale, 1, &zero, 1);
}

static void product_past_a_tile(const oct_variant *v, int64_t terms, int64_t parts)
{
    static const unsigned char b;
    oct_recipe r;
    oct_recipe_init(&r);
    oct_gemm_request q = {.m = v->rows + 1,
                          .n = columns_of(v) + 1,
                          .k = terms,
                          .batch = 1,
                          .a_dtype = OCTET_U8,
                          .b_dtype = OCTET_S8,
                          .c_dtype = OCTET_S32,
                          .bias = OCT_MEM_NONE};
    q.b = oct_recipe_const(&r, &b, 1);
    q.a_q = one_of_each(&r, OCTET_U8);
    run_once(&(oct_noted){&oct_gemm_family, &q}, &r, v->name, parts);
    oct_recipe_free(&r);
}

/* channels: of each of three taps; 32 are read 16 at a time */
static void conv_past_a_tile(const oct_variant *v, int64_t channels)
{
    const bool depthwise = v->kind->depthwise;
    static const unsigned char weights;
    oct_recipe r;
    oct_recipe_init(&r);
    const int64_t w = v->rows + 1, co = columns_of(v) + 1;
    oct_conv_request q = {.g = {.n = 1,
                                .h = 1,
                                .w = w,
                                .c = depthwise ? co : channels,
                                .oh = 1,
                                .ow = w,
                                .co = co,
                                .kh = 1,
                                .kw = 3,
                                .group = depthwise ? co : 1,
                                .stride_h = 1,
                                .stride_w = 1,
                                .dilation_h = 1,
                                .dilation_w = 1,
                                .pad_left = 1},
                          .x_dtype = OCTET_U8,
                          .w_dtype = OCTET_S8,
                          .y_dtype = OCTET_U8,
                          .bias = OCT_MEM_NONE,
                          .clamp_max = 255};
    q.weights = oct_recipe_const(&r, &weights, 1);
    q.x_q = one_of_each(&r, OCTET_U8);
    q.y_q = one_of_each(&r, OCTET_U8);
    run_once(&(oct_noted){&oct_conv_family, &q}, &r, v->name, 0);
    oct_recipe_free(&r);
}

static bool is_for_gpus(const oct_variant *v)
{
    return v->kind->suits && check_wanted(v->name);
}

static void products_one_past_each_tile(void **state)
{
    (void)state;
    const oct_variant *v;
    for (size_t i = 0; (v = oct_variant_at(&oct_gemm_family, oct_device_caps(device), i)); i++) {
        for (int64_t parts = 1; parts <= 2 && is_for_gpus(v); parts++) {
            product_past_a_tile(v, v->tile.bk ? ODD_TERMS : LONG_TERMS, parts);
            product_past_a_tile(v, ALIGNED_TERMS, parts);
        }
    }
}

static void convolutions_one_past_each_tile(void **state)
{
    (void)state;
    const oct_variant *v;
    for (size_t i = 0; (v = oct_variant_at(&oct_conv_family, oct_device_caps(device), i)); i++) {
        if (!is_for_gpus(v))
            continue;
        conv_past_a_tile(v, ODD_TERMS / 3);
        conv_past_a_tile(v, 32);
    }
}

/* OCTET_TEST_UNROLLED: kernels as GPUs get them, whose loops over registers are unrolled. */
static int open_as_asked(void **state)
{
    int status = open_device(state);
    if (status == 0 && getenv("OCTET_TEST_UNROLLED"))
        ((oct_caps *)oct_device_caps(device))->prefers_tiles = true;
    return status;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(products_one_past_each_tile),
        cmocka_unit_test(convolutions_one_past_each_tile),
    };
    return cmocka_run_group_tests(tests, open_as_asked, close_device);
}
