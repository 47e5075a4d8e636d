/* Float matrix products and convolutions (plain, grouped, depthwise, transposed) on the device against sums
 * in double. */
#include "float_product.h"
#include "harness.h"

#include <math.h>

enum { MOST = 1 << 16 };
static float x[MOST], w[MOST], bias[256], y[MOST], want[MOST];

static void fill(float *to, int64_t n, uint64_t seed)
{
    assert_true(n <= MOST);
    for (int64_t i = 0; i < n; i++)
        to[i] = (float)(check_random(&seed) % 2001) / 1000.0f - 1.0f;
}

static void compare(const char *what, int index, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        if (!(fabsf(y[i] - want[i]) <= 1e-4f)) {
            print_error("%s %d: y[%lld] is %.9g, not %.9g\n", what, index, (long long)i, (double)y[i],
                        (double)want[i]);
            fail();
        }
    }
}

static void matmuls_by(const char *variant)
{
    static const int64_t sizes[][4] = {{1, 1, 1, 1},    {3, 5, 7, 1},    {4, 16, 9, 2},  {5, 33, 64, 3},
                                       {1, 100, 50, 1}, {67, 129, 7, 1}, {130, 1, 65, 2}};
    for (int i = 0; i < (int)(sizeof sizes / sizeof sizes[0]); i++) {
        int64_t m = sizes[i][0], n = sizes[i][1], k = sizes[i][2], batch = sizes[i][3];
        int64_t na = batch * m * k, nb = k * n, ny = batch * m * n;
        fill(x, na, 1);
        fill(w, nb, 2);
        fill(bias, n, 3);
        for (int64_t at = 0; at < ny; at++) {
            double sum = 0.0;
            for (int64_t p = 0; p < k; p++)
                sum += (double)x[at / n * k + p] * (double)w[p * n + at % n];
            want[at] = (float)(0.5 * sum + 2.0 * (double)bias[at % n]);
        }
        oct_recipe r;
        oct_recipe_init(&r);
        oct_operand tx = harness_operand(&r, OCTET_F32, 1, &na, x, true),
                    tw = harness_operand(&r, OCTET_F32, 1, &nb, w, true),
                    tb = harness_operand(&r, OCTET_F32, 1, &n, bias, true),
                    ty = harness_output(&r, OCTET_F32, 1, &ny);
        oct_float_matmul_request q = {.m = m,
                                      .n = n,
                                      .k = k,
                                      .batch = batch,
                                      .a_stride = m * k,
                                      .a = tx.mem,
                                      .b = tw.mem,
                                      .y = ty.mem,
                                      .alpha = 0.5f,
                                      .beta = 2.0f,
                                      .c = tb.mem,
                                      .c_column = 1,
                                      .variant = variant};
        octet_status built = oct_float_matmul(&r, oct_device_caps(device), &q);
        harness_run(&r, built, (harness_io[]){{tx.mem, x}, {tw.mem, w}, {tb.mem, bias}}, 3,
                    &(harness_io){ty.mem, y}, 1, variant);
        compare(variant, i, ny);
    }
}

/* Every variant of the device; how many. */
static int each_variant(void (*test)(const char *variant))
{
    int count = 0;
    for (const char *name; (name = oct_float_variant_name(oct_device_caps(device), (size_t)count)); count++)
        test(name);
    print_message("%d variants\n", count);
    return count;
}

static void matmuls(void **state)
{
    (void)state;
    assert_in_range(each_variant(matmuls_by), 1, 2);
}

/* [n][h][w][c] -> [n][oh][ow][co]; every pair of an input and an output that a tap joins. */
static void reference(const oct_float_conv_request *q, bool has_bias)
{
    int64_t gci = q->c / q->group, gco = q->co / q->group;
    for (int64_t at = 0; at < q->n * q->oh * q->ow * q->co; at++) {
        int64_t co = at % q->co, ox = at / q->co % q->ow, oy = at / q->co / q->ow % q->oh,
                n = at / q->co / q->ow / q->oh;
        double sum = has_bias ? (double)bias[co] : 0.0;
        for (int64_t ci = 0; ci < gci; ci++) {
            for (int64_t tap = 0; tap < q->kh * q->kw; tap++) {
                int64_t ky = tap / q->kw, kx = tap % q->kw, c = co / gco * gci + ci;
                for (int64_t iy = 0; iy < q->h; iy++) {
                    for (int64_t ix = 0; ix < q->w; ix++) {
                        bool joined = q->transposed
                                          ? iy * q->stride_h + ky * q->dilation_h - q->pad_top == oy &&
                                                ix * q->stride_w + kx * q->dilation_w - q->pad_left == ox
                                          : oy * q->stride_h + ky * q->dilation_h - q->pad_top == iy &&
                                                ox * q->stride_w + kx * q->dilation_w - q->pad_left == ix;
                        int64_t wi = q->transposed ? (c * gco + co % gco) : (co * gci + ci);
                        if (joined)
                            sum += (double)x[((n * q->h + iy) * q->w + ix) * q->c + c] *
                                   (double)w[wi * q->kh * q->kw + tap];
                    }
                }
            }
        }
        want[at] = (float)sum;
    }
}

