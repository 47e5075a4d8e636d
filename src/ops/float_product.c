#include "float_product.h"
#include "move.h"
#include "sizes.h"

#include <stddef.h>
#include <string.h>

/* Best first. A library call is for GPUs (on CPUs CLBlast's kernels are slow) and costs the host more than a
 * launch: small products stay with the plain kernels. */
static const struct {
    const char *name;
    size_t capability; /* offset of a bool in oct_caps */
    bool library;
} variants[] = {
    {"clblast", offsetof(oct_caps, clblast), true},
    {"plain", offsetof(oct_caps, any_device), false},
};
enum { VARIANTS = sizeof variants / sizeof variants[0] };
#define LIBRARY_MACS (1 << 18)
/* Of a window written out as rows. */
#define LARGEST_ROWS_BYTES ((size_t)256 << 20)

static bool has_variant(const oct_caps *caps, int i)
{
    bool has;
    memcpy(&has, (const char *)caps + variants[i].capability, sizeof has);
    return has;
}

const char *oct_float_variant_name(const oct_caps *caps, size_t index)
{
    for (int i = 0; i < VARIANTS; i++) {
        if (has_variant(caps, i) && index-- == 0)
            return variants[i].name;
    }
    return NULL;
}

const char *oct_float_select(const oct_caps *caps, int64_t m, int64_t n, int64_t k)
{
    bool large = (double)m * (double)n * (double)k >= LIBRARY_MACS;
    for (int i = 0; i < VARIANTS; i++) {
        if (has_variant(caps, i) && (!variants[i].library || (caps->prefers_tiles && large)))
            return variants[i].name;
    }
    return NULL;
}

/* Is the product to be a library call? Errors: UNSUPPORTED, by the name that was asked for. */
static octet_status choose(const oct_caps *caps, const char *wanted, int64_t m, int64_t n, int64_t k,
                           bool *library)
{
    const char *name = wanted ? wanted : oct_float_select(caps, m, n, k);
    for (int i = 0; i < VARIANTS; i++) {
        if (has_variant(caps, i) && strcmp(name, variants[i].name) == 0) {
            *library = variants[i].library;
            return OCTET_OK;
        }
    }
    return oct_fail(OCTET_UNSUPPORTED, "float product variant '%s' is unknown or not on this device", name);
}

/* y = factor * c, for a library call to add to. */
static void put_addend(oct_recipe *r, oct_mem c, oct_mem y, int64_t m, int64_t n, float factor, int64_t c_row,
                       int64_t c_column)
{
    oct_launch *l = oct_recipe_launch(r, "float/blas.cl", "addend", "%s", "");
    oct_launch_in(l, c);
    oct_launch_out(l, y);
    oct_launch_i64(l, n);
    oct_launch_f32(l, factor);
    oct_launch_i64(l, c_row);
    oct_launch_i64(l, c_column);
    oct_launch_2d(l, oct_ceil_div((size_t)n, 16), (size_t)m, 0, 0);
}

