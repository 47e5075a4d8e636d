/* Float matrix products and convolutions (plain, grouped, depthwise, transposed) on the device against sums
 * in double. */
#include "float_product.h"
#include "harness.h"
#include "shapes/read_shapes.h"
#include "variants.h"

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
                                      .force.variant = variant};
        octet_status built = oct_float_matmul(&r, oct_device_caps(device), &q);
        harness_run(&r, built, (harness_io[]){{tx.mem, x}, {tw.mem, w}, {tb.mem, bias}}, 3,
                    &(harness_io){ty.mem, y}, 1, variant);
        compare(variant, i, ny);
    }
}

/* Every variant of the device. */
static void each_variant(const oct_family *f, void (*test)(const char *variant))
{
    const oct_caps *caps = oct_device_caps(device);
    size_t count = 0;
    for (const oct_variant *v; (v = oct_variant_at(f, caps, count)); count++)
        test(v->name);
    print_message("%zu variants\n", count);
    assert_int_equal(count, caps->clblast ? 2 : 1);
}

static void matmuls(void **state)
{
    (void)state;
    each_variant(&oct_float_matmul_family, matmuls_by);
}

/* [n][h][w][c] -> [n][oh][ow][co]; every pair of an input and an output that a tap joins. */
static void reference(const oct_float_conv_request *q, bool has_bias)
{
    const oct_geometry *g = &q->g;
    int64_t gci = g->c / g->group, gco = g->co / g->group;
    for (int64_t at = 0; at < g->n * g->oh * g->ow * g->co; at++) {
        int64_t co = at % g->co, ox = at / g->co % g->ow, oy = at / g->co / g->ow % g->oh,
                n = at / g->co / g->ow / g->oh;
        double sum = has_bias ? (double)bias[co] : 0.0;
        for (int64_t ci = 0; ci < gci; ci++) {
            for (int64_t tap = 0; tap < g->kh * g->kw; tap++) {
                int64_t ky = tap / g->kw, kx = tap % g->kw, c = co / gco * gci + ci;
                for (int64_t iy = 0; iy < g->h; iy++) {
                    for (int64_t ix = 0; ix < g->w; ix++) {
                        bool joined = q->transposed
                                          ? iy * g->stride_h + ky * g->dilation_h - g->pad_top == oy &&
                                                ix * g->stride_w + kx * g->dilation_w - g->pad_left == ox
                                          : oy * g->stride_h + ky * g->dilation_h - g->pad_top == iy &&
                                                ox * g->stride_w + kx * g->dilation_w - g->pad_left == ix;
                        int64_t wi = q->transposed ? (c * gco + co % gco) : (co * gci + ci);
                        if (joined)
                            sum += (double)x[((n * g->h + iy) * g->w + ix) * g->c + c] *
                                   (double)w[wi * g->kh * g->kw + tap];
                    }
                }
            }
        }
        want[at] = (float)sum;
    }
}

static void convolutions_by(const char *variant)
{
    shape_list straight, transposed;
    read_shapes("conv_float.txt", &straight);
    read_shapes("conv_transposed.txt", &transposed);
    for (int i = 0; i < (int)(straight.count + transposed.count); i++) {
        int behind = i - (int)straight.count;
        oct_float_conv_request q = {.g = behind < 0 ? straight.at[i].g : transposed.at[behind].g,
                                    .transposed = behind >= 0,
                                    .force.variant = variant};
        int64_t nx = q.g.n * q.g.h * q.g.w * q.g.c, nw = q.g.co * q.g.c / q.g.group * q.g.kh * q.g.kw,
                ny = q.g.n * q.g.oh * q.g.ow * q.g.co;
        fill(x, nx, 5);
        fill(w, nw, 6);
        fill(bias, q.g.co, 7);
        bool has_bias = i % 2 == 0;
        reference(&q, has_bias);
        oct_recipe r;
        oct_recipe_init(&r);
        q.x = harness_operand(&r, OCTET_F32, 1, &nx, x, true);
        q.weights = harness_operand(&r, OCTET_F32, 1, &nw, w, true);
        oct_operand tb = harness_operand(&r, OCTET_F32, 1, &q.g.co, bias, true);
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
    each_variant(&oct_float_conv_family, convolutions_by);
}

/* Libraries are for large products on GPUs. */
static void selection(void **state)
{
    (void)state;
    static const struct {
        bool gpu, clblast;
        int64_t m, size;
        const char *name;
    } cases[] = {{false, false, 512, 512, "plain"},
                 {true, false, 512, 512, "plain"},
                 {true, true, 512, 512, "clblast"},
                 {true, true, 1, 64, "plain"},
                 {false, true, 512, 512, "plain"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        oct_caps caps = {.any_device = true, .prefers_tiles = cases[i].gpu, .clblast = cases[i].clblast};
        const int64_t size = cases[i].size;
        oct_float_matmul_request q = {.m = cases[i].m, .n = size, .k = size, .batch = 1};
        oct_float_conv_request c = {
            .g = {.n = 1, .oh = cases[i].m, .ow = 1, .co = size, .kh = 1, .kw = 1, .c = size, .group = 1}};
        assert_string_equal(selected(&oct_float_matmul_family, &caps, &q), cases[i].name);
        assert_string_equal(selected(&oct_float_conv_family, &caps, &c), cases[i].name);
    }
}

static void unknown_variants_are_refused(void **state)
{
    (void)state;
    oct_recipe r;
    oct_recipe_init(&r);
    oct_float_matmul_request q = {
        .m = 1, .n = 1, .k = 1, .batch = 1, .c = OCT_MEM_NONE, .force.variant = "nothing"};
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
