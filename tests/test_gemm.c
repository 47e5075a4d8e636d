/* Every GEMM variant of the device, forced, against oct_ref_gemm, byte for byte: sizes at tile edges, all
 * dtype pairs and outputs, zero points at the extremes, strides, batches, run-time B, guards. */
#include "api.h"
#include "check.h"
#include "device.h"
#include "gemm.h"
#include "ref.h"
#include "tile.h"
#include "variants.h"

#include <octet/experimental.h>

static octet_context *context;

typedef struct gemm_case {
    uint64_t seed;
    octet_gemm_desc d;
    int fill;
} gemm_case;

typedef struct gemm_data {
    unsigned char *a, *b, *c, *want;
    size_t a_bytes, b_bytes, c_bytes;
    int32_t zeros[512], bias[512];
    float a_scales[512], b_scales[512];
} gemm_data;

static int64_t pick(uint64_t *s, const int64_t *from, size_t n)
{
    return from[check_random(s) % n];
}

#define PICK(s, ...)                                                                                         \
    pick(s, (const int64_t[]){__VA_ARGS__}, sizeof((const int64_t[]){__VA_ARGS__}) / sizeof(int64_t))

static int32_t random_zero(uint64_t *s, octet_dtype t)
{
    return (int32_t)(t == OCTET_S8 ? PICK(s, -128, 0, 0, 127, -7) : PICK(s, 0, 0, 128, 255, 3));
}

/* Each set is a kernel to compile, the slow part (a third of a second on PoCL, more for GPU tiles): the
 * everyday run takes the first few, two for a variant and the other two for the next, kernels for GPUs one;
 * the long run all for each. */
typedef struct type_set {
    octet_dtype a, b;
    octet_output output;
    octet_dtype c;
    bool b_zeros;
} type_set;

static const type_set types[] = {
    {OCTET_U8, OCTET_S8, OCTET_OUT_S32, OCTET_U8, false},
    {OCTET_S8, OCTET_U8, OCTET_OUT_Q8, OCTET_S8, true},
    {OCTET_U8, OCTET_S8, OCTET_OUT_Q8, OCTET_U8, false},
    {OCTET_S8, OCTET_S8, OCTET_OUT_F32, OCTET_U8, false},
    {OCTET_U8, OCTET_U8, OCTET_OUT_S32, OCTET_U8, true},
    {OCTET_S8, OCTET_S8, OCTET_OUT_S32, OCTET_U8, true},
    {OCTET_S8, OCTET_U8, OCTET_OUT_S32, OCTET_U8, false},
    {OCTET_U8, OCTET_U8, OCTET_OUT_Q8, OCTET_S8, false},
    {OCTET_S8, OCTET_S8, OCTET_OUT_Q8, OCTET_U8, true},
    {OCTET_U8, OCTET_S8, OCTET_OUT_F32, OCTET_U8, true},
    {OCTET_U8, OCTET_U8, OCTET_OUT_F32, OCTET_U8, false},
    {OCTET_S8, OCTET_U8, OCTET_OUT_F32, OCTET_U8, true},
};
#define EVERYDAY_TYPES 4
static size_t type_first, type_count;
static bool large; /* one size of many tiles and a long sum instead of edges */

/* The index-th variant of the device. */
static const oct_variant *variant_at(size_t index)
{
    return oct_variant_at(&oct_gemm_family, oct_device_caps(context->device), index);
}

static void choose_types(const oct_variant *v, size_t index)
{
    bool one = v->tile.bm != 0;
    type_first = one ? index % EVERYDAY_TYPES : index % 2 * 2;
    type_count = one ? 1 : 2;
    if (getenv("OCTET_TEST_LONG")) {
        type_first = 0;
        type_count = sizeof types / sizeof types[0];
    }
}

