/* The reference operators against ONNX Runtime's bytes, stored as hashes: golden_numerics.h, which
 * tests/oracle/golden.py makes and checks. The inputs are made again here from the seed of each row. */
#include "dtype.h"
#include "hash.h"
#include "ref.h"
#include "test_numbers.h"

typedef struct golden {
    const char *op;
    octet_dtype dtype;
    float sa, sb, sy; /* sb: alpha of LeakyRelu */
    int32_t za, zb, zy;
    int32_t shape[9];
    uint64_t seed, hash;
} golden;

static const golden rows[] = {
#include "golden_numerics.h"
};

static uint8_t in[1 << 16], other[1 << 16], out[1 << 16];
static float floats[4096];

static void fill(uint8_t *bytes, size_t n, uint64_t seed)
{
    for (size_t i = 0; i < n; i++)
        bytes[i] = (uint8_t)(next_random(&seed) >> 24);
}

static size_t binary(const golden *g, bool scalar,
                     void (*op)(const oct_ref_qbinary_params *, const void *, const void *, void *))
{
    size_t n = scalar ? 256 : 65536;
    for (size_t i = 0; i < n; i++) {
        in[i] = (uint8_t)(scalar ? g->shape[0] : (int32_t)i);
        other[i] = (uint8_t)(scalar ? i : i >> 8);
    }
    oct_ref_qbinary_params p = {.shape = {.rank = 1,
                                          .dims = {(int64_t)n},
                                          .a_dims = {scalar ? 1 : (int64_t)n},
                                          .b_dims = {(int64_t)n}},
                                .dtype = g->dtype,
                                .a_scale = g->sa,
                                .b_scale = g->sb,
                                .y_scale = g->sy,
                                .a_zero = g->za,
                                .b_zero = g->zb,
                                .y_zero = g->zy,
                                .clamp_min = oct_dtype_min(g->dtype),
                                .clamp_max = oct_dtype_max(g->dtype)};
    p.swapped = oct_ref_qadd_swapped(&p.shape);
    op(&p, in, other, out);
    return n;
}

static size_t add(const golden *g)
{
    return binary(g, false, oct_ref_qadd);
}

static size_t add_scalar(const golden *g)
{
    return binary(g, true, oct_ref_qadd);
}

static size_t mul(const golden *g)
{
    return binary(g, false, oct_ref_qmul);
}

static oct_lut_params lut(const golden *g)
{
    return (oct_lut_params){g->dtype, g->dtype, g->sa, g->sy, g->za, g->zy};
}

static size_t sigmoid(const golden *g)
{
    oct_lut_params p = lut(g);
    oct_lut_sigmoid(&p, out);
    return 256;
}

static size_t leaky_relu(const golden *g)
{
    oct_lut_params p = lut(g);
    oct_lut_leaky_relu(&p, g->sb, out);
    return 256;
}

static size_t concat(const golden *g)
{
    for (size_t i = 0; i < 256; i++)
        in[i] = (uint8_t)i;
    oct_ref_concat_input input = {in, 256, g->sa, g->za};
    oct_ref_qconcat(g->dtype, &input, 1, 1, 1, g->sy, g->zy, out);
    return 256;
}

static size_t average_pool(const golden *g)
{
    const int32_t *s = g->shape;
    fill(in, (size_t)(s[0] * s[1] * s[2]), g->seed);
    int64_t pad = s[3] > 1;
    oct_ref_pool_params p = {.n = 1,
                             .h = s[0],
                             .w = s[1],
                             .c = s[2],
                             .kh = s[3],
                             .kw = s[4],
                             .oh = s[7],
                             .ow = s[8],
                             .stride_h = s[5],
                             .stride_w = s[5],
                             .dilation_h = 1,
                             .dilation_w = 1,
                             .pad_top = pad,
                             .pad_left = 1,
                             .pad_bottom = pad,
                             .pad_right = 1,
                             .count_include_pad = s[6] != 0,
                             .dtype = g->dtype,
                             .x_scale = g->sa,
                             .y_scale = g->sy,
                             .x_zero = g->za,
                             .y_zero = g->zy};
    oct_ref_qavgpool(&p, in, out);
    return (size_t)(s[7] * s[8] * s[2]);
}

