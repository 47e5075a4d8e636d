#include "subject.h"
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

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Parameters of which there is one for each of so many, which are fewer now. */
static void shorten(oct_quant *q, int64_t before, int64_t now)
{
    q->scale_count = q->scale_count == before ? now : q->scale_count;
    q->zero_count = q->zero_count == before ? now : q->zero_count;
}

static int64_t rows_of(const oct_variant *v)
{
    return v->tile.bm > v->rows ? v->tile.bm : v->rows;
}

static int64_t columns_of(const oct_variant *v)
{
    return v->tile.bn > v->nb ? v->tile.bn : v->nb;
}

/* Two tiles and a part of one each way, and some k groups with a part of one. Build options do not depend on
 * that, so it is the same program. */
static void shrink_gemm(oct_gemm_request *q, const oct_variant *v)
{
    int64_t m = least(q->m, 2 * rows_of(v) + 1), n = least(q->n, 2 * columns_of(v) + 3);
    shorten(&q->a_q, q->m, m);
    shorten(&q->b_q, q->n, n);
    q->m = m;
    q->n = n;
    q->k = least(q->k, 147);
    q->batch = least(q->batch, 2);
}

static octet_status make_gemm(oct_subject *s, const oct_recipe *recipe, const void *request,
                              const oct_subject_options *o)
{
    oct_gemm_request *q = &s->q.gemm;
    *q = *(const oct_gemm_request *)request;
    if (o->small_of)
        shrink_gemm(q, o->small_of);
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
    return fill(s, &q->a_q, &q->b_q, &q->c_q, dtypes, q->k, q->n, q->bias != OCT_MEM_NONE, o->seed);
}

/* Likewise; channels stay 16 or more where they are, since fewer are packed in another way. */
static void shrink_conv(oct_conv_request *q, const oct_variant *v)
{
    oct_geometry *g = &q->g;
    const int64_t before = g->co, taps = g->kh * g->kw, columns = 2 * columns_of(v) + 3;
    if (oct_geometry_is_depthwise(g)) {
        g->c = g->co = g->group = least(g->c, columns);
    } else {
        int64_t group_c = least(g->c / g->group, taps < 20 ? 333 / taps : 17);
        int64_t group_co = least(g->co / g->group, columns);
        g->group = least(g->group, 2);
        g->c = g->group * group_c;
        g->co = g->group * group_co;
    }
    g->n = least(g->n, 2);
    g->oh = least(g->oh, 4);
    g->ow = least(g->ow, rows_of(v) / 4 + 7);
    g->h = least(g->h, (g->oh - 1) * g->stride_h + (g->kh - 1) * g->dilation_h + 1);
    g->w = least(g->w, (g->ow - 1) * g->stride_w + (g->kw - 1) * g->dilation_w + 1);
    shorten(&q->w_q, before, g->co);
}

static octet_status fill_chain(oct_subject *s, const oct_conv_request *q, uint64_t seed)
{
    const oct_conv_chain *from = &q->then;
    struct oct_subject_chain *to = &s->then;
    uint64_t state = seed + 1;
    bool ok = true;
    if (from->has_table)
        ok = (to->table = random_bytes(s, 256, &state)) != NULL;
    if (ok && from->has_sum) {
        to->residual = random_bytes(s, (size_t)s->rows * s->row_bytes, &state);
        ok = to->residual && fill_quant(s, &from->own_q, q->y_dtype, 1.0f, &to->own_q, &state) &&
             fill_quant(s, &from->residual_q, q->y_dtype, 1.0f, &to->residual_q, &state) &&
             fill_quant(s, &from->sum_q, q->y_dtype, 1.5f, &to->sum_q, &state);
    }
    return ok ? OCTET_OK : oct_out_of_memory("the data of a convolution");
}

