/* MaxPool, QLinearAveragePool and QLinearGlobalAveragePool against src/ref, byte for byte. */
#include "harness.h"
#include "pool.h"
#include "ref.h"

typedef struct shape {
    int64_t n, h, w, c, kh, kw, stride_h, stride_w, dilation_h, dilation_w, top, left, bottom, right;
    bool ceil_mode;
} shape;

static const shape shapes[] = {
    {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, false},
    {1, 8, 8, 3, 2, 2, 2, 2, 1, 1, 0, 0, 0, 0, false},
    {2, 9, 7, 17, 3, 3, 2, 2, 1, 1, 1, 1, 1, 1, false},
    {1, 9, 7, 16, 3, 3, 2, 2, 1, 1, 0, 0, 0, 0, true},
    {1, 12, 5, 33, 5, 1, 1, 1, 1, 1, 2, 0, 2, 0, false},
    {1, 10, 10, 5, 3, 2, 1, 3, 2, 3, 1, 1, 0, 1, false},
    {3, 4, 4, 64, 4, 4, 1, 1, 1, 1, 0, 0, 0, 0, false},
    {1, 7, 7, 20, 7, 7, 7, 7, 1, 1, 0, 0, 0, 0, false},
    {0, 4, 4, 4, 2, 2, 2, 2, 1, 1, 0, 0, 0, 0, false},
    {1, 1, 50, 15, 1, 3, 1, 2, 1, 1, 0, 1, 0, 1, false},
    {1, 9, 11, 6, 1, 2, 4, 5, 1, 1, -1, -1, 0, 0, false},
    {1, 56, 56, 31, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1, false},
};

static int64_t out_size(int64_t in, int64_t k, int64_t stride, int64_t dilation, int64_t pads, int64_t begin,
                        bool ceil_mode)
{
    int64_t span = in + pads - (k - 1) * dilation - 1,
            out = (ceil_mode ? (span + stride - 1) / stride : span / stride) + 1;
    return ceil_mode && (out - 1) * stride >= in + begin ? out - 1 : out;
}

/* Bytes of any kind, or, of 16 bits, the extremes now and then. */
static void fill(uint64_t *s, octet_dtype t, unsigned char *x, size_t elems)
{
    if (!oct_dtype_is_int16(t)) {
        check_fill(s, t, x, elems, (int)(check_random(s) % 3));
        return;
    }
    bool extreme = check_random(s) % 2 == 0;
    for (size_t i = 0; i < elems; i++) {
        int64_t lo = oct_dtype_min(t), hi = oct_dtype_max(t);
        oct_ref_store(t, x, (int64_t)i, (int32_t)(extreme ? (i % 7 ? hi : lo) : check_range(s, lo, hi)));
    }
}

