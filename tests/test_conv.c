/* Every convolution variant of the device, forced, against oct_ref_conv, byte for byte. */
#include "conv.h"
#include "harness.h"
#include "ref.h"
#include "shapes/read_shapes.h"
#include "variants.h"

/* What a convolution's results go through (kernels/product/chain.clh). */
enum { CHAIN_TABLE = 1, CHAIN_SUM = 2 };

static shape_list shapes;

/* Each row is a kernel to compile for each variant, the slow part. Every day a variant takes three, with both
 * signs of A, with and without zero points of B, with and without a chain; of the tiles of one capability
 * each leaves out another of its three, those for GPUs take one, and the kernel of rows, which is compiled
 * anew for each window, takes one a shape. */
static const struct {
    octet_dtype x, w, y;
    bool w_zeros;
    int chain;
} types[] = {
    {OCTET_U8, OCTET_S8, OCTET_U8, false, CHAIN_SUM},
    {OCTET_S8, OCTET_S8, OCTET_S8, false, CHAIN_TABLE | CHAIN_SUM},
    {OCTET_U8, OCTET_U8, OCTET_S32, true, 0},
    {OCTET_S8, OCTET_U8, OCTET_U8, true, 0},
    {OCTET_U8, OCTET_U8, OCTET_U8, false, CHAIN_TABLE},
    {OCTET_U8, OCTET_S8, OCTET_S8, true, CHAIN_SUM},
    {OCTET_U8, OCTET_S8, OCTET_U8, false, CHAIN_TABLE | CHAIN_SUM},
    {OCTET_U8, OCTET_S8, OCTET_U8, false, 0},
};
#define TYPES (sizeof types / sizeof types[0])
static const size_t everyday[][3] = {{0, 3, 4}, {1, 2, 7}};

static unsigned char byte_zero(uint64_t *s, octet_dtype t)
{
    static const unsigned char u8[] = {0, 128, 255, 7}, s8[] = {0, 0x80, 0x7f, 0xf5};
    return (t == OCTET_S8 ? s8 : u8)[check_random(s) % 4];
}

typedef struct chain_data {
    int kind;
    octet_dtype dtype;
    size_t bytes;
    unsigned char table[256], *residual, zeros[3];
    float scales[3]; /* of the convolution's result, the residual, the sum */
    bool swapped;
    int32_t lo, hi; /* clamp of the sum */
} chain_data;

/* Random operands of the chain, and what it makes of y. */
static void chain_make(chain_data *c, uint64_t *s, unsigned char *y)
{
    c->residual = malloc(c->bytes + 1);
    assert_non_null(c->residual);
    if (c->kind & CHAIN_TABLE) {
        check_fill(s, OCTET_U8, c->table, sizeof c->table, 0);
        oct_ref_lut(c->table, y, (int64_t)c->bytes, y);
    }
    if (!(c->kind & CHAIN_SUM))
        return;
    check_fill(s, c->dtype, c->residual, c->bytes, 0);
    for (int i = 0; i < 3; i++) {
        c->scales[i] = i == 2 ? 0.75f : check_random(s) & 1 ? 0.5f : check_scale(s) * 3.0f; /* many ties */
        c->zeros[i] = byte_zero(s, c->dtype);
    }
    c->swapped = check_random(s) & 1;
    c->lo = check_random(s) & 1 ? oct_dtype_min(c->dtype) : 11;
    c->hi = check_random(s) & 1 ? oct_dtype_max(c->dtype) : 99;
    int64_t elems = (int64_t)c->bytes;
    oct_ref_qbinary_params sum = {.shape = {.rank = 1, .dims = {elems}, .a_dims = {elems}, .b_dims = {elems}},
                                  .dtype = c->dtype,
                                  .a_scale = c->scales[0],
                                  .b_scale = c->scales[1],
                                  .y_scale = c->scales[2],
                                  .a_zero = oct_ref_load(c->dtype, c->zeros, 0),
                                  .b_zero = oct_ref_load(c->dtype, c->zeros, 1),
                                  .y_zero = oct_ref_load(c->dtype, c->zeros, 2),
                                  .clamp_min = c->lo,
                                  .clamp_max = c->hi,
                                  .swapped = c->swapped};
    oct_ref_qadd(&sum, y, c->residual, y);
}

