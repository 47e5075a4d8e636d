#include "float_product.h"
#include "move.h"
#include "sizes.h"

#include "product/float_product_args.clh"

/* A library call costs the host more than a launch: small products stay with the plain kernels. */
#define LIBRARY_MACS (1 << 18)
/* Of a window written out as rows. */
#define LARGEST_ROWS_BYTES ((size_t)256 << 20)

static double matmul_macs(const void *request)
{
    const oct_float_matmul_request *q = request;
    return (double)q->batch * (double)q->m * (double)q->n * (double)q->k;
}

static double conv_macs(const void *request)
{
    const oct_geometry *g = &((const oct_float_conv_request *)request)->g;
    return (double)oct_geometry_pixels(g) * (double)g->co * (double)(g->kh * g->kw * g->c / g->group);
}

/* On CPUs CLBlast's kernels are slow. */
static bool matmul_suits_library(const oct_caps *caps, const void *request)
{
    return caps->prefers_tiles && matmul_macs(request) >= LIBRARY_MACS;
}

static bool conv_suits_library(const oct_caps *caps, const void *request)
{
    return caps->prefers_tiles && conv_macs(request) >= LIBRARY_MACS;
}

/* y = factor * c, for a library call to add to. */
static void put_addend(oct_recipe *r, oct_mem c, oct_mem y, int64_t m, int64_t n, float factor, int64_t c_row,
                       int64_t c_column)
{
    oct_launch *l = oct_recipe_launch(r, "product/blas.cl", "addend", "%s", "");
    OCT_ARGS(l, addend, .c = oct_whole(c), .y = oct_whole(y), .n = n, .factor = factor, .c_row = c_row,
             .c_column = c_column);
    oct_launch_2d(l, oct_ceil_div((size_t)n, 16), (size_t)m, 0, 0);
}

static octet_status plain_matmul(oct_recipe *r, const oct_caps *caps, const oct_variant *v, const void *work)
{
    const oct_float_matmul_request *q = work;
    (void)caps;
    const size_t rows = q->m == 1 ? 1 : 6, nb = q->n <= 16 ? 16 : 32;
    oct_launch *l = oct_recipe_launch(r, v->file, "matmul", "-DROWS=%d -DNB=%d", (int)rows, (int)nb);
    OCT_ARGS(l, matmul, .a = oct_whole(q->a), .w = oct_whole(q->b),
             .c = oct_whole(q->beta != 0.0f ? q->c : OCT_MEM_NONE), .y = oct_whole(q->y), .m = q->m,
             .n = q->n, .k = q->k, .a_stride = q->a_stride, .w_stride = q->b_stride, .alpha = q->alpha,
             .beta = q->beta, .c_row = q->c_row, .c_column = q->c_column);
    oct_launch_3d(
        l, (size_t[3]){oct_ceil_div((size_t)q->n, nb), oct_ceil_div((size_t)q->m, rows), (size_t)q->batch},
        NULL);
    return r->status;
}

/* Sums of nothing, and a c that differs from batch to batch, have no such call. */
static octet_status matmul_by_library(oct_recipe *r, const oct_caps *caps, const oct_variant *v,
                                      const void *work)
{
    const oct_float_matmul_request *q = work;
    if (q->k == 0 || (q->beta != 0.0f && q->batch > 1 && q->c_row != 0))
        return plain_matmul(r, caps, v, work);
    bool adds = q->beta != 0.0f;
    if (adds)
        put_addend(r, q->c, q->y, q->batch * q->m, q->n, q->beta, q->c_row, q->c_column);
    oct_sgemm g = {.m = (size_t)q->m,
                   .n = (size_t)q->n,
                   .k = (size_t)q->k,
                   .batch = (size_t)q->batch,
                   .lda = (size_t)q->k,
                   .ldb = (size_t)q->n,
                   .ldc = (size_t)q->n,
                   .a_stride = (size_t)q->a_stride,
                   .b_stride = (size_t)q->b_stride,
                   .c_stride = (size_t)(q->m * q->n),
                   .alpha = q->alpha,
                   .beta = adds ? 1.0f : 0.0f};
    oct_recipe_sgemm(r, &g, (oct_float_place){q->a, 0}, (oct_float_place){q->b, 0},
                     (oct_float_place){q->y, 0});
    return r->status;
}

