/* Launches that compute element by element, fused and one by one: the same bytes, in fewer launches. Networks
 * of random operators over tensors, channels, rows and numbers, quantized and not; and single cases: what may
 * not be fused. */
#include "fuse.h"
#include "harness.h"
#include "pointwise.h"
#include "quantize_op.h"
#include "unary.h"

#include <math.h>

enum { MAX_VALUES = 32, MAX_ELEMS = 2 * 3 * 5 * 37, MAX_OUTPUTS = 4 };

/* A recipe being built, all of whose values have the shape `dims`; made twice from one seed. */
typedef struct build {
    oct_recipe r;
    uint64_t seed;
    int64_t dims[4];
    oct_operand values[MAX_VALUES];
    int count;
    harness_io inputs[8], outputs[MAX_OUTPUTS];
    int input_count, output_count;
    octet_status status;
} build;

/* Data of inputs and results; constants. Filled once per case, read by both recipes. */
static unsigned char input_data[4][MAX_ELEMS * 4], output_data[2][MAX_OUTPUTS][MAX_ELEMS * 4];
static float channel_data[37], row_data[2 * 37],
    numbers[8] = {3.0f, 6.0f, -0.75f, 1.5f, 0.1f, 1e-3f, 7.0f, -2.0f};
static float scales[4] = {0.013f, 0.05f, 0.0007f, 0.02f};
static const unsigned char zeros_u8[1] = {131}, zeros_s8[1] = {(unsigned char)-7};
static const uint16_t zeros_u16[1] = {31000};
static const int16_t zeros_s16[1] = {-300};
static const octet_dtype types[] = {OCTET_U8, OCTET_S8, OCTET_U16, OCTET_S16};
static const void *const zeros[] = {zeros_u8, zeros_s8, zeros_u16, zeros_s16};

static void fill_data(uint64_t seed)
{
    for (size_t i = 0; i < MAX_ELEMS; i++) {
        ((float *)input_data[0])[i] = (float)check_range(&seed, -4000, 4000) / 1000;
        ((float *)input_data[1])[i] = (float)check_range(&seed, 1, 4000) / 1000;
    }
    for (size_t i = 0; i < sizeof input_data[2]; i++) {
        input_data[2][i] = (unsigned char)check_random(&seed);
        input_data[3][i] = (unsigned char)check_random(&seed);
    }
    for (int i = 0; i < 37; i++)
        channel_data[i] = (float)check_range(&seed, 200, 900) / 500;
    for (int i = 0; i < 2 * 37; i++)
        row_data[i] = (float)check_range(&seed, -900, 900) / 500;
}

static oct_operand add_input(build *b, octet_dtype dtype, int data)
{
    oct_operand t = harness_operand(&b->r, dtype, 4, b->dims, NULL, true);
    b->inputs[b->input_count++] = (harness_io){t.mem, input_data[data]};
    return t;
}

static oct_operand temp(build *b, octet_dtype dtype)
{
    oct_operand t = {.dtype = dtype, .rank = 4};
    memcpy(t.dims, b->dims, sizeof b->dims);
    t.mem = oct_recipe_temp(&b->r, (size_t)oct_operand_elems(&t) * oct_dtype_bytes(dtype));
    return t;
}

static oct_operand output(build *b, octet_dtype dtype, int which)
{
    oct_operand t = harness_output(&b->r, dtype, 4, b->dims);
    b->outputs[b->output_count] = (harness_io){t.mem, output_data[which][b->output_count]};
    b->output_count++;
    return t;
}

static oct_quant quant(build *b, int type, bool known)
{
    oct_quant q = harness_quant(&b->r, types[type], &scales[type], 1, zeros[type], 1);
    if (!known) { /* as where a launch makes them: the device alone knows */
        q.host_scale = NULL;
        q.host_zero = NULL;
    }
    return q;
}

static void keep(build *b, octet_status status, const oct_operand *y)
{
    b->status = b->status == OCTET_OK ? status : b->status;
    assert_in_range(b->count, 0, MAX_VALUES - 1);
    b->values[b->count++] = *y;
}

static oct_operand dequantized(build *b, int type, int data)
{
    oct_operand x = add_input(b, types[type], data), y = temp(b, OCTET_F32);
    oct_quant q = quant(b, type, type % 2);
    keep(b, oct_dequantize_op(&b->r, oct_device_caps(device), &x, &q, 0, &y), &y);
    return y;
}

static oct_operand binary(build *b, oct_float_op op, const oct_operand *a, const oct_operand *c)
{
    oct_operand y = temp(b, OCTET_F32);
    keep(b, oct_float_binary(&b->r, oct_device_caps(device), op, a, c, &y), &y);
    return y;
}

