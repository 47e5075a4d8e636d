/* The reference operators against values worked out by hand and against each other (a convolution is a
 * product over its windows); ONNX Runtime's bytes are in test_ref_golden.c. */
#include "ref.h"
#include "test_numbers.h"
#include <math.h>

static void gemm_by_hand(void **state)
{
    (void)state;
    /* [1 2 3; 4 5 6] - 1 times [1 0; 0 1; 2 2] - {0, 1}, bias {10, 20} */
    static const uint8_t a[] = {1, 2, 3, 99, 4, 5, 6, 99};
    static const int8_t b[] = {1, 0, 0, 1, 2, 2}, bt[] = {1, 0, 2, 0, 1, 2};
    static const int32_t bias[] = {10, 20}, want[] = {14, 22, 23, 22};
    static const uint8_t za = 1;
    static const int8_t zb[] = {0, 1};
    int32_t c[2 * 3] = {7, 7, 7, 7, 7, 7};
    oct_ref_gemm_params p = {.m = 2,
                             .n = 2,
                             .k = 3,
                             .batch = 1,
                             .lda = 4,
                             .ldb = 2,
                             .ldc = 3,
                             .a_dtype = OCTET_U8,
                             .b_dtype = OCTET_S8,
                             .c_dtype = OCTET_S32,
                             .a = a,
                             .b = b,
                             .c = c,
                             .bias = bias,
                             .a_q = {NULL, &za, 0, 1},
                             .b_q = {NULL, zb, 0, 2}};
    for (int transposed = 0; transposed < 2; transposed++) {
        p.transpose_b = transposed != 0;
        p.b = transposed ? bt : b;
        p.ldb = transposed ? 3 : 2;
        oct_ref_gemm(&p);
        assert_int_equal(c[0], want[0]);
        assert_int_equal(c[1], want[1]);
        assert_int_equal(c[2], 7); /* beyond the row */
        assert_int_equal(c[3], want[2]);
        assert_int_equal(c[4], want[3]);
        assert_int_equal(c[5], 7);
    }
    p.k = 0;
    oct_ref_gemm(&p);
    assert_int_equal(c[3], 10);
    p.m = 0;
    oct_ref_gemm(&p);
}

static void gemm_outputs(void **state)
{
    (void)state;
    static const int8_t a[] = {-128, 3}, b[] = {-128, 5};
    static const float sa[] = {0.5f, 2.0f}, sb = 0.25f, sc = 64.0f;
    static const int8_t zc = 100;
    float real[4];
    oct_ref_gemm_params p = {.m = 2,
                             .n = 2,
                             .k = 1,
                             .batch = 1,
                             .lda = 1,
                             .ldb = 2,
                             .ldc = 2,
                             .a_dtype = OCTET_S8,
                             .b_dtype = OCTET_S8,
                             .c_dtype = OCTET_F32,
                             .a = a,
                             .b = b,
                             .c = real,
                             .a_q = {sa, NULL, 2, 0},
                             .b_q = {&sb, NULL, 1, 0}};
    oct_ref_gemm(&p);
    assert_true(real[0] == 2048.0f && real[1] == -80.0f && real[2] == -192.0f && real[3] == 7.5f);
    int8_t q[4];
    p.c_dtype = OCTET_S8;
    p.c = q;
    p.a_q.scale_count = 1;
    p.c_q = (oct_ref_quant){&sc, &zc, 1, 1};
    p.clamp_min = 99;
    p.clamp_max = 120;
    oct_ref_gemm(&p); /* accumulators 16384, -640, -384, 15 times 2^-9: 32, -1.25, -0.75, 0.03 */
    assert_int_equal(q[0], 120);
    assert_int_equal(q[1], 99);
    assert_int_equal(q[2], 99);
    assert_int_equal(q[3], 100);
    /* A bias that leaves int32 wraps, as two's complement does. */
    static const int32_t bias[] = {INT32_MAX, INT32_MIN};
    int32_t wrapped[4];
    p.c_dtype = OCTET_S32;
    p.c = wrapped;
    p.bias = bias;
    oct_ref_gemm(&p);
    assert_int_equal(wrapped[0], INT32_MIN + 16383);
    assert_int_equal(wrapped[1], INT32_MAX - 639);
}

