/* Fixed-point requantization: published values of TFLite's multipliers and of gemmlowp's two primitives, and
 * every pair of a set of edge and random values against exact 128-bit-free integer definitions. */
#include "quant.h"
#include "test_numbers.h"
#include <math.h>

static void multipliers(void **state)
{
    (void)state;
    /* TFLite's quantization_util_test: exponents change at powers of two, and below 2^-32 is zero. */
    static const struct {
        double real;
        int32_t multiplier;
        int shift;
    } cases[] = {{0.25, 1073741824, -1},
                 {0.50 - 5e-9, 2147483627, -1},
                 {0.50 - 1e-10, 1073741824, 0},
                 {0.50, 1073741824, 0},
                 {0.75, 1610612736, 0},
                 {1 - 1e-9, 2147483646, 0},
                 {1 + 1e-11, 1073741824, 1},
                 {1.25, 1342177280, 1},
                 {1.75, 1879048192, 1},
                 {2 - 1e-9, 2147483647, 1},
                 {2 - 1e-11, 1073741824, 2},
                 {2.0, 1073741824, 2},
                 {0x1p-31, 1073741824, -30},
                 {0x1p-32, 1073741824, -31},
                 {0.99f * 0x1p-32, 0, 0},
                 {0x1p-33, 0, 0},
                 {0.0, 0, 0},
                 {0x1p30, 1073741824, 31}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        oct_fixed f;
        assert_true(oct_fixed_from_real(cases[i].real, &f));
        if (f.multiplier != cases[i].multiplier || f.shift != cases[i].shift)
            fail_msg("multiplier of %a: %d, %d", cases[i].real, f.multiplier, f.shift);
    }
    static const double refused[] = {-1e-300, -1.0, NAN, INFINITY, 0x1.000001p30};
    oct_fixed untouched = {5, 6};
    for (size_t i = 0; i < COUNT(refused); i++)
        assert_false(oct_fixed_from_real(refused[i], &untouched));
    assert_int_equal(untouched.multiplier, 5);
}

static void primitives(void **state)
{
    (void)state;
    assert_int_equal(oct_srdhm(INT32_MIN, INT32_MIN), INT32_MAX);
    assert_int_equal(oct_srdhm(INT32_MIN, INT32_MAX), -INT32_MAX);
    assert_int_equal(oct_srdhm(1, 1 << 30), 1);   /* 0.5 -> 1 */
    assert_int_equal(oct_srdhm(-1, 1 << 30), 0);  /* -0.5 -> 0: ties up */
    assert_int_equal(oct_srdhm(3, 1 << 30), 2);   /* 1.5 -> 2 */
    assert_int_equal(oct_srdhm(-3, 1 << 30), -1); /* -1.5 -> -1 */
    assert_int_equal(oct_srdhm(-1, (1 << 30) + 1), -1);
    assert_int_equal(oct_rounding_divide_by_pot(1, 1), 1);   /* 0.5 -> 1: ties away from zero */
    assert_int_equal(oct_rounding_divide_by_pot(-1, 1), -1); /* -0.5 -> -1 */
    assert_int_equal(oct_rounding_divide_by_pot(-3, 1), -2);
    assert_int_equal(oct_rounding_divide_by_pot(5, 2), 1);
    assert_int_equal(oct_rounding_divide_by_pot(6, 2), 2);
    assert_int_equal(oct_rounding_divide_by_pot(-6, 2), -2);
    assert_int_equal(oct_rounding_divide_by_pot(-7, 0), -7);
    assert_int_equal(oct_rounding_divide_by_pot(INT32_MIN, 31), -1);
    assert_int_equal(oct_rounding_divide_by_pot(INT32_MAX, 31), 1);
    assert_int_equal(oct_rounding_divide_by_pot(0x3fffffff, 31), 0);
}