static const oct_kind matmul_library = {.suits = matmul_suits_library, .launch = matmul_by_library};
static const oct_kind matmul_plain = {.launch = plain_matmul};
static const oct_variant matmuls[] = {
    OCT_VARIANT(clblast, matmul_library, clblast, "product/float_product.cl", 0, 0, 0,
                OCT_AS_IS) /* best first */
    OCT_VARIANT(plain, matmul_plain, any_device, "product/float_product.cl", 0, 0, 0, OCT_AS_IS)};
const oct_family oct_float_matmul_family = {"float product", matmuls, sizeof matmuls / sizeof matmuls[0],
                                            matmul_macs, NULL};

octet_status oct_float_matmul(oct_recipe *r, const oct_caps *caps, const oct_float_matmul_request *q)
{
    const oct_variant *v;
    FORWARD(oct_variant_choose(&oct_float_matmul_family, caps, q, &v, NULL));
    return v->kind->launch(r, caps, v, q);
}

/* Weights to [group][panel][kh kw][ci][nb], where the last panel of a group may be cut short. */
static oct_mem arrange(oct_recipe *r, const oct_caps *caps, const oct_float_conv_request *q, int64_t nb)
{
    int64_t taps = q->g.kh * q->g.kw, gci = q->g.c / q->g.group, gco = q->g.co / q->g.group;
    int64_t whole = gco / nb, panels = whole + (gco % nb != 0), panel = taps * gci * nb;
    oct_operand to = q->weights;
    to.mem = oct_recipe_temp(r, (size_t)(q->g.group * panels * panel) * sizeof(float));
    const int64_t channel = q->transposed ? taps : gci * taps, input = q->transposed ? gco * taps : taps;
    for (int part = 0; part < 2; part++) { /* whole panels, then what is left */
        oct_box b = {.rank = 5,
                     .dims = {q->g.group, part ? panels - whole : whole, taps, gci, part ? gco % nb : nb},
                     .x_steps = {gco * gci * taps, nb * channel, 1, input, channel},
                     .y_steps = {panels * panel, panel, gci * nb, nb, 1},
                     .x_start = part ? whole * nb * channel : 0,
                     .y_start = part ? whole * panel : 0};
        (void)oct_move_box(r, caps, &q->weights, &to, &b);
    }
    return to.mem;
}

/* The window of every output pixel as a row [tap][c]; x itself where that is the same. */
static oct_mem window_rows(oct_recipe *r, const oct_float_conv_request *q)
{
    bool same = q->g.kh == 1 && q->g.kw == 1 && q->g.stride_h == 1 && q->g.stride_w == 1 &&
                q->g.pad_top == 0 && q->g.pad_left == 0 && q->g.oh == q->g.h && q->g.ow == q->g.w;
    if (same)
        return q->x.mem;
    size_t taps = (size_t)(q->g.kh * q->g.kw), pixels = (size_t)(q->g.oh * q->g.ow);
    oct_mem rows = oct_recipe_temp(r, (size_t)q->g.n * pixels * taps * (size_t)q->g.c * sizeof(float));
    oct_launch *l = oct_recipe_launch(r, "product/blas.cl", "window_rows", "%s", "");
    OCT_ARGS(l, window_rows, .x = oct_whole(q->x.mem), .rows = oct_whole(rows), .geometry = q->g);
    oct_launch_3d(l, (size_t[3]){taps, pixels, (size_t)q->g.n}, NULL);
    return rows;
}

/* One product, pixels x (taps c) x co. Groups and transposed convolutions are not for it, nor windows whose
 * rows would fill the device. */
static bool is_product(const oct_float_conv_request *q)
{
    size_t bytes = sizeof(float);
    const int64_t factors[] = {q->g.n, q->g.oh * q->g.ow, q->g.kh * q->g.kw, q->g.c};
    for (size_t i = 0; i < 4; i++) {
        if (!oct_size_mul(bytes, (size_t)factors[i], &bytes))
            return false;
    }
    return q->g.group == 1 && !q->transposed && bytes > 0 && bytes <= LARGEST_ROWS_BYTES;
}

