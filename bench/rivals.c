#include "rivals.h"

#include <cblas.h>
#include <clblast_c.h>
#include <oneapi/dnnl/dnnl.h>
#include <stdlib.h>
#include <time.h>

static clockid_t bench_clock = CLOCK_MONOTONIC;

double now_seconds(void)
{
    struct timespec t;
    clock_gettime(bench_clock, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

void use_cpu_time(void)
{
    bench_clock = CLOCK_PROCESS_CPUTIME_ID;
}

/* ---- oneDNN ---- */

struct onednn_gemm {
    dnnl_engine_t engine;
    dnnl_stream_t stream;
    dnnl_primitive_desc_t desc;
    dnnl_primitive_t product;
    dnnl_memory_t a, b, c;
};

/* Weights are [k][n] for matmul and [n][k], over the same bytes, for inner product. */
static bool describe(onednn_gemm *g, onednn_kind kind, int64_t m, int64_t n, int64_t k)
{
    const dnnl_dims_t a_dims = {m, k}, c_dims = {m, n};
    const dnnl_dims_t b_dims = {kind == ONEDNN_MATMUL ? k : n, kind == ONEDNN_MATMUL ? n : k};
    dnnl_memory_desc_t a, b, c;
    if (dnnl_memory_desc_init_by_tag(&a, 2, a_dims, dnnl_u8, dnnl_ab) != dnnl_success ||
        dnnl_memory_desc_init_by_tag(&b, 2, b_dims, dnnl_s8, dnnl_format_tag_any) != dnnl_success ||
        dnnl_memory_desc_init_by_tag(&c, 2, c_dims, dnnl_s32, dnnl_ab) != dnnl_success)
        return false;
    dnnl_matmul_desc_t matmul;
    dnnl_inner_product_desc_t inner;
    bool ok = kind == ONEDNN_MATMUL ? dnnl_matmul_desc_init(&matmul, &a, &b, NULL, &c) == dnnl_success
                                    : dnnl_inner_product_forward_desc_init(&inner, dnnl_forward_inference, &a,
                                                                           &b, NULL, &c) == dnnl_success;
    const void *op = kind == ONEDNN_MATMUL ? (const void *)&matmul : (const void *)&inner;
    return ok && dnnl_primitive_desc_create(&g->desc, op, NULL, g->engine, NULL) == dnnl_success &&
           dnnl_primitive_create(&g->product, g->desc) == dnnl_success;
}

/* Put B into the layout the primitive asked for. */
static bool pack(onednn_gemm *g, onednn_kind kind, int64_t n, int64_t k, const int8_t *b)
{
    const dnnl_dims_t dims = {kind == ONEDNN_MATMUL ? k : n, kind == ONEDNN_MATMUL ? n : k};
    const dnnl_memory_desc_t *wanted = dnnl_primitive_desc_query_md(g->desc, dnnl_query_weights_md, 0);
    dnnl_memory_desc_t plain;
    dnnl_memory_t from = NULL;
    dnnl_primitive_desc_t desc = NULL;
    dnnl_primitive_t reorder = NULL;
    bool ok = dnnl_memory_desc_init_by_tag(&plain, 2, dims, dnnl_s8,
                                           kind == ONEDNN_MATMUL ? dnnl_ab : dnnl_ba) == dnnl_success &&
              dnnl_memory_create(&from, &plain, g->engine, (void *)b) == dnnl_success &&
              dnnl_memory_create(&g->b, wanted, g->engine, DNNL_MEMORY_ALLOCATE) == dnnl_success &&
              dnnl_reorder_primitive_desc_create(&desc, &plain, g->engine, wanted, g->engine, NULL) ==
                  dnnl_success &&
              dnnl_primitive_create(&reorder, desc) == dnnl_success;
    if (ok) {
        const dnnl_exec_arg_t args[] = {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, g->b}};
        ok = dnnl_primitive_execute(reorder, g->stream, 2, args) == dnnl_success &&
             dnnl_stream_wait(g->stream) == dnnl_success;
    }
    dnnl_primitive_destroy(reorder);
    dnnl_primitive_desc_destroy(desc);
    dnnl_memory_destroy(from);
    return ok;
}

onednn_gemm *onednn_create(onednn_kind kind, int64_t m, int64_t n, int64_t k, const uint8_t *a,
                           const int8_t *b, int32_t *c)
{
    onednn_gemm *g = calloc(1, sizeof *g);
    if (!g)
        return NULL;
    bool ok = dnnl_engine_create(&g->engine, dnnl_cpu, 0) == dnnl_success &&
              dnnl_stream_create(&g->stream, g->engine, dnnl_stream_default_flags) == dnnl_success &&
              describe(g, kind, m, n, k) && pack(g, kind, n, k, b);
    if (ok) {
        const dnnl_memory_desc_t *a_md = dnnl_primitive_desc_query_md(g->desc, dnnl_query_src_md, 0);
        const dnnl_memory_desc_t *c_md = dnnl_primitive_desc_query_md(g->desc, dnnl_query_dst_md, 0);
        ok = dnnl_memory_create(&g->a, a_md, g->engine, (void *)a) == dnnl_success &&
             dnnl_memory_create(&g->c, c_md, g->engine, c) == dnnl_success;
    }
    if (ok)
        return g;
    onednn_destroy(g);
    return NULL;
}

void onednn_run(onednn_gemm *g, size_t count)
{
    const dnnl_exec_arg_t args[] = {{DNNL_ARG_SRC, g->a}, {DNNL_ARG_WEIGHTS, g->b}, {DNNL_ARG_DST, g->c}};
    for (size_t i = 0; i < count; i++)
        dnnl_primitive_execute(g->product, g->stream, 3, args);
    dnnl_stream_wait(g->stream);
}

void onednn_destroy(onednn_gemm *g)
{
    if (!g)
        return;
    dnnl_memory_destroy(g->a);
    dnnl_memory_destroy(g->b);
    dnnl_memory_destroy(g->c);
    dnnl_primitive_destroy(g->product);
    dnnl_primitive_desc_destroy(g->desc);
    dnnl_stream_destroy(g->stream);
    dnnl_engine_destroy(g->engine);
    free(g);
}

/* ---- float32 ---- */

static float *random_floats(size_t n)
{
    float *f = malloc((n + 1) * sizeof *f);
    for (size_t i = 0; f && i < n; i++)
        f[i] = (float)(rand() % 511 - 255) / 255.0f;
    return f;
}

double openblas_seconds(int64_t m, int64_t n, int64_t k)
{
    float *a = random_floats((size_t)(m * k)), *b = random_floats((size_t)(k * n)),
          *c = random_floats((size_t)(m * n));
    double best = -1;
    for (int i = 0; a && b && c && i < 5; i++) {
        double start = now_seconds();
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (blasint)m, (blasint)n, (blasint)k, 1.0f, a,
                    (blasint)k, b, (blasint)n, 0.0f, c, (blasint)n);
        double seconds = now_seconds() - start;
        best = best < 0 || seconds < best ? seconds : best;
    }
    free(a);
    free(b);
    free(c);
    return best;
}

