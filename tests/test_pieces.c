/* Products whose constant weights are uploaded in slices and packed in pieces give the bytes of the whole, on
 * every variant: column pieces, whole blocks, rows and columns of B as it is stored. */
#include "harness.h"

#include "conv.h"
#include "gemm.h"

typedef struct cut {
    size_t slice, piece;
} cut;

static const cut cuts[] = {
    {1, SIZE_MAX}, {3000, SIZE_MAX}, {20000, SIZE_MAX}, {1, 1},
    {3000, 20000}, {SIZE_MAX, 9000}, {SIZE_MAX, 20000},
};
enum { CUTS = sizeof cuts / sizeof cuts[0], MOST = 1 << 20 };

static unsigned char a[MOST], b[MOST], zeros[1024];
static float scales[1024];
static int32_t bias[1024];
static int ran, with_pieces, with_slices;

static void fill(uint64_t seed)
{
    check_fill(&seed, OCTET_U8, a, MOST, 0);
    check_fill(&seed, OCTET_S8, b, MOST, 0);
    check_fill(&seed, OCTET_S8, zeros, sizeof zeros, 2);
    for (int i = 0; i < 1024; i++) {
        scales[i] = check_scale(&seed) * 0.01f;
        bias[i] = (int32_t)check_range(&seed, -9000, 9000);
    }
}

typedef struct gemm_case {
    int64_t m, n, k, batch;
    bool b_batches, transposed, channels; /* channels: scales and zero points for each column, and a bias */
    octet_dtype a, b, c;
    int64_t more_ldb;
} gemm_case;

static const gemm_case gemms[] = {
    {1, 300, 129, 1, false, false, true, OCTET_U8, OCTET_S8, OCTET_U8, 0},
    {7, 300, 130, 1, false, true, true, OCTET_S8, OCTET_S8, OCTET_S8, 5},
    {5, 257, 64, 2, false, false, false, OCTET_U8, OCTET_U8, OCTET_S32, 3},
    {3, 65, 67, 5, true, false, true, OCTET_U8, OCTET_S8, OCTET_U8, 0},
    {3, 200, 35, 4, true, true, false, OCTET_U8, OCTET_S8, OCTET_S32, 0},
    {2, 130, 51, 3, true, false, true, OCTET_U8, OCTET_S8, OCTET_F32, 0},
};

static int packs(const oct_recipe *r)
{
    int count = 0;
    for (int i = 0; i < r->launch_count; i++)
        count += strcmp(r->launches[i]->entry, "pack_matrix") == 0;
    return count;
}

static size_t gemm(const gemm_case *c, const char *variant, cut where, int *launches, unsigned char *out)
{
    oct_recipe r;
    oct_recipe_init(&r);
    r.slice_bytes = where.slice;
    r.piece_bytes = where.piece;
    int64_t b_batch = c->b_batches ? c->batch : 1, rows = c->transposed ? c->n : c->k;
    int64_t ldb = (c->transposed ? c->k : c->n) + c->more_ldb;
    int64_t count = c->channels ? c->n : 1;
    const float a_scale = 0.02f, c_scale = 0.7f;
    const unsigned char a_zero = 3, c_zero = 9;
    oct_operand x = harness_operand(&r, c->a, 1, (int64_t[]){c->batch * c->m * c->k}, NULL, true);
    oct_operand w = harness_operand(&r, c->b, 1, (int64_t[]){b_batch * rows * ldb}, b, false);
    oct_operand y = harness_output(&r, c->c, 1, (int64_t[]){c->batch * c->m * c->n});
    bool quantized = c->c == OCTET_U8 || c->c == OCTET_S8;
    oct_gemm_request q = {.m = c->m,
                          .n = c->n,
                          .k = c->k,
                          .batch = c->batch,
                          .lda = c->k,
                          .ldb = ldb,
                          .ldc = c->n,
                          .a_stride = c->m * c->k,
                          .b_stride = c->b_batches ? rows * ldb : 0,
                          .c_stride = c->m * c->n,
                          .transpose_b = c->transposed,
                          .a_dtype = c->a,
                          .b_dtype = c->b,
                          .c_dtype = c->c,
                          .a = x.mem,
                          .b = w.mem,
                          .c = y.mem,
                          .bias = OCT_MEM_NONE,
                          .a_q = harness_quant(&r, c->a, &a_scale, 1, &a_zero, 1),
                          .b_q = harness_quant(&r, c->b, scales, count, zeros, count),
                          .c_q = harness_quant(&r, c->c, &c_scale, quantized, &c_zero, quantized),
                          .clamp_min = c->c == OCTET_S8 ? -128 : 0,
                          .clamp_max = c->c == OCTET_S8 ? 127 : 255,
                          .force.variant = variant};
    if (c->channels)
        q.bias = oct_recipe_const(&r, bias, (size_t)c->n * sizeof *bias);
    octet_status built = oct_gemm(&r, oct_device_caps(device), &q);
    char what[128];
    snprintf(what, sizeof what, "%s case %d, slice %zu, piece %zu", variant, (int)(c - gemms), where.slice,
             where.piece);
    *launches = r.launch_count;
    if (where.slice == SIZE_MAX && where.piece == SIZE_MAX)
        assert_int_equal(packs(&r), 1); /* not cut */
    size_t bytes = r.mems[y.mem].bytes;
    harness_io in = {x.mem, a}, to = {y.mem, out};
    harness_run(&r, built, &in, 1, &to, 1, what);
    return bytes;
}

