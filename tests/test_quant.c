/* src/quant against independent arithmetic: quotients and products in double rounded once to float (innocuous
 * for one division or multiplication), rounding through floor, 64-bit integers for fixed point. Ties and
 * their neighbours for every scale; strided sweeps of int32. The 2^32 sweeps are in test_quant_long.c. */
#include "quant.h"
#include "test_numbers.h"
#include <math.h>

static const float scales[] = {1.0f,       0.5f,           0.25f,  0x1p-20f,    0.1f,      0.003921569f,
                               0.0078125f, 3.0f,           1e-4f,  0.33333334f, 12345.67f, 0x1p-60f,
                               0x1p60f,    1.1754944e-38f, 1e-40f, 3e38f};
static const struct {
    int32_t zero, qmin, qmax;
} ranges[] = {{0, 0, 255},       {128, 0, 255},     {255, 0, 255},           {1, 0, 255},    {0, -128, 127},
              {-128, -128, 127}, {127, -128, 127},  {-1, -128, 127},         {3, 0, 15},     {7, 7, 7},
              {0, 0, 65535},     {65535, 0, 65535}, {-32768, -32768, 32767}, {128, 128, 255}};

/* Half to even without rint. */
static double round_even(double x)
{
    double down = floor(x), rest = x - down;
    bool up = rest > 0.5 || (rest == 0.5 && fmod(down, 2.0) != 0.0);
    return up ? down + 1.0 : down;
}

static int32_t clamp_to(double value, int32_t qmin, int32_t qmax)
{
    return value < qmin ? qmin : value > qmax ? qmax : (int32_t)value;
}

static int32_t expect_quantize(float x, float scale, int32_t zero, int32_t qmin, int32_t qmax)
{
    float quotient = (float)((double)x / (double)scale);
    return clamp_to(round_even((double)quotient) + zero, qmin, qmax);
}

static void check_quantize(float x, float scale, int32_t zero, int32_t qmin, int32_t qmax)
{
    int32_t want = expect_quantize(x, scale, zero, qmin, qmax);
    int32_t got = oct_quantize_f32(x, scale, zero, qmin, qmax);
    if (want != got)
        fail_msg("quantize x %a scale %a zero %d [%d, %d]: want %d, got %d", (double)x, (double)scale, zero,
                 qmin, qmax, want, got);
}

static void quantize_ties(void **state)
{
    (void)state;
    size_t cases = 0;
    for (size_t s = 0; s < COUNT(scales); s++) {
        for (size_t r = 0; r < COUNT(ranges); r++) {
            for (int k = -700; k <= 700; k++) {
                float x = (float)k * 0.5f * scales[s];
                for (int side = -2; side <= 2; side++, cases++)
                    check_quantize(neighbour(x, side), scales[s], ranges[r].zero, ranges[r].qmin,
                                   ranges[r].qmax);
            }
        }
    }
    assert_int_equal(cases, COUNT(scales) * COUNT(ranges) * 1401 * 5);
}

static void quantize_any_float(void **state)
{
    (void)state;
    size_t cases = 0;
    for (size_t s = 0; s < COUNT(scales); s++) {
        for (uint64_t bits = s; bits < UINT64_C(1) << 32; bits += 65521, cases++) {
            float x = from_bits((uint32_t)bits);
            if (isnan(x))
                assert_int_equal(oct_quantize_f32(x, scales[s], 7, -128, 127), 7);
            else
                check_quantize(x, scales[s], (int32_t)(bits % 256), 0, 255);
        }
    }
    assert_true(cases > 1000000);
    assert_int_equal(oct_quantize_f32(INFINITY, 1.0f, 3, 0, 255), 255);
    assert_int_equal(oct_quantize_f32(-INFINITY, 1.0f, 3, 0, 255), 0);
    assert_int_equal(oct_quantize_f32(NAN, 1.0f, 3, 10, 255), 10);
}

static void check_requantize(int32_t acc, float m, int32_t zero, int32_t qmin, int32_t qmax)
{
    float product = (float)((double)(float)acc * (double)m);
    int32_t want = clamp_to(round_even((double)product) + zero, qmin, qmax);
    int32_t got = oct_requantize(acc, m, zero, qmin, qmax);
    if (want != got)
        fail_msg("requantize acc %d m %a zero %d [%d, %d]: want %d, got %d", acc, (double)m, zero, qmin, qmax,
                 want, got);
}

