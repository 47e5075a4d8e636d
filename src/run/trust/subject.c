#include "tune_subject.h"
#include "dtype.h"
#include "ref.h"
#include "sizes.h"

#include <math.h>
#include <string.h>

/* xorshift64* (Vigna, 2016). */
static uint32_t next(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return (uint32_t)(*state * UINT64_C(0x2545F4914F6CDD1D) >> 32);
}

static unsigned char *random_bytes(oct_subject *s, size_t bytes, uint64_t *state)
{
    unsigned char *data = oct_arena_alloc(&s->arena, bytes + OCT_BUFFER_PAD, 1);
    for (size_t i = 0; data && i < bytes; i++)
        data[i] = (unsigned char)next(state);
    return data;
}

/* As many parameters as the request has; zero points that are known as they are, since kernels depend on
 * whether they are 0. */
static bool fill_quant(oct_subject *s, const oct_quant *from, octet_dtype dtype, float scale,
                       struct oct_subject_quant *q, uint64_t *state)
{
    q->dtype = dtype;
    q->scale_count = from->scale_count;
    q->zero_count = from->zero_count;
    q->scale = oct_arena_alloc(&s->arena, (size_t)q->scale_count, sizeof *q->scale);
    size_t zero_bytes = (size_t)q->zero_count * oct_dtype_bytes(dtype);
    q->zero = random_bytes(s, zero_bytes, state);
    if (!q->scale || !q->zero)
        return false;
    for (int64_t i = 0; i < q->scale_count; i++)
        q->scale[i] = scale * (0.5f + (float)(next(state) & 1023) / 1024.0f);
    if (from->host_zero)
        memcpy(q->zero, from->host_zero, zero_bytes);
    return true;
}

/* Scales that spread a requantized result over its range: a sum of k products of uniform bytes has a
 * deviation of about 5500 sqrt(k). */
static octet_status fill(oct_subject *s, const oct_quant *a_q, const oct_quant *b_q, const oct_quant *c_q,
                         const octet_dtype dtypes[3], int64_t terms, int64_t channels, bool bias,
                         uint64_t state)
{
    s->channels = channels;
    s->a = random_bytes(s, s->a_bytes, &state);
    s->b = random_bytes(s, s->b_bytes, &state);
    float spread = (float)(48.0 / (5500.0 * sqrt((double)(terms ? terms : 1))));
    bool ok = s->a && s->b && fill_quant(s, a_q, dtypes[0], 1.0f, &s->a_q, &state) &&
              fill_quant(s, b_q, dtypes[1], b_q->scale_count ? spread : 1.0f, &s->b_q, &state) &&
              fill_quant(s, c_q, dtypes[2], 1.0f, &s->c_q, &state);
    if (ok && bias) {
        s->bias = oct_arena_alloc(&s->arena, (size_t)channels, sizeof *s->bias);
        for (int64_t i = 0; s->bias && i < channels; i++)
            s->bias[i] = (int32_t)(next(&state) % 20001) - 10000;
        ok = s->bias != NULL;
    }
    RETURN_IF(!ok, OCTET_OUT_OF_MEMORY, "out of host memory for the data of %s", s->key);
    return OCTET_OK;
}

static octet_status make_gemm(oct_subject *s, const oct_recipe *recipe, const void *request, uint64_t seed)
{
    oct_gemm_request *q = &s->q.gemm;
    *q = *(const oct_gemm_request *)request;
    s->b_const = oct_recipe_is_const(recipe, q->b);
    q->lda = q->k;
    q->ldb = q->transpose_b ? q->k : q->n;
    q->ldc = q->n;
    q->a_stride = q->m * q->k;
    q->b_stride = q->b_stride ? q->k * q->n : 0;
    q->c_stride = q->m * q->n;
    s->rows = q->batch * q->m;
    s->row_macs = q->n * q->k;
    s->row_bytes = (size_t)q->n * oct_dtype_bytes(q->c_dtype);
    s->a_bytes = (size_t)(q->batch * q->a_stride) * oct_dtype_bytes(q->a_dtype);
    s->b_bytes = (size_t)(q->k * q->n * (q->b_stride ? q->batch : 1)) * oct_dtype_bytes(q->b_dtype);
    const octet_dtype dtypes[3] = {q->a_dtype, q->b_dtype, q->c_dtype};
    return fill(s, &q->a_q, &q->b_q, &q->c_q, dtypes, q->k, q->n, q->bias != OCT_MEM_NONE, seed);
}