static void run_case(const shape *p, oct_pool_kind kind, octet_dtype t, uint64_t seed)
{
    uint64_t s = seed;
    if (kind == OCT_POOL_AVERAGE && (p->dilation_h > 1 || p->dilation_w > 1))
        return; /* QLinearAveragePool has no dilations */
    if (kind == OCT_POOL_AVERAGE && oct_dtype_is_int16(t))
        return; /* of 8 bits */
    bool global = kind == OCT_POOL_GLOBAL_AVERAGE;
    int64_t oh =
        global ? 1
               : out_size(p->h, p->kh, p->stride_h, p->dilation_h, p->top + p->bottom, p->top, p->ceil_mode);
    int64_t ow =
        global ? 1
               : out_size(p->w, p->kw, p->stride_w, p->dilation_w, p->left + p->right, p->left, p->ceil_mode);
    size_t nx = (size_t)(p->n * p->h * p->w * p->c), ny = (size_t)(p->n * oh * ow * p->c);
    size_t elem = oct_dtype_bytes(t), bytes = ny * elem;
    unsigned char *x = malloc(nx * elem + 1), *y = malloc(bytes + 16), *want = malloc(bytes + 16);
    int16_t zeros[2]; /* little-endian: the first byte is that of the smaller types */
    float scales[2] = {check_scale(&s), check_random(&s) & 1 ? 0.5f : check_scale(&s)};
    fill(&s, t, x, nx);
    for (int i = 0; i < 2; i++)
        zeros[i] = (int16_t)check_random(&s);
    memset(y, GUARD, bytes + 16);
    memset(want, GUARD, bytes + 16);
    int32_t z[2];
    for (int i = 0; i < 2; i++)
        z[i] = oct_ref_load(t, zeros, i * (elem == 1 ? 2 : 1));
    oct_ref_pool_params ref = {.n = p->n,
                               .h = p->h,
                               .w = p->w,
                               .c = p->c,
                               .oh = oh,
                               .ow = ow,
                               .kh = p->kh,
                               .kw = p->kw,
                               .stride_h = p->stride_h,
                               .stride_w = p->stride_w,
                               .dilation_h = p->dilation_h,
                               .dilation_w = p->dilation_w,
                               .pad_top = p->top,
                               .pad_left = p->left,
                               .pad_bottom = p->bottom,
                               .pad_right = p->right,
                               .count_include_pad = seed & 1,
                               .dtype = t,
                               .x_scale = scales[0],
                               .y_scale = scales[1],
                               .x_zero = z[0],
                               .y_zero = z[1]};
    if (kind == OCT_POOL_MAX)
        oct_ref_maxpool(&ref, x, want);
    else if (kind == OCT_POOL_AVERAGE)
        oct_ref_qavgpool(&ref, x, want);
    else
        oct_ref_qglobal_avgpool(t, p->n, p->h * p->w, p->c, scales[0], z[0], scales[1], z[1], x, want);
    oct_recipe r;
    oct_recipe_init(&r);
    oct_pool_request q = {.kind = kind,
                          .n = p->n,
                          .h = p->h,
                          .w = p->w,
                          .c = p->c,
                          .oh = oh,
                          .ow = ow,
                          .kh = p->kh,
                          .kw = p->kw,
                          .stride_h = p->stride_h,
                          .stride_w = p->stride_w,
                          .dilation_h = p->dilation_h,
                          .dilation_w = p->dilation_w,
                          .pad_top = p->top,
                          .pad_left = p->left,
                          .pad_bottom = p->bottom,
                          .pad_right = p->right,
                          .count_include_pad = seed & 1,
                          .x = harness_operand(&r, t, 4, (int64_t[]){p->n, p->h, p->w, p->c}, x, true),
                          .y = harness_output(&r, t, 4, (int64_t[]){p->n, oh, ow, p->c}),
                          .x_q = harness_quant(&r, t, &scales[0], 1, &zeros[0], 1),
                          .y_q = harness_quant(&r, t, &scales[1], 1, &zeros[1], 1)};
    char what[96];
    snprintf(what, sizeof what, "pool kind %d shape %d %s seed %llu", (int)kind, (int)(p - shapes),
             oct_dtype_name(t), (unsigned long long)seed);
    octet_status built = oct_pool(&r, harness_caps(), &q);
    harness_run(&r, built, &(harness_io){q.x.mem, x}, 1, &(harness_io){q.y.mem, y}, 1, what);
    harness_compare(y, want, bytes + 16, what);
    free(x);
    free(y);
    free(want);
}

static void pools(void)
{
    const octet_dtype types[] = {OCTET_U8, OCTET_S8, OCTET_U16, OCTET_S16};
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        for (int kind = 0; kind < 3; kind++) {
            for (uint64_t k = 0; k < harness_cases(8); k++)
                run_case(&shapes[i], (oct_pool_kind)kind, types[k / 2 % 4],
                         1 + k + i * 101 + (uint64_t)kind * 1009);
        }
    }
}

static void pools_are_exact(void **state)
{
    (void)state;
    harness_each_lanes(pools);
}

