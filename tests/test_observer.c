/* Observers of calibration on known distributions and on degenerate ones. */
#include "float_net.h"
#include "insert.h"
#include "observer.h"

#include <math.h>

static oct_range range_of(const float *x, int64_t count, octet_observer method)
{
    oct_observer o;
    assert_int_equal(oct_observer_init(&o, 0), OCTET_OK);
    assert_int_equal(oct_observer_add(&o, x, count, 1), OCTET_OK);
    oct_range r = oct_observer_range(&o, method, 99.9, 255);
    oct_observer_free(&o);
    return r;
}

static void observers(void **state)
{
    (void)state;
    enum { N = 20000 };
    static float x[N];
    uint32_t seed = 1;
    for (int i = 0; i < N; i++)
        x[i] = noise(&seed);
    x[77] = 1000; /* one outlier */
    oct_range all = range_of(x, N, OCTET_OBSERVE_MINMAX);
    assert_true(all.hi == 1000 && all.lo < -1 && all.lo > -2);
    oct_range most = range_of(x, N, OCTET_OBSERVE_PERCENTILE);
    assert_true(most.hi < 100);
    /* Squares weigh the outlier; alone among 20000 it still costs more than it brings past some tens. */
    oct_range mse = range_of(x, N, OCTET_OBSERVE_MSE);
    assert_true(mse.hi <= 1000 && mse.lo >= all.lo);
    oct_range kl = range_of(x, N, OCTET_OBSERVE_ENTROPY);
    assert_true(kl.hi <= 1000 && kl.hi > 0);
    x[77] = 0;
    all = range_of(x, N, OCTET_OBSERVE_MINMAX);
    for (int m = OCTET_OBSERVE_MINMAX; m < OCTET_OBSERVER_COUNT; m++) {
        oct_range r = range_of(x, N, (octet_observer)m);
        assert_true(r.lo <= 0 && r.hi >= 0);
        assert_true(r.lo >= all.lo - 1e-9 && r.hi <= all.hi + 1e-9);
        assert_true(r.hi - r.lo > 1);
    }
}

static void degenerate_ranges(void **state)
{
    (void)state;
    const float zeros[4] = {0}, same[4] = {3, 3, 3, 3}, below[3] = {-2, -1, -2}, tiny[2] = {1e-44f, 0},
                bad[2] = {1, NAN}, huge[2] = {-3e38f, 3e38f};
    oct_parameters p;
    for (int m = OCTET_OBSERVE_MINMAX; m < OCTET_OBSERVER_COUNT; m++) {
        oct_range r = range_of(zeros, 4, (octet_observer)m);
        assert_true(r.lo == 0 && r.hi == 0);
        assert_int_equal(oct_parameters_of(r, OCTET_U8, false, &p), OCTET_OK);
        assert_true(p.scale == 1 && p.zero == 0);
    }
    assert_int_equal(oct_parameters_of(range_of(same, 4, OCTET_OBSERVE_MINMAX), OCTET_U8, false, &p),
                     OCTET_OK);
    assert_true(p.zero == 0 && fabs(p.scale * 255.0 - 3) < 1e-5);
    assert_int_equal(oct_parameters_of(range_of(below, 3, OCTET_OBSERVE_MINMAX), OCTET_S8, false, &p),
                     OCTET_OK);
    assert_true(p.zero == 127 && fabs(p.scale * 255.0 - 2) < 1e-5);
    assert_int_equal(oct_parameters_of(range_of(tiny, 2, OCTET_OBSERVE_MINMAX), OCTET_U8, false, &p),
                     OCTET_INVALID_ARGUMENT);
    assert_non_null(strstr(octet_last_error(), "scale underflow"));
    assert_int_equal(oct_parameters_of(range_of(huge, 2, OCTET_OBSERVE_MINMAX), OCTET_U8, false, &p),
                     OCTET_OK);
    oct_observer o;
    assert_int_equal(oct_observer_init(&o, 0), OCTET_OK);
    assert_int_equal(oct_observer_add(&o, bad, 2, 1), OCTET_INVALID_ARGUMENT);
    assert_non_null(strstr(octet_last_error(), "NaN"));
    oct_observer_free(&o);
}

/* The order and the size of what comes do not lose elements: bins widen by merging. */
static void histograms(void **state)
{
    (void)state;
    uint32_t seed = 5;
    oct_observer o;
    assert_int_equal(oct_observer_init(&o, 3), OCTET_OK);
    uint64_t total = 0;
    for (int k = 0; k < 12; k++) {
        float x[30];
        for (int i = 0; i < 30; i++)
            x[i] = i % 5 ? noise(&seed) * ldexpf(1, 2 * k - 6) : 0.0f;
        assert_int_equal(oct_observer_add(&o, x, 30, 2), OCTET_OK);
        total += 30;
    }
    uint64_t held = o.zeros;
    for (int i = 0; i < OCT_BINS; i++)
        held += o.bins[i];
    assert_int_equal(held, total);
    assert_int_equal(o.count, total);
    assert_int_equal(o.zeros, total / 5);
    assert_int_equal(o.per_channel, total / 3);
    assert_true(o.width * (OCT_BINS / 2) > fmax(-o.lo, o.hi));
    assert_true(oct_observer_outside(&o, (oct_range){o.lo, o.hi}) < 0.01);
    oct_observer_free(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(observers),
        cmocka_unit_test(degenerate_ranges),
        cmocka_unit_test(histograms),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