static oct_operand unary(build *b, const char *name, const oct_operand *x, float p, float q)
{
    oct_operand y = temp(b, OCTET_F32);
    keep(b,
         strcmp(name, "Clip") == 0 ? oct_float_unary(&b->r, oct_device_caps(device), "Clip", x, p, q, &y)
                                   : oct_float_unary(&b->r, oct_device_caps(device), name, x, p, q, &y),
         &y);
    return y;
}

static void quantized_output(build *b, const oct_operand *x, int type, bool known, int which)
{
    oct_operand y = output(b, types[type], which);
    oct_quant q = quant(b, type, known);
    octet_status status = oct_quantize_op(&b->r, oct_device_caps(device), x, &q, 0, &y);
    b->status = b->status == OCTET_OK ? status : b->status;
}

static void float_output(build *b, const oct_operand *x, int which)
{
    oct_operand y = output(b, OCTET_F32, which),
                zero = harness_operand(&b->r, OCTET_F32, 0, NULL, &numbers[0], false);
    octet_status status = oct_float_binary(&b->r, oct_device_caps(device), OCT_FLOAT_ADD, x, &zero, &y);
    b->status = b->status == OCTET_OK ? status : b->status;
}

/* What repeats: one number that the host knows or not, one a channel, one a channel of each image. */
static oct_operand small(build *b, int kind)
{
    static const int64_t one[4] = {1, 1, 1, 1};
    const int64_t rows[4] = {b->dims[0], 1, 1, b->dims[3]};
    float *number = &numbers[check_random(&b->seed) % 8];
    switch (kind) {
    case 0:
        return harness_operand(&b->r, OCTET_F32, 0, NULL, number, false);
    case 1: {
        oct_operand t = harness_operand(&b->r, OCTET_F32, 4, one, number, false);
        t.host = NULL;
        return t;
    }
    case 2:
        return harness_operand(&b->r, OCTET_F32, 1, &b->dims[3], channel_data, false);
    default:
        return harness_operand(&b->r, OCTET_F32, 4, rows, row_data, false);
    }
}

typedef void case_fn(build *b, int which);

/* As exporters write it, between conversions. */
static void hard_swish(build *b, int which)
{
    oct_operand x = dequantized(b, 2, 2), three = small(b, 0), six = small(b, 0);
    oct_operand sum = binary(b, OCT_FLOAT_ADD, &x, &three), kept = unary(b, "Clip", &sum, 0, 6);
    oct_operand times = binary(b, OCT_FLOAT_MUL, &x, &kept), y = binary(b, OCT_FLOAT_DIV, &times, &six);
    quantized_output(b, &y, 2, true, which);
}

/* Squeeze and excite: one 8-bit number a channel of each image, converted where it is used. */
static void gate(build *b, int which)
{
    const int64_t rows[4] = {b->dims[0], 1, 1, b->dims[3]};
    oct_operand x = dequantized(b, 2, 2), g = harness_operand(&b->r, OCTET_U8, 4, rows, NULL, true),
                gates = g;
    b->inputs[b->input_count++] = (harness_io){g.mem, input_data[3]};
    gates.dtype = OCTET_F32;
    gates.mem = oct_recipe_temp(&b->r, (size_t)oct_operand_elems(&g) * sizeof(float));
    oct_quant q = quant(b, 0, true);
    keep(b, oct_dequantize_op(&b->r, oct_device_caps(device), &g, &q, 0, &gates), &gates);
    oct_operand y = binary(b, OCT_FLOAT_MUL, &x, &gates);
    quantized_output(b, &y, 2, true, which);
}

/* A result that is read twice, one that is an output, more operators than one expression takes. */
static void long_row(build *b, int which)
{
    oct_operand x = add_input(b, OCTET_F32, 0), channels = small(b, 2);
    for (int i = 0; i < 20; i++)
        x = binary(b, i % 2 ? OCT_FLOAT_SUB : OCT_FLOAT_MAX, &x, &channels);
    oct_operand twice = unary(b, "Sigmoid", &x, 0, 0), y = binary(b, OCT_FLOAT_MUL, &twice, &twice);
    float_output(b, &y, which);
    float_output(b, &x, which);
}

/* More operands than there are slots. */
static void many_operands(build *b, int which)
{
    oct_operand x = add_input(b, OCTET_F32, 0);
    for (int i = 0; i < 9; i++) {
        oct_operand one = small(b, 1);
        x = binary(b, OCT_FLOAT_ADD, &x, &one);
    }
    oct_operand other = dequantized(b, 3, 3), y = binary(b, OCT_FLOAT_MUL, &x, &other);
    quantized_output(b, &y, 0, false, which);
}

