/* Every operator but GEMM on its own: convolutions of known networks (tests/shapes/resnet50_conv.txt, or
 * another file of that form) in operations a second beside the measured ceiling, the others in bytes a second
 * beside a device copy measured in the same run. Data are random over the full range; times are medians of
 * runs that are enqueued and waited for one by one. Usage: bench_ops [SHAPES-FILE] */
#include "conv.h"
#include "dtype.h"
#include "logic.h"
#include "move.h"
#include "peak.h"
#include "pointwise.h"
#include "pool.h"
#include "quantize_op.h"
#include "recurrence.h"
#include "reduce.h"
#include "runner.h"
#include "shapes/read_shapes.h"
#include "softmax.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RUNS 31

static oct_device *device;

static void check(octet_status status, const char *what)
{
    if (status == OCTET_OK)
        return;
    fprintf(stderr, "bench_ops: %s: %s\n", what, oct_error_text());
    exit(1);
}

static int by_value(const void *x, const void *y)
{
    double a = *(const double *)x, b = *(const double *)y;
    return (a > b) - (a < b);
}

/* Median seconds of one run of a recipe, whose inputs are filled with random bytes (floats in -1..1). Frees
 * the recipe. */
static double time_recipe(oct_recipe *r, octet_status built, const char *what)
{
    static double times[RUNS];
    oct_executor *e;
    check(built, what);
    check(oct_executor_create(device, r, NULL, &e), what);
    for (int m = 0; m < r->mem_count; m++) {
        if (r->mems[m].kind != OCT_MEM_INPUT)
            continue;
        unsigned char *data = malloc(r->mems[m].bytes + 4);
        for (size_t i = 0; i < r->mems[m].bytes; i++)
            data[i] = (unsigned char)(rand() >> 7);
        for (size_t i = 3; i < r->mems[m].bytes; i += 4)
            data[i] = (data[i] & 0x80) | 0x3e; /* where it is read as float: magnitudes of 1/8 to 1/2 */
        const oct_host_memory input = {.mem = m, .from = data};
        check(oct_runner_upload(e, &input, 1), what);
        free(data);
    }
    for (int i = -3; i < RUNS; i++) {
        double seconds;
        check(oct_runner_time(e, 1, &seconds), what);
        if (i >= 0)
            times[i] = seconds;
    }
    oct_executor_destroy(e);
    oct_recipe_free(r);
    qsort(times, RUNS, sizeof times[0], by_value);
    return times[RUNS / 2];
}

static double ceiling_gops(void)
{
    oct_recipe r;
    double operations = 0;
    oct_recipe_init(&r);
    if (oct_peak(&r, oct_device_caps(device), &operations) != OCTET_OK) {
        oct_recipe_free(&r);
        return 0;
    }
    return operations / time_recipe(&r, OCTET_OK, "ceiling") * 1e-9;
}

/* ---- convolutions
 * -------------------------------------------------------------------------------------------- */

static oct_quant quant(oct_recipe *r, octet_dtype dtype, const float *scale, int64_t scales,
                       const unsigned char *zero)
{
    oct_quant q = {.zero = OCT_MEM_NONE, .zero_dtype = dtype, .scale_count = scales, .host_scale = scale};
    q.scale = oct_recipe_const_copy(r, scale, (size_t)scales * sizeof *scale);
    if (zero) {
        q.zero = oct_recipe_const_copy(r, zero, 1);
        q.zero_count = 1;
        q.host_zero = zero;
    }
    return q;
}

