/* Float functions of one element on the device against src/ref, within a few ulp; Pow and PRelu too. Every
 * operator of op_table.def of the family `unary` is here. */
#include "harness.h"
#include "op_facts.h"
#include "pointwise.h"
#include "ref.h"
#include "unary.h"

#include <math.h>

enum { N = 4099 };

static float x[N], want[N];
static struct {
    float y[N];
    unsigned char guard[16];
} got;

/* Ordinary values, small ones, zeros, ends. Logarithms, roots and reciprocals get positive ones. */
static void fill(bool positive)
{
    uint64_t s = 11;
    const float ends[] = {0.0f,   -0.0f, 1.0f,   -1.0f, 3.0f, -3.0f, 20.0f,
                          -20.0f, 1e-6f, -1e-6f, 0.5f,  1.5f, 2.5f,  -2.5f};
    for (int i = 0; i < N; i++) {
        float v = ((float)(check_random(&s) & 0xffff) / 32768.0f - 1.0f) * (i % 3 ? 6.0f : 0.5f);
        x[i] = i < 14 ? ends[i] : v;
        if (positive)
            x[i] = fabsf(x[i]) + 1e-3f;
    }
}

static void compare(const char *what)
{
    for (int i = 0; i < N; i++) {
        float near = fabsf(want[i]) * 2e-6f + 1e-6f;
        if (!(fabsf(got.y[i] - want[i]) <= near)) {
            print_error("%s: y(%.9g) is %.9g, not %.9g\n", what, (double)x[i], (double)got.y[i],
                        (double)want[i]);
            fail();
        }
    }
    for (size_t i = 0; i < sizeof got.guard; i++)
        assert_int_equal(got.guard[i], GUARD);
}

static void run(const char *name, float a, float b)
{
    const int64_t n = N;
    memset(&got, GUARD, sizeof got);
    assert_true(oct_ref_unary(name, x, N, a, b, want));
    oct_recipe r;
    oct_recipe_init(&r);
    oct_operand tx = harness_operand(&r, OCTET_F32, 1, &n, x, true),
                ty = harness_output(&r, OCTET_F32, 1, &n);
    octet_status built = oct_float_unary(&r, oct_device_caps(device), name, &tx, a, b, &ty);
    harness_run(&r, built, &(harness_io){tx.mem, x}, 1, &(harness_io){ty.mem, got.y}, 1, name);
    compare(name);
}

static void every_function(void **state)
{
    (void)state;
    int tried = 0;
    for (int op = 0; op < OCT_OP_COUNT; op++) {
        if (oct_op_facts((oct_op)op)->family != OCT_OP_FAMILY_unary)
            continue;
        const char *name = oct_op_name((oct_op)op);
        fill(op == OCT_OP_Log || op == OCT_OP_Sqrt || op == OCT_OP_Reciprocal);
        run(name,
            op == OCT_OP_Gelu        ? 0.0f
            : op == OCT_OP_HardSwish ? 1.0f / 6.0f
                                     : 0.3f,
            op == OCT_OP_Selu ? 1.05f : 0.5f);
        tried++;
    }
    fill(false);
    run("Gelu", 1.0f, 0.0f);
    assert_int_equal(tried, 26);
}

static void pow_and_prelu(void **state)
{
    (void)state;
    const int64_t n = N, one = 1;
    const float slope = 0.25f, square = 2.0f;
    for (int k = 0; k < 2; k++) {
        fill(false);
        memset(&got, GUARD, sizeof got);
        for (int i = 0; i < N; i++)
            want[i] = k ? (x[i] < 0.0f ? x[i] * slope : x[i]) : x[i] * x[i];
        oct_recipe r;
        oct_recipe_init(&r);
        oct_operand tx = harness_operand(&r, OCTET_F32, 1, &n, x, true),
                    tb = harness_operand(&r, OCTET_F32, 1, &one, k ? &slope : &square, false),
                    ty = harness_output(&r, OCTET_F32, 1, &n);
        octet_status built =
            oct_float_binary(&r, oct_device_caps(device), k ? OCT_FLOAT_PRELU : OCT_FLOAT_POW, &tx, &tb, &ty);
        harness_run(&r, built, &(harness_io){tx.mem, x}, 1, &(harness_io){ty.mem, got.y}, 1, "binary");
        compare(k ? "PRelu" : "Pow");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_function), cmocka_unit_test(pow_and_prelu)};
    return cmocka_run_group_tests(tests, open_device, close_device);
}