static void convolutions_by(const char *variant)
{
    /* n h w c oh ow co kh kw group stride dilation pad transposed */
    static const int cases[][14] = {
        {1, 5, 5, 3, 5, 5, 4, 3, 3, 1, 1, 1, 1, 0},  {2, 7, 6, 5, 3, 3, 17, 3, 2, 1, 2, 1, 1, 0},
        {1, 6, 6, 8, 6, 6, 8, 3, 3, 8, 1, 1, 1, 0},  {1, 9, 9, 20, 5, 5, 20, 3, 3, 20, 2, 1, 1, 0},
        {1, 6, 6, 8, 2, 2, 12, 3, 3, 4, 1, 2, 0, 0}, {1, 4, 4, 6, 4, 4, 40, 1, 1, 1, 1, 1, 0, 0},
        {1, 4, 5, 3, 8, 10, 4, 2, 2, 1, 2, 1, 0, 1}, {2, 4, 4, 6, 7, 7, 17, 3, 3, 1, 2, 1, 1, 1},
        {1, 5, 5, 4, 7, 7, 8, 3, 3, 2, 1, 1, 0, 1},  {1, 3, 3, 2, 7, 7, 3, 3, 3, 1, 1, 2, 0, 1},
    };
    enum { CASES = sizeof cases / sizeof cases[0] };
    for (int i = 0; i < CASES; i++) {
        const int *p = cases[i];
        oct_float_conv_request q = {.transposed = p[13],
                                    .n = p[0],
                                    .h = p[1],
                                    .w = p[2],
                                    .c = p[3],
                                    .oh = p[4],
                                    .ow = p[5],
                                    .co = p[6],
                                    .kh = p[7],
                                    .kw = p[8],
                                    .group = p[9],
                                    .stride_h = p[10],
                                    .stride_w = p[10],
                                    .dilation_h = p[11],
                                    .dilation_w = p[11],
                                    .pad_top = p[12],
                                    .pad_left = p[12],
                                    .variant = variant};
        int64_t nx = q.n * q.h * q.w * q.c, nw = q.co * q.c / q.group * q.kh * q.kw,
                ny = q.n * q.oh * q.ow * q.co;
        fill(x, nx, 5);
        fill(w, nw, 6);
        fill(bias, q.co, 7);
        bool has_bias = i % 2 == 0;
        reference(&q, has_bias);
        oct_recipe r;
        oct_recipe_init(&r);
        q.x = harness_operand(&r, OCTET_F32, 1, &nx, x, true);
        q.weights = harness_operand(&r, OCTET_F32, 1, &nw, w, true);
        oct_operand tb = harness_operand(&r, OCTET_F32, 1, &q.co, bias, true);
        q.bias = has_bias ? tb.mem : OCT_MEM_NONE;
        q.y = harness_output(&r, OCTET_F32, 1, &ny);
        octet_status built = oct_float_conv(&r, oct_device_caps(device), &q);
        harness_run(&r, built, (harness_io[]){{q.x.mem, x}, {q.weights.mem, w}, {tb.mem, bias}},
                    has_bias ? 3 : 2, &(harness_io){q.y.mem, y}, 1, variant);
        compare(variant, i, ny);
    }
}

static void convolutions(void **state)
{
    (void)state;
    assert_in_range(each_variant(convolutions_by), 1, 2);
}

/* Libraries are for large products on GPUs. */
static void selection(void **state)
{
    (void)state;
    oct_caps caps = {.any_device = true};
    assert_string_equal(oct_float_select(&caps, 512, 512, 512), "plain");
    caps.prefers_tiles = true;
    assert_string_equal(oct_float_select(&caps, 512, 512, 512), "plain");
    caps.clblast = true;
    assert_string_equal(oct_float_select(&caps, 512, 512, 512), "clblast");
    assert_string_equal(oct_float_select(&caps, 1, 64, 64), "plain");
    caps.prefers_tiles = false;
    assert_string_equal(oct_float_select(&caps, 512, 512, 512), "plain");
}

static void unknown_variants_are_refused(void **state)
{
    (void)state;
    oct_recipe r;
    oct_recipe_init(&r);
    oct_float_matmul_request q = {
        .m = 1, .n = 1, .k = 1, .batch = 1, .c = OCT_MEM_NONE, .variant = "nothing"};
    assert_int_equal(oct_float_matmul(&r, oct_device_caps(device), &q), OCTET_UNSUPPORTED);
    oct_recipe_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(matmuls), cmocka_unit_test(convolutions),
                                       cmocka_unit_test(selection),
                                       cmocka_unit_test(unknown_variants_are_refused)};
    return cmocka_run_group_tests(tests, open_device, close_device);
}
