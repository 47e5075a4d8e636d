/* cublaslt SHAPES-FILE: int8 products by cuBLASLt, s32 and s8 out, every algorithm that its heuristic offers
 * timed, the best kept; one line of JSON a shape. Random data. Built by bench/gpu/run where the CUDA toolkit
 * is. */
#include <cublasLt.h>
#include <cuda_runtime.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ALGORITHMS = 32, RUNS = 10 };
#define WORKSPACE ((size_t)64 << 20)

static cublasLtHandle_t handle;
static void *workspace;

static void *random_bytes(size_t n)
{
    unsigned char *host = malloc(n);
    void *device = NULL;
    unsigned long long s = 88172645463325252u;
    for (size_t i = 0; host && i < n; i++) {
        s ^= s << 13, s ^= s >> 7, s ^= s << 17;
        host[i] = (unsigned char)(s >> 32);
    }
    if (!host || cudaMalloc(&device, n) != cudaSuccess || cudaMemcpy(device, host, n, cudaMemcpyHostToDevice))
        exit(1);
    free(host);
    return device;
}

/* Milliseconds of one run, the best algorithm; 0: none runs. A [m][k] and B [n][k] by rows, that is, in
 * cuBLAS's order of columns, B^T A. */
static double best_time(int m, int n, int k, int s8_out)
{
    cublasLtMatmulDesc_t op;
    cublasLtMatrixLayout_t la, lb, lc;
    cublasLtMatmulPreference_t preference;
    cublasLtMatmulHeuristicResult_t found[ALGORITHMS];
    cublasOperation_t transpose = CUBLAS_OP_T;
    size_t limit = WORKSPACE;
    int count = 0;
    cudaDataType_t out = s8_out ? CUDA_R_8I : CUDA_R_32I;
    int one_i = 1, zero_i = 0;
    float one_f = 0.01f, zero_f = 0.0f;
    const void *alpha = s8_out ? (void *)&one_f : (void *)&one_i,
               *beta = s8_out ? (void *)&zero_f : (void *)&zero_i;
    void *a = random_bytes((size_t)m * k), *b = random_bytes((size_t)n * k),
         *c = random_bytes((size_t)m * n * 4);
    cublasLtMatmulDescCreate(&op, CUBLAS_COMPUTE_32I, s8_out ? CUDA_R_32F : CUDA_R_32I);
    cublasLtMatmulDescSetAttribute(op, CUBLASLT_MATMUL_DESC_TRANSA, &transpose, sizeof transpose);
    cublasLtMatrixLayoutCreate(&la, CUDA_R_8I, k, n, k);
    cublasLtMatrixLayoutCreate(&lb, CUDA_R_8I, k, m, k);
    cublasLtMatrixLayoutCreate(&lc, out, n, m, n);
    cublasLtMatmulPreferenceCreate(&preference);
    cublasLtMatmulPreferenceSetAttribute(preference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, &limit,
                                         sizeof limit);
    cublasLtMatmulAlgoGetHeuristic(handle, op, la, lb, lc, lc, preference, ALGORITHMS, found, &count);
    double best = 0.0;
    cudaEvent_t start, stop;
    cudaEventCreate(&start);
    cudaEventCreate(&stop);
    for (int i = 0; i < count; i++) {
        float ms = 0.0f;
        int bad = 0;
        for (int run = -2; run < RUNS && !bad; run++) {
            if (run == 0)
                cudaEventRecord(start, 0);
            bad = cublasLtMatmul(handle, op, alpha, b, la, a, lb, beta, c, lc, c, lc, &found[i].algo,
                                 workspace, WORKSPACE, 0) != CUBLAS_STATUS_SUCCESS;
        }
        cudaEventRecord(stop, 0);
        if (bad || cudaEventSynchronize(stop) != cudaSuccess)
            continue;
        cudaEventElapsedTime(&ms, start, stop);
        if (best == 0.0 || ms / RUNS < best)
            best = ms / RUNS;
    }
    cudaEventDestroy(start);
    cudaEventDestroy(stop);
    cublasLtMatmulPreferenceDestroy(preference);
    cublasLtMatrixLayoutDestroy(la);
    cublasLtMatrixLayoutDestroy(lb);
    cublasLtMatrixLayoutDestroy(lc);
    cublasLtMatmulDescDestroy(op);
    cudaFree(a);
    cudaFree(b);
    cudaFree(c);
    return best;
}

int main(int argc, char **argv)
{
    FILE *f = argc > 1 ? fopen(argv[1], "r") : NULL;
    char line[256];
    if (!f || cublasLtCreate(&handle) != CUBLAS_STATUS_SUCCESS ||
        cudaMalloc(&workspace, WORKSPACE) != cudaSuccess) {
        fprintf(stderr, "cublaslt: no file of shapes, or no CUDA device\n");
        return 1;
    }
    while (fgets(line, sizeof line, f)) {
        int m, n, k;
        if (sscanf(line, "%dx%dx%d", &m, &n, &k) != 3)
            continue;
        printf("{\"m\": %d, \"n\": %d, \"k\": %d, \"s32_ms\": %g, \"s8_ms\": %g}\n", m, n, k,
               best_time(m, n, k, 0), best_time(m, n, k, 1));
        fflush(stdout);
    }
    fclose(f);
    return 0;
}
