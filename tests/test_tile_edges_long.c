/* Each kernel for GPUs on one shape that goes one row, one column and a few terms past a tile, once: small
 * enough for a simulator that looks for races and reads out of bounds (scripts/test runs it under Oclgrind,
 * which is what it is for). Products with k whole and in two parts. */
#include "conv.h"
#include "gemm.h"
#include "harness.h"
#include "ref.h"

enum { TERMS = 69 }; /* past one stage of 64 and two of 32 */

/* Rows and columns of a tile, from its name: "gemm_s8_128x64_8x8__dot4". */
static void tile_of(const char *name, int64_t *rows, int64_t *columns)
{
    long long r = 0, c = 0;
    const char *at = strpbrk(strncmp(name, "gemm_s8_", 8) == 0 ? name + 8 : name, "123456789");
    assert_non_null(at);
    assert_int_equal(sscanf(at, "%lldx%lld", &r, &c), 2);
    *rows = r;
    *columns = c;
}

/* Once, and compare. */
static void run_once(oct_recipe *r, octet_status built, oct_mem in, const void *input, oct_mem out,
                     const void *want, size_t bytes, const char *what)
{
    oct_executor *e = NULL;
    unsigned char *got = malloc(bytes);
    assert_non_null(got);
    octet_status status = built == OCTET_OK ? oct_executor_create(device, r, NULL, &e) : built;
    if (status == OCTET_OK)
        status = oct_executor_upload(e, in, input);
    if (status == OCTET_OK)
        status = oct_executor_run(e, NULL);
    if (status == OCTET_OK)
        status = oct_device_settle(device, oct_executor_download(e, out, got));
    if (status != OCTET_OK)
        fail_msg("%s: %s", what, oct_error_text());
    harness_compare(got, want, bytes, what);
    oct_executor_destroy(e);
    oct_recipe_free(r);
    free(got);
}

static unsigned char *filled(uint64_t *s, octet_dtype dtype, int64_t bytes)
{
    unsigned char *data = malloc((size_t)bytes);
    assert_non_null(data);
    check_fill(s, dtype, data, (size_t)bytes, 0);
    return data;
}

static void product_past_a_tile(const char *name, int64_t parts)
{
    int64_t rows, columns;
    char what[128];
    tile_of(name, &rows, &columns);
    const int64_t m = rows + 1, n = columns + 1, k = TERMS;
    snprintf(what, sizeof what, "%s in %lld parts", name, (long long)parts);
    uint64_t s = (uint64_t)rows * 7 + (uint64_t)parts;
    unsigned char *a = filled(&s, OCTET_U8, m * k), *b = filled(&s, OCTET_S8, k * n), a_zero = 200;
    int32_t *want = malloc((size_t)(m * n) * sizeof *want);
    assert_non_null(want);
    oct_ref_gemm(&(oct_ref_gemm_params){.m = m,
                                        .n = n,
                                        .k = k,
                                        .batch = 1,
                                        .lda = k,
                                        .ldb = n,
                                        .ldc = n,
                                        .a_dtype = OCTET_U8,
                                        .b_dtype = OCTET_S8,
                                        .c_dtype = OCTET_S32,
                                        .a = a,
                                        .b = b,
                                        .c = want,
                                        .a_q = {NULL, &a_zero, 0, 1}});
    oct_recipe r;
    oct_recipe_init(&r);
    oct_gemm_request q = {.m = m,
                          .n = n,
                          .k = k,
                          .batch = 1,
                          .lda = k,
                          .ldb = n,
                          .ldc = n,
                          .a_dtype = OCTET_U8,
                          .b_dtype = OCTET_S8,
                          .c_dtype = OCTET_S32,
                          .bias = OCT_MEM_NONE,
                          .variant = name,
                          .spread = parts};
    q.a = oct_recipe_input(&r, (size_t)(m * k));
    q.b = oct_recipe_const(&r, b, (size_t)(k * n));
    q.c = oct_recipe_output(&r, (size_t)(m * n) * sizeof *want);
    q.a_q = harness_quant(&r, OCTET_U8, NULL, 0, &a_zero, 1);
    q.b_q = q.c_q = harness_quant(&r, OCTET_S8, NULL, 0, NULL, 0);
    octet_status built = oct_gemm(&r, oct_device_caps(device), &q);
    run_once(&r, built, q.a, a, q.c, want, (size_t)(m * n) * sizeof *want, what);
    free(a);
    free(b);
    free(want);
}