/* A random case of a variant that makes `rows` x `nb` tiles. */
static gemm_case make_case(const char *variant, uint64_t seed, gemm_data *data)
{
    gemm_case c = {.seed = seed};
    uint64_t s = seed;
    octet_gemm_desc *d = &c.d;
    OCTET_INIT(*d);
    d->variant = variant;
    d->m = PICK(&s, 0, 1, 1, 2, 3, 4, 5, 6, 7, 8, 11, 12, 13, 97);
    d->n = PICK(&s, 0, 1, 2, 15, 16, 17, 31, 33, 63, 64, 65, 127, 128, 129);
    d->k = PICK(&s, 0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 17, 31, 64, 131);
    d->batch = PICK(&s, 1, 1, 1, 2, 3);
    if (large) {
        d->m = 131;
        d->n = 200;
        d->k = 1031;
        d->batch = 1;
    }
    const type_set *t = &types[type_first + check_random(&s) % type_count];
    d->a_dtype = t->a;
    d->b_dtype = t->b;
    d->output = t->output;
    d->c_dtype = t->c;
    d->transpose_b = check_random(&s) & 1;
    d->b_is_runtime = check_random(&s) % 3 == 0;
    if (check_random(&s) & 1) {
        d->lda = d->k + PICK(&s, 0, 1, 13);
        d->ldb = (d->transpose_b ? d->k : d->n) + PICK(&s, 0, 3, 17);
        d->ldc = d->n + PICK(&s, 0, 5, 11);
    }
    d->a_zero = random_zero(&s, d->a_dtype);
    d->b_zero_count = t->b_zeros ? (size_t)PICK(&s, 1, d->n) : 0;
    d->b_scale_count = (size_t)PICK(&s, 0, 1, d->n);
    d->a_scale_count = d->output == OCTET_OUT_F32 ? (size_t)d->m : (size_t)PICK(&s, 0, 1);
    for (int i = 0; i < 512; i++) {
        data->zeros[i] = random_zero(&s, d->b_dtype);
        data->bias[i] = (int32_t)check_range(&s, -100000, 100000);
        data->a_scales[i] = check_scale(&s);
        data->b_scales[i] = check_scale(&s);
    }
    d->b_zeros = data->zeros;
    d->a_scales = data->a_scales;
    d->b_scales = data->b_scales;
    d->bias = check_random(&s) & 1 ? data->bias : NULL;
    d->c_scale = (float)PICK(&s, 1, 2, 5, 1000) * 0.013f;
    if (d->output == OCTET_OUT_Q8) {
        d->c_zero = random_zero(&s, d->c_dtype);
        if (check_random(&s) % 3 == 0) {
            d->c_min = d->c_dtype == OCTET_S8 ? -30 : 10;
            d->c_max = 100;
        }
    }
    c.fill = (int)(check_random(&s) % 3);
    return c;
}

static void describe(const gemm_case *c, char *text, size_t size)
{
    const octet_gemm_desc *d = &c->d;
    snprintf(
        text, size,
        "%s seed %llu: %lldx%lldx%lld batch %lld, a %s zero %d, b %s (%zu zeros, %zu scales%s%s), out %d %s, "
        "lda %lld ldb %lld ldc %lld, bias %d, fill %d",
        d->variant, (unsigned long long)c->seed, (long long)d->m, (long long)d->n, (long long)d->k,
        (long long)d->batch, octet_dtype_name(d->a_dtype), d->a_zero, octet_dtype_name(d->b_dtype),
        d->b_zero_count, d->b_scale_count, d->transpose_b ? ", transposed" : "",
        d->b_is_runtime ? ", runtime" : "", (int)d->output, octet_dtype_name(d->c_dtype), (long long)d->lda,
        (long long)d->ldb, (long long)d->ldc, d->bias != NULL, c->fill);
}

