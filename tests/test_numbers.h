/* Helpers of the arithmetic tests: float bits, neighbours, a small generator. */
#ifndef OCT_TEST_NUMBERS_H
#define OCT_TEST_NUMBERS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static inline uint32_t bits_of(float x)
{
    uint32_t u;
    memcpy(&u, &x, sizeof u);
    return u;
}

static inline float from_bits(uint32_t u)
{
    float x;
    memcpy(&x, &u, sizeof x);
    return x;
}

/* The float `steps` representable values away from x in magnitude; x itself where that would leave the finite
 * range. */
static inline float neighbour(float x, int steps)
{
    uint32_t sign = bits_of(x) & 0x80000000u;
    int64_t magnitude = (int64_t)(bits_of(x) & 0x7fffffffu) + steps;
    return magnitude < 0 || magnitude > 0x7f7fffff ? x : from_bits(sign | (uint32_t)magnitude);
}

/* Knuth's 64-bit linear congruential generator; the upper half is used. */
static inline uint32_t next_random(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(*state >> 32);
}

#endif
