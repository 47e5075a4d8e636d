/* Products that take or make 16-bit activations, against src/ref, whose sums are of 64 bits: every pair of
 * types that may meet, extreme data, zero points of both sides and clamps; the variant that is chosen, and
 * each that the device has. */
#include "conv.h"
#include "gemm.h"
#include "harness.h"
#include "ref.h"
#include "shapes/read_shapes.h"

#include <string.h>

static const struct {
    octet_dtype x, y;
} types[] = {
    {OCTET_U16, OCTET_U16}, {OCTET_S16, OCTET_S16}, {OCTET_U16, OCTET_U8},  {OCTET_S16, OCTET_S8},
    {OCTET_U8, OCTET_U16},  {OCTET_S8, OCTET_S16},  {OCTET_U16, OCTET_F32},
};
enum { TYPES = sizeof types / sizeof types[0], MOST = 40000, CHANNELS = 80 };

static unsigned char x[2 * MOST], w[MOST], y[4 * MOST + 16], want[4 * MOST + 16];
static int32_t bias[CHANNELS];
static float w_scale[CHANNELS];
static unsigned char w_zero[CHANNELS];

/* The parameters that both kinds of product have. */
typedef struct scene {
    octet_dtype x, y, w;
    float x_scale, y_scale;
    int32_t x_zero, y_zero; /* little-endian: its first bytes are those of the smaller types */
    int32_t lo, hi;
    int64_t w_zeros;
    bool is_float, per_channel, has_bias, clamps, alike;
    uint64_t s;
} scene;

/* Of any value, of the two extremes, or, `alike`, of one of them: sums that int32 does not hold. */
static void fill(uint64_t *s, octet_dtype t, bool alike, unsigned char *to, size_t elems)
{
    const int64_t lo = oct_dtype_min(t), hi = oct_dtype_max(t), all = check_random(s) & 1 ? lo : hi;
    const bool extreme = check_random(s) % 3 == 0;
    for (size_t i = 0; i < elems; i++) {
        int64_t v = alike ? all : extreme ? (check_random(s) & 1 ? lo : hi) : check_range(s, lo, hi);
        oct_ref_store(t, to, (int64_t)i, (int32_t)v);
    }
}

static int32_t zero_of(uint64_t *s, octet_dtype t)
{
    const int32_t some[] = {oct_dtype_min(t), oct_dtype_max(t), 0, 77};
    return some[check_random(s) % 4];
}

static scene make(size_t type, uint64_t seed, int64_t terms, int64_t channels)
{
    scene c = {.x = types[type].x, .y = types[type].y, .s = seed};
    c.is_float = c.y == OCTET_F32;
    c.x_zero = zero_of(&c.s, c.x);
    c.y_zero = c.is_float ? 0 : zero_of(&c.s, c.y);
    c.x_scale = check_scale(&c.s);
    c.per_channel = check_random(&c.s) & 1;
    c.w = check_random(&c.s) & 1 ? OCTET_U8 : OCTET_S8;
    c.w_zeros = c.w == OCTET_S8 ? 0 : check_random(&c.s) & 1 ? channels : 1;
    c.has_bias = check_random(&c.s) & 1;
    c.alike = check_random(&c.s) % 3 == 0;
    c.clamps = !c.is_float && check_random(&c.s) % 3 == 0;
    c.lo = c.is_float ? 0 : c.clamps ? 20 : oct_dtype_min(c.y);
    c.hi = c.is_float ? 0 : c.clamps ? 101 : oct_dtype_max(c.y);
    for (int i = 0; i < CHANNELS; i++) {
        w_scale[i] = check_scale(&c.s);
        w_zero[i] = (unsigned char)(check_random(&c.s) & 1 ? 255 : check_random(&c.s));
        bias[i] = (int32_t)check_range(&c.s, -2000000000, 2000000000);
    }
    /* So that results spread over the range. */
    double reach = (oct_dtype_bytes(c.x) == 2 ? 65535.0 : 255.0) * 127.0 * (double)terms / 3.0;
    double levels = c.is_float ? 1.0 : (double)oct_dtype_max(c.y) - (double)oct_dtype_min(c.y);
    c.y_scale = (float)((double)c.x_scale * (double)w_scale[0] * reach / levels);
    return c;
}

static void run(const scene *c, oct_recipe *r, octet_status built, oct_mem mx, oct_mem my, size_t elems,
                const char *what)
{
    size_t bytes = elems * oct_dtype_bytes(c->y);
    memset(y, GUARD, bytes + 16);
    harness_run(r, built, &(harness_io){mx, x}, 1, &(harness_io){my, y}, 1, what);
    harness_compare(y, want, bytes + 16, what);
}