static void reference(const octet_gemm_desc *d, const gemm_data *data, int64_t lda, int64_t ldb, int64_t ldc)
{
    unsigned char zeros[512], a_zero = (unsigned char)d->a_zero, c_zero = (unsigned char)d->c_zero;
    for (int i = 0; i < 512; i++)
        zeros[i] = (unsigned char)data->zeros[i];
    bool q8 = d->output == OCTET_OUT_Q8;
    oct_ref_gemm_params p = {.m = d->m,
                             .n = d->n,
                             .k = d->k,
                             .batch = d->batch,
                             .lda = lda,
                             .ldb = ldb,
                             .ldc = ldc,
                             .a_stride = d->m * lda,
                             .b_stride = d->b_is_runtime ? (d->transpose_b ? d->n : d->k) * ldb : 0,
                             .c_stride = d->m * ldc,
                             .transpose_b = d->transpose_b != 0,
                             .a_dtype = d->a_dtype,
                             .b_dtype = d->b_dtype,
                             .c_dtype = d->output == OCTET_OUT_S32   ? OCTET_S32
                                        : d->output == OCTET_OUT_F32 ? OCTET_F32
                                                                     : d->c_dtype,
                             .a = data->a,
                             .b = data->b,
                             .c = data->want,
                             .bias = d->bias,
                             .a_q = {d->a_scales, &a_zero, (int64_t)d->a_scale_count, 1},
                             .b_q = {d->b_scales, zeros, (int64_t)d->b_scale_count, (int64_t)d->b_zero_count},
                             .c_q = {q8 ? &d->c_scale : NULL, q8 ? &c_zero : NULL, q8, q8},
                             .clamp_min = d->c_min,
                             .clamp_max = d->c_max};
    if (!d->a_scale_count)
        p.a_q.scale = NULL;
    if (!d->b_scale_count)
        p.b_q.scale = NULL;
    if (!d->b_zero_count)
        p.b_q.zero = NULL;
    if (q8 && !d->c_min && !d->c_max) {
        p.clamp_min = d->c_dtype == OCTET_S8 ? -128 : 0;
        p.clamp_max = d->c_dtype == OCTET_S8 ? 127 : 255;
    }
    oct_ref_gemm(&p);
}

static void run_case(const char *variant, uint64_t seed)
{
    static gemm_data data;
    gemm_case c = make_case(variant, seed, &data);
    const octet_gemm_desc *d = &c.d;
    char text[512];
    describe(&c, text, sizeof text);
    int64_t b_rows = d->transpose_b ? d->n : d->k, b_width = d->transpose_b ? d->k : d->n;
    int64_t lda = d->lda ? d->lda : d->k, ldb = d->ldb ? d->ldb : b_width, ldc = d->ldc ? d->ldc : d->n;
    size_t elem = d->output == OCTET_OUT_Q8 ? 1 : 4;
    uint64_t s = seed * 77 + 1;
    data.a_bytes = (size_t)(d->batch * d->m * lda);
    data.b_bytes = (size_t)((d->b_is_runtime ? d->batch : 1) * b_rows * ldb);
    data.c_bytes = (size_t)(d->batch * d->m * ldc) * elem;
    data.a = malloc(data.a_bytes + 1);
    data.b = malloc(data.b_bytes + 1);
    data.c = malloc(data.c_bytes + 64);
    data.want = malloc(data.c_bytes + 64);
    check_fill(&s, d->a_dtype, data.a, data.a_bytes, c.fill);
    check_fill(&s, d->b_dtype, data.b, data.b_bytes, c.fill);
    memset(data.c, GUARD, data.c_bytes + 64);
    memset(data.want, GUARD, data.c_bytes + 64);
    reference(d, &data, lda, ldb, ldc);
    octet_gemm *g;
    octet_status status = octet_gemm_create(context, d, d->b_is_runtime ? NULL : data.b, &g);
    if (status != OCTET_OK)
        fail_msg("%s: %s", text, octet_last_error());
    assert_string_equal(octet_gemm_variant(g), variant);
    for (int run = 0; run < 2; run++) {
        status = octet_gemm_run(g, data.a, data.b, data.c);
        if (status != OCTET_OK)
            fail_msg("%s: %s", text, octet_last_error());
        for (size_t i = 0; i < data.c_bytes + 64; i++) {
            if (data.c[i] != data.want[i])
                fail_msg("%s: run %d: byte %zu (row %zu, column %zu) is %d, want %d", text, run, i,
                         i / elem / (size_t)(ldc ? ldc : 1), i / elem % (size_t)(ldc ? ldc : 1), data.c[i],
                         data.want[i]);
        }
    }
    octet_gemm_destroy(g);
    free(data.a);
    free(data.b);
    free(data.c);
    free(data.want);
}