static oct_conv_chain chain_request(const chain_data *c, oct_recipe *r, const oct_operand *y)
{
    oct_conv_chain q = {.has_table = (c->kind & CHAIN_TABLE) != 0, .has_sum = (c->kind & CHAIN_SUM) != 0};
    if (q.has_table)
        q.table = oct_recipe_const(r, c->table, sizeof c->table);
    if (q.has_sum) {
        q.residual = harness_operand(r, c->dtype, y->rank, y->dims, NULL, true).mem;
        q.own_q = harness_quant(r, c->dtype, &c->scales[0], 1, &c->zeros[0], 1);
        q.residual_q = harness_quant(r, c->dtype, &c->scales[1], 1, &c->zeros[1], 1);
        q.sum_q = harness_quant(r, c->dtype, &c->scales[2], 1, &c->zeros[2], 1);
        q.swapped = c->swapped;
        q.sum_min = c->lo;
        q.sum_max = c->hi;
    }
    return q;
}

static void run_case(const char *variant, const oct_geometry *p, size_t type, uint64_t seed)
{
    uint64_t s = seed;
    octet_dtype xt = types[type].x, wt = types[type].w, yt = types[type].y;
    const int64_t oh = p->oh, ow = p->ow;
    size_t x_bytes = (size_t)(p->n * p->h * p->w * p->c),
           w_bytes = (size_t)(p->co * (p->c / p->group) * p->kh * p->kw);
    size_t elem = oct_dtype_bytes(yt), y_bytes = (size_t)(p->n * oh * ow * p->co) * elem;
    unsigned char *x = malloc(x_bytes + 1), *w = malloc(w_bytes), *y = malloc(y_bytes + 16),
                  *want = malloc(y_bytes + 16);
    int fill = (int)(check_random(&s) % 3);
    check_fill(&s, xt, x, x_bytes, fill);
    check_fill(&s, wt, w, w_bytes, fill);
    memset(y, GUARD, y_bytes + 16);
    memset(want, GUARD, y_bytes + 16);
    int32_t bias[256];
    float w_scale[256], x_scale = check_scale(&s), y_scale = check_scale(&s) * 40.0f;
    unsigned char w_zero[256], x_zero = byte_zero(&s, xt), y_zero = byte_zero(&s, yt);
    for (int i = 0; i < 256; i++) {
        bias[i] = (int32_t)check_range(&s, -20000, 20000);
        w_scale[i] = check_scale(&s);
        w_zero[i] = byte_zero(&s, wt);
    }
    int64_t w_scales = check_random(&s) & 1 ? p->co : 1;
    int64_t w_zeros = !types[type].w_zeros ? 0 : check_random(&s) & 1 ? p->co : 1;
    bool has_bias = check_random(&s) & 1, runtime_w = check_random(&s) % 4 == 0, q8 = yt != OCTET_S32;
    bool clamp = q8 && check_random(&s) % 3 == 0;
    int32_t lo = clamp ? 5 : oct_dtype_min(yt), hi = clamp ? 90 : oct_dtype_max(yt);

    oct_ref_conv(&(oct_ref_conv_params){
        .g = *p,
        .x_dtype = xt,
        .w_dtype = wt,
        .y_dtype = yt,
        .x = x,
        .weights = w,
        .y = want,
        .bias = has_bias ? bias : NULL,
        .x_q = {q8 ? &x_scale : NULL, &x_zero, q8, 1},
        .w_q = {q8 ? w_scale : NULL, w_zeros ? w_zero : NULL, q8 ? w_scales : 0, w_zeros},
        .y_q = {q8 ? &y_scale : NULL, q8 ? &y_zero : NULL, q8, q8},
        .clamp_min = lo,
        .clamp_max = hi});

    chain_data chain = {.kind = types[type].chain, .dtype = yt, .bytes = y_bytes};
    chain_make(&chain, &s, want);

    oct_recipe r;
    oct_recipe_init(&r);
    oct_operand tx = harness_operand(&r, xt, 4, (int64_t[]){p->n, p->h, p->w, p->c}, x, true);
    oct_operand tw = harness_operand(&r, wt, 1, (int64_t[]){(int64_t)w_bytes}, w, runtime_w);
    oct_operand ty = harness_output(&r, yt, 4, (int64_t[]){p->n, oh, ow, p->co});
    oct_conv_request q = {.g = *p,
                          .x_dtype = xt,
                          .w_dtype = wt,
                          .y_dtype = yt,
                          .x = tx.mem,
                          .weights = tw.mem,
                          .y = ty.mem,
                          .bias = has_bias ? oct_recipe_const(&r, bias, (size_t)p->co * 4) : OCT_MEM_NONE,
                          .x_q = harness_quant(&r, xt, &x_scale, q8, &x_zero, 1),
                          .w_q = harness_quant(&r, wt, w_scale, q8 ? w_scales : 0, w_zero, w_zeros),
                          .y_q = harness_quant(&r, yt, &y_scale, q8, &y_zero, q8),
                          .clamp_min = lo,
                          .clamp_max = hi,
                          .then = chain_request(&chain, &r, &ty),
                          .force.variant = variant};
    char what[320], geometry[OCT_GEOMETRY_TEXT];
    oct_geometry_print(p, geometry);
    snprintf(what, sizeof what, "%s seed %llu: %s, %s x %s -> %s, zeros %lld, chain %d, fill %d", variant,
             (unsigned long long)seed, geometry, oct_dtype_name(xt), oct_dtype_name(wt), oct_dtype_name(yt),
             (long long)w_zeros, chain.kind, fill);
    octet_status built = oct_conv(&r, oct_device_caps(device), &q);
    harness_io inputs[3] = {{tx.mem, x}};
    int count = 1;
    if (runtime_w)
        inputs[count++] = (harness_io){tw.mem, w};
    if (q.then.has_sum)
        inputs[count++] = (harness_io){q.then.residual, chain.residual};
    harness_run(&r, built, inputs, count, &(harness_io){ty.mem, y}, 1, what);
    harness_compare(y, want, y_bytes + 16, what);
    free(chain.residual);
    free(x);
    free(w);
    free(y);
    free(want);
}