static octet_status plain_conv(oct_recipe *r, const oct_caps *caps, const oct_variant *v, const void *work)
{
    const oct_float_conv_request *q = work;
    const oct_geometry *g = &q->g;
    bool depthwise = !q->transposed && g->c == g->group && g->co == g->group;
    int64_t gco = depthwise ? g->c : g->co / g->group;
    /* For one channel a group, [group][taps] and [taps][group]: */
    oct_float_conv_request as = *q;
    if (depthwise) {
        as.g.group = 1;
        as.g.c = 1;
    }
    int64_t nb = depthwise ? gco : gco <= 16 ? 16 : 32, rows = depthwise ? 1 : 6;
    oct_mem weights = arrange(r, caps, &as, nb);
    oct_launch *l = oct_recipe_launch(r, v->file, depthwise ? "depthwise" : "conv", "-DNB=%d%s",
                                      depthwise ? 32 : (int)nb, q->transposed ? " -DTRANSPOSED" : "");
    OCT_ARGS(l, float_conv, .x = oct_whole(q->x.mem), .w = oct_whole(weights), .bias = oct_whole(q->bias),
             .y = oct_whole(q->y.mem), .geometry = q->g, .has_bias = q->bias != OCT_MEM_NONE);
    oct_launch_3d(l,
                  (size_t[3]){oct_ceil_div((size_t)gco, depthwise ? 16 : (size_t)nb),
                              oct_ceil_div((size_t)(g->oh * g->ow), (size_t)rows),
                              (size_t)(g->n * (depthwise ? 1 : g->group))},
                  NULL);
    return r->status;
}

static octet_status conv_by_library(oct_recipe *r, const oct_caps *caps, const oct_variant *v,
                                    const void *work)
{
    const oct_float_conv_request *q = work;
    if (!is_product(q))
        return plain_conv(r, caps, v, work);
    int64_t pixels = q->g.n * q->g.oh * q->g.ow, k = q->g.kh * q->g.kw * q->g.c;
    bool has_bias = q->bias != OCT_MEM_NONE;
    oct_mem weights = arrange(r, caps, q, q->g.co), rows = window_rows(r, q);
    if (has_bias)
        put_addend(r, q->bias, q->y.mem, pixels, q->g.co, 1.0f, 0, 1);
    oct_sgemm g = {.m = (size_t)pixels,
                   .n = (size_t)q->g.co,
                   .k = (size_t)k,
                   .batch = 1,
                   .lda = (size_t)k,
                   .ldb = (size_t)q->g.co,
                   .ldc = (size_t)q->g.co,
                   .alpha = 1.0f,
                   .beta = has_bias ? 1.0f : 0.0f};
    oct_recipe_sgemm(r, &g, (oct_float_place){rows, 0}, (oct_float_place){weights, 0},
                     (oct_float_place){q->y.mem, 0});
    return r->status;
}

static const oct_kind conv_library = {.suits = conv_suits_library, .launch = conv_by_library};
static const oct_kind conv_plain = {.launch = plain_conv};
static const oct_variant convs[] = {
    OCT_VARIANT(clblast, conv_library, clblast, "product/float_product.cl", 0, 0, 0, OCT_AS_IS)
        OCT_VARIANT(plain, conv_plain, any_device, "product/float_product.cl", 0, 0, 0, OCT_AS_IS)};
const oct_family oct_float_conv_family = {"float product", convs, sizeof convs / sizeof convs[0], conv_macs,
                                          NULL};

octet_status oct_float_conv(oct_recipe *r, const oct_caps *caps, const oct_float_conv_request *q)
{
    const oct_variant *v;
    const oct_geometry *g = &q->g;
    const int64_t sizes[] = {g->h,          g->w,          g->c,       g->oh,       g->ow,
                             g->co,         g->kh,         g->kw,      g->stride_h, g->stride_w,
                             g->dilation_h, g->dilation_w, g->pad_top, g->pad_left, g->group};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        RETURN_IF(sizes[i] > INT32_MAX / 4 || sizes[i] < 0, OCTET_UNSUPPORTED,
                  "convolution: %lld is out of range for a size", (long long)sizes[i]);
    RETURN_IF(q->g.oh * q->g.ow > INT32_MAX, OCTET_UNSUPPORTED, "convolution: too many pixels of output");
    if (q->g.c == 0 || q->g.co == 0)
        return r->status;
    FORWARD(oct_variant_choose(&oct_float_conv_family, caps, q, &v, NULL));
    return v->kind->launch(r, caps, v, q);
}