/* OCTET_TEST_LONG: more cases, every set of types. */
static void every_variant_is_exact(void **state)
{
    (void)state;
    bool long_run = getenv("OCTET_TEST_LONG") != NULL;
    uint64_t cases = check_cases(long_run ? 600 : 100);
    size_t variants = 0;
    for (const oct_variant *v; (v = variant_at(variants)); variants++) {
        assert_string_equal(octet_gemm_variant_name(context, variants), v->name);
        if (!check_wanted(v->name))
            continue;
        choose_types(v, variants);
        for (uint64_t i = 1; i <= cases; i++)
            run_case(v->name, i * 1000003 + variants);
    }
    print_message("%zu variants, %zu cases\n", variants, variants * (size_t)cases);
    assert_int_equal(variants, rows_to_run(&oct_gemm_family, oct_device_caps(context->device), 4));
    assert_null(octet_gemm_variant_name(context, variants));
}

static void a_large_product_is_exact(void **state)
{
    (void)state;
    large = true;
    const oct_variant *v;
    for (size_t i = 0; (v = variant_at(i)); i++) {
        if (!check_wanted(v->name) || check_cases(100) < 100)
            continue;
        choose_types(v, i);
        run_case(v->name, 5000011 + i);
    }
    large = false;
}

/* The longest sum of the largest products of each pair of types is what int32 just holds. */
static void the_longest_sums_fit(void **state)
{
    (void)state;
    static const struct {
        octet_dtype a_dtype, b_dtype;
        int a, b, k;
    } rows[] = {{OCTET_S8, OCTET_S8, -128, -128, 131071},
                {OCTET_U8, OCTET_S8, 255, -128, 65793},
                {OCTET_U8, OCTET_U8, 255, 255, 33025}};
    static const char *const names[] = {NULL, "gemm_s8_1x16__portable"};
    static unsigned char a[131071], b[131071];
    for (size_t i = 0; i < 2 * sizeof rows / sizeof rows[0]; i++) {
        octet_gemm_desc d;
        OCTET_INIT(d);
        d.m = d.n = 1;
        d.k = rows[i / 2].k;
        d.a_dtype = rows[i / 2].a_dtype;
        d.b_dtype = rows[i / 2].b_dtype;
        d.variant = names[i % 2];
        memset(a, rows[i / 2].a, sizeof a);
        memset(b, rows[i / 2].b, sizeof b);
        int32_t c = 0;
        octet_gemm *g;
        CHECK_OK(octet_gemm_create(context, &d, b, &g));
        CHECK_OK(octet_gemm_run(g, a, NULL, &c));
        assert_int_equal(c, rows[i / 2].a * rows[i / 2].b * rows[i / 2].k);
        octet_gemm_destroy(g);
        d.k++;
        assert_int_equal(octet_gemm_create(context, &d, b, &g), OCTET_UNSUPPORTED);
    }
}

static octet_status try_create(octet_gemm_desc *d, const void *b)
{
    octet_gemm *g;
    octet_status status = octet_gemm_create(context, d, b, &g);
    octet_gemm_destroy(g);
    return status;
}

static void bad_requests_are_refused_with_a_reason(void **state)
{
    (void)state;
    static unsigned char b[200000];
    octet_gemm_desc good, d;
    OCTET_INIT(good);
    good.m = good.n = 1;
    good.k = 131071;
    good.a_dtype = good.b_dtype = OCTET_S8;
    d = good;
    assert_int_equal(try_create(&d, b), OCTET_OK);
    d.k = 131072;
    assert_int_equal(try_create(&d, b), OCTET_UNSUPPORTED);
    assert_non_null(strstr(octet_last_error(), "131071"));
    d.k = 33026;
    d.a_zero = 1;
    assert_int_equal(try_create(&d, b), OCTET_UNSUPPORTED);
    d = good;
    assert_int_equal(try_create(&d, NULL), OCTET_INVALID_ARGUMENT);
    d.a_dtype = OCTET_F32;
    assert_int_equal(try_create(&d, b), OCTET_INVALID_ARGUMENT);
    d = good;
    d.m = -1;
    assert_int_equal(try_create(&d, b), OCTET_INVALID_ARGUMENT);
    d = good;
    d.lda = 5;
    assert_int_equal(try_create(&d, b), OCTET_INVALID_ARGUMENT);
    d = good;
    d.a_zero = 128;
    assert_int_equal(try_create(&d, b), OCTET_INVALID_ARGUMENT);
    d = good;
    float zero = 0.0f;
    d.b_scales = &zero;
    d.b_scale_count = 1;
    assert_int_equal(try_create(&d, b), OCTET_INVALID_ARGUMENT);
    assert_non_null(strstr(octet_last_error(), "b_scales[0]"));
    d = good;
    d.variant = "no_such_variant";
    assert_int_equal(try_create(&d, b), OCTET_UNSUPPORTED);
    d = good;
    d.struct_size = 0;
    assert_int_equal(try_create(&d, b), OCTET_INVALID_ARGUMENT);
}