static size_t global_pool(const golden *g)
{
    fill(in, (size_t)(g->shape[0] * g->shape[1]), g->seed);
    oct_ref_qglobal_avgpool(g->dtype, 1, g->shape[0], g->shape[1], g->sa, g->za, g->sy, g->zy, in, out);
    return (size_t)g->shape[1];
}

static size_t softmax(const golden *g)
{
    size_t n = (size_t)(g->shape[0] * g->shape[1]);
    fill(in, n, g->seed);
    oct_ref_softmax_params p = {g->shape[0], g->shape[1], 1, g->dtype, g->sa, g->sy, g->zy};
    oct_ref_qsoftmax(&p, in, out);
    return n;
}

static size_t matmul(const golden *g)
{
    int64_t m = g->shape[0], k = g->shape[1], n = g->shape[2];
    fill(in, (size_t)(m * k), g->seed);
    fill(other, (size_t)(k * n), g->seed + 1);
    uint8_t zeros[3] = {(uint8_t)g->za, (uint8_t)g->zb, (uint8_t)g->zy};
    oct_ref_gemm_params p = {.m = m,
                             .n = n,
                             .k = k,
                             .batch = 1,
                             .lda = k,
                             .ldb = n,
                             .ldc = n,
                             .a_dtype = g->dtype,
                             .b_dtype = g->dtype,
                             .c_dtype = g->dtype,
                             .a = in,
                             .b = other,
                             .c = out,
                             .a_q = {&g->sa, &zeros[0], 1, 1},
                             .b_q = {&g->sb, &zeros[1], 1, 1},
                             .c_q = {&g->sy, &zeros[2], 1, 1},
                             .clamp_min = oct_dtype_min(g->dtype),
                             .clamp_max = oct_dtype_max(g->dtype)};
    oct_ref_gemm(&p);
    return (size_t)(m * n);
}

static void fill_floats(const golden *g)
{
    uint64_t seed = g->seed;
    for (int32_t i = 0; i < g->shape[0]; i++)
        floats[i] = (float)((int32_t)(next_random(&seed) >> 22) - 512) * 0.5f * g->sa;
}

static size_t quantize(const golden *g)
{
    fill_floats(g);
    uint8_t zero = (uint8_t)g->za;
    oct_ref_quantize_params p = {1, 1, g->shape[0], g->dtype, {&g->sa, &zero, 1, 1}};
    oct_ref_quantize(&p, floats, out);
    return (size_t)g->shape[0];
}

static size_t dynamic_quantize(const golden *g)
{
    float scale;
    uint8_t zero;
    fill_floats(g);
    oct_ref_dynamic_quantize(floats, g->shape[0], out, &scale, &zero);
    assert_true(scale == g->sy);
    assert_int_equal(zero, g->zy);
    return (size_t)g->shape[0];
}

static const struct {
    const char *op;
    size_t (*run)(const golden *); /* writes `out`, returns its length */
} operators[] = {
    {"QLinearAdd", add},
    {"QLinearAdd a scalar", add_scalar},
    {"QLinearMul", mul},
    {"QLinearSigmoid", sigmoid},
    {"QLinearLeakyRelu", leaky_relu},
    {"QLinearConcat", concat},
    {"QLinearAveragePool", average_pool},
    {"QLinearGlobalAveragePool", global_pool},
    {"QLinearSoftmax", softmax},
    {"QLinearMatMul", matmul},
    {"QuantizeLinear", quantize},
    {"DynamicQuantizeLinear", dynamic_quantize},
};

static void every_row(void **state)
{
    (void)state;
    size_t ran[COUNT(operators)] = {0};
    for (size_t i = 0; i < COUNT(rows); i++) {
        size_t op = 0;
        while (op < COUNT(operators) && strcmp(operators[op].op, rows[i].op) != 0)
            op++;
        assert_true(op < COUNT(operators));
        size_t n = operators[op].run(&rows[i]);
        if (oct_hash(OCT_HASH_START, out, n) != rows[i].hash)
            fail_msg("row %zu: %s, %s, scales %a %a %a, zero points %d %d %d, seed %llu", i, rows[i].op,
                     oct_dtype_name(rows[i].dtype), (double)rows[i].sa, (double)rows[i].sb,
                     (double)rows[i].sy, rows[i].za, rows[i].zb, rows[i].zy,
                     (unsigned long long)rows[i].seed);
        ran[op]++;
    }
    for (size_t op = 0; op < COUNT(operators); op++)
        assert_true(ran[op] >= 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_row)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
