/* What operator tests share: a seeded generator, data at the extremes, guarded buffers, the context. */
#ifndef OCT_TEST_CHECK_H
#define OCT_TEST_CHECK_H

#include <octet/octet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define GUARD 0xA5

/* xorshift64*; the state is the seed. */
static inline uint32_t check_random(uint64_t *state)
{
    uint64_t x = *state;
    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    *state = x;
    return (uint32_t)((x * UINT64_C(0x2545F4914F6CDD1D)) >> 32);
}

static inline int64_t check_range(uint64_t *state, int64_t low, int64_t high)
{
    return low + (int64_t)(check_random(state) % (uint64_t)(high - low + 1));
}

/* Bytes: random, or (style 1) all the most negative / largest value, or (style 2) only extremes, mixed. */
static inline void check_fill(uint64_t *state, octet_dtype dtype, unsigned char *data, size_t n, int style)
{
    const unsigned char extremes[2][3] = {{0, 255, 128}, {0x80, 0x7f, 0xff}};
    for (size_t i = 0; i < n; i++) {
        const unsigned char *e = extremes[dtype == OCTET_S8];
        data[i] = style == 0   ? (unsigned char)check_random(state)
                  : style == 1 ? e[dtype != OCTET_S8]
                               : e[check_random(state) % 3];
    }
}

static inline float check_scale(uint64_t *state)
{
    return (float)(1 + check_random(state) % 1000) * 0.00037f;
}

/* For slow devices, simulators: OCTET_TEST_CASES is a smaller number of cases a variant, OCTET_TEST_VARIANT a
 * part of the names of those to run. */
static inline size_t check_cases(size_t all)
{
    const char *text = getenv("OCTET_TEST_CASES");
    size_t wanted = text ? (size_t)strtoul(text, NULL, 10) : 0;
    return wanted && wanted < all ? wanted : all;
}

static inline int check_wanted(const char *variant)
{
    const char *text = getenv("OCTET_TEST_VARIANT");
    return !text || strstr(variant, text);
}

#define CHECK_FAILS(call, status, words)                                                                     \
    do {                                                                                                     \
        assert_int_equal((call), (status));                                                                  \
        if (!strstr(octet_last_error(), (words)))                                                            \
            fail_msg("%s: \"%s\" does not name \"%s\"", #call, octet_last_error(), (words));                 \
    } while (0)

#define CHECK_OK(call)                                                                                       \
    do {                                                                                                     \
        octet_status check_status_ = (call);                                                                 \
        if (check_status_ != OCTET_OK)                                                                       \
            fail_msg("%s: %s: %s", #call, octet_status_name(check_status_), octet_last_error());             \
    } while (0)

#endif