/* Each case of types is kernels to compile. Tiles for GPUs share their packing: on an ordinary day every
 * third case each; OCTET_TEST_LONG: all. */
static bool wanted(const oct_variant *variant, size_t v, size_t i)
{
    return !variant->tile.bm || (v + i) % 3 == 0 || getenv("OCTET_TEST_LONG");
}

static void products_in_pieces_are_the_product(void **state)
{
    (void)state;
    static unsigned char whole[MOST], cut_up[MOST];
    ran = with_pieces = with_slices = 0;
    const oct_variant *variant;
    for (size_t v = 0; (variant = oct_variant_at(&oct_gemm_family, oct_device_caps(device), v)); v++) {
        for (size_t i = 0; i < sizeof gemms / sizeof gemms[0]; i++) {
            int launches, one;
            if (!wanted(variant, v, i))
                continue;
            fill(i + 1);
            size_t bytes = gemm(&gemms[i], variant->name, (cut){SIZE_MAX, SIZE_MAX}, &one, whole);
            for (int c = 0; c < CUTS; c++, ran++) {
                memset(cut_up, GUARD, bytes);
                gemm(&gemms[i], variant->name, cuts[c], &launches, cut_up);
                harness_compare(cut_up, whole, bytes, "gemm in pieces");
                with_pieces += launches >= one + 3 && cuts[c].piece != SIZE_MAX;
                with_slices += launches > one && cuts[c].piece == SIZE_MAX;
            }
        }
    }
    print_message("%d ran, %d in pieces, %d in slices\n", ran, with_pieces, with_slices);
    assert_true(ran >= 2 * 6 * CUTS && with_pieces * 3 > ran && with_slices * 4 > ran);
}

typedef struct conv_case {
    int64_t c, co, group, size, kernel;
    bool channels;
    octet_dtype x, w, y;
} conv_case;

static const conv_case convs[] = {
    {10, 200, 1, 5, 3, true, OCTET_U8, OCTET_S8, OCTET_U8},
    {33, 130, 1, 4, 1, false, OCTET_U8, OCTET_U8, OCTET_S32},
    {30, 240, 3, 5, 3, true, OCTET_S8, OCTET_S8, OCTET_S8},
    {64, 64, 64, 6, 3, true, OCTET_U8, OCTET_S8, OCTET_U8},
};