static octet_status make_conv(oct_subject *s, const oct_recipe *recipe, const void *request, uint64_t seed)
{
    oct_conv_request *q = &s->q.conv;
    const oct_geometry *g = &q->g;
    *q = *(const oct_conv_request *)request;
    q->then = (oct_conv_chain){0}; /* what follows costs the same whoever does it */
    s->b_const = oct_recipe_is_const(recipe, q->weights);
    int64_t terms = g->c / g->group * g->kh * g->kw;
    s->rows = oct_geometry_pixels(g);
    s->row_macs = g->co * terms;
    s->row_bytes = (size_t)g->co * oct_dtype_bytes(q->y_dtype);
    s->a_bytes = (size_t)(g->n * g->h * g->w * g->c) * oct_dtype_bytes(q->x_dtype);
    s->b_bytes = (size_t)(g->co * terms) * oct_dtype_bytes(q->w_dtype);
    const octet_dtype dtypes[3] = {q->x_dtype, q->w_dtype, q->y_dtype};
    return fill(s, &q->x_q, &q->w_q, &q->y_q, dtypes, terms, g->co, q->bias != OCT_MEM_NONE, seed);
}

void oct_subject_free(oct_subject *s)
{
    oct_arena_free(&s->arena);
    memset(s, 0, sizeof *s);
}

/* The memories of a trial. */
typedef struct oct_subject_operands {
    oct_forced force;
    oct_subject_mems mems;
    oct_mem bias;
    oct_quant a_q, b_q, c_q;
} oct_subject_operands;

static oct_quant quant_mems(oct_recipe *r, const struct oct_subject_quant *from)
{
    oct_quant q = {.scale = OCT_MEM_NONE, .zero = OCT_MEM_NONE, .zero_dtype = from->dtype};
    if (from->scale_count) {
        q.scale = oct_recipe_const(r, from->scale, (size_t)from->scale_count * sizeof *from->scale);
        q.host_scale = from->scale;
        q.scale_count = from->scale_count;
    }
    if (from->zero_count) {
        q.zero = oct_recipe_const(r, from->zero, (size_t)from->zero_count * oct_dtype_bytes(from->dtype));
        q.host_zero = from->zero;
        q.zero_count = from->zero_count;
    }
    return q;
}

static octet_status append_gemm(const oct_subject *s, const oct_caps *caps, oct_recipe *r,
                                const oct_subject_operands *t)
{
    oct_gemm_request q = s->q.gemm;
    q.force = t->force;
    q.a = t->mems.a, q.b = t->mems.b, q.c = t->mems.c, q.bias = t->bias;
    q.a_q = t->a_q, q.b_q = t->b_q, q.c_q = t->c_q;
    return oct_gemm(r, caps, &q);
}

static octet_status append_conv(const oct_subject *s, const oct_caps *caps, oct_recipe *r,
                                const oct_subject_operands *t)
{
    oct_conv_request q = s->q.conv;
    q.force = t->force;
    q.x = t->mems.a, q.weights = t->mems.b, q.y = t->mems.c, q.bias = t->bias;
    q.x_q = t->a_q, q.w_q = t->b_q, q.y_q = t->c_q;
    return oct_conv(r, caps, &q);
}

/* ---- the reference ------------------------------------------------------------------------------------- */

static oct_ref_quant ref_quant(const struct oct_subject_quant *q, int64_t first)
{
    oct_ref_quant out = {q->scale_count ? q->scale : NULL, q->zero_count ? q->zero : NULL, q->scale_count,
                         q->zero_count};
    if (first && q->scale_count > 1) { /* one row of A */
        out.scale += first;
        out.scale_count = 1;
    }
    return out;
}

