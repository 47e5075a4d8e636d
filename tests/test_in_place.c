/* Element-wise operators whose output takes the bytes of an input that dies: the same result as when it lives
 * on, in less memory. */
#include "harness.h"

#include "floats.h"
#include "pointwise.h"

enum { CHANNELS = 37, ROWS = 271, N = CHANNELS * ROWS };

static unsigned char input[N * 4], addend[N * 4], tables[256 * CHANNELS];
static float numbers[4][CHANNELS];

/* An operator under test: y from a and b, all of one type and shape. */
typedef octet_status operator_fn(oct_recipe *r, oct_operand *a, oct_operand *b, oct_operand *y);

static octet_status table(oct_recipe *r, oct_operand *a, oct_operand *b, oct_operand *y)
{
    (void)b;
    return oct_table_op(r, oct_device_caps(device), a, y, tables);
}

static octet_status lookup(oct_recipe *r, oct_operand *a, oct_operand *b, oct_operand *y)
{
    (void)b;
    const int64_t dims[] = {256, CHANNELS};
    oct_operand t = harness_operand(r, OCTET_U8, 2, dims, tables, false);
    return oct_lookup(r, oct_device_caps(device), a, &t, 1, y);
}

static octet_status qbinary(oct_recipe *r, oct_operand *a, oct_operand *b, oct_operand *y,
                            oct_qbinary_kind kind)
{
    static const float scales[3] = {0.02f, 0.03f, 0.05f};
    static const unsigned char zeros[3] = {3, 120, 90};
    oct_qbinary_request q = {.kind = kind, .a = *a, .b = *b, .c = *y};
    q.a_q = harness_quant(r, OCTET_U8, &scales[0], 1, &zeros[0], 1);
    q.b_q = harness_quant(r, OCTET_U8, &scales[1], 1, &zeros[1], 1);
    q.c_q = harness_quant(r, OCTET_U8, &scales[2], 1, &zeros[2], 1);
    return oct_qbinary(r, oct_device_caps(device), &q);
}

static octet_status add_to_first(oct_recipe *r, oct_operand *a, oct_operand *b, oct_operand *y)
{
    return qbinary(r, a, b, y, OCT_QBINARY_ADD);
}

static octet_status multiply_second(oct_recipe *r, oct_operand *a, oct_operand *b, oct_operand *y)
{
    return qbinary(r, b, a, y, OCT_QBINARY_MUL);
}

static octet_status square(oct_recipe *r, oct_operand *a, oct_operand *b, oct_operand *y)
{
    (void)b;
    return qbinary(r, a, a, y, OCT_QBINARY_MUL);
}

static octet_status subtract(oct_recipe *r, oct_operand *a, oct_operand *b, oct_operand *y)
{
    return oct_float_binary(r, oct_device_caps(device), OCT_FLOAT_SUB, b, a, y);
}

static octet_status clip(oct_recipe *r, oct_operand *a, oct_operand *b, oct_operand *y)
{
    (void)b;
    return oct_float_clip(r, oct_device_caps(device), a, -0.25f, 0.5f, y);
}

static octet_status sigmoid(oct_recipe *r, oct_operand *a, oct_operand *b, oct_operand *y)
{
    (void)b;
    return oct_float_unary(r, oct_device_caps(device), "Sigmoid", a, 0, 0, y);
}

static octet_status batch_norm(oct_recipe *r, oct_operand *a, oct_operand *b, oct_operand *y)
{
    (void)b;
    oct_mem parameters[4];
    for (int i = 0; i < 4; i++)
        parameters[i] = oct_recipe_const(r, numbers[i], sizeof numbers[i]);
    return oct_batch_norm(r, oct_device_caps(device), a, parameters, 1e-5f, y);
}