/* Does a variant take this one of its everyday types with this shape? */
static bool meets(const oct_variant *v, size_t index, size_t row, size_t k)
{
    if (v->kind->row_taps)
        return k == row % 3;
    if (v->tile.bm)
        return k == index / 2 % 3;
    return !v->kind->spreads || k != index / 2 % 3;
}

static void every_variant_is_exact(void **state)
{
    (void)state;
    bool all = getenv("OCTET_TEST_LONG") != NULL;
    size_t variants = 0, cases = 0;
    read_shapes("conv_edges.txt", &shapes);
    const oct_caps *caps = oct_device_caps(device);
    for (const oct_variant *v; (v = oct_variant_at(&oct_conv_family, caps, variants)); variants++) {
        size_t count = check_wanted(v->name) ? check_cases(shapes.count) : 0;
        for (size_t i = 0; i < count; i++) {
            const oct_conv_request q = {.g = shapes.at[i].g};
            if (v->kind->applies && !v->kind->applies(&q))
                continue;
            for (size_t k = 0; k < (all ? TYPES : 3); k++) {
                if (!all && !meets(v, variants, i, k))
                    continue;
                cases++;
                size_t t = all ? k : everyday[variants % 2][k];
                run_case(v->name, &shapes.at[i].g, t, 1 + i * 31 + t * 1009 + variants * 7);
            }
        }
    }
    print_message("%zu variants, %zu cases\n", variants, cases);
    assert_int_equal(variants, rows_to_run(&oct_conv_family, caps, 6));
    assert_true(cases >= 60 || getenv("OCTET_TEST_CASES") || getenv("OCTET_TEST_VARIANT"));
}