static void reference_gemm(const oct_subject *s, int64_t row, void *out)
{
    const oct_gemm_request *q = &s->q.gemm;
    int64_t batch = row / q->m;
    oct_ref_gemm(
        &(oct_ref_gemm_params){.m = 1,
                               .n = q->n,
                               .k = q->k,
                               .batch = 1,
                               .lda = q->lda,
                               .ldb = q->ldb,
                               .ldc = q->ldc,
                               .transpose_b = q->transpose_b,
                               .a_dtype = q->a_dtype,
                               .b_dtype = q->b_dtype,
                               .c_dtype = q->c_dtype,
                               .a = s->a + (size_t)(row * q->k) * oct_dtype_bytes(q->a_dtype),
                               .b = s->b + (size_t)(batch * q->b_stride) * oct_dtype_bytes(q->b_dtype),
                               .c = out,
                               .bias = s->bias,
                               .a_q = ref_quant(&s->a_q, row % q->m),
                               .b_q = ref_quant(&s->b_q, 0),
                               .c_q = ref_quant(&s->c_q, 0),
                               .clamp_min = q->clamp_min,
                               .clamp_max = q->clamp_max});
}

/* One pixel is an output of one pixel whose window begins where it does. */
static void reference_conv(const oct_subject *s, int64_t row, void *out)
{
    const oct_conv_request *q = &s->q.conv;
    oct_geometry g = q->g;
    int64_t image = row / (g.oh * g.ow), y = row / g.ow % g.oh, x = row % g.ow;
    g.n = g.oh = g.ow = 1;
    g.pad_top -= y * g.stride_h;
    g.pad_left -= x * g.stride_w;
    oct_ref_conv(
        &(oct_ref_conv_params){.g = g,
                               .x_dtype = q->x_dtype,
                               .w_dtype = q->w_dtype,
                               .y_dtype = q->y_dtype,
                               .x = s->a + (size_t)(image * g.h * g.w * g.c) * oct_dtype_bytes(q->x_dtype),
                               .weights = s->b,
                               .y = out,
                               .bias = s->bias,
                               .x_q = ref_quant(&s->a_q, 0),
                               .w_q = ref_quant(&s->b_q, 0),
                               .y_q = ref_quant(&s->c_q, 0),
                               .clamp_min = q->clamp_min,
                               .clamp_max = q->clamp_max});
}

/* ---- any family ---------------------------------------------------------------------------------------- */

static const struct oct_subject_kind {
    const oct_family *family;
    octet_status (*make)(oct_subject *s, const oct_recipe *recipe, const void *request, uint64_t seed);
    octet_status (*append)(const oct_subject *s, const oct_caps *caps, oct_recipe *r,
                           const oct_subject_operands *t);
    void (*reference)(const oct_subject *s, int64_t row, void *out);
} kinds[] = {{&oct_gemm_family, make_gemm, append_gemm, reference_gemm},
             {&oct_conv_family, make_conv, append_conv, reference_conv}};

octet_status oct_subject_make(oct_subject *s, const oct_recipe *recipe, const oct_noted *noted, uint64_t seed)
{
    memset(s, 0, sizeof *s);
    s->family = noted->family;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        s->kind = kinds[i].family == s->family ? &kinds[i] : s->kind;
    RETURN_IF(!s->kind, OCTET_UNSUPPORTED, "a %s is not tuned", s->family->name);
    noted->family->key(noted->request, s->key);
    octet_status status = s->kind->make(s, recipe, noted->request, seed * UINT64_C(0x9E3779B97F4A7C15) + 1);
    s->q.force = (oct_forced){NULL, 0};
    return status;
}

octet_status oct_subject_recipe(const oct_subject *s, const oct_caps *caps, const char *variant,
                                int64_t spread, oct_recipe *r, oct_subject_mems *mems)
{
    mems->a = oct_recipe_input(r, s->a_bytes);
    mems->b = s->b_const ? oct_recipe_const(r, s->b, s->b_bytes) : oct_recipe_input(r, s->b_bytes);
    mems->c = oct_recipe_output(r, (size_t)s->rows * s->row_bytes);
    oct_subject_operands t = {.force = {variant, spread}, .mems = *mems, .bias = OCT_MEM_NONE};
    t.a_q = quant_mems(r, &s->a_q);
    t.b_q = quant_mems(r, &s->b_q);
    t.c_q = quant_mems(r, &s->c_q);
    if (s->bias)
        t.bias = oct_recipe_const(r, s->bias, (size_t)s->channels * sizeof *s->bias);
    return s->kind->append(s, caps, r, &t);
}

void oct_subject_reference(const oct_subject *s, int64_t row, void *out)
{
    s->kind->reference(s, row, out);
}