static octet_status matmul_by_library(oct_recipe *r, const oct_float_matmul_request *q)
{
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

octet_status oct_float_matmul(oct_recipe *r, const oct_caps *caps, const oct_float_matmul_request *q)
{
    bool library = false;
    FORWARD(choose(caps, q->variant, q->batch * q->m, q->n, q->k, &library));
    /* Sums of nothing, and a c that differs from batch to batch, have no such call. */
    if (library && q->k > 0 && (q->beta == 0.0f || q->batch == 1 || q->c_row == 0))
        return matmul_by_library(r, q);
    const size_t rows = q->m == 1 ? 1 : 6, nb = q->n <= 16 ? 16 : 32;
    oct_launch *l =
        oct_recipe_launch(r, "float/product.cl", "matmul", "-DROWS=%d -DNB=%d", (int)rows, (int)nb);
    oct_launch_in(l, q->a);
    oct_launch_in(l, q->b);
    oct_launch_in(l, q->beta != 0.0f ? q->c : OCT_MEM_NONE);
    oct_launch_out(l, q->y);
    const int64_t sizes[] = {q->m, q->n, q->k, q->a_stride, q->b_stride};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        oct_launch_i64(l, sizes[i]);
    oct_launch_f32(l, q->alpha);
    oct_launch_f32(l, q->beta);
    oct_launch_i64(l, q->c_row);
    oct_launch_i64(l, q->c_column);
    oct_launch_3d(
        l, (size_t[3]){oct_ceil_div((size_t)q->n, nb), oct_ceil_div((size_t)q->m, rows), (size_t)q->batch},
        NULL);
    return r->status;
}

/* Weights to [group][panel][kh kw][ci][nb], where the last panel of a group may be cut short. */
static oct_mem arrange(oct_recipe *r, const oct_caps *caps, const oct_float_conv_request *q, int64_t nb)
{
    int64_t taps = q->kh * q->kw, gci = q->c / q->group, gco = q->co / q->group;
    int64_t whole = gco / nb, panels = whole + (gco % nb != 0), panel = taps * gci * nb;
    oct_operand to = q->weights;
    to.mem = oct_recipe_temp(r, (size_t)(q->group * panels * panel) * sizeof(float));
    const int64_t channel = q->transposed ? taps : gci * taps, input = q->transposed ? gco * taps : taps;
    for (int part = 0; part < 2; part++) { /* whole panels, then what is left */
        oct_box b = {.rank = 5,
                     .dims = {q->group, part ? panels - whole : whole, taps, gci, part ? gco % nb : nb},
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
    bool same = q->kh == 1 && q->kw == 1 && q->stride_h == 1 && q->stride_w == 1 && q->pad_top == 0 &&
                q->pad_left == 0 && q->oh == q->h && q->ow == q->w;
    if (same)
        return q->x.mem;
    size_t taps = (size_t)(q->kh * q->kw), pixels = (size_t)(q->oh * q->ow);
    oct_mem rows = oct_recipe_temp(r, (size_t)q->n * pixels * taps * (size_t)q->c * sizeof(float));
    oct_launch *l = oct_recipe_launch(r, "float/blas.cl", "window_rows", "%s", "");
    oct_launch_in(l, q->x.mem);
    oct_launch_out(l, rows);
    const int64_t numbers[] = {q->h,          q->w,          q->c,        q->oh,
                               q->ow,         q->kw,         q->stride_h, q->stride_w,
                               q->dilation_h, q->dilation_w, q->pad_top,  q->pad_left};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        oct_launch_i32(l, numbers[i]);
    oct_launch_3d(l, (size_t[3]){taps, pixels, (size_t)q->n}, NULL);
    return rows;
}

/* One product, pixels x (taps c) x co. Groups and transposed convolutions are not for it, nor windows whose
 * rows would fill the device. */
static bool is_product(const oct_float_conv_request *q)
{
    size_t bytes = sizeof(float);
    const int64_t factors[] = {q->n, q->oh * q->ow, q->kh * q->kw, q->c};
    for (size_t i = 0; i < 4; i++) {
        if (!oct_size_mul(bytes, (size_t)factors[i], &bytes))
            return false;
    }
    return q->group == 1 && !q->transposed && bytes > 0 && bytes <= LARGEST_ROWS_BYTES;
}

static octet_status conv_by_library(oct_recipe *r, const oct_caps *caps, const oct_float_conv_request *q)
{
    int64_t pixels = q->n * q->oh * q->ow, k = q->kh * q->kw * q->c;
    bool has_bias = q->bias != OCT_MEM_NONE;
    oct_mem weights = arrange(r, caps, q, q->co), rows = window_rows(r, q);
    if (has_bias)
        put_addend(r, q->bias, q->y.mem, pixels, q->co, 1.0f, 0, 1);
    oct_sgemm g = {.m = (size_t)pixels,
                   .n = (size_t)q->co,
                   .k = (size_t)k,
                   .batch = 1,
                   .lda = (size_t)k,
                   .ldb = (size_t)q->co,
                   .ldc = (size_t)q->co,
                   .alpha = 1.0f,
                   .beta = has_bias ? 1.0f : 0.0f};
    oct_recipe_sgemm(r, &g, (oct_float_place){rows, 0}, (oct_float_place){weights, 0},
                     (oct_float_place){q->y.mem, 0});
    return r->status;
}

octet_status oct_float_conv(oct_recipe *r, const oct_caps *caps, const oct_float_conv_request *q)
{
    bool library = false;
    const int64_t sizes[] = {q->h,          q->w,          q->c,       q->oh,       q->ow,
                             q->co,         q->kh,         q->kw,      q->stride_h, q->stride_w,
                             q->dilation_h, q->dilation_w, q->pad_top, q->pad_left, q->group};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        RETURN_IF(sizes[i] > INT32_MAX / 4 || sizes[i] < 0, OCTET_UNSUPPORTED,
                  "convolution: %lld is out of range for a size", (long long)sizes[i]);
    RETURN_IF(q->oh * q->ow > INT32_MAX, OCTET_UNSUPPORTED, "convolution: too many pixels of output");
    if (q->c == 0 || q->co == 0)
        return r->status;
    FORWARD(choose(caps, q->variant, q->n * q->oh * q->ow, q->co, q->kh * q->kw * q->c / q->group, &library));
    if (library && is_product(q))
        return conv_by_library(r, caps, q);
    bool depthwise = !q->transposed && q->c == q->group && q->co == q->group;
    int64_t gco = depthwise ? q->c : q->co / q->group;
    /* For one channel a group, [group][taps] and [taps][group]: */
    oct_float_conv_request as = *q;
    if (depthwise) {
        as.group = 1;
        as.c = 1;
    }
    int64_t nb = depthwise ? gco : gco <= 16 ? 16 : 32, rows = depthwise ? 1 : 6;
    oct_mem weights = arrange(r, caps, &as, nb);
    oct_launch *l = oct_recipe_launch(r, "float/product.cl", depthwise ? "depthwise" : "conv", "-DNB=%d%s",
                                      depthwise ? 32 : (int)nb, q->transposed ? " -DTRANSPOSED" : "");
    oct_launch_in(l, q->x.mem);
    oct_launch_in(l, weights);
    oct_launch_in(l, q->bias);
    oct_launch_out(l, q->y.mem);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        oct_launch_i32(l, sizes[i]);
    oct_launch_i32(l, q->bias != OCT_MEM_NONE);
    oct_launch_3d(l,
                  (size_t[3]){oct_ceil_div((size_t)gco, depthwise ? 16 : (size_t)nb),
                              oct_ceil_div((size_t)(q->oh * q->ow), (size_t)rows),
                              (size_t)(q->n * (depthwise ? 1 : q->group))},
                  NULL);
    return r->status;
}