static const struct {
    const char *name;
    operator_fn *append;
    octet_dtype dtype;
} operators[] = {
    {"table", table, OCTET_U8},
    {"lookup", lookup, OCTET_U8},
    {"add to the first", add_to_first, OCTET_U8},
    {"multiply the second", multiply_second, OCTET_U8},
    {"square", square, OCTET_U8},
    {"subtract", subtract, OCTET_F32},
    {"clip", clip, OCTET_F32},
    {"sigmoid", sigmoid, OCTET_F32},
    {"batch norm", batch_norm, OCTET_F32},
};

static void byte_sum(oct_recipe *r, oct_mem a, oct_mem b, oct_mem to, size_t bytes)
{
    oct_launch *l = oct_recipe_launch(r, "move/self_test.cl", "add_bytes", "%s", "");
    oct_launch_in(l, a);
    oct_launch_in(l, b);
    oct_launch_out(l, to);
    oct_launch_1d(l, bytes, 0);
}

/* x -> t -> operator -> u -> y; keep: t is read once more at the end, so that nothing can take its place.
 * Returns the arena's size. */
static size_t run(size_t which, bool keep, unsigned char *out)
{
    octet_dtype dtype = operators[which].dtype;
    const int64_t dims[] = {ROWS, CHANNELS};
    oct_recipe r;
    oct_recipe_init(&r);
    oct_operand x = harness_operand(&r, dtype, 2, dims, NULL, true), t = x, u = x;
    oct_operand zeros = harness_operand(&r, dtype, 2, dims, addend, false);
    oct_operand other = harness_operand(&r, dtype, 2, dims, input, false);
    oct_operand y = harness_output(&r, dtype, 2, dims), z = harness_output(&r, dtype, 2, dims);
    size_t bytes = r.mems[x.mem].bytes;
    t.mem = oct_recipe_temp(&r, bytes);
    u.mem = oct_recipe_temp(&r, bytes);
    byte_sum(&r, x.mem, zeros.mem, t.mem, bytes);
    CHECK_OK(operators[which].append(&r, &t, &other, &u));
    byte_sum(&r, u.mem, zeros.mem, y.mem, bytes);
    byte_sum(&r, keep ? t.mem : zeros.mem, zeros.mem, z.mem, bytes);
    oct_executor *e;
    CHECK_OK(oct_executor_create(device, &r, NULL, &e));
    for (int i = 0; i < 2; i++) {
        CHECK_OK(oct_executor_upload(e, x.mem, input));
        CHECK_OK(oct_executor_run(e, NULL));
        CHECK_OK(oct_executor_download(e, y.mem, out));
        CHECK_OK(oct_device_finish(device));
    }
    size_t arena = oct_executor_get_stats(e).arena_bytes;
    oct_executor_destroy(e);
    oct_recipe_free(&r);
    return arena;
}

static void the_same_bytes_in_less_memory(void **state)
{
    (void)state;
    static unsigned char apart[N * 4], in_place[N * 4];
    uint64_t seed = 3;
    check_fill(&seed, OCTET_U8, tables, sizeof tables, 0);
    for (int i = 0; i < 4 * CHANNELS; i++)
        numbers[i / CHANNELS][i % CHANNELS] = check_scale(&seed);
    for (size_t i = 0; i < sizeof operators / sizeof operators[0]; i++) {
        bool is_float = operators[i].dtype == OCTET_F32;
        check_fill(&seed, OCTET_U8, input, sizeof input, 0);
        for (int k = 0; k < N && is_float; k++)
            ((float *)(void *)input)[k] = check_scale(&seed) * 5.0f - 0.7f;
        size_t bytes = is_float ? N * 4 : N;
        size_t more = run(i, true, apart), less = run(i, false, in_place);
        harness_compare(in_place, apart, bytes, operators[i].name);
        assert_true(memcmp(apart, input, bytes) != 0);
        if (less + bytes / 2 > more)
            fail_msg("%s: %zu bytes of arena in place, %zu apart", operators[i].name, less, more);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_same_bytes_in_less_memory)};
    return cmocka_run_group_tests(tests, open_device, close_device);
}
