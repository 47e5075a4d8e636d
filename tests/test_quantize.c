/* QuantizeLinear, DequantizeLinear, DynamicQuantizeLinear against src/ref, byte for byte. */
#include "harness.h"
#include "quantize_op.h"
#include "ref.h"

#include <math.h>

static const octet_dtype types[] = {OCTET_U8, OCTET_S8, OCTET_U16, OCTET_S16};

/* Values around ties of the scale, far ones, infinities, NaN, subnormals. */
static float nasty(uint64_t *s, float scale)
{
    float tie = ((float)check_range(s, -70000, 70000) * 0.5f) * scale;
    switch (check_random(s) % 12) {
    case 0:
        return INFINITY;
    case 1:
        return -INFINITY;
    case 2:
        return NAN;
    case 3:
        return -0.0f;
    case 4:
        return 1e-40f;
    case 5:
        return 3e38f;
    case 6:
        return nextafterf(tie, INFINITY);
    case 7:
        return nextafterf(tie, -INFINITY);
    case 8:
        return (float)check_range(s, -300, 300) * 0.5f * scale;
    default:
        return tie;
    }
}

static void quantize_case(octet_dtype t, int64_t outer, int64_t axis, int64_t inner, uint64_t seed)
{
    uint64_t s = seed;
    size_t n = (size_t)(outer * axis * inner), elem = oct_dtype_bytes(t);
    static const float odd_scales[] = {1e-25f, 1e25f, 0.5f, 1.0f, 3e-39f};
    float *x = malloc((n + 1) * sizeof *x), *back = malloc(n * sizeof *back + 16),
          *want_back = malloc(n * sizeof *back + 16);
    float scales[64];
    unsigned char zeros[128], *y = malloc(n * elem + 16), *want = malloc(n * elem + 16);
    for (int i = 0; i < 64; i++)
        scales[i] = check_random(&s) % 4 ? check_scale(&s) : odd_scales[check_random(&s) % 5];
    for (int i = 0; i < 128; i++)
        zeros[i] = (unsigned char)check_random(&s);
    for (size_t i = 0; i < n; i++)
        x[i] = nasty(&s, scales[axis > 1 ? i / (size_t)inner % (size_t)axis : 0]);
    memset(y, GUARD, n * elem + 16);
    memset(want, GUARD, n * elem + 16);
    memset(back, GUARD, n * sizeof *back + 16);
    memset(want_back, GUARD, n * sizeof *back + 16);
    int64_t zero_count = seed % 3 ? axis : 0;
    oct_ref_quantize_params ref = {
        outer, axis, inner, t, {scales, zero_count ? zeros : NULL, axis, zero_count}};
    oct_ref_quantize(&ref, x, want);
    oct_ref_dequantize(&ref, want, want_back);
    char what[96];
    snprintf(what, sizeof what, "%s [%lld, %lld, %lld] seed %llu", oct_dtype_name(t), (long long)outer,
             (long long)axis, (long long)inner, (unsigned long long)seed);
    const int64_t dims[] = {outer, axis, inner};
    oct_recipe r;
    oct_recipe_init(&r);
    oct_operand tx = harness_operand(&r, OCTET_F32, 3, dims, x, true), ty = harness_output(&r, t, 3, dims);
    oct_operand tb = harness_output(&r, OCTET_F32, 3, dims);
    oct_quant q = harness_quant(&r, t, scales, axis, zeros, zero_count);
    octet_status built = oct_quantize_op(&r, harness_caps(), &tx, &q, 1, &ty);
    if (built == OCTET_OK)
        built = oct_dequantize_op(&r, harness_caps(), &ty, &q, 1, &tb);
    harness_run(&r, built, &(harness_io){tx.mem, x}, 1, (harness_io[]){{ty.mem, y}, {tb.mem, back}}, 2, what);
    harness_compare(y, want, n * elem + 16, what);
    harness_compare(back, want_back, n * sizeof *back + 16, what);
    free(x);
    free(y);
    free(want);
    free(back);
    free(want_back);
}

static void quantize_and_back(void)
{
    const uint64_t cases = harness_cases(48);
    const int64_t longest = cases == 48 ? 9000 : 700; /* past what a work-item, or a work-group, takes */
    for (uint64_t seed = 1; seed <= cases; seed++) {
        int64_t axis = seed % 2 ? 1 : 1 + (int64_t)seed % 33;
        quantize_case(types[seed / 2 % 4], 1 + (int64_t)seed % 3, axis,
                      seed % 7 ? 1 + (int64_t)seed : longest, seed);
    }
    quantize_case(OCTET_U8, 0, 1, 5, 1);
}

static void quantize_and_back_is_exact(void **state)
{
    (void)state;
    harness_each_lanes(quantize_and_back);
}

static void dequantize_s32(void)
{
    int32_t x[37];
    float y[37], want[37], scale = 0.00137f;
    uint64_t s = 1;
    for (int i = 0; i < 37; i++)
        x[i] = (int32_t)check_random(&s);
    oct_ref_quantize_params ref = {1, 1, 37, OCTET_S32, {&scale, NULL, 1, 0}};
    oct_ref_dequantize(&ref, x, want);
    oct_recipe r;
    oct_recipe_init(&r);
    const int64_t dims[] = {37};
    oct_operand tx = harness_operand(&r, OCTET_S32, 1, dims, x, true),
                ty = harness_output(&r, OCTET_F32, 1, dims);
    oct_quant q = harness_quant(&r, OCTET_S32, &scale, 1, NULL, 0);
    octet_status built = oct_dequantize_op(&r, harness_caps(), &tx, &q, 0, &ty);
    harness_run(&r, built, &(harness_io){tx.mem, x}, 1, &(harness_io){ty.mem, y}, 1, "s32");
    harness_compare(y, want, sizeof y, "s32");
}