static double time_conv(const oct_geometry *g, const char **variant)
{
    static float scales[4096];
    static const unsigned char x_zero = 121, y_zero = 3;
    const float x_scale = 0.02f, y_scale = 0.7f;
    size_t weights = (size_t)(g->co * (g->c / g->group) * g->kh * g->kw);
    unsigned char *w = malloc(weights);
    for (size_t i = 0; i < weights; i++)
        w[i] = (unsigned char)(rand() >> 7);
    for (int i = 0; i < 4096; i++)
        scales[i] = 0.001f + (float)i * 1e-6f;
    oct_recipe r;
    oct_recipe_init(&r);
    oct_conv_request q = {.g = *g,
                          .x_dtype = OCTET_U8,
                          .w_dtype = OCTET_S8,
                          .y_dtype = OCTET_U8,
                          .x = oct_recipe_input(&r, (size_t)(g->h * g->w * g->c)),
                          .weights = oct_recipe_const(&r, w, weights),
                          .y = oct_recipe_output(&r, (size_t)(g->oh * g->ow * g->co)),
                          .bias = OCT_MEM_NONE,
                          .x_q = quant(&r, OCTET_U8, &x_scale, 1, &x_zero),
                          .w_q = quant(&r, OCTET_S8, scales, g->co, NULL),
                          .y_q = quant(&r, OCTET_U8, &y_scale, 1, &y_zero),
                          .clamp_min = 0,
                          .clamp_max = 255};
    *variant = oct_variant_select(&oct_conv_family, oct_device_caps(device), &q, NULL)->name;
    double t = time_recipe(&r, oct_conv(&r, oct_device_caps(device), &q), "convolution");
    free(w);
    return t;
}

static void bench_convs(const char *path, double ceiling)
{
    shape_list list;
    read_shapes(path, &list);
    double dense = 0, dense_time = 0;
    printf("\n%-34s %9s %8s %8s  %s\n", "convolution h w c co k s group", "ms", "GOPS", "ceiling", "variant");
    for (size_t i = 0; i < list.count; i++) {
        const oct_geometry *g = &list.at[i].g;
        const int times = list.at[i].times;
        const char *variant;
        double t = time_conv(g, &variant);
        double operations =
            2.0 * (double)(g->oh * g->ow) * (double)g->co * (double)(g->c / g->group * g->kh * g->kw);
        char name[64];
        snprintf(name, sizeof name, "%d x %d %d %d %d %d %d %d", times, (int)g->h, (int)g->w, (int)g->c,
                 (int)g->co, (int)g->kh, (int)g->stride_h, (int)g->group);
        printf("%-34s %9.3f %8.1f %7.0f%%  %s\n", name, t * 1e3, operations / t * 1e-9,
               ceiling > 0 ? 100 * operations / t * 1e-9 / ceiling : 0, variant);
        if (g->group == 1) {
            dense += operations * times;
            dense_time += t * times;
        }
    }
    printf("dense convolutions together: %.2f ms, %.1f GOPS\n", dense_time * 1e3, dense / dense_time * 1e-9);
}

/* ---- the others, on a tensor of ResNet's first stage
 * ------------------------------------------------------------ */

enum { H = 56, W = 56, C = 256, N = H * W * C };

typedef struct bench_case {
    oct_recipe r;
    oct_operand x8, y8, xf, yf;
    oct_quant q, other;
} bench_case;

static oct_operand operand(oct_mem mem, octet_dtype dtype)
{
    return (oct_operand){.mem = mem, .dtype = dtype, .rank = 4, .dims = {1, H, W, C}};
}

static void begin(bench_case *b)
{
    static const float scale = 0.043f, other = 0.071f;
    static const unsigned char zero = 113;
    oct_recipe_init(&b->r);
    b->x8 = operand(oct_recipe_input(&b->r, N), OCTET_U8);
    b->y8 = operand(oct_recipe_output(&b->r, N), OCTET_U8);
    b->xf = operand(oct_recipe_input(&b->r, N * 4), OCTET_F32);
    b->yf = operand(oct_recipe_output(&b->r, N * 4), OCTET_F32);
    b->q = quant(&b->r, OCTET_U8, &scale, 1, &zero);
    b->other = quant(&b->r, OCTET_U8, &other, 1, &zero);
}

static void report(bench_case *b, octet_status built, const char *name, double bytes)
{
    double t = time_recipe(&b->r, built, name);
    printf("%-28s %9.3f %8.2f\n", name, t * 1e3, bytes / t * 1e-9);
    begin(b);
}

static oct_pool_request pool(const bench_case *b, oct_pool_kind kind)
{
    return (oct_pool_request){.kind = kind,
                              .n = 1,
                              .h = H,
                              .w = W,
                              .c = C,
                              .oh = kind == OCT_POOL_GLOBAL_AVERAGE ? 1 : H,
                              .ow = kind == OCT_POOL_GLOBAL_AVERAGE ? 1 : W,
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
                              .x = b->x8,
                              .y = b->y8,
                              .x_q = b->q,
                              .y_q = b->other};
}