static void requantize_sweep(void **state)
{
    (void)state;
    static const float ms[] = {0x1p-20f, 0.001f,          0.5f,  1.0f, 0x1p-31f, 0.0314159f, 2.5f,
                               1e-9f,    0x1.fffffep-10f, 300.0f};
    size_t cases = 0;
    for (size_t i = 0; i < COUNT(ms); i++) {
        for (int64_t acc = INT32_MIN; acc <= INT32_MAX; acc += 9973, cases++) {
            size_t r = cases % COUNT(ranges);
            check_requantize((int32_t)acc, ms[i], ranges[r].zero, ranges[r].qmin, ranges[r].qmax);
        }
        for (int k = -700; k <= 700; k++) { /* acc around the ties k + 1/2 */
            double at = ((double)k + 0.5) / (double)ms[i];
            for (int side = -3; side <= 3; side++) {
                double acc = floor(at) + side;
                if (acc < INT32_MIN || acc > INT32_MAX)
                    continue;
                for (size_t r = 0; r < COUNT(ranges); r++, cases++)
                    check_requantize((int32_t)acc, ms[i], ranges[r].zero, ranges[r].qmin, ranges[r].qmax);
            }
        }
    }
    assert_true(cases > 4000000);
    /* The accumulator becomes float first: 17 otherwise. */
    assert_int_equal(oct_requantize((1 << 24) + (1 << 19) + 1, 0x1p-20f, 0, 0, 255), 16);
    assert_int_equal(oct_requantize(0, INFINITY, 5, 0, 255), 5);
    assert_int_equal(oct_requantize(-1, INFINITY, 5, 0, 255), 0);
}

static void zero_point_in_float(void **state)
{
    (void)state;
    /* acc / 2 = 0.5 and 1.5 with zero point 1: round then add, add then round. */
    assert_int_equal(oct_round_then_zero(0.5f, 1, 0, 255), 1);
    assert_int_equal(oct_round_then_zero(1.5f, 1, 0, 255), 3);
    assert_int_equal(oct_round_clamp(0.5f + 1.0f, 0, 255), 2);
    assert_int_equal(oct_round_clamp(1.5f + 1.0f, 0, 255), 2);
    assert_int_equal(oct_round_clamp(NAN, -128, 127), -128);
    assert_int_equal(oct_round_clamp(1e30f, -128, 127), 127);
}

static void dequantize_all_bytes(void **state)
{
    (void)state;
    for (size_t s = 0; s < COUNT(scales); s++) {
        for (int q = -128; q < 256; q++) {
            for (int zero = -128; zero < 256; zero++)
                assert_true(oct_dequantize(q, scales[s], zero) ==
                            (float)((double)(q - zero) * (double)scales[s]));
        }
    }
    assert_true(oct_dequantize(INT32_MAX, 0.5f, -1) == 0x1p30f);
}

static void dynamic_parameters(void **state)
{
    (void)state;
    static const struct {
        float min, max, scale;
        uint8_t zero;
    } cases[] = {{0, 0, 1.0f, 0},         {2, 510, 2.0f, 0},        /* widened down to 0 */
                 {-255, -1, 1.0f, 255},                             /* widened up to 0 */
                 {-100, 155, 1.0f, 100},  {-0.5f, 254.5f, 1.0f, 0}, /* 0.5 to even */
                 {-1.5f, 253.5f, 1.0f, 2}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        float scale;
        uint8_t zero;
        oct_dynamic_params(cases[i].min, cases[i].max, &scale, &zero);
        assert_true(scale == cases[i].scale);
        assert_int_equal(zero, cases[i].zero);
    }
}

/* Between equal parameters bytes are copied, which 255 * 3e38f / 3e38f would not be. */
static void equal_parameters_copy(void **state)
{
    (void)state;
    uint8_t table[256];
    oct_lut_requantize(&(oct_lut_params){OCTET_S8, OCTET_S8, 3e38f, 3e38f, -128, -128}, table);
    for (int i = 0; i < 256; i++)
        assert_int_equal(table[i], i);
}

static void scales_checked(void **state)
{
    (void)state;
    static const float good[] = {1e-45f, 1.0f, 3e38f}, bad[] = {0.0f, -0.0f, -1.0f, INFINITY, -INFINITY, NAN};
    for (size_t i = 0; i < COUNT(good); i++)
        assert_true(oct_scale_valid(good[i]));
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_false(oct_scale_valid(bad[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quantize_ties),         cmocka_unit_test(quantize_any_float),
        cmocka_unit_test(requantize_sweep),      cmocka_unit_test(zero_point_in_float),
        cmocka_unit_test(dequantize_all_bytes),  cmocka_unit_test(dynamic_parameters),
        cmocka_unit_test(equal_parameters_copy), cmocka_unit_test(scales_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
