/* LayerNormalization, InstanceNormalization, GroupNormalization and LRN on the device against src/ref. */
#include "harness.h"
#include "normalize.h"
#include "ref.h"

#include <math.h>

enum { MOST = 20000 };

static float x[MOST], scale[MOST], bias[MOST], want[MOST], want_mean[MOST], want_inverse[MOST];
static struct {
    float y[MOST], mean[MOST], inverse[MOST];
} got;

static void fill(int64_t n, uint64_t seed, float offset)
{
    for (int64_t i = 0; i < n; i++) {
        x[i] = (float)check_range(&seed, -1000, 1000) * 0.003f + offset;
        scale[i] = (float)check_range(&seed, -500, 1000) * 0.001f;
        bias[i] = (float)check_range(&seed, -1000, 1000) * 0.002f;
    }
}

static void compare(const float *a, const float *b, int64_t n, float near, const char *what)
{
    for (int64_t i = 0; i < n; i++) {
        if (!(fabsf(a[i] - b[i]) <= near * (1.0f + fabsf(b[i]))))
            fail_msg("%s: element %lld is %.9g, want %.9g", what, (long long)i, (double)a[i], (double)b[i]);
    }
    for (size_t i = 0; i < 16 && n < MOST; i++)
        assert_int_equal(((const unsigned char *)(a + n))[i], GUARD);
}

static void rows_are_normalized(void **state)
{
    (void)state;
    static const struct {
        int64_t rows, length, run, scales;
        float offset;
    } cases[] = {{1, 1, 0, 1, 0.0f},   {7, 33, 0, 1, 0.0f},   {3, 768, 0, 1, 100.0f},   {5, 16, 0, 1, 0.0f},
                 {6, 49, 49, 3, 0.0f}, {4, 17, 17, 4, 50.0f}, {2, 3000, 3000, 2, 0.0f}, {6, 60, 20, 9, 0.0f},
                 {4, 35, 5, 14, 0.0f}, {6, 60, 60, 3, 0.0f},  {0, 5, 0, 1, 0.0f}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (int form = 0; form < 8; form++) {
            int64_t n = cases[i].rows * cases[i].length,
                    parameters = cases[i].run ? cases[i].scales : cases[i].length;
            char what[96];
            snprintf(what, sizeof what, "normalize case %zu form %d", i, form);
            fill(MOST, 3 + i, cases[i].offset);
            memset(&got, GUARD, sizeof got);
            oct_recipe r;
            oct_recipe_init(&r);
            oct_operand tx = harness_operand(&r, OCTET_F32, 1, &n, x, true),
                        ts = harness_operand(&r, OCTET_F32, 1, &parameters, scale, true),
                        tb = harness_operand(&r, OCTET_F32, 1, &parameters, bias, true),
                        ty = harness_output(&r, OCTET_F32, 1, &n),
                        tm = harness_output(&r, OCTET_F32, 1, &cases[i].rows),
                        ti = harness_output(&r, OCTET_F32, 1, &cases[i].rows);
            oct_normalize_request q = {.rows = cases[i].rows,
                                       .length = cases[i].length,
                                       .run = cases[i].run,
                                       .scales = cases[i].scales,
                                       .epsilon = 1e-3f,
                                       .x = tx.mem,
                                       .scale = ts.mem,
                                       .bias = form & 1 ? tb.mem : OCT_MEM_NONE,
                                       .y = ty.mem,
                                       .mean = form & 2 ? tm.mem : OCT_MEM_NONE,
                                       .inverse = form & 4 ? ti.mem : OCT_MEM_NONE};
            octet_status built = oct_normalize(&r, &q);
            harness_io outputs[3] = {{ty.mem, got.y}};
            int count = 1;
            if (form & 2)
                outputs[count++] = (harness_io){tm.mem, got.mean};
            if (form & 4)
                outputs[count++] = (harness_io){ti.mem, got.inverse};
            harness_io inputs[3] = {{tx.mem, x}, {ts.mem, scale}, {tb.mem, bias}};
            harness_run(&r, built, inputs, form & 1 ? 3 : 2, outputs, count, what);
            oct_ref_normalize(cases[i].rows, cases[i].length, cases[i].run, cases[i].scales, 1e-3f, x, scale,
                              form & 1 ? bias : NULL, want, want_mean, want_inverse);
            float near = cases[i].offset != 0.0f ? 1e-4f : 3e-6f; /* of x - mean, that loses digits */
            compare(got.y, want, n, near, what);
            compare(got.mean, want_mean, form & 2 ? cases[i].rows : 0, 1e-6f, what);
            compare(got.inverse, want_inverse, form & 4 ? cases[i].rows : 0, near, what);
        }
    }
}

static void lrn(void **state)
{
    (void)state;
    static const int64_t cases[][3] = {{5, 1, 1},    {9, 7, 3},  {3, 64, 5},
                                       {600, 32, 4}, {2, 3, 11}, {0, 4, 3}}; /* pixels, channels, size */
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t n = cases[i][0] * cases[i][1];
        fill(MOST, 30 + i, 0.0f);
        memset(&got, GUARD, sizeof got);
        oct_recipe r;
        oct_recipe_init(&r);
        oct_operand tx = harness_operand(&r, OCTET_F32, 2, cases[i], x, true),
                    ty = harness_output(&r, OCTET_F32, 2, cases[i]);
        octet_status built = oct_lrn(&r, oct_device_caps(device), &tx, cases[i][2], 0.02f, 0.75f, 1.5f, &ty);
        harness_run(&r, built, &(harness_io){tx.mem, x}, 1, &(harness_io){ty.mem, got.y}, 1, "LRN");
        oct_ref_lrn(cases[i][0], cases[i][1], cases[i][2], 0.02f, 0.75f, 1.5f, x, want);
        compare(got.y, want, n, 2e-6f, "LRN");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(rows_are_normalized), cmocka_unit_test(lrn)};
    return cmocka_run_group_tests(tests, open_device, close_device);
}
