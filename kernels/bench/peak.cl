/* The ceiling that kernels are held against: 8-bit multiply-adds on registers, nothing else. One work-item
 * runs `count` rounds of CHAINS independent accumulators. Option VNNI512: vpdpbusd (only with the
 * x86_avx512_vnni capability); AVX2: vpmaddwd and vpaddd on 16-bit values; else the dot product path of
 * dot4.clh. */
#include "common.clh"
#include "dot4/dot4.clh"
#ifdef VNNI512
#include "x86.clh"
#endif

#define CHAINS 16

#if defined(VNNI512)
typedef int16 acc_t;
#define STEP(acc, a, b) acc = x86_dot_bytes(acc, a, b)
#elif defined(AVX2)
typedef int8 acc_t;
#define STEP(acc, a, b)                                                                                      \
    do {                                                                                                     \
        int8 pair_;                                                                                          \
        __asm__ volatile("vpmaddwd %2, %1, %0" : "=x"(pair_) : "x"(a), "x"(b));                              \
        acc += pair_;                                                                                        \
    } while (0)
#else
typedef int acc_t;
/* Of its own sum, so that no compiler takes the product out of the loop. */
#define STEP(acc, a, b) acc = dot4(acc, (uint)(a), (uint)(acc))
#endif

__kernel void peak(MEM(out), const int count)
{
    acc_t acc[CHAINS], a = (acc_t)(0x01020304 + (int)get_global_id(0)), b = (acc_t)(0x04030201);
#pragma unroll
    for (int i = 0; i < CHAINS; i++)
        acc[i] = i;
    for (int round = 0; round < count; round++) {
#pragma unroll
        for (int i = 0; i < CHAINS; i++)
            STEP(acc[i], a, b);
    }
    acc_t sum = 0;
#pragma unroll
    for (int i = 0; i < CHAINS; i++)
        sum += acc[i];
    AT(acc_t, out)[get_global_id(0)] = sum;
}