typedef struct conv_case {
    int64_t h, w, c, co, kh, kw, group, stride, dilation, pad;
    octet_dtype x_dtype, w_dtype;
} conv_case;

static const conv_case conv_cases[] = {
    {5, 4, 1, 1, 3, 3, 1, 1, 1, 0, OCTET_U8, OCTET_S8},  {5, 5, 3, 4, 3, 2, 1, 2, 1, 1, OCTET_U8, OCTET_U8},
    {7, 6, 4, 8, 3, 3, 4, 1, 2, 2, OCTET_S8, OCTET_S8},  {6, 6, 5, 5, 3, 3, 5, 1, 1, 1, OCTET_S8, OCTET_S8},
    {1, 1, 17, 9, 1, 1, 1, 1, 1, 0, OCTET_U8, OCTET_S8}, {3, 3, 6, 4, 5, 5, 2, 3, 1, 2, OCTET_S8, OCTET_U8},
};

/* One group's windows as rows, gathered with the zero point outside the input. Columns in the weights' order:
 * c, kh, kw. */
static void gather(const conv_case *s, const uint8_t *x, uint8_t zero, int64_t oh, int64_t ow, int64_t group,
                   uint8_t *rows)
{
    int64_t channels = s->c / s->group;
    for (int64_t pixel = 0; pixel < oh * ow; pixel++) {
        for (int64_t c = 0; c < channels; c++) {
            for (int64_t k = 0; k < s->kh * s->kw; k++) {
                int64_t h = pixel / ow * s->stride - s->pad + k / s->kw * s->dilation;
                int64_t w = pixel % ow * s->stride - s->pad + k % s->kw * s->dilation;
                bool inside = h >= 0 && h < s->h && w >= 0 && w < s->w;
                *rows++ = inside ? x[(h * s->w + w) * s->c + group * channels + c] : zero;
            }
        }
    }
}

static void one_conv(const conv_case *s)
{
    static uint8_t x[4096], weights[4096], rows[65536];
    static int32_t y[4096], product[4096], bias[64];
    uint64_t seed = 42;
    for (size_t i = 0; i < sizeof x; i++) {
        x[i] = (uint8_t)(next_random(&seed) >> 24);
        weights[i] = (uint8_t)(next_random(&seed) >> 24);
    }
    for (int i = 0; i < 64; i++)
        bias[i] = (int32_t)next_random(&seed) >> 16;
    int64_t oh = (s->h + 2 * s->pad - s->dilation * (s->kh - 1) - 1) / s->stride + 1;
    int64_t ow = (s->w + 2 * s->pad - s->dilation * (s->kw - 1) - 1) / s->stride + 1;
    uint8_t x_zero = 130, w_zero[64];
    memcpy(w_zero, weights, sizeof w_zero);
    oct_ref_conv_params p = {.g = {.n = 1,
                                   .h = s->h,
                                   .w = s->w,
                                   .c = s->c,
                                   .oh = oh,
                                   .ow = ow,
                                   .co = s->co,
                                   .kh = s->kh,
                                   .kw = s->kw,
                                   .group = s->group,
                                   .stride_h = s->stride,
                                   .stride_w = s->stride,
                                   .dilation_h = s->dilation,
                                   .dilation_w = s->dilation,
                                   .pad_top = s->pad,
                                   .pad_left = s->pad},
                             .x_dtype = s->x_dtype,
                             .w_dtype = s->w_dtype,
                             .y_dtype = OCTET_S32,
                             .x = x,
                             .weights = weights,
                             .y = y,
                             .bias = bias,
                             .x_q = {NULL, &x_zero, 0, 1},
                             .w_q = {NULL, w_zero, 0, s->co}};
    oct_ref_conv(&p);
    int64_t n = s->co / s->group, k = s->c / s->group * s->kh * s->kw;
    for (int64_t g = 0; g < s->group; g++) {
        gather(s, x, x_zero, oh, ow, g, rows);
        oct_ref_gemm_params q = {.m = oh * ow,
                                 .n = n,
                                 .k = k,
                                 .batch = 1,
                                 .lda = k,
                                 .ldb = k,
                                 .ldc = s->co,
                                 .transpose_b = true,
                                 .a_dtype = s->x_dtype,
                                 .b_dtype = s->w_dtype,
                                 .c_dtype = OCTET_S32,
                                 .a = rows,
                                 .b = weights + g * n * k,
                                 .c = product + g * n,
                                 .bias = bias + g * n,
                                 .a_q = {NULL, &x_zero, 0, 1},
                                 .b_q = {NULL, w_zero + g * n, 0, n > 1 ? n : 1}};
        oct_ref_gemm(&q);
    }
    assert_memory_equal(y, product, (size_t)(oh * ow * s->co) * sizeof y[0]);
}

