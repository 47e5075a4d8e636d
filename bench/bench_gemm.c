/* bench_gemm [--cpu-time] [--variant NAME] [MxNxK ...]: Octet's GEMM (u8 x s8 -> s32, and requantized to s8)
 * beside oneDNN, in one run, the programs taking turns; medians, and the best for a machine that is not
 * quiet. Random operands, A over the full range, B of 7 bits; Octet's sums are compared with oneDNN's. For a
 * square shape also float32 by CLBlast on the same OpenCL device and by OpenBLAS. */
#include "rivals.h"

#include <octet/experimental.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { ROUNDS = 11, MAX_RUNS = 2 + ONEDNN_KINDS };
#define SAMPLE_SECONDS 0.1

static const char *const run_names[MAX_RUNS] = {"octet s32", "octet s8", "onednn matmul",
                                                "onednn inner product"};

typedef struct shape {
    int64_t m, n, k;
} shape;

typedef struct bench {
    shape s;
    uint8_t *a;
    int8_t *b;
    int32_t *c, *c_onednn;
    octet_gemm *gemms[2];
    onednn_gemm *onednn[ONEDNN_KINDS];
    double samples[MAX_RUNS][ROUNDS];
} bench;

static void die(const char *what)
{
    fprintf(stderr, "bench_gemm: %s: %s\n", what, octet_last_error());
    exit(1);
}

static void *take(size_t bytes)
{
    void *p = malloc(bytes + 64);
    if (!p)
        die("out of memory");
    return p;
}

static void fill(void *to, size_t n)
{
    static uint64_t s = 88172645463325252u;
    for (size_t i = 0; i < n; i++) {
        s ^= s << 13;
        s ^= s >> 7;
        s ^= s << 17;
        ((uint8_t *)to)[i] = (uint8_t)(s >> 32);
    }
}

/* Without VNNI oneDNN adds two products of u8 x s8 in 16 bits, which saturates: with B from -64 to 63 none
 * can, and both are exact on every processor. What is computed and moved stays the same. */
static void keep_seven_bits(int8_t *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        b[i] = (int8_t)(b[i] / 2);
}

static const char *variant; /* NULL: Octet's choice */

static octet_gemm *make_octet(octet_context *context, const bench *b, octet_output output)
{
    const float scales[] = {0.02f, 0.003f};
    octet_gemm_desc d;
    OCTET_INIT(d);
    d.m = b->s.m;
    d.n = b->s.n;
    d.k = b->s.k;
    d.a_dtype = OCTET_U8;
    d.b_dtype = OCTET_S8;
    d.output = output;
    d.c_dtype = OCTET_S8;
    d.variant = variant;
    d.a_scales = &scales[0];
    d.b_scales = &scales[1];
    d.a_scale_count = d.b_scale_count = 1;
    d.c_scale = output == OCTET_OUT_Q8 ? 2.0f : 0.0f;
    octet_gemm *g;
    if (octet_gemm_create(context, &d, b->b, &g) != OCTET_OK || octet_gemm_run(g, b->a, NULL, b->c))
        die("octet_gemm");
    return g;
}

static void prepare(bench *b, octet_context *context)
{
    shape s = b->s;
    b->a = take((size_t)(s.m * s.k));
    b->b = take((size_t)(s.k * s.n));
    b->c = take((size_t)(s.m * s.n) * 4);
    b->c_onednn = take((size_t)(s.m * s.n) * 4);
    fill(b->a, (size_t)(s.m * s.k));
    fill(b->b, (size_t)(s.k * s.n));
    keep_seven_bits(b->b, (size_t)(s.k * s.n));
    b->gemms[1] = make_octet(context, b, OCTET_OUT_Q8);
    b->gemms[0] = make_octet(context, b, OCTET_OUT_S32);
    for (int kind = 0; kind < ONEDNN_KINDS; kind++) {
        b->onednn[kind] = onednn_create(kind, s.m, s.n, s.k, b->a, b->b, b->c_onednn);
        if (!b->onednn[kind])
            die("oneDNN");
        onednn_run(b->onednn[kind], 1);
        if (memcmp(b->c, b->c_onednn, (size_t)(s.m * s.n) * 4) != 0)
            die("Octet and oneDNN differ");
    }
}

static void clean(bench *b)
{
    for (int i = 0; i < 2; i++)
        octet_gemm_destroy(b->gemms[i]);
    for (int kind = 0; kind < ONEDNN_KINDS; kind++)
        onednn_destroy(b->onednn[kind]);
    free(b->a);
    free(b->b);
    free(b->c);
    free(b->c_onednn);
}

/* Seconds for `count` products of contestant i. */
static double timed(bench *b, int i, size_t count)
{
    double wall, start = now_seconds();
    if (i >= 2)
        onednn_run(b->onednn[i - 2], count);
    else if (octet_gemm_time(b->gemms[i], count, &wall) != OCTET_OK)
        die("octet_gemm_time");
    return now_seconds() - start;
}

