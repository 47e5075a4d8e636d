/* Float reductions, ArgMax and ArgMin, Softmax on the device against src/ref. */
#include "harness.h"
#include "reduce.h"
#include "ref.h"

#include <math.h>

typedef struct shape {
    int64_t outer, axis, inner;
} shape;

static const shape shapes[] = {{1, 1, 1}, {3, 5, 17}, {2, 1000, 1}, {1, 7, 300}, {4, 49, 16}};
enum { SHAPES = sizeof shapes / sizeof shapes[0], MOST = 4 * 49 * 16 };

static float x[MOST], want[MOST], y[MOST + 4];

static void fill(const shape *s, float least)
{
    uint64_t seed = 3;
    for (int64_t i = 0; i < s->outer * s->axis * s->inner; i++)
        x[i] = least + (float)(check_random(&seed) % 1000) / 400.0f;
}

static void compare(const char *what, const shape *s, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        if (!(fabsf(y[i] - want[i]) <= fabsf(want[i]) * 2e-5f + 1e-6f)) {
            print_error("%s [%lld][%lld][%lld]: y[%lld] is %.9g, not %.9g\n", what, (long long)s->outer,
                        (long long)s->axis, (long long)s->inner, (long long)i, (double)y[i], (double)want[i]);
            fail();
        }
    }
}

static void reductions(void **state)
{
    (void)state;
    static const struct {
        oct_ref_reduction ref;
        oct_combine combine;
        oct_before before;
        oct_after after;
    } ops[] = {{OCT_REF_SUM, OCT_COMBINE_SUM, OCT_BEFORE_NOTHING, OCT_AFTER_NOTHING},
               {OCT_REF_MEAN, OCT_COMBINE_SUM, OCT_BEFORE_NOTHING, OCT_AFTER_SCALE},
               {OCT_REF_PROD, OCT_COMBINE_PROD, OCT_BEFORE_NOTHING, OCT_AFTER_NOTHING},
               {OCT_REF_L1, OCT_COMBINE_SUM, OCT_BEFORE_ABS, OCT_AFTER_NOTHING},
               {OCT_REF_L2, OCT_COMBINE_SUM, OCT_BEFORE_SQUARE, OCT_AFTER_SQRT},
               {OCT_REF_SUM_SQUARE, OCT_COMBINE_SUM, OCT_BEFORE_SQUARE, OCT_AFTER_NOTHING},
               {OCT_REF_LOG_SUM, OCT_COMBINE_SUM, OCT_BEFORE_NOTHING, OCT_AFTER_LOG}};
    for (size_t k = 0; k < sizeof ops / sizeof ops[0]; k++) {
        for (int i = 0; i < SHAPES; i++) {
            const shape *s = &shapes[i];
            if (ops[k].ref == OCT_REF_PROD && s->axis > 100)
                continue;
            fill(s, ops[k].ref == OCT_REF_LOG_SUM || ops[k].ref == OCT_REF_PROD ? 0.1f : -1.0f);
            int64_t nx = s->outer * s->axis * s->inner, ny = s->outer * s->inner;
            oct_ref_reduce(ops[k].ref, x, s->outer, s->axis, s->inner, want);
            oct_recipe r;
            oct_recipe_init(&r);
            oct_operand tx = harness_operand(&r, OCTET_F32, 1, &nx, x, true),
                        ty = harness_output(&r, OCTET_F32, 1, &ny);
            octet_status built =
                oct_reduce(&r, oct_device_caps(device), ops[k].combine, ops[k].before, ops[k].after,
                           1.0f / (float)s->axis, tx.mem, s->outer, s->axis, s->inner, ty.mem);
            harness_run(&r, built, &(harness_io){tx.mem, x}, 1, &(harness_io){ty.mem, y}, 1, "reduce");
            compare("reduce", s, ny);
        }
    }
}

static void extremes(void **state)
{
    (void)state;
    static int64_t at[MOST], best[MOST];
    for (int k = 0; k < 4; k++) {
        for (int i = 0; i < SHAPES; i++) {
            const shape *s = &shapes[i];
            fill(s, -1.0f); /* a thousand values: equal ones are frequent */
            int64_t nx = s->outer * s->axis * s->inner, ny = s->outer * s->inner;
            bool largest = k & 1, last = k & 2;
            oct_ref_arg_best(largest, last, x, s->outer, s->axis, s->inner, best);
            oct_recipe r;
            oct_recipe_init(&r);
            oct_operand tx = harness_operand(&r, OCTET_F32, 1, &nx, x, true),
                        ty = harness_output(&r, OCTET_S64, 1, &ny);
            octet_status built = oct_arg_best(&r, oct_device_caps(device), largest, last, &tx, s->outer,
                                              s->axis, s->inner, ty.mem);
            harness_run(&r, built, &(harness_io){tx.mem, x}, 1, &(harness_io){ty.mem, at}, 1, "arg");
            harness_compare((unsigned char *)at, (unsigned char *)best, (size_t)ny * 8, "arg");
        }
    }
}

static void softmaxes(void **state)
{
    (void)state;
    for (int k = 0; k < 2; k++) {
        for (int i = 0; i < SHAPES; i++) {
            const shape *s = &shapes[i];
            fill(s, -1.0f);
            int64_t n = s->outer * s->axis * s->inner;
            oct_ref_softmax(k, x, s->outer, s->axis, s->inner, want);
            oct_recipe r;
            oct_recipe_init(&r);
            oct_operand tx = harness_operand(&r, OCTET_F32, 1, &n, x, true),
                        ty = harness_output(&r, OCTET_F32, 1, &n);
            octet_status built =
                oct_softmax(&r, oct_device_caps(device), k, tx.mem, s->outer, s->axis, s->inner, ty.mem);
            harness_run(&r, built, &(harness_io){tx.mem, x}, 1, &(harness_io){ty.mem, y}, 1, "softmax");
            compare("softmax", s, n);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(reductions), cmocka_unit_test(extremes),
                                       cmocka_unit_test(softmaxes)};
    return cmocka_run_group_tests(tests, open_device, close_device);
}