static cl_mem float_buffer(cl_context context, size_t n)
{
    float *data = random_floats(n);
    cl_mem buffer =
        data ? clCreateBuffer(context, CL_MEM_READ_WRITE | CL_MEM_COPY_HOST_PTR, n * sizeof *data, data, NULL)
             : NULL;
    free(data);
    return buffer;
}

double clblast_seconds(cl_context context, cl_command_queue queue, int64_t m, int64_t n, int64_t k)
{
    cl_mem mems[] = {float_buffer(context, (size_t)(m * k)), float_buffer(context, (size_t)(k * n)),
                     float_buffer(context, (size_t)(m * n))};
    double best = -1;
    /* The first call compiles. */
    for (int i = 0; mems[0] && mems[1] && mems[2] && i < 4; i++) {
        double start = now_seconds();
        CLBlastStatusCode status = CLBlastSgemm(
            CLBlastLayoutRowMajor, CLBlastTransposeNo, CLBlastTransposeNo, (size_t)m, (size_t)n, (size_t)k,
            1.0f, mems[0], 0, (size_t)k, mems[1], 0, (size_t)n, 0.0f, mems[2], 0, (size_t)n, &queue, NULL);
        if (status != CLBlastSuccess || clFinish(queue) != CL_SUCCESS)
            break;
        double seconds = now_seconds() - start;
        best = i > 0 && (best < 0 || seconds < best) ? seconds : best;
    }
    for (int i = 0; i < 3; i++) {
        if (mems[i])
            clReleaseMemObject(mems[i]);
    }
    return best;
}