static void conv_is_a_product(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(conv_cases); i++)
        one_conv(&conv_cases[i]);
}

static void pools_by_hand(void **state)
{
    (void)state;
    static const int8_t x[] = {-128, 1, 5, 7, -3, 127, 0, 2, 4}; /* 3 x 3, one channel */
    int8_t y[4];
    oct_ref_pool_params p = {.n = 1,
                             .h = 3,
                             .w = 3,
                             .c = 1,
                             .oh = 2,
                             .ow = 2,
                             .kh = 2,
                             .kw = 2,
                             .stride_h = 2,
                             .stride_w = 2,
                             .dilation_h = 1,
                             .dilation_w = 1,
                             .pad_top = 1,
                             .pad_left = 1,
                             .dtype = OCTET_S8,
                             .x_scale = 1.0f,
                             .y_scale = 1.0f,
                             .x_zero = 1,
                             .y_zero = 2};
    oct_ref_maxpool(&p, x, y);
    static const int8_t max[] = {-128, 5, 7, 127};
    assert_memory_equal(y, max, 4);
    oct_ref_qavgpool(
        &p, x, y); /* -129, (0 + 4) / 2, (6 - 1) / 2 = 2.5, (-4 + 126 + 1 + 3) / 4 = 31.5; + 2, then even */
    static const int8_t mean[] = {-127, 4, 4, 34};
    assert_memory_equal(y, mean, 4);
    p.count_include_pad = true; /* -129 / 4, 4 / 4, 5 / 4, 126 / 4 */
    oct_ref_qavgpool(&p, x, y);
    static const int8_t padded[] = {-30, 3, 3, 34};
    assert_memory_equal(y, padded, 4);
    int8_t one;
    oct_ref_qglobal_avgpool(OCTET_S8, 1, 9, 1, 1.0f, 1, 1.0f, 2, x, &one); /* 6 / 9 */
    assert_int_equal(one, 3);
}