/* Values of any earlier step, any operator. */
static void random_network(build *b, int which)
{
    static const char *const names[] = {"HardSigmoid", "LeakyRelu", "Clip", "Sigmoid", "Neg", "Abs"};
    int wanted = 4 + (int)(check_random(&b->seed) % 10);
    oct_operand first = add_input(b, OCTET_F32, 0), second = add_input(b, OCTET_F32, 1);
    keep(b, OCTET_OK, &first);
    keep(b, OCTET_OK, &second);
    (void)dequantized(b, (int)(check_random(&b->seed) % 4), 2);
    (void)dequantized(b, (int)(check_random(&b->seed) % 4), 3);
    for (int i = 0; i < wanted; i++) {
        bool recent = check_random(&b->seed) % 3 != 0;
        const oct_operand x =
            b->values[recent ? b->count - 1 : (int)(check_random(&b->seed) % (uint64_t)b->count)];
        uint32_t kind = check_random(&b->seed) % 8;
        if (kind < 2) {
            (void)unary(b, names[check_random(&b->seed) % 6], &x, 0.25f, 0.75f);
            continue;
        }
        oct_operand other =
            kind < 6 ? small(b, (int)kind - 2) : b->values[check_random(&b->seed) % (uint64_t)b->count];
        (void)binary(b, (oct_float_op)(check_random(&b->seed) % 6), &x, &other);
    }
    quantized_output(b, &b->values[b->count - 1], (int)(check_random(&b->seed) % 4),
                     check_random(&b->seed) % 2, which);
    float_output(b, &b->values[b->count / 2], which);
}

static int make(case_fn *fn, uint64_t seed, int64_t channels, int which, const char *what)
{
    build *b = calloc(1, sizeof *b);
    assert_non_null(b);
    b->seed = seed;
    memcpy(b->dims, (const int64_t[4]){2, 3, 5, channels}, sizeof b->dims);
    oct_recipe_init(&b->r);
    fn(b, which);
    if (which == 1 && b->status == OCTET_OK)
        b->status = oct_recipe_fuse(&b->r, oct_device_caps(device));
    int launches = b->r.launch_count;
    harness_run(&b->r, b->status, b->inputs, b->input_count, b->outputs, b->output_count, what);
    free(b);
    return launches;
}

static void fused_and_single_give_the_same(void **state)
{
    (void)state;
    static const struct {
        case_fn *fn;
        int64_t channels;
        int launches; /* at most, when fused; 0: any smaller number */
    } cases[] = {
        {hard_swish, 37, 1},     {hard_swish, 16, 1},    {long_row, 7, 6},       {many_operands, 16, 3},
        {gate, 37, 1},           {gate, 1, 1},           {random_network, 1, 0}, {random_network, 37, 0},
        {random_network, 16, 0}, {random_network, 8, 0},
    };
    for (size_t i = 0; i < check_cases(sizeof cases / sizeof *cases); i++) {
        char what[64];
        snprintf(what, sizeof what, "case %zu", i);
        fill_data(11 + i);
        memset(output_data, 0, sizeof output_data);
        int single = make(cases[i].fn, 40 + i, cases[i].channels, 0, what);
        int fused = make(cases[i].fn, 40 + i, cases[i].channels, 1, what);
        if (oct_device_caps(device)->weak_compiler)
            assert_int_equal(fused, single);
        else
            assert_true(fused < single && (!cases[i].launches || fused <= cases[i].launches));
        for (int o = 0; o < MAX_OUTPUTS; o++)
            harness_compare(output_data[1][o], output_data[0][o], sizeof output_data[0][o], what);
    }
}

/* Of constants alone: done once, and so left alone. */
static void constants_stay(void **state)
{
    (void)state;
    oct_recipe r;
    oct_recipe_init(&r);
    const int64_t n = 37;
    oct_operand a = harness_operand(&r, OCTET_F32, 1, &n, channel_data, false), x = a, y = a;
    for (int i = 0; i < 3; i++) {
        y.mem = oct_recipe_temp(&r, 37 * sizeof(float));
        y.host = NULL;
        CHECK_OK(oct_float_binary(&r, oct_device_caps(device), OCT_FLOAT_ADD, &x, &a, &y));
        x = y;
    }
    CHECK_OK(oct_recipe_fuse(&r, oct_device_caps(device)));
    assert_int_equal(r.launch_count, 3);
    oct_recipe_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fused_and_single_give_the_same),
        cmocka_unit_test(constants_stay),
    };
    return cmocka_run_group_tests(tests, open_device, close_device);
}