static int ascending(const void *x, const void *y)
{
    double a = *(const double *)x, b = *(const double *)y;
    return (a > b) - (a < b);
}

static double median(double *samples)
{
    qsort(samples, ROUNDS, sizeof *samples, ascending);
    return samples[ROUNDS / 2];
}

/* OpenMP's threads go on spinning for a while after oneDNN is done: let them fall asleep, then warm up. */
static void settle(bench *b, int i)
{
    const struct timespec pause = {0, 30000000};
    nanosleep(&pause, NULL);
    timed(b, i, 1);
}

static void measure(bench *b)
{
    double once = timed(b, 0, 1);
    once = timed(b, 0, 1) + 1e-7;
    size_t count = once > SAMPLE_SECONDS ? 1 : (size_t)(SAMPLE_SECONDS / once);
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < MAX_RUNS; i++) {
            settle(b, i);
            b->samples[i][round] = timed(b, i, count) / (double)count;
        }
    }
}

/* ratio: time of this over the time of Octet's s32; 0: not to be printed. */
static void report(const char *name, shape s, double seconds, double ratio, const char *rest)
{
    double ops = 2.0 * (double)s.m * (double)s.n * (double)s.k;
    printf("  %-24s %10.1f us %9.1f GOPS", name, seconds * 1e6, ops / seconds * 1e-9);
    if (ratio > 0)
        printf("   octet s32 runs at %6.2fx", ratio);
    printf("  %s\n", rest);
}

static void run_shape(octet_context *context, shape s, double ceiling)
{
    bench b = {.s = s};
    prepare(&b, context);
    measure(&b);
    double seconds[MAX_RUNS];
    printf("%lldx%lldx%lld\n", (long long)s.m, (long long)s.n, (long long)s.k);
    for (int i = 0; i < MAX_RUNS; i++) {
        char best[96];
        seconds[i] = median(b.samples[i]);
        snprintf(best, sizeof best, "  best %.1f us (%.2fx)  %s", b.samples[i][0] * 1e6,
                 b.samples[i][0] / b.samples[0][0], i < 2 ? octet_gemm_variant(b.gemms[i]) : "");
        report(run_names[i], s, seconds[i], seconds[i] / seconds[0], best);
    }
    if (ceiling > 0)
        printf("  %.0f%% of the ceiling; B is read at %.1f GB/s\n",
               200.0 * (double)s.m * (double)s.n * (double)s.k / seconds[0] / ceiling,
               (double)s.n * (double)s.k / seconds[0] * 1e-9);
    if (s.m == s.n && s.n == s.k && s.m <= 2048) {
        cl_context cl = octet_context_cl(context);
        double clblast = clblast_seconds(cl, octet_context_queue(context), s.m, s.n, s.k);
        double openblas = openblas_seconds(s.m, s.n, s.k);
        report("CLBlast sgemm, best", s, clblast, clblast / b.samples[0][0], "of best times");
        report("OpenBLAS sgemm, best", s, openblas, openblas / b.samples[0][0], "of best times");
    }
    fflush(stdout);
    clean(&b);
}

int main(int argc, char **argv)
{
    static const shape usual[] = {{1536, 1536, 1536}, {3072, 3072, 3072}, {1, 4096, 4096},
                                  {8, 4096, 4096},    {197, 769, 771},    {1021, 509, 1031}};
    if (argc > 1 && strcmp(argv[1], "--cpu-time") == 0) {
        use_cpu_time();
        argc--;
        argv++;
    }
    if (argc > 2 && strcmp(argv[1], "--variant") == 0) {
        variant = argv[2];
        argc -= 2;
        argv += 2;
    }
    octet_context *context;
    if (octet_context_create(NULL, &context) != OCTET_OK)
        die("octet_context_create");
    int threads = (int)sysconf(_SC_NPROCESSORS_ONLN);
    double ceiling = vnni_ceiling(threads);
    printf("ceiling (vpdpbusd, %d threads): %.1f GOPS\n", threads, ceiling * 1e-9);
    for (size_t i = 0; argc < 2 && i < sizeof usual / sizeof usual[0]; i++)
        run_shape(context, usual[i], ceiling);
    for (int i = 1; i < argc; i++) {
        long long m, n, k;
        char rest;
        if (sscanf(argv[i], "%lldx%lldx%lld%c", &m, &n, &k, &rest) != 3 || m < 1 || n < 1 || k < 1) {
            fprintf(stderr, "bench_gemm: '%s' is not MxNxK\n", argv[i]);
            return 2;
        }
        run_shape(context, (shape){m, n, k}, ceiling);
    }
    octet_context_destroy(context);
    return 0;
}
