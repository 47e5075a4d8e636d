#include "all_kernels.h"
#include "conv.h"
#include "gemm.h"
#include "memory_plan.h"
#include "pointwise.h"
#include "trust.h"

#include <string.h>

/* What products are asked for: build options follow from types, from zero points of B and from what a
 * convolution's results go through. */
static const struct case_row {
    octet_dtype a, b, c;
    bool b_zero, table, sum;
} cases[] = {
    {OCTET_U8, OCTET_S8, OCTET_S32, false, false, false},
    {OCTET_U8, OCTET_S8, OCTET_U8, false, false, false},
    {OCTET_U8, OCTET_S8, OCTET_U8, false, true, false},
    {OCTET_U8, OCTET_S8, OCTET_U8, false, false, true},
    {OCTET_U8, OCTET_S8, OCTET_U8, false, true, true},
    {OCTET_S8, OCTET_S8, OCTET_S8, false, false, false},
    {OCTET_S8, OCTET_S8, OCTET_S8, false, false, true},
    {OCTET_U8, OCTET_U8, OCTET_U8, true, false, false},
    {OCTET_U8, OCTET_S8, OCTET_F32, false, false, false},
    {OCTET_U16, OCTET_S8, OCTET_U16, false, false, false},
};
enum { CASES = sizeof cases / sizeof cases[0], PLAIN_CASE = 1, M = 40, N = 150, K = 150 };

/* The windows of convolutions: 1x1 and 3x3, and of each depth 3x3, at every second pixel too, and 5x5. */
static const oct_geometry windows[] = {
    {.n = 1,
     .h = 9,
     .w = 9,
     .c = 40,
     .oh = 9,
     .ow = 9,
     .co = 150,
     .kh = 3,
     .kw = 3,
     .group = 1,
     .stride_h = 1,
     .stride_w = 1,
     .dilation_h = 1,
     .dilation_w = 1,
     .pad_top = 1,
     .pad_left = 1},
    {.n = 1,
     .h = 9,
     .w = 9,
     .c = 96,
     .oh = 9,
     .ow = 9,
     .co = 96,
     .kh = 3,
     .kw = 3,
     .group = 96,
     .stride_h = 1,
     .stride_w = 1,
     .dilation_h = 1,
     .dilation_w = 1,
     .pad_top = 1,
     .pad_left = 1},
    {.n = 1,
     .h = 9,
     .w = 9,
     .c = 96,
     .oh = 5,
     .ow = 5,
     .co = 96,
     .kh = 3,
     .kw = 3,
     .group = 96,
     .stride_h = 2,
     .stride_w = 2,
     .dilation_h = 1,
     .dilation_w = 1,
     .pad_top = 1,
     .pad_left = 1},
    {.n = 1,
     .h = 9,
     .w = 9,
     .c = 96,
     .oh = 9,
     .ow = 9,
     .co = 96,
     .kh = 5,
     .kw = 5,
     .group = 96,
     .stride_h = 1,
     .stride_w = 1,
     .dilation_h = 1,
     .dilation_w = 1,
     .pad_top = 2,
     .pad_left = 2},
};
enum { WINDOWS = sizeof windows / sizeof windows[0] };

typedef struct survey {
    oct_device *device;
    oct_told_fn *told;
    void *user;
} survey;

static const float one_scale[] = {0.01f};
static const uint8_t one_zero[] = {3, 0}, no_zero[N + 1];

static oct_quant quant(oct_recipe *r, octet_dtype dtype, const void *zero)
{
    const bool has_scale = dtype != OCTET_S32 && dtype != OCTET_F32;
    oct_quant q = {.scale = OCT_MEM_NONE, .zero = OCT_MEM_NONE, .zero_dtype = dtype};
    if (has_scale) {
        q.scale = oct_recipe_const(r, one_scale, sizeof one_scale);
        q.zero = oct_recipe_const(r, zero, 2);
        q.scale_count = q.zero_count = 1;
        q.host_scale = one_scale;
        q.host_zero = zero;
    }
    return q;
}

static int32_t lowest(octet_dtype c)
{
    return c == OCTET_S8 ? -128 : 0;
}

static int32_t highest(octet_dtype c)
{
    return c == OCTET_U16 ? 65535 : c == OCTET_U8 ? 255 : 127;
}

/* A recipe notes a request; nothing of it is run as it is. */
static octet_status ask_gemm(oct_recipe *r, const oct_caps *caps, const struct case_row *k,
                             const char *variant)
{
    const oct_gemm_request q = {.force.variant = variant,
                                .m = M,
                                .n = N,
                                .k = K,
                                .batch = 1,
                                .lda = K,
                                .ldb = N,
                                .ldc = N,
                                .a_stride = M * K,
                                .c_stride = M * N,
                                .a_dtype = k->a,
                                .b_dtype = k->b,
                                .c_dtype = k->c,
                                .a = oct_recipe_input(r, M * K * 2),
                                .b = oct_recipe_const(r, no_zero, 1),
                                .c = oct_recipe_output(r, M * N * 4),
                                .bias = OCT_MEM_NONE,
                                .a_q = quant(r, k->a, one_zero),
                                .b_q = quant(r, k->b, k->b_zero ? one_zero : no_zero),
                                .c_q = quant(r, k->c, one_zero),
                                .clamp_min = lowest(k->c),
                                .clamp_max = highest(k->c)};
    return oct_gemm(r, caps, &q);
}