/* Float MaxPool moves values, so a plain loop is its oracle. */
static void float_max_pool(void)
{
    enum { H = 6, W = 5, C = 18 };
    static float x[H * W * C], y[H * W * C], want[H * W * C];
    uint64_t s = 9;
    for (int i = 0; i < H * W * C; i++)
        x[i] = (float)(int32_t)check_random(&s) * 1e-6f;
    for (int i = 0; i < H * W * C; i++) {
        int c = i % C, ox = i / C % W, oy = i / C / W;
        float best = -1e30f;
        for (int ky = -1; ky <= 1; ky++) {
            for (int kx = -1; kx <= 1; kx++) {
                int iy = oy + ky, ix = ox + kx;
                if (iy >= 0 && iy < H && ix >= 0 && ix < W && x[(iy * W + ix) * C + c] > best)
                    best = x[(iy * W + ix) * C + c];
            }
        }
        want[i] = best;
    }
    oct_recipe r;
    oct_recipe_init(&r);
    const int64_t dims[] = {1, H, W, C};
    oct_pool_request q = {.kind = OCT_POOL_MAX,
                          .n = 1,
                          .h = H,
                          .w = W,
                          .c = C,
                          .oh = H,
                          .ow = W,
                          .kh = 3,
                          .kw = 3,
                          .stride_h = 1,
                          .stride_w = 1,
                          .dilation_h = 1,
                          .dilation_w = 1,
                          .pad_top = 1,
                          .pad_left = 1,
                          .pad_bottom = 1,
                          .pad_right = 1,
                          .x = harness_operand(&r, OCTET_F32, 4, dims, x, true),
                          .y = harness_output(&r, OCTET_F32, 4, dims)};
    octet_status built = oct_pool(&r, harness_caps(), &q);
    harness_run(&r, built, &(harness_io){q.x.mem, x}, 1, &(harness_io){q.y.mem, y}, 1, "float max pool");
    harness_compare(y, want, sizeof y, "float max pool");
}

static void float_max_pool_is_exact(void **state)
{
    (void)state;
    harness_each_lanes(float_max_pool);
}

static void refuse(octet_dtype t, int64_t pixels)
{
    const int64_t dims[] = {1, 1, pixels, 1}, one[] = {1, 1, 1, 1};
    const float scale = 1.0f;
    for (int kind = OCT_POOL_AVERAGE; kind <= OCT_POOL_GLOBAL_AVERAGE; kind++) {
        oct_recipe r;
        oct_recipe_init(&r);
        oct_pool_request q = {.kind = (oct_pool_kind)kind,
                              .n = 1,
                              .h = 1,
                              .w = pixels,
                              .c = 1,
                              .oh = 1,
                              .ow = 1,
                              .kh = 1,
                              .kw = pixels,
                              .stride_h = 1,
                              .stride_w = 1,
                              .dilation_h = 1,
                              .dilation_w = 1,
                              .x = harness_operand(&r, t, 4, dims, NULL, true),
                              .y = harness_output(&r, t, 4, one),
                              .x_q = harness_quant(&r, t, &scale, 1, NULL, 0),
                              .y_q = harness_quant(&r, t, &scale, 1, NULL, 0)};
        assert_int_equal(oct_pool(&r, harness_caps(), &q), OCTET_UNSUPPORTED);
        oct_recipe_free(&r);
    }
}

/* An int32 sum holds fewer than 2^23 pixels, or 2^15 of 16 bits; an average over the whole input takes the
 * global formula. */
static void sums_that_could_wrap_are_refused(void **state)
{
    (void)state;
    refuse(OCTET_U8, (int64_t)1 << 23);
    refuse(OCTET_U16, ((int64_t)1 << 15) + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pools_are_exact),
        cmocka_unit_test(sums_that_could_wrap_are_refused),
        cmocka_unit_test(float_max_pool_is_exact),
    };
    return cmocka_run_group_tests(tests, open_device, close_device);
}
