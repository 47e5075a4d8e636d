/* The long sweeps of the arithmetic (label "long", about ten minutes): every float32 and every int32 through
 * the definitions, and the whole proof of kernels/div.clh: all significands and seeds, all numerators over
 * many divisors. */
#include "quant.h"
#include "test_numbers.h"
#include <math.h>

/* RN(1 / b) for every significand and seed; with it Markstein's theorem gives the quotients. */
static void every_reciprocal(void **state)
{
    (void)state;
    for (uint32_t m = 0; m < 1u << 23; m++) {
        float b = from_bits(0x3f800000u | m), want = 1.0f / b;
        for (int ulps = -4; ulps <= 4; ulps++) {
            if (oct_recip_refine(b, neighbour(want, ulps)) != want)
                fail_msg("1 / %a from a seed %d ulp off", (double)b, ulps);
        }
    }
}

/* All 2^23 numerators over the hardest divisors and random ones. */
static void every_numerator(void **state)
{
    (void)state;
    uint64_t seed = 3;
    for (int i = 0; i < 64; i++) {
        uint32_t m = i < 16   ? (1u << 23) - 1 - (uint32_t)i
                     : i < 32 ? (uint32_t)i - 16
                              : next_random(&seed) >> 9;
        float b = from_bits(0x3f800000u | m);
        for (uint32_t n = 0; n < 1u << 23; n++) {
            float a = from_bits(0x3f800000u | n);
            if (oct_div_rn(a, b) != a / b)
                fail_msg("%a / %a", (double)a, (double)b);
        }
    }
}

/* Every float32: quantizing through oct_quotient and through true division is the same. */
static void every_float_quantized(void **state)
{
    (void)state;
    static const float scales[] = {0.1f, 0x1.fffffep-8f};
    for (size_t s = 0; s < COUNT(scales); s++) {
        float y = oct_div_rn(1.0f, scales[s]);
        for (uint64_t bits = 0; bits < UINT64_C(1) << 32; bits++) {
            float x = from_bits((uint32_t)bits);
            if (isnan(x))
                continue;
            int32_t want = oct_quantize_f32(x, scales[s], 0, -65535, 65535);
            if (oct_round_then_zero(oct_quotient(x, scales[s], y), 0, -65535, 65535) != want)
                fail_msg("x %a scale %a", (double)x, (double)scales[s]);
        }
    }
}

/* Every accumulator: never off the exact rounding of acc * m by more than the conversion to float explains,
 * and monotone. */
static void every_accumulator(void **state)
{
    (void)state;
    static const float ms[] = {0x1p-20f, 0.0314159f, 1e-7f};
    for (size_t i = 0; i < COUNT(ms); i++) {
        int32_t before = -32768;
        for (int64_t acc = INT32_MIN; acc <= INT32_MAX; acc++) {
            int32_t q = oct_requantize((int32_t)acc, ms[i], 3, -32768, 32767);
            double exact = (double)acc * (double)ms[i] + 3.0;
            double nearest = fmin(fmax(exact, -32768.0), 32767.0);
            if (q < before || fabs(q - nearest) > 0.5 + 1e-6 * fabs(exact))
                fail_msg("acc %lld m %a: %d after %d", (long long)acc, (double)ms[i], q, before);
            before = q;
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_reciprocal),
        cmocka_unit_test(every_numerator),
        cmocka_unit_test(every_float_quantized),
        cmocka_unit_test(every_accumulator),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