static void add_order(void **state)
{
    (void)state;
    static const struct {
        oct_ref_broadcast shape;
        bool swapped;
    } cases[] = {
        {{2, {3, 4}, {3, 4}, {3, 4}}, false}, {{2, {3, 4}, {1, 1}, {3, 4}}, true},
        {{2, {3, 4}, {3, 1}, {3, 4}}, true},  {{2, {3, 4}, {1, 4}, {3, 4}}, false},
        {{2, {3, 4}, {3, 4}, {1, 1}}, false}, {{2, {3, 1}, {1, 1}, {3, 1}}, true},
        {{1, {1}, {1}, {1}}, false},          {{0, {0}, {0}, {0}}, false},
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_int_equal(oct_ref_qadd_swapped(&cases[i].shape), cases[i].swapped);
}

/* x in steps of a half from 10 on, ties to even; y as it is; where the condition is not 0 it is x. */
static void where_by_hand(void **state)
{
    (void)state;
    static const uint8_t c[] = {1, 1, 0, 255, 0};
    static const int8_t x[] = {13, 11, 99, -128, 99}, y[] = {99, 99, -128, 99, 7},
                        want[] = {-1, -3, -128, -72, 7};
    int8_t z[5];
    oct_ref_qwhere(&(oct_ref_qwhere_params){OCTET_S8, 0.5f, 1.0f, 1.0f, 10, -3, -3}, c, x, y, 5, z);
    for (int i = 0; i < 5; i++)
        assert_int_equal(z[i], want[i]);
}

static void softmax_by_hand(void **state)
{
    (void)state;
    static const int8_t x[] = {127, -128, 10, 10, -5, -5};
    int8_t y[6];
    oct_ref_softmax_params p = {3, 2, 1, OCTET_S8, 1.0f, 1.0f / 256.0f, -128};
    oct_ref_qsoftmax(&p, x, y); /* one takes all (256 saturates), then two halves */
    static const int8_t rows[] = {127, -128, 0, 0, 0, 0};
    assert_memory_equal(y, rows, 6);
    static const int8_t columns[] = {0, 127, 10, 10};
    oct_ref_softmax_params q = {1, 2, 2, OCTET_S8, 0.0f, 1.0f / 100.0f, 0};
    q.x_scale = 0.6931472f; /* each step of x halves: 1/1025 and 1024/1025; 1 and 2^-117 */
    oct_ref_qsoftmax(&q, columns, y);
    static const int8_t shares[] = {0, 100, 100, 0};
    assert_memory_equal(y, shares, 4);
}

static void moves(void **state)
{
    (void)state;
    static const int16_t x[] = {0, 1, 2, 3, 4, 5};
    static const int64_t dims[] = {1, 2, 3};
    static const int perm[] = {2, 0, 1};
    int16_t y[6];
    oct_ref_transpose(x, dims, 3, perm, sizeof x[0], y);
    static const int16_t want[] = {0, 3, 1, 4, 2, 5};
    assert_memory_equal(y, want, sizeof y);

    static const float reals[] = {-1.9f, 300.7f, NAN, INFINITY, -1e30f, 0.0f};
    int8_t bytes[6];
    oct_ref_cast(OCTET_F32, OCTET_S8, reals, 6, bytes);
    static const int8_t truncated[] = {-1, 127, 0, 127, -128, 0};
    assert_memory_equal(bytes, truncated, 6);
    oct_ref_cast(OCTET_F32, OCTET_BOOL, reals, 6, bytes);
    static const int8_t truth[] = {1, 1, 1, 1, 1, 0};
    assert_memory_equal(bytes, truth, 6);
    int64_t wide[6];
    oct_ref_cast(OCTET_F32, OCTET_S64, reals, 6, wide);
    assert_true(wide[1] == 300 && wide[3] == INT64_MAX && wide[4] == INT64_MIN);
    static const int64_t big[] = {-1, 256, (INT64_C(1) << 40) + 200};
    uint8_t low[3];
    oct_ref_cast(OCTET_S64, OCTET_U8, big, 3, low);
    assert_int_equal(low[0], 255);
    assert_int_equal(low[1], 0);
    assert_int_equal(low[2], 200);
}

static void floats(void **state)
{
    (void)state;
    static const float a[] = {1.0f, NAN, -2.0f}, b[] = {0.5f};
    const oct_ref_broadcast shape = {1, {3}, {3}, {1}};
    float y[3];
    oct_ref_float_binary(OCT_REF_MIN, &shape, a, b, y);
    assert_true(y[0] == 0.5f && isnan(y[1]) && y[2] == -2.0f);
    oct_ref_float_binary(OCT_REF_DIV, &shape, a, b, y);
    assert_true(y[0] == 2.0f && isnan(y[1]) && y[2] == -4.0f);
    static const float halves[] = {0.5f, 1.5f, -2.5f};
    oct_ref_round(halves, 3, y);
    assert_true(y[0] == 0.0f && y[1] == 2.0f && y[2] == -2.0f);
    oct_ref_clip_f32(a, 3, -1.0f, 0.75f, y);
    assert_true(y[0] == 0.75f && isnan(y[1]) && y[2] == -1.0f);
    oct_ref_reduce_minmax(true, halves, 1, 3, 1, y);
    assert_true(y[0] == 1.5f);
    oct_ref_reduce_minmax(false, halves, 1, 3, 1, y);
    assert_true(y[0] == -2.5f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gemm_by_hand),  cmocka_unit_test(gemm_outputs), cmocka_unit_test(conv_is_a_product),
        cmocka_unit_test(pools_by_hand), cmocka_unit_test(add_order),    cmocka_unit_test(softmax_by_hand),
        cmocka_unit_test(moves),         cmocka_unit_test(floats),       cmocka_unit_test(where_by_hand),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