static void bad_requests_are_refused(void **state)
{
    (void)state;
    const oct_caps *caps = oct_device_caps(device);
    const oct_conv_request good = {.g = {.n = 1,
                                         .h = 4,
                                         .w = 4,
                                         .c = 4,
                                         .oh = 4,
                                         .ow = 4,
                                         .co = 4,
                                         .kh = 1,
                                         .kw = 1,
                                         .group = 1,
                                         .stride_h = 1,
                                         .stride_w = 1,
                                         .dilation_h = 1,
                                         .dilation_w = 1},
                                   .x_dtype = OCTET_U8,
                                   .w_dtype = OCTET_S8,
                                   .y_dtype = OCTET_S32,
                                   .bias = OCT_MEM_NONE};
    oct_conv_request bad[4] = {good, good, good, good};
    bad[0].g.stride_w = 0;
    bad[1].g.group = 3;
    bad[2].force.variant = "nothing";
    bad[3].g.c = 70000; /* past the overflow bound of u8 x s8 */
    for (int i = 0; i < 4; i++) {
        oct_recipe r;
        oct_recipe_init(&r);
        assert_int_equal(oct_conv(&r, caps, &bad[i]), i < 2 ? OCTET_INVALID_ARGUMENT : OCTET_UNSUPPORTED);
        oct_recipe_free(&r);
    }
}

static void selection_follows_capabilities_and_shape(void **state)
{
    (void)state;
    oct_caps caps = {.any_device = true};
    oct_conv_request q = {.g = {.c = 32, .co = 64, .group = 1}};
    assert_string_equal(selected(&oct_conv_family, &caps, &q), "conv_4x16__portable");
    caps.x86_avx512_vnni = true;
    assert_string_equal(selected(&oct_conv_family, &caps, &q), "conv_6x64__x86_vnni512");
    q.g.n = q.g.oh = 1;
    for (int i = 0; i < 5; i++) {
        static const struct {
            int64_t pixels, co;
            const char *name;
        } best[] = {{96, 64, "conv_6x64__x86_vnni512"},
                    {49, 64, "conv_5x64__x86_vnni512"},
                    {96, 96, "conv_8x48__x86_vnni512"},
                    {96, 24, "conv_12x32__x86_vnni512"},
                    {96, 16, "conv_16x16__x86_vnni512"}};
        q.g.ow = best[i].pixels;
        q.g.co = best[i].co;
        assert_string_equal(selected(&oct_conv_family, &caps, &q), best[i].name);
    }
    caps.x86_avx512_vnni = false;
    caps.prefers_tiles = true;
    caps.max_group = 256;
    caps.item_words = 128;
    caps.info.local_bytes = 48 << 10;
    caps.info.compute_units = 64;
    q.g.n = q.g.kh = q.g.kw = 1;
    q.g.oh = q.g.ow = 112;
    q.g.co = 256;
    assert_string_equal(selected(&oct_conv_family, &caps, &q), "conv_128x64_8x8__dot4");
    q.g.oh = q.g.ow = 7;
    assert_string_equal(selected(&oct_conv_family, &caps, &q), "conv_32x64_4x4__dot4");
    q.g.co = q.g.group = 32;
    assert_string_equal(selected(&oct_conv_family, &caps, &q), "conv_depthwise_4x4__gpu");
    caps.prefers_tiles = false;
    caps.x86_avx512_vnni = true;
    q.g.dilation_h = 2;
    assert_string_equal(selected(&oct_conv_family, &caps, &q), "conv_depthwise_4x16__portable");
    q.g.dilation_h = q.g.stride_h = 1;
    assert_string_equal(selected(&oct_conv_family, &caps, &q), "conv_depthwise_4x64__x86_vnni512");
    q.force.variant = "conv_6x64__x86_vnni512";
    assert_string_equal(selected(&oct_conv_family, &caps, &q), q.force.variant);
    caps.x86_avx512_vnni = false;
    assert_null(selected(&oct_conv_family, &caps, &q));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_variant_is_exact),
        cmocka_unit_test(bad_requests_are_refused),
        cmocka_unit_test(selection_follows_capabilities_and_shape),
    };
    return cmocka_run_group_tests(tests, open_device, close_device);
}