/* The same by quotient and remainder: ties_up says where exact halves go; else away from zero. */
static int64_t divide(int64_t x, int exponent, bool ties_up)
{
    int64_t d = INT64_C(1) << exponent, q = x / d, r = x % d; /* toward zero */
    int64_t twice = 2 * (r < 0 ? -r : r);
    bool away = twice > d || (twice == d && (x > 0 || !ties_up));
    return away ? q + (x > 0 ? 1 : -1) : q;
}

static int64_t saturate(int64_t x)
{
    return x > INT32_MAX ? INT32_MAX : x < INT32_MIN ? INT32_MIN : x;
}

/* Edges 2^i + {-2..2} of both signs, and random values. */
static size_t fill_values(int32_t *values)
{
    size_t n = 0;
    for (int i = 0; i <= 31; i++) {
        for (int64_t d = -2; d <= 2; d++) {
            int64_t v = (INT64_C(1) << i) + d;
            values[n++] = (int32_t)saturate(v);
            values[n++] = (int32_t)saturate(-v);
        }
    }
    uint64_t seed = 11;
    for (int i = 0; i < 1000; i++)
        values[n++] = (int32_t)next_random(&seed) >> i % 29;
    return n;
}

static void every_pair(void **state)
{
    (void)state;
    static int32_t values[2000];
    size_t n = fill_values(values);
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < n; j++) {
            int64_t want = saturate(divide((int64_t)values[i] * values[j], 31, true));
            if (oct_srdhm(values[i], values[j]) != want)
                fail_msg("srdhm(%d, %d): want %lld", values[i], values[j], (long long)want);
        }
        for (int e = 0; e <= 31; e++) {
            if (oct_rounding_divide_by_pot(values[i], e) != divide(values[i], e, false))
                fail_msg("rounding_divide_by_pot(%d, %d)", values[i], e);
        }
    }
    assert_int_equal(n, 1320);
}

static void both_multiplications(void **state)
{
    (void)state;
    static int32_t values[2000];
    size_t n = fill_values(values), cases = 0;
    uint64_t seed = 5;
    for (int shift = -31; shift <= 31; shift++) {
        for (size_t i = 0; i < n; i++, cases++) {
            oct_fixed f = {(int32_t)((1u << 30) | next_random(&seed) >> 2), shift};
            int32_t x = values[i];
            int64_t shifted = shift > 0 ? saturate((int64_t)x * (INT64_C(1) << shift)) : x;
            int64_t high = saturate(divide(shifted * f.multiplier, 31, true));
            int64_t twice = shift < 0 ? divide(high, -shift, false) : high;
            if (oct_fixed_multiply_double(x, f) != twice)
                fail_msg("double rounding of %d * %d, shift %d: want %lld", x, f.multiplier, shift,
                         (long long)twice);
            int64_t once = saturate(divide((int64_t)x * f.multiplier, 31 - shift, true));
            if (oct_fixed_multiply_single(x, f) != once)
                fail_msg("single rounding of %d * %d, shift %d: want %lld", x, f.multiplier, shift,
                         (long long)once);
            int32_t want = (int32_t)(twice - 7 < -128 ? -128 : twice - 7 > 127 ? 127 : twice - 7);
            assert_int_equal(oct_requantize_fixed(x, f, OCT_ROUND_FIXED_DOUBLE, -7, -128, 127), want);
        }
    }
    assert_int_equal(cases, 63 * n);
    /* Where the two differ: -1 * 0.25 is -0.25 -> 0; in two steps SRDHM(-1, 2^30) = 0 as well; but 1 * 0.25
     * is 0.25 -> 0 once, and 0.5 -> 1 -> 0.5 -> 1 twice. */
    oct_fixed quarter = {1 << 30, -1};
    assert_int_equal(oct_fixed_multiply_single(1, quarter), 0);
    assert_int_equal(oct_fixed_multiply_double(1, quarter), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(multipliers),
        cmocka_unit_test(primitives),
        cmocka_unit_test(every_pair),
        cmocka_unit_test(both_multiplications),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