/* select() is pure: it is asked about devices that are not here. */
static void selection_follows_capabilities_and_rows(void **state)
{
    (void)state;
    oct_caps caps = {.any_device = true};
    oct_gemm_request q = {.m = 100, .n = 100, .k = 100, .batch = 1};
    assert_string_equal(selected(&oct_gemm_family, &caps, &q), "gemm_s8_4x16__portable");
    q.m = 1;
    assert_string_equal(selected(&oct_gemm_family, &caps, &q), "gemm_s8_1x16__portable");
    caps.x86_avx2 = true;
    assert_string_equal(selected(&oct_gemm_family, &caps, &q), "gemm_s8_1x16__x86_avx2");
    q = (oct_gemm_request){.m = 64, .n = 64, .k = 256, .batch = 1};
    assert_string_equal(selected(&oct_gemm_family, &caps, &q),
                        "gemm_s8_4x16__x86_avx2"); /* no room to widen A */
    caps.info.max_alloc_bytes = 64 * 256 * 2;
    assert_string_equal(selected(&oct_gemm_family, &caps, &q), "gemm_s8_4x16_words__x86_avx2");
    q.k = 255; /* too little for a launch more */
    assert_string_equal(selected(&oct_gemm_family, &caps, &q), "gemm_s8_4x16__x86_avx2");
    q = (oct_gemm_request){.m = 1, .n = 100, .k = 100, .batch = 1};
    caps.x86_avx512_vnni = true;
    assert_string_equal(selected(&oct_gemm_family, &caps, &q), "gemm_s8_1x64__x86_vnni512");
    q.m = 5;
    assert_string_equal(selected(&oct_gemm_family, &caps, &q), "gemm_s8_6x64__x86_vnni512");
    q.m = 8; /* two tiles of four, not two of six */
    assert_string_equal(selected(&oct_gemm_family, &caps, &q), "gemm_s8_4x64__x86_vnni512");
    q.m = 1536;
    assert_string_equal(selected(&oct_gemm_family, &caps, &q), "gemm_s8_6x64__x86_vnni512");
    q.m = 0;
    assert_non_null(selected(&oct_gemm_family, &caps, &q));
    caps.x86_avx512_vnni = caps.x86_avx2 = false;
    q.force.variant = "gemm_s8_6x64__x86_vnni512";
    assert_null(selected(&oct_gemm_family, &caps, &q));
}

