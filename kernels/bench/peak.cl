/* The ceiling that kernels are held against: 8-bit multiply-adds on registers, nothing else. One work-item
 * runs `rounds` of PEAK_CHAINS independent accumulators. Option VNNI512: vpdpbusd (only with the
 * x86_avx512_vnni capability); AVX2: vpmaddwd and vpaddd on 16-bit values; else the dot product path of
 * dot4.clh. */
#include "bench/peak_args.clh"
#include "dot4/dot4.clh"
#ifdef VNNI512
#include "x86.clh"
#endif

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

static inline void peak_body(const peak_args a, const long item)
{
    acc_t acc[PEAK_CHAINS], left = (acc_t)(0x01020304 + (int)item), right = (acc_t)(0x04030201);
#pragma unroll
    for (int i = 0; i < PEAK_CHAINS; i++)
        acc[i] = i;
    for (int round = 0; round < a.rounds; round++) {
#pragma unroll
        for (int i = 0; i < PEAK_CHAINS; i++)
            STEP(acc[i], left, right);
    }
    acc_t sum = 0;
#pragma unroll
    for (int i = 0; i < PEAK_CHAINS; i++)
        sum += acc[i];
    AT(acc_t, a.sums)[item] = sum;
}
KERNEL_1D(peak, peak, PEAK_ARGS)
