/* The same product by other libraries, for comparison: oneDNN (u8 x s8 -> s32, weights in the layout it likes
 * best, packed before), OpenBLAS and CLBlast (float32). And what the processor could do at most. */
#ifndef OCT_BENCH_RIVALS_H
#define OCT_BENCH_RIVALS_H

#include <octet/opencl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Wall time, or after use_cpu_time the time that all threads of this process had on processors: what to
 * compare on a machine shared with others, with one thread each. */
double now_seconds(void);
void use_cpu_time(void);

typedef struct onednn_gemm onednn_gemm;
typedef enum onednn_kind { ONEDNN_MATMUL, ONEDNN_INNER_PRODUCT, ONEDNN_KINDS } onednn_kind;

/* C [m][n] = A [m][k] x B [k][n]; B is packed here, a and c are used in place. NULL: not possible. */
onednn_gemm *onednn_create(onednn_kind kind, int64_t m, int64_t n, int64_t k, const uint8_t *a,
                           const int8_t *b, int32_t *c);
void onednn_run(onednn_gemm *g, size_t count); /* returns when the last is done */
void onednn_destroy(onednn_gemm *g);

/* Seconds of one float32 product, the best of a few; negative: failed. */
double openblas_seconds(int64_t m, int64_t n, int64_t k);
double clblast_seconds(cl_context context, cl_command_queue queue, int64_t m, int64_t n, int64_t k);

/* Operations (2 a multiply-add) per second of `threads` loops of vpdpbusd on 512-bit registers that touch no
 * memory; 0 where the processor has no AVX-512 VNNI. */
double vnni_ceiling(int threads);

#endif