static void bench_others(void)
{
    const oct_caps *caps = oct_device_caps(device);
    static uint8_t table[256];
    bench_case b;
    printf("\n%-28s %9s %8s\n", "operator on 1x56x56x256", "ms", "GB/s");
    begin(&b);
    report(&b, oct_copy(&b.r, caps, &b.x8, &b.y8), "copy of bytes", 2.0 * N);
    report(&b, oct_copy(&b.r, caps, &b.xf, &b.yf), "copy of floats", 8.0 * N);
    report(&b, oct_quantize_op(&b.r, caps, &b.xf, &b.q, 0, &b.y8), "QuantizeLinear", 5.0 * N);
    report(&b, oct_dequantize_op(&b.r, caps, &b.x8, &b.q, 0, &b.yf), "DequantizeLinear", 5.0 * N);
    oct_operand scale = operand(oct_recipe_output(&b.r, 4), OCTET_F32),
                zero = operand(oct_recipe_output(&b.r, 1), OCTET_U8);
    report(&b, oct_dynamic_quantize_op(&b.r, caps, &b.xf, &b.y8, &scale, &zero), "DynamicQuantizeLinear",
           9.0 * N);
    for (int multiply = 0; multiply < 2; multiply++) {
        oct_operand second = operand(oct_recipe_input(&b.r, N), OCTET_U8);
        oct_qbinary_request q = {.kind = multiply ? OCT_QBINARY_MUL : OCT_QBINARY_ADD,
                                 .a = b.x8,
                                 .b = second,
                                 .c = b.y8,
                                 .a_q = b.q,
                                 .b_q = b.other,
                                 .c_q = b.q,
                                 .clamp_max = 255};
        report(&b, oct_qbinary(&b.r, caps, &q), multiply ? "QLinearMul" : "QLinearAdd", 3.0 * N);
    }
    oct_operand joined = b.y8;
    joined.dims[3] = 2 * C;
    joined.mem = oct_recipe_output(&b.r, 2 * N);
    report(&b,
           oct_qconcat(&b.r, caps, (oct_operand[]){b.x8, b.x8}, (oct_quant[]){b.q, b.other}, 2, 3, &joined,
                       &b.q),
           "QLinearConcat of two", 4.0 * N);
    oct_qwhere_request choice = {.condition = operand(oct_recipe_input(&b.r, N), OCTET_BOOL),
                                 .x = b.x8,
                                 .y = operand(oct_recipe_input(&b.r, N), OCTET_U8),
                                 .z = b.y8,
                                 .x_q = b.q,
                                 .y_q = b.other,
                                 .z_q = b.q};
    report(&b, oct_qwhere(&b.r, caps, &choice), "QLinearWhere", 4.0 * N);
    report(&b, oct_table_op(&b.r, caps, &b.x8, &b.y8, table), "table (Sigmoid, LeakyRelu)", 2.0 * N);
    oct_qsoftmax_request soft = {
        .x = b.x8, .y = b.y8, .outer = H * W, .axis = C, .inner = 1, .x_q = b.q, .y_q = b.other};
    report(&b, oct_qsoftmax(&b.r, caps, &soft), "QLinearSoftmax over 256", 2.0 * N);
    oct_pool_request p = pool(&b, OCT_POOL_MAX);
    report(&b, oct_pool(&b.r, caps, &p), "MaxPool 3x3", 2.0 * N);
    p = pool(&b, OCT_POOL_AVERAGE);
    report(&b, oct_pool(&b.r, caps, &p), "QLinearAveragePool 3x3", 2.0 * N);
    p = pool(&b, OCT_POOL_GLOBAL_AVERAGE);
    report(&b, oct_pool(&b.r, caps, &p), "QLinearGlobalAveragePool", 1.0 * N);
    for (int axis = 2; axis < 4; axis++) {
        oct_q_reduce_request mean = {
            .combine = OCT_COMBINE_SUM, .mean = true, .x = b.x8, .y = b.y8, .x_q = b.q, .y_q = b.other};
        mean.reduced[axis] = true;
        mean.y.dims[axis] = 1;
        report(&b, oct_q_reduce(&b.r, caps, &mean),
               axis == 2 ? "QLinearReduceMean over 56" : "over 256, the last axis", 1.0 * N);
    }
    report(&b, oct_transpose(&b.r, caps, &b.x8, &b.y8, (int[]){0, 3, 1, 2}), "Transpose to channels first",
           2.0 * N);
    report(&b, oct_cast(&b.r, caps, &b.xf, &b.y8), "Cast f32 to u8", 5.0 * N);
    oct_operand other = operand(oct_recipe_input(&b.r, N * 4), OCTET_F32);
    report(&b, oct_float_binary(&b.r, caps, OCT_FLOAT_ADD, &b.xf, &other, &b.yf), "float Add", 12.0 * N);
    oct_recipe_free(&b.r);
}