/* Variants that take 16 bits as they are meet every third shape (OCTET_TEST_LONG: all), others, which make
 * the two sums of 8-bit parts, one; those for GPUs have been through test_conv and test_gemm with such sums.
 */
static bool takes(const oct_variant *v, size_t index, size_t shape)
{
    if (v->form == OCT_U8S8)
        return (shape + index) % 3 == 0 || getenv("OCTET_TEST_LONG");
    return shape == 1 && !v->tile.bm;
}

static shape_list convs;

static void conv_case(size_t i, size_t t, const char *variant)
{
    const oct_geometry *g = &convs.at[i].g;
    const int64_t terms = g->c / g->group * g->kh * g->kw;
    oct_conv_request q = {.g = *g, .x_dtype = types[t].x, .y_dtype = types[t].y};
    scene c = make(t, 1 + i * 31 + t * 1009, terms, g->co);
    size_t nx = (size_t)(g->n * g->h * g->w * g->c), nw = (size_t)(g->co * terms),
           ny = (size_t)(oct_geometry_pixels(g) * g->co);
    assert_true(nx <= MOST && nw <= MOST && ny <= MOST);
    fill(&c.s, c.x, c.alike, x, nx);
    fill(&c.s, c.w, c.alike, w, nw);
    memset(want, GUARD, sizeof want);
    int64_t scales = c.per_channel ? g->co : 1;
    oct_ref_conv(&(oct_ref_conv_params){.g = q.g,
                                        .x_dtype = c.x,
                                        .w_dtype = c.w,
                                        .y_dtype = c.y,
                                        .x = x,
                                        .weights = w,
                                        .y = want,
                                        .bias = c.has_bias ? bias : NULL,
                                        .x_q = {&c.x_scale, &c.x_zero, 1, 1},
                                        .w_q = {w_scale, c.w_zeros ? w_zero : NULL, scales, c.w_zeros},
                                        .y_q = {&c.y_scale, &c.y_zero, 1, 1},
                                        .clamp_min = c.lo,
                                        .clamp_max = c.hi});
    oct_recipe r;
    oct_recipe_init(&r);
    if ((i + t) % 2) { /* packed in slices, made in several launches */
        r.slice_bytes = 500;
        r.piece_bytes = 3000;
    }
    oct_operand tx = harness_operand(&r, c.x, 4, (int64_t[]){g->n, g->h, g->w, g->c}, x, true);
    oct_operand ty = harness_output(&r, c.y, 4, (int64_t[]){g->n, g->oh, g->ow, g->co});
    q.w_dtype = c.w;
    q.x = tx.mem;
    q.weights = oct_recipe_const(&r, w, nw);
    q.y = ty.mem;
    q.bias = c.has_bias ? oct_recipe_const(&r, bias, (size_t)g->co * 4) : OCT_MEM_NONE;
    q.x_q = harness_quant(&r, c.x, &c.x_scale, 1, &c.x_zero, 1);
    q.w_q = harness_quant(&r, c.w, w_scale, scales, w_zero, c.w_zeros);
    q.y_q = harness_quant(&r, c.y, &c.y_scale, 1, &c.y_zero, 1);
    q.clamp_min = c.lo;
    q.clamp_max = c.hi;
    q.force.variant = variant;

    char what[160];
    snprintf(what, sizeof what, "convolution %zu, %s x %s to %s, %s", i, oct_dtype_name(c.x),
             oct_dtype_name(c.w), oct_dtype_name(c.y), variant ? variant : "as chosen");
    run(&c, &r, oct_conv(&r, oct_device_caps(device), &q), tx.mem, ty.mem, ny, what);
}

/* Each pair of types is kernels to compile: on an ordinary day every third with a shape. OCTET_TEST_LONG:
 * all. */
static bool meets(size_t shape, size_t t)
{
    return (shape + t) % 3 == 0 || getenv("OCTET_TEST_LONG");
}

static void convolutions(void **state)
{
    (void)state;
    const oct_caps *caps = oct_device_caps(device);
    size_t cases = 0;
    read_shapes("conv_wide.txt", &convs);
    for (size_t i = 0; i < convs.count; i++) {
        for (size_t t = 0; t < TYPES; t++) {
            if (types[t].y == OCTET_F32 || !meets(i, t))
                continue; /* a convolution's result is an integer */
            conv_case(i, t, NULL);
            cases++;
        }
        const oct_variant *variant;
        for (size_t v = 0; (variant = oct_variant_at(&oct_conv_family, caps, v)); v++) {
            size_t t = (i + v) % 2;
            oct_conv_request q = {.g = convs.at[i].g};
            if (takes(variant, v, i) && oct_variant_find(&oct_conv_family, caps, &q, variant->name))
                conv_case(i, t, variant->name);
        }
    }
    assert_int_equal(cases, getenv("OCTET_TEST_LONG") ? 54 : 18);
}