static size_t conv(const conv_case *c, const char *variant, cut where, int *launches, unsigned char *out)
{
    oct_recipe r;
    oct_recipe_init(&r);
    r.slice_bytes = where.slice;
    r.piece_bytes = where.piece;
    int64_t taps = c->kernel * c->kernel, channels = c->channels ? c->co : 1;
    const float x_scale = 0.02f, y_scale = 0.7f;
    const unsigned char x_zero = 3, y_zero = 9;
    oct_operand x = harness_operand(&r, c->x, 4, (int64_t[]){2, c->size, c->size, c->c}, NULL, true);
    oct_operand w = harness_operand(&r, c->w, 3, (int64_t[]){c->co, c->c / c->group, taps}, b, false);
    oct_operand y = harness_output(&r, c->y, 4, (int64_t[]){2, c->size, c->size, c->co});
    bool quantized = c->y != OCTET_S32;
    oct_conv_request q = {.g = {.n = 2,
                                .h = c->size,
                                .w = c->size,
                                .c = c->c,
                                .oh = c->size,
                                .ow = c->size,
                                .co = c->co,
                                .kh = c->kernel,
                                .kw = c->kernel,
                                .group = c->group,
                                .stride_h = 1,
                                .stride_w = 1,
                                .dilation_h = 1,
                                .dilation_w = 1,
                                .pad_top = c->kernel / 2,
                                .pad_left = c->kernel / 2},
                          .x_dtype = c->x,
                          .w_dtype = c->w,
                          .y_dtype = c->y,
                          .x = x.mem,
                          .weights = w.mem,
                          .y = y.mem,
                          .bias = oct_recipe_const(&r, bias, (size_t)c->co * sizeof *bias),
                          .x_q = harness_quant(&r, c->x, &x_scale, 1, &x_zero, 1),
                          .w_q = harness_quant(&r, c->w, scales, channels, zeros, channels),
                          .y_q = harness_quant(&r, c->y, &y_scale, quantized, &y_zero, quantized),
                          .clamp_min = c->y == OCTET_S8 ? -128 : 0,
                          .clamp_max = c->y == OCTET_S8 ? 127 : 255,
                          .force.variant = variant};
    octet_status built = oct_conv(&r, oct_device_caps(device), &q);
    char what[128];
    snprintf(what, sizeof what, "%s case %d, slice %zu, piece %zu", variant, (int)(c - convs), where.slice,
             where.piece);
    *launches = r.launch_count;
    size_t bytes = r.mems[y.mem].bytes;
    harness_io in = {x.mem, a}, to = {y.mem, out};
    harness_run(&r, built, &in, 1, &to, 1, what);
    return bytes;
}

static void convolutions_in_pieces_are_the_convolution(void **state)
{
    (void)state;
    static unsigned char whole[MOST], cut_up[MOST];
    ran = with_pieces = with_slices = 0;
    const oct_variant *variant;
    for (size_t v = 0; (variant = oct_variant_at(&oct_conv_family, oct_device_caps(device), v)); v++) {
        for (size_t i = 0; i < sizeof convs / sizeof convs[0]; i++) {
            int launches, one;
            if ((variant->kind->depthwise && convs[i].group != convs[i].c) || !wanted(variant, v, i))
                continue;
            fill(i + 1);
            size_t bytes = conv(&convs[i], variant->name, (cut){SIZE_MAX, SIZE_MAX}, &one, whole);
            for (int c = 0; c < CUTS; c++, ran++) {
                memset(cut_up, GUARD, bytes);
                conv(&convs[i], variant->name, cuts[c], &launches, cut_up);
                harness_compare(cut_up, whole, bytes, "convolution in pieces");
                with_pieces += launches >= one + 3 && cuts[c].piece != SIZE_MAX;
                with_slices += launches > one && cuts[c].piece == SIZE_MAX;
            }
        }
    }
    print_message("%d ran, %d in pieces, %d in slices\n", ran, with_pieces, with_slices);
    assert_true(ran >= 5 * CUTS && with_pieces * 4 > ran && with_slices * 5 > ran);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(products_in_pieces_are_the_product),
        cmocka_unit_test(convolutions_in_pieces_are_the_convolution),
    };
    return cmocka_run_group_tests(tests, open_device, close_device);
}
