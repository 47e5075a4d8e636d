#include "rivals.h"

#if defined(__x86_64__)
#include <pthread.h>

enum { LOOPS = 4000000, CHAINS = 16, MAX_THREADS = 256 };

/* 16 independent chains hide the latency; zmm16 to zmm31 are accumulators, zmm0 and zmm1 the operands. */
static void *spin(void *unused)
{
    (void)unused;
    for (int i = 0; i < LOOPS; i++)
        __asm__ volatile("vpdpbusd %%zmm0, %%zmm1, %%zmm16\n\tvpdpbusd %%zmm0, %%zmm1, %%zmm17\n\t"
                         "vpdpbusd %%zmm0, %%zmm1, %%zmm18\n\tvpdpbusd %%zmm0, %%zmm1, %%zmm19\n\t"
                         "vpdpbusd %%zmm0, %%zmm1, %%zmm20\n\tvpdpbusd %%zmm0, %%zmm1, %%zmm21\n\t"
                         "vpdpbusd %%zmm0, %%zmm1, %%zmm22\n\tvpdpbusd %%zmm0, %%zmm1, %%zmm23\n\t"
                         "vpdpbusd %%zmm0, %%zmm1, %%zmm24\n\tvpdpbusd %%zmm0, %%zmm1, %%zmm25\n\t"
                         "vpdpbusd %%zmm0, %%zmm1, %%zmm26\n\tvpdpbusd %%zmm0, %%zmm1, %%zmm27\n\t"
                         "vpdpbusd %%zmm0, %%zmm1, %%zmm28\n\tvpdpbusd %%zmm0, %%zmm1, %%zmm29\n\t"
                         "vpdpbusd %%zmm0, %%zmm1, %%zmm30\n\tvpdpbusd %%zmm0, %%zmm1, %%zmm31"
                         :
                         :
                         : "memory");
    return NULL;
}

double vnni_ceiling(int threads)
{
    pthread_t ids[MAX_THREADS];
    if (!__builtin_cpu_supports("avx512vnni") || threads > MAX_THREADS)
        return 0;
    double best = 0;
    for (int round = 0; round < 5; round++) {
        double start = now_seconds();
        int started = 0;
        while (started < threads && pthread_create(&ids[started], NULL, spin, NULL) == 0)
            started++;
        for (int i = 0; i < started; i++)
            pthread_join(ids[i], NULL);
        double rate = 2.0 * 64 * CHAINS * LOOPS * started / (now_seconds() - start);
        best = rate > best ? rate : best;
    }
    return best;
}
#else
double vnni_ceiling(int threads)
{
    (void)threads;
    return 0;
}
#endif
