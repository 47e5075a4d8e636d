/* The host's model of kernels/div.clh: the reciprocal for every significand and every seed that OpenCL's 2.5
 * ulp allow, the general division over bit patterns and edges, the prepared quotient around ties, the exact
 * softmax quotient. */
#include "quant.h"
#include "test_numbers.h"
#include <math.h>

static void reciprocal(void **state)
{
    (void)state;
    size_t cases = 0;
    for (uint32_t m = 0; m<1u << 23; m += m>(1u << 23) - 5000 || m < 5000 ? 1 : 13) {
        float b = from_bits(0x3f800000u | m), want = (float)(1.0 / (double)b);
        for (int ulps = -4; ulps <= 4; ulps++, cases++) {
            if (oct_recip_refine(b, neighbour(want, ulps)) != want)
                fail_msg("1 / %a from a seed %d ulp off", (double)b, ulps);
        }
    }
    assert_true(cases > 5000000);
}

/* a / b in double, rounded once to float; a subnormal quotient is zero. */
static float expect_div(float a, float b)
{
    float q = (float)((double)a / (double)b);
    return fabsf(q) < 0x1p-126f || fabs((double)a / (double)b) < 0x1p-126 ? copysignf(0.0f, q) : q;
}

static void check_div(float a, float b)
{
    float want = expect_div(a, b), got = oct_div_rn(a, b);
    if (isnan(want) ? !isnan(got) : bits_of(want) != bits_of(got))
        fail_msg("%a / %a: want %a, got %a", (double)a, (double)b, (double)want, (double)got);
}

static void general(void **state)
{
    (void)state;
    static const float edges[] = {
        0.0f,          -0.0f,         1.0f,          -1.0f,  INFINITY,  -INFINITY,
        NAN,           1e-45f,        -1e-45f,       1e-40f, 0x1p-126f, 3.4028235e38f,
        0x1.fffffep0f, 0x1.fffffcp0f, 0x1.000002p0f, 3.0f,   0x1p127f,  0x1.fffffep-127f,
        0.1f,          255.0f};
    for (size_t i = 0; i < COUNT(edges); i++) {
        for (size_t j = 0; j < COUNT(edges); j++)
            check_div(edges[i], edges[j]);
    }
    uint64_t seed = 1;
    for (int i = 0; i < 3000000; i++) {
        uint32_t a = next_random(&seed), b = next_random(&seed);
        if (i % 2) /* close exponents, quotients near 1 */
            b = (b & 0x007fffffu) | (a & 0x7f800000u);
        check_div(from_bits(a), from_bits(b));
    }
    for (uint32_t m = 0; m < 1u << 23; m += 5) /* the divisor that Newton's steps leave one ulp low */
        check_div(from_bits(0x3f800000u | m), 0x1.fffffep0f);
}

static void prepared(void **state)
{
    (void)state;
    static const float scales[] = {1.0f,     0.1f,    0.003921569f, 0x1.fffffep-8f,  0.33333334f,
                                   0x1p-60f, 0x1p60f, 12345.678f,   0x1.000002p-30f, 1e17f,
                                   1e-17f};
    size_t cases = 0;
    for (size_t s = 0; s < COUNT(scales); s++) {
        float y = oct_div_rn(1.0f, scales[s]);
        for (int k = -140000; k <= 140000; k++) {
            float tie = (float)k * 0.5f * scales[s];
            for (int side = -1; side <= 1; side++, cases++) {
                float x = neighbour(tie, side), want = x / scales[s], got = oct_quotient(x, scales[s], y);
                bool same = fabsf(want) < 0.25f ? fabsf(got) < 0.5f : want == got;
                if (!same)
                    fail_msg("%a / %a: want %a, got %a", (double)x, (double)scales[s], (double)want,
                             (double)got);
            }
        }
        assert_true(oct_quotient(INFINITY, scales[s], y) == 0x1p20f);
        assert_true(oct_quotient(-3e38f, scales[s], y) == fmaxf(-3e38f / scales[s], -0x1p20f));
        assert_true(fabsf(oct_quotient(1e-45f, scales[s], y)) < 0.5f);
    }
    assert_int_equal(cases, COUNT(scales) * 280001 * 3);
}

static void muldiv(void **state)
{
    (void)state;
    uint64_t seed = 9;
    size_t inside = 0;
    for (int i = 0; i < 2000000; i++) {
        float s = from_bits(0x3f800000u + (next_random(&seed) >> 4));
        float c = (float)(1 + (next_random(&seed) >> (8 + i % 24)));
        float target = (float)(next_random(&seed) % 520) * 0.5f; /* often a tie or next to one */
        float e = neighbour(target * s / c, (int)(next_random(&seed) % 5) - 2);
        double exact = rint((double)e * (double)c / (double)s);
        int32_t want = exact > 256.0 ? 256 : (int32_t)exact;
        if (oct_muldiv_rte(e, c, s) != want)
            fail_msg("%a * %a / %a: want %d, got %d", (double)e, (double)c, (double)s, want,
                     oct_muldiv_rte(e, c, s));
        inside += want > 0 && want < 256;
    }
    assert_true(inside > 1500000);
    assert_int_equal(oct_muldiv_rte(3.0f, 1.0f, 2.0f), 2); /* 1.5 */
    assert_int_equal(oct_muldiv_rte(5.0f, 1.0f, 2.0f), 2); /* 2.5 */
    assert_int_equal(oct_muldiv_rte(0.0f, 255.0f, 2.0f), 0);
    assert_int_equal(oct_muldiv_rte(1e-40f, 255.0f, 1.0f), 0);
    assert_int_equal(oct_muldiv_rte(1e37f, 1e30f, 1e37f), 256);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reciprocal),
        cmocka_unit_test(general),
        cmocka_unit_test(prepared),
        cmocka_unit_test(muldiv),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