/* Recurrent operators, `gates` products with the input and the state each. Both ways to do the steps. */
static void bench_recurrent(oct_cell cell, int64_t gates)
{
    static const struct {
        int64_t steps, batch, inputs, hidden;
    } shapes[] = {
        {1, 1, 128, 128}, {50, 1, 128, 128}, {50, 8, 64, 256}, {50, 1, 256, 512}, {20, 1, 1024, 1024}};
    static float weights[4 << 20];
    const oct_family *family = &oct_recurrence_families[cell];
    for (size_t i = 0; i < sizeof weights / sizeof *weights; i++)
        weights[i] = (float)(rand() % 2001 - 1000) * 1e-4f;
    printf("\n%s%-*s %9s %8s  both ways\n", family->name, 28 - (int)strlen(family->name), ", steps x batch",
           "ms", "GFLOPS");
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        int64_t t = shapes[i].steps, b = shapes[i].batch, k = shapes[i].inputs, h = shapes[i].hidden;
        double flops = 2.0 * (double)gates * (double)(t * b * h) * (double)(k + h), seconds[3];
        for (int v = 0; v < 3; v++) { /* the one that is chosen, then both */
            oct_recipe r;
            oct_recipe_init(&r);
            const oct_operand w = {.mem = oct_recipe_const(&r, weights, (size_t)(gates * h * k) * 4),
                                   .dtype = OCTET_F32},
                              u = {.mem = oct_recipe_const(&r, weights, (size_t)(gates * h * h) * 4),
                                   .dtype = OCTET_F32};
            oct_recurrence_request q = {
                .cell = cell, .steps = t, .batch = b, .inputs = k, .hidden = h, .directions = 1};
            for (int f = 0; f < 3; f++)
                q.functions[0][f].name = f ? "Tanh" : "Sigmoid";
            q.w = w, q.r = u;
            q.x = oct_recipe_input(&r, (size_t)(t * b * k) * 4);
            q.bias = q.lengths = q.h = q.c = q.peepholes = q.y_h = q.y_c = OCT_MEM_NONE;
            q.y = oct_recipe_output(&r, (size_t)(t * b * h) * 4);
            q.force.variant = v ? family->rows[v - 1].name : NULL;
            seconds[v] = time_recipe(&r, oct_recurrence(&r, oct_device_caps(device), &q), family->name);
        }
        printf("%3lld x %-2lld, %4lld to %-10lld %9.3f %8.2f  %s %.3f, %s %.3f\n", (long long)t, (long long)b,
               (long long)k, (long long)h, seconds[0] * 1e3, flops / seconds[0] * 1e-9, family->rows[0].name,
               seconds[1] * 1e3, family->rows[1].name, seconds[2] * 1e3);
    }
}

int main(int argc, char **argv)
{
    octet_context_desc desc;
    OCTET_INIT(desc);
    check(oct_device_open(&desc, &device), "device");
    double ceiling = ceiling_gops();
    const octet_device_info *info = &oct_device_caps(device)->info;
    printf("%s, %s %s; ceiling %.0f GOPS\n", info->name, info->platform, info->driver, ceiling);
    bench_others();
    bench_recurrent(OCT_CELL_LSTM, 4);
    bench_recurrent(OCT_CELL_GRU, 3);
    bench_convs(argc > 1 ? argv[1] : "resnet50_conv.txt", ceiling);
    oct_device_release(device);
    return 0;
}
