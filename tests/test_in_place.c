/* Element-wise operators whose output takes the bytes of an input that dies: the same result as when it lives
 * on, in less memory. */
#include "harness.h"
#include "move/move_args.clh"

#include "conv.h"
#include "normalize.h"
#include "pointwise.h"
#include "unary.h"

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
    oct_qbinary_request q = {.kind = kind, .a = *a, .b = *b, .c = *y, .clamp_max = 255};
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

/* y = a + a 1x1 convolution of x. */
static octet_status residual(oct_recipe *r, oct_operand *x, oct_operand *a, oct_operand *y)
{
    static const float scales[3] = {0.02f, 0.03f, 0.5f};
    static const unsigned char zeros[3] = {3, 120, 90};
    static signed char weights[CHANNELS * CHANNELS];
    for (size_t i = 0; i < sizeof weights; i++)
        weights[i] = (signed char)(i * 37 % 255 - 127);
    oct_quant q[3];
    for (int i = 0; i < 3; i++)
        q[i] = harness_quant(r, OCTET_U8, &scales[i], 1, &zeros[i], 1);
    oct_conv_request c = {.g = {.n = 1,
                                .h = ROWS,
                                .w = 1,
                                .c = CHANNELS,
                                .oh = ROWS,
                                .ow = 1,
                                .co = CHANNELS,
                                .kh = 1,
                                .kw = 1,
                                .group = 1,
                                .stride_h = 1,
                                .stride_w = 1,
                                .dilation_h = 1,
                                .dilation_w = 1},
                          .x_dtype = OCTET_U8,
                          .w_dtype = OCTET_S8,
                          .y_dtype = OCTET_U8,
                          .x = x->mem,
                          .weights = oct_recipe_const(r, weights, sizeof weights),
                          .y = y->mem,
                          .bias = OCT_MEM_NONE,
                          .x_q = q[0],
                          .w_q = harness_quant(r, OCTET_S8, &scales[0], 1, NULL, 0),
                          .y_q = q[2],
                          .clamp_max = 255};
    c.then = (oct_conv_chain){.has_sum = true,
                              .residual = a->mem,
                              .own_q = q[2],
                              .residual_q = q[1],
                              .sum_q = q[2],
                              .sum_max = 255};
    return oct_conv(r, oct_device_caps(device), &c);
}

static octet_status residual_first(oct_recipe *r, oct_operand *a, oct_operand *b, oct_operand *y)
{
    return residual(r, b, a, y);
}

/* Other work-items read the residual too: not in place. */
static octet_status residual_is_input(oct_recipe *r, oct_operand *a, oct_operand *b, oct_operand *y)
{
    (void)b;
    return residual(r, a, a, y);
}

static octet_status subtract(oct_recipe *r, oct_operand *a, oct_operand *b, oct_operand *y)
{
    return oct_float_binary(r, oct_device_caps(device), OCT_FLOAT_SUB, b, a, y);
}

static octet_status clip(oct_recipe *r, oct_operand *a, oct_operand *b, oct_operand *y)
{
    (void)b;
    return oct_float_unary(r, oct_device_caps(device), "Clip", a, -0.25f, 0.5f, y);
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
    bool apart; /* never in place */
} operators[] = {
    {"table", table, OCTET_U8, false},
    {"lookup", lookup, OCTET_U8, false},
    {"add to the first", add_to_first, OCTET_U8, false},
    {"multiply the second", multiply_second, OCTET_U8, false},
    {"square", square, OCTET_U8, false},
    {"subtract", subtract, OCTET_F32, false},
    {"clip", clip, OCTET_F32, false},
    {"sigmoid", sigmoid, OCTET_F32, false},
    {"batch norm", batch_norm, OCTET_F32, false},
    {"residual", residual_first, OCTET_U8, false},
    {"residual that is the input", residual_is_input, OCTET_U8, true},
};

static void byte_sum(oct_recipe *r, oct_mem a, oct_mem b, oct_mem to, size_t bytes)
{
    oct_launch *l = oct_recipe_launch(r, "move/self_test.cl", "add_bytes", "%s", "");
    OCT_ARGS(l, add_bytes, .a = oct_whole(a), .b = oct_whole(b), .c = oct_whole(to), .n = (int64_t)bytes);
    oct_launch_1d(l, bytes, 0);
}

/* x -> t -> operator -> y, while x lives on; keep: so does t, and nothing can take its place. Returns the
 * arena's size: t's bytes are in it, or y has taken them. */
static size_t run(size_t which, bool keep, unsigned char *out)
{
    octet_dtype dtype = operators[which].dtype;
    const int64_t dims[] = {ROWS, CHANNELS};
    oct_recipe r;
    oct_recipe_init(&r);
    oct_operand x = harness_operand(&r, dtype, 2, dims, NULL, true), t = x;
    oct_operand zeros = harness_operand(&r, dtype, 2, dims, addend, false);
    oct_operand other = harness_operand(&r, dtype, 2, dims, input, false);
    oct_operand y = harness_output(&r, dtype, 2, dims);
    oct_operand last = harness_output(&r, OCTET_U8, 1, (int64_t[]){1});
    size_t bytes = r.mems[x.mem].bytes;
    t.mem = oct_recipe_temp(&r, bytes);
    byte_sum(&r, x.mem, zeros.mem, t.mem, bytes);
    CHECK_OK(operators[which].append(&r, &t, &other, &y));
    byte_sum(&r, keep ? t.mem : zeros.mem, x.mem, last.mem, 1);
    oct_executor *e;
    CHECK_OK(oct_executor_create(device, &r, NULL, &e));
    const oct_host_memory memories[] = {{.mem = x.mem, .from = input}, {.mem = y.mem, .to = out}};
    for (int i = 0; i < 2; i++)
        CHECK_OK(oct_runner_run(e, memories, 2));
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
        if ((less + bytes / 2 > more) != operators[i].apart)
            fail_msg("%s: %zu bytes of arena in place, %zu apart", operators[i].name, less, more);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_same_bytes_in_less_memory)};
    return cmocka_run_group_tests(tests, open_device, close_device);
}