static void conv_past_a_tile(const char *name)
{
    const bool depthwise = strstr(name, "depthwise") != NULL;
    int64_t rows, columns;
    tile_of(name, &rows, &columns);
    const int64_t w = rows + 1, co = depthwise ? 4 * columns + 1 : columns + 1;
    const int64_t c = depthwise ? co : TERMS / 3, group = depthwise ? co : 1, terms = 3 * c / group;
    uint64_t s = (uint64_t)rows * 11 + depthwise;
    unsigned char *x = filled(&s, OCTET_U8, w * c), *weights = filled(&s, OCTET_S8, co * terms);
    unsigned char *want = malloc((size_t)(w * co)), zeros[2] = {130, 9};
    assert_non_null(want);
    const float scales[3] = {0.5f, 0.01f, 3.0f};
    oct_ref_conv(&(oct_ref_conv_params){.n = 1,
                                        .h = 1,
                                        .w = w,
                                        .c = c,
                                        .oh = 1,
                                        .ow = w,
                                        .co = co,
                                        .kh = 1,
                                        .kw = 3,
                                        .group = group,
                                        .stride_h = 1,
                                        .stride_w = 1,
                                        .dilation_h = 1,
                                        .dilation_w = 1,
                                        .pad_left = 1,
                                        .x_dtype = OCTET_U8,
                                        .w_dtype = OCTET_S8,
                                        .y_dtype = OCTET_U8,
                                        .x = x,
                                        .weights = weights,
                                        .y = want,
                                        .x_q = {&scales[0], &zeros[0], 1, 1},
                                        .w_q = {&scales[1], NULL, 1, 0},
                                        .y_q = {&scales[2], &zeros[1], 1, 1},
                                        .clamp_max = 255});
    oct_recipe r;
    oct_recipe_init(&r);
    oct_conv_request q = {.n = 1,
                          .h = 1,
                          .w = w,
                          .c = c,
                          .oh = 1,
                          .ow = w,
                          .co = co,
                          .kh = 1,
                          .kw = 3,
                          .group = group,
                          .stride_h = 1,
                          .stride_w = 1,
                          .dilation_h = 1,
                          .dilation_w = 1,
                          .pad_left = 1,
                          .x_dtype = OCTET_U8,
                          .w_dtype = OCTET_S8,
                          .y_dtype = OCTET_U8,
                          .bias = OCT_MEM_NONE,
                          .clamp_max = 255,
                          .variant = name};
    q.x = oct_recipe_input(&r, (size_t)(w * c));
    q.weights = oct_recipe_const(&r, weights, (size_t)(co * terms));
    q.y = oct_recipe_output(&r, (size_t)(w * co));
    q.x_q = harness_quant(&r, OCTET_U8, &scales[0], 1, &zeros[0], 1);
    q.w_q = harness_quant(&r, OCTET_S8, &scales[1], 1, NULL, 0);
    q.y_q = harness_quant(&r, OCTET_U8, &scales[2], 1, &zeros[1], 1);
    octet_status built = oct_conv(&r, oct_device_caps(device), &q);
    run_once(&r, built, q.x, x, q.y, want, (size_t)(w * co), name);
    free(x);
    free(weights);
    free(want);
}

static bool is_for_gpus(const char *name)
{
    return (strstr(name, "__dot4") || strstr(name, "__gpu")) && check_wanted(name);
}

static void products_one_past_each_tile(void **state)
{
    (void)state;
    const oct_caps *caps = oct_device_caps(device);
    const char *name;
    for (size_t i = 0; (name = oct_gemm_variant_name(caps, i)); i++) {
        for (int64_t parts = 1; parts <= 2 && is_for_gpus(name); parts++) {
            product_past_a_tile(name, parts);
            print_message("%s, %lld parts\n", name, (long long)parts);
        }
    }
}

static void convolutions_one_past_each_tile(void **state)
{
    (void)state;
    const oct_caps *caps = oct_device_caps(device);
    const char *name;
    for (size_t i = 0; (name = oct_conv_variant_name(caps, i)); i++) {
        if (is_for_gpus(name)) {
            conv_past_a_tile(name);
            print_message("%s\n", name);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(products_one_past_each_tile),
        cmocka_unit_test(convolutions_one_past_each_tile),
    };
    return cmocka_run_group_tests(tests, open_device, close_device);
}