static octet_status make_conv(oct_subject *s, const oct_recipe *recipe, const void *request,
                              const oct_subject_options *o)
{
    oct_conv_request *q = &s->q.conv;
    const oct_geometry *g = &q->g;
    *q = *(const oct_conv_request *)request;
    if (o->small_of)
        shrink_conv(q, o->small_of);
    if (!o->chained)
        q->then = (oct_conv_chain){0};
    s->b_const = oct_recipe_is_const(recipe, q->weights);
    int64_t terms = g->c / g->group * g->kh * g->kw;
    s->rows = oct_geometry_pixels(g);
    s->row_macs = g->co * terms;
    s->row_bytes = (size_t)g->co * oct_dtype_bytes(q->y_dtype);
    s->a_bytes = (size_t)(g->n * g->h * g->w * g->c) * oct_dtype_bytes(q->x_dtype);
    s->b_bytes = (size_t)(g->co * terms) * oct_dtype_bytes(q->w_dtype);
    const octet_dtype dtypes[3] = {q->x_dtype, q->w_dtype, q->y_dtype};
    FORWARD(fill(s, &q->x_q, &q->w_q, &q->y_q, dtypes, terms, g->co, q->bias != OCT_MEM_NONE, o->seed));
    return fill_chain(s, q, o->seed);
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
    if (s->then.table)
        q.then.table = oct_recipe_const(r, s->then.table, 256);
    if (s->then.residual) {
        q.then.residual = oct_recipe_const(r, s->then.residual, (size_t)s->rows * s->row_bytes);
        q.then.own_q = quant_mems(r, &s->then.own_q);
        q.then.residual_q = quant_mems(r, &s->then.residual_q);
        q.then.sum_q = quant_mems(r, &s->then.sum_q);
    }
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

static void apply_chain(const oct_subject *s, int64_t row, unsigned char *out)
{
    const oct_conv_request *q = &s->q.conv;
    const struct oct_subject_chain *then = &s->then;
    const oct_ref_quant own = ref_quant(&then->own_q, 0), residual = ref_quant(&then->residual_q, 0),
                        sum = ref_quant(&then->sum_q, 0);
    for (int64_t i = 0; then->table && i < q->g.co; i++)
        out[i] = then->table[out[i]];
    if (!then->residual)
        return;
    const oct_ref_qbinary_params p = {.shape = {1, {q->g.co}, {q->g.co}, {q->g.co}},
                                      .dtype = q->y_dtype,
                                      .a_scale = oct_ref_scale(&own, 0),
                                      .b_scale = oct_ref_scale(&residual, 0),
                                      .y_scale = oct_ref_scale(&sum, 0),
                                      .a_zero = oct_ref_zero(&own, q->y_dtype, 0),
                                      .b_zero = oct_ref_zero(&residual, q->y_dtype, 0),
                                      .y_zero = oct_ref_zero(&sum, q->y_dtype, 0),
                                      .clamp_min = q->then.sum_min,
                                      .clamp_max = q->then.sum_max,
                                      .swapped = q->then.swapped};
    oct_ref_qadd(&p, out, then->residual + (size_t)row * s->row_bytes, out);
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
    apply_chain(s, row, out);
}

/* ---- any family ---------------------------------------------------------------------------------------- */

static const struct oct_subject_kind {
    const oct_family *family;
    octet_status (*make)(oct_subject *s, const oct_recipe *recipe, const void *request,
                         const oct_subject_options *options);
    octet_status (*append)(const oct_subject *s, const oct_caps *caps, oct_recipe *r,
                           const oct_subject_operands *t);
    void (*reference)(const oct_subject *s, int64_t row, void *out);
} kinds[] = {{&oct_gemm_family, make_gemm, append_gemm, reference_gemm},
             {&oct_conv_family, make_conv, append_conv, reference_conv}};

octet_status oct_subject_make(oct_subject *s, const oct_recipe *recipe, const oct_noted *noted,
                              const oct_subject_options *options)
{
    oct_subject_options own = *options;
    own.seed = options->seed * UINT64_C(0x9E3779B97F4A7C15) + 1; /* xorshift wants no 0 */
    memset(s, 0, sizeof *s);
    s->family = noted->family;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        s->kind = kinds[i].family == s->family ? &kinds[i] : s->kind;
    RETURN_IF(!s->kind, OCTET_UNSUPPORTED, "a %s cannot stand alone", s->family->name);
    noted->family->key(noted->request, s->key);
    octet_status status = s->kind->make(s, recipe, noted->request, &own);
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

void oct_subject_inputs(const oct_subject *s, const oct_subject_mems *mems, oct_host_memory inputs[2],
                        size_t *count)
{
    inputs[0] = (oct_host_memory){.mem = mems->a, .from = s->a};
    inputs[1] = (oct_host_memory){.mem = mems->b, .from = s->b};
    *count = s->b_const ? 1 : 2;
}

void oct_subject_reference(const oct_subject *s, int64_t row, void *out)
{
    s->kind->reference(s, row, out);
}