static const int64_t gemms[][4] = {
    {1, 1, 1, 1}, {3, 17, 33, 1}, {20, 40, 64, 1}, {5, 16, 9, 3}, {7, 70, 571, 1}};
enum { GEMMS = sizeof gemms / sizeof gemms[0] };

static void gemm_case(size_t i, size_t t, const char *variant)
{
    int64_t m = gemms[i][0], n = gemms[i][1], k = gemms[i][2], batch = gemms[i][3];
    scene c = make(t, 3 + i * 37 + t * 2003, k, n);
    size_t nx = (size_t)(batch * m * k), nw = (size_t)(batch * k * n), ny = (size_t)(batch * m * n);
    fill(&c.s, c.x, c.alike, x, nx);
    fill(&c.s, c.w, c.alike, w, nw);
    memset(want, GUARD, sizeof want);
    int64_t scales = c.per_channel ? n : 1, strided = batch > 1;
    oct_ref_gemm(&(oct_ref_gemm_params){.m = m,
                                        .n = n,
                                        .k = k,
                                        .batch = batch,
                                        .lda = k,
                                        .ldb = n,
                                        .ldc = n,
                                        .a_stride = m * k,
                                        .b_stride = strided * k * n,
                                        .c_stride = m * n,
                                        .a_dtype = c.x,
                                        .b_dtype = c.w,
                                        .c_dtype = c.y,
                                        .a = x,
                                        .b = w,
                                        .c = want,
                                        .bias = c.has_bias ? bias : NULL,
                                        .a_q = {&c.x_scale, &c.x_zero, 1, 1},
                                        .b_q = {w_scale, c.w_zeros ? w_zero : NULL, scales, c.w_zeros},
                                        .c_q = {&c.y_scale, &c.y_zero, !c.is_float, !c.is_float},
                                        .clamp_min = c.lo,
                                        .clamp_max = c.hi});
    oct_recipe r;
    oct_recipe_init(&r);
    if ((i + t) % 2) { /* packed in slices, made in several launches */
        r.slice_bytes = 500;
        r.piece_bytes = 3000;
    }
    oct_operand tx = harness_operand(&r, c.x, 3, (int64_t[]){batch, m, k}, x, true);
    oct_operand ty = harness_output(&r, c.y, 3, (int64_t[]){batch, m, n});
    oct_gemm_request q = {.m = m,
                          .n = n,
                          .k = k,
                          .batch = batch,
                          .lda = k,
                          .ldb = n,
                          .ldc = n,
                          .a_stride = m * k,
                          .b_stride = strided * k * n,
                          .c_stride = m * n,
                          .a_dtype = c.x,
                          .b_dtype = c.w,
                          .c_dtype = c.y,
                          .a = tx.mem,
                          .b = oct_recipe_const(&r, w, nw),
                          .c = ty.mem,
                          .bias = c.has_bias ? oct_recipe_const(&r, bias, (size_t)n * 4) : OCT_MEM_NONE,
                          .a_q = harness_quant(&r, c.x, &c.x_scale, 1, &c.x_zero, 1),
                          .b_q = harness_quant(&r, c.w, w_scale, scales, w_zero, c.w_zeros),
                          .c_q = harness_quant(&r, c.y, &c.y_scale, !c.is_float, &c.y_zero, !c.is_float),
                          .clamp_min = c.lo,
                          .clamp_max = c.hi,
                          .force.variant = variant};
    char what[160];
    snprintf(what, sizeof what, "product %zu, %s x %s to %s, %s", i, oct_dtype_name(c.x), oct_dtype_name(c.w),
             oct_dtype_name(c.y), variant ? variant : "as chosen");
    run(&c, &r, oct_gemm(&r, oct_device_caps(device), &q), tx.mem, ty.mem, ny, what);
}

static void products(void **state)
{
    (void)state;
    size_t cases = 0;
    for (size_t i = 0; i < GEMMS; i++) {
        for (size_t t = 0; t < TYPES; t++) {
            if (!meets(i, t))
                continue;
            gemm_case(i, t, NULL);
            cases++;
        }
        const oct_variant *variant;
        for (size_t v = 0; (variant = oct_variant_at(&oct_gemm_family, oct_device_caps(device), v)); v++) {
            if (takes(variant, v, i))
                gemm_case(i, (i + v) % 2, variant->name);
        }
    }
    assert_int_equal(cases, getenv("OCTET_TEST_LONG") ? 35 : 12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(convolutions), cmocka_unit_test(products)};
    return cmocka_run_group_tests(tests, open_device, close_device);
}