static void dequantize_s32_is_exact(void **state)
{
    (void)state;
    harness_each_lanes(dequantize_s32);
}

/* An int32 is rounded to float first, as in ONNX Runtime. */
static void quantize_s32(void)
{
    enum { N = 37 };
    static const float scales[] = {1.0f, 0.5f, 3.0f, 1e6f, 16777216.0f};
    size_t cases = 0;
    for (size_t t = 0; t < sizeof types / sizeof types[0]; t++) {
        for (size_t k = 0; k < sizeof scales / sizeof scales[0]; k++, cases++) {
            uint64_t seed = 1 + cases, s = seed;
            int32_t x[N] = {INT32_MIN, INT32_MAX, 16777217, -16777217, 0, 1, -1};
            float as_float[N];
            unsigned char y[N * 2 + 16], want[N * 2 + 16], zero[2] = {(unsigned char)(5 * k), 0};
            for (int i = 0; i < N; i++) {
                x[i] = i < 7 ? x[i] : i & 1 ? (int32_t)check_random(&s) : (int32_t)check_range(&s, -300, 300);
                as_float[i] = (float)x[i];
            }
            memset(y, GUARD, sizeof y);
            memset(want, GUARD, sizeof want);
            oct_ref_quantize_params ref = {1, 1, N, types[t], {&scales[k], zero, 1, 1}};
            oct_ref_quantize(&ref, as_float, want);
            oct_recipe r;
            oct_recipe_init(&r);
            const int64_t dims[] = {N};
            oct_operand tx = harness_operand(&r, OCTET_S32, 1, dims, x, true),
                        ty = harness_output(&r, types[t], 1, dims);
            oct_quant q = harness_quant(&r, types[t], &scales[k], 1, zero, 1);
            char what[64];
            snprintf(what, sizeof what, "s32 to %s, scale %g", oct_dtype_name(types[t]), (double)scales[k]);
            octet_status built = oct_quantize_op(&r, harness_caps(), &tx, &q, 0, &ty);
            harness_run(&r, built, &(harness_io){tx.mem, x}, 1, &(harness_io){ty.mem, y}, 1, what);
            harness_compare(y, want, N * oct_dtype_bytes(types[t]) + 16, what);
        }
    }
    assert_int_equal(cases, 20);
}

static void quantize_s32_is_exact(void **state)
{
    (void)state;
    harness_each_lanes(quantize_s32);
}

static void dynamic_case(int64_t n, float low, float high, uint64_t seed)
{
    uint64_t s = seed;
    float *x = malloc((size_t)n * sizeof *x), scale = 0, want_scale = 0;
    unsigned char *y = malloc((size_t)n + 16), *want = malloc((size_t)n + 16), zero = 0, want_zero = 0;
    for (int64_t i = 0; i < n; i++)
        x[i] = low + (high - low) * (float)(check_random(&s) % 10001) / 10000.0f;
    memset(y, GUARD, (size_t)n + 16);
    memset(want, GUARD, (size_t)n + 16);
    oct_ref_dynamic_quantize(x, n, want, &want_scale, &want_zero);
    oct_recipe r;
    oct_recipe_init(&r);
    oct_operand tx = harness_operand(&r, OCTET_F32, 1, &n, x, true), ty = harness_output(&r, OCTET_U8, 1, &n);
    oct_operand ts = harness_output(&r, OCTET_F32, 0, NULL), tz = harness_output(&r, OCTET_U8, 0, NULL);
    char what[96];
    snprintf(what, sizeof what, "dynamic %lld values in %g..%g", (long long)n, (double)low, (double)high);
    octet_status built = oct_dynamic_quantize_op(&r, harness_caps(), &tx, &ty, &ts, &tz);
    harness_run(&r, built, &(harness_io){tx.mem, x}, 1,
                (harness_io[]){{ty.mem, y}, {ts.mem, &scale}, {tz.mem, &zero}}, 3, what);
    harness_compare(&scale, &want_scale, sizeof scale, what);
    assert_int_equal(zero, want_zero);
    harness_compare(y, want, (size_t)n + 16, what);
    free(x);
    free(y);
    free(want);
}

static void dynamic_quantization(void)
{
    const int64_t sizes[] = {1, 2, 15, 17, 63, 65, 1025, 40000};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        dynamic_case(sizes[i], -3.7f, 2.1f, 1 + i);
        dynamic_case(sizes[i], 0.5f, 9.0f, 2 + i);
        dynamic_case(sizes[i], -9.0f, -0.5f, 3 + i);
        dynamic_case(sizes[i], 0.0f, 0.0f, 4 + i);
        dynamic_case(sizes[i], -3e38f, 1e37f, 5 + i);
    }
}

static void dynamic_quantization_is_exact(void **state)
{
    (void)state;
    harness_each_lanes(dynamic_quantization);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quantize_and_back_is_exact),
        cmocka_unit_test(dequantize_s32_is_exact),
        cmocka_unit_test(quantize_s32_is_exact),
        cmocka_unit_test(dynamic_quantization_is_exact),
    };
    return cmocka_run_group_tests(tests, open_device, close_device);
}