/* A GPU takes tiles that fit it; few rows take the kernel that reads B once; little work splits k. */
static void gpus_take_tiles_within_their_limits(void **state)
{
    (void)state;
    oct_caps caps = {.any_device = true, .prefers_tiles = true, .dot4 = OCT_DOT4_NVIDIA, .max_group = 1024};
    caps.item_words = 128;
    caps.info.local_bytes = 48 << 10;
    caps.info.compute_units = 132;
    caps.info.max_alloc_bytes = (uint64_t)1 << 34;
    oct_gemm_request q = {.m = 8192, .n = 8192, .k = 8192, .batch = 1};
    assert_string_equal(selected(&oct_gemm_family, &caps, &q), "gemm_s8_128x128_8x8__dot4");
    q.m = 1;
    assert_string_equal(selected(&oct_gemm_family, &caps, &q),
                        "gemm_s8_1x32__dot4"); /* 256 work-groups, not 128 */
    q.m = 7;
    assert_string_equal(selected(&oct_gemm_family, &caps, &q), "gemm_s8_8x64__dot4");
    q.m = 8192;
    caps.item_words = 48; /* 8 x 8 sums would spill */
    assert_string_equal(selected(&oct_gemm_family, &caps, &q), "gemm_s8_64x64_8x4__dot4");
    caps.info.local_bytes = 40 << 8;
    assert_string_equal(selected(&oct_gemm_family, &caps, &q), "gemm_s8_64x64_8x4__dot4");
    caps.max_group = 127;
    caps.info.local_bytes = 4 << 10;
    q.m = 3; /* one row at a time is all that fits */
    assert_string_equal(selected(&oct_gemm_family, &caps, &q), "gemm_s8_4x16__portable");
    const oct_tile tile = {128, 128, 32, 8, 8}, small = {.bm = 1, .bn = 64};
    caps.info.local_bytes = 48 << 10;
    caps.item_words = 128;
    assert_false(oct_tile_valid(&tile, &caps)); /* 256 work-items */
    caps.max_group = 256;
    assert_true(oct_tile_valid(&tile, &caps));
    assert_false(oct_tile_valid(&(oct_tile){128, 128, 32, 8, 4}, &caps)); /* 512 */
    assert_false(oct_tile_valid(&(oct_tile){64, 64, 32, 4, 4}, &caps)); /* half a chunk for each work-item */
    assert_int_equal(oct_tile_spread(&tile, &caps, 8192, 8192, 2048, 1).splits, 1);
    oct_tiling t = oct_tile_spread(&tile, &caps, 128, 128, 4096, 1);
    assert_true(t.splits > 8 && t.splits * t.split_groups >= 4096 && (t.splits - 1) * t.split_groups < 4096);
    t = oct_tile_spread(&small, &caps, 1, 1024, 1024, 1);
    assert_true(t.across == 16 && t.splits >= 3);
    assert_int_equal(oct_tile_spread(&small, &caps, 1, 12288, 1024, 1).splits, 1);
    char options[64];
    oct_tile_device_options(&tile, &caps, options);
    assert_null(strstr(options, "maxrregcount"));
    caps.nvidia_registers = 65536; /* for two work-groups of 256; of 128 work-items there are enough anyway */
    oct_tile_device_options(&tile, &caps, options);
    assert_non_null(strstr(options, " -cl-nv-maxrregcount=128"));
    oct_tile_device_options(&(oct_tile){128, 64, 32, 8, 8}, &caps, options);
    assert_null(strstr(options, "maxrregcount"));
    caps.item_words = oct_item_words("Intel(R) Corporation"); /* 128 x 64 was seen to spill */
    assert_true(oct_tile_valid(&tile, &caps));
    assert_false(oct_tile_valid(&(oct_tile){128, 64, 32, 8, 8}, &caps));
    assert_true(oct_item_words("NVIDIA Corporation") > caps.item_words &&
                oct_item_words("ARM") < caps.item_words);
    assert_int_equal(oct_tile_spread(&tile, &caps, 1, 1, 0, 1).splits, 1);
}

/* OCTET_DOT4 names a path that the device has, or the context is refused by name. */
static void a_dot_product_path_can_be_asked_for(void **state)
{
    (void)state;
    octet_context *other = NULL;
    setenv("OCTET_DOT4", "none", 1);
    CHECK_OK(octet_context_create(NULL, &other));
    octet_context_destroy(other);
    setenv("OCTET_DOT4", "abacus", 1);
    assert_int_equal(octet_context_create(NULL, &other), OCTET_INVALID_ARGUMENT);
    assert_non_null(strstr(octet_last_error(), "abacus"));
    unsetenv("OCTET_DOT4");
}

static int set_up(void **state)
{
    (void)state;
    octet_status status = octet_context_create(NULL, &context);
    if (status != OCTET_OK)
        print_error("%s\n", octet_last_error());
    return status != OCTET_OK;
}

static int tear_down(void **state)
{
    (void)state;
    octet_context_destroy(context);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_variant_is_exact),
        cmocka_unit_test(a_large_product_is_exact),
        cmocka_unit_test(the_longest_sums_fit),
        cmocka_unit_test(bad_requests_are_refused_with_a_reason),
        cmocka_unit_test(selection_follows_capabilities_and_rows),
        cmocka_unit_test(gpus_take_tiles_within_their_limits),
        cmocka_unit_test(a_dot_product_path_can_be_asked_for),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