static octet_status ask_conv(oct_recipe *r, const oct_caps *caps, const struct case_row *k,
                             const char *variant, const oct_geometry *g)
{
    const size_t x = (size_t)(g->n * g->h * g->w * g->c) * 2,
                 y = (size_t)(oct_geometry_pixels(g) * g->co) * 4;
    oct_conv_request q = {.force.variant = variant,
                          .g = *g,
                          .x_dtype = k->a,
                          .w_dtype = k->b,
                          .y_dtype = k->c,
                          .x = oct_recipe_input(r, x),
                          .weights = oct_recipe_const(r, no_zero, 1),
                          .y = oct_recipe_output(r, y),
                          .bias = OCT_MEM_NONE,
                          .x_q = quant(r, k->a, one_zero),
                          .w_q = quant(r, k->b, k->b_zero ? one_zero : no_zero),
                          .y_q = quant(r, k->c, one_zero),
                          .clamp_min = lowest(k->c),
                          .clamp_max = highest(k->c),
                          .then = {.has_table = k->table, .has_sum = k->sum}};
    if (k->table)
        q.then.table = oct_recipe_const(r, no_zero, 1);
    if (k->sum) {
        q.then.residual = oct_recipe_input(r, y);
        q.then.own_q = q.then.residual_q = q.then.sum_q = q.y_q;
        q.then.sum_min = q.clamp_min;
        q.then.sum_max = q.clamp_max;
    }
    return oct_conv(r, caps, &q);
}

/* Have what this recipe uses tried, and tell what was found of it. */
static octet_status try_recipe(const survey *s, const oct_recipe *r)
{
    bool changed;
    FORWARD(oct_trust(s->device, r, &changed));
    for (int i = 0; i < r->launch_count; i++) {
        char program[OCT_PROGRAM_CHARS];
        const char *variant;
        oct_program_name_of(r->launches[i], program);
        oct_verdict verdict = oct_device_verdict(s->device, program, &variant);
        if (verdict != OCT_UNTRIED)
            FORWARD(s->told(s->user, variant, program, verdict));
    }
    return OCTET_OK;
}

/* One case of a variant, over a window where it is a convolution's. What the variant cannot do is left out.
 */
static octet_status try_case(const survey *s, const oct_variant *v, const struct case_row *k,
                             const oct_geometry *g)
{
    const oct_caps *caps = oct_device_caps(s->device);
    oct_recipe r;
    oct_recipe_init(&r);
    r.piece_bytes = oct_buffer_largest(s->device, OCT_MEM_ALIGN);
    octet_status status = g ? ask_conv(&r, caps, k, v->name, g) : ask_gemm(&r, caps, k, v->name);
    if (status == OCTET_OK)
        status = try_recipe(s, &r);
    else if (status == OCTET_UNSUPPORTED) {
        oct_error_clear();
        status = OCTET_OK;
    }
    oct_recipe_free(&r);
    return status;
}

static octet_status try_variant(const survey *s, const oct_family *f, const oct_variant *v)
{
    for (int k = 0; k < CASES; k++) {
        const struct case_row *row = &cases[k];
        if (f == &oct_gemm_family) {
            if (!row->table && !row->sum)
                FORWARD(try_case(s, v, row, NULL));
            continue;
        }
        for (int w = 0; w < WINDOWS && row->c != OCTET_F32; w++) {
            const bool other = w > 1 && k != PLAIN_CASE; /* a window more is tried with one case */
            if (oct_geometry_is_depthwise(&windows[w]) == v->kind->depthwise && !other)
                FORWARD(try_case(s, v, row, &windows[w]));
        }
    }
    return OCTET_OK;
}

static octet_status try_lookup(const survey *s)
{
    const oct_caps *caps = oct_device_caps(s->device);
    oct_recipe r;
    oct_recipe_init(&r);
    const oct_operand x = {.mem = oct_recipe_input(&r, N), .dtype = OCTET_U8, .rank = 1, .dims = {N}};
    oct_operand y = x;
    y.mem = oct_recipe_output(&r, N);
    octet_status status = oct_table_op(&r, caps, &x, &y, (uint8_t[256]){0});
    if (status == OCTET_OK)
        status = try_recipe(s, &r);
    oct_recipe_free(&r);
    return status;
}

octet_status oct_try_all_kernels(oct_device *device, oct_told_fn *told, void *user)
{
    static const oct_family *const families[] = {&oct_gemm_family, &oct_conv_family};
    const survey s = {device, told, user};
    const oct_caps *caps = oct_device_caps(device);
    for (size_t f = 0; f < sizeof families / sizeof families[0]; f++) {
        for (size_t i = 0; i < families[f]->count; i++) {
            const oct_variant *v = &families[f]->rows[i];
            if (oct_variant_needs_proof(v, caps) && oct_variant_runs_on(v, caps))
                FORWARD(try_variant(&s, families[f], v));
        }
    }
    return oct_table_is_x86(caps) ? try_lookup(&s) : OCTET_OK;
}
