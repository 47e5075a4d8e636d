/* The host's model of kernels/div.clh: division rounded to nearest from fma alone, on significands in [1, 2).
 */
#include "quant.h"
#include <math.h>
#include <string.h>

static uint32_t bits_of(float x)
{
    uint32_t u;
    memcpy(&u, &x, sizeof u);
    return u;
}

static float from_bits(uint32_t u)
{
    float x;
    memcpy(&x, &u, sizeof x);
    return x;
}

/* Split a finite nonzero magnitude into a significand in [1, 2) and its biased, unbounded exponent. */
static float significand(uint32_t bits, int *exponent)
{
    *exponent = (int)(bits >> 23);
    if (*exponent == 0) {
        *exponent = 1;
        for (; bits < 0x00800000u; bits <<= 1)
            --*exponent;
    }
    return from_bits((bits & 0x007fffffu) | 0x3f800000u);
}

float oct_recip_refine(float significand, float seed)
{
    float y = fmaf(fmaf(-significand, seed, 1.0f), seed, seed);
    y = fmaf(fmaf(-significand, y, 1.0f), y, y);
    return fmaxf(y, from_bits(0x3f000001u)); /* 2 - 2^-23 is the one value that Newton leaves 1 ulp low */
}

static float correct_twice(float q, float a, float b, float y)
{
    q = fmaf(fmaf(-b, q, a), y, q);
    return fmaf(fmaf(-b, q, a), y, q);
}

float oct_div_rn(float a, float b)
{
    uint32_t ua = bits_of(a) & 0x7fffffffu, ub = bits_of(b) & 0x7fffffffu;
    uint32_t sign = (bits_of(a) ^ bits_of(b)) & 0x80000000u;
    const uint32_t inf = 0x7f800000u;
    if (ua > inf || ub > inf || (ua == ub && (ua == 0 || ua == inf)))
        return NAN;
    if (ua == inf || ub == 0)
        return from_bits(sign | inf);
    if (ua == 0 || ub == inf)
        return from_bits(sign);
    int ea, eb;
    float ma = significand(ua, &ea), mb = significand(ub, &eb);
    float y = oct_recip_refine(mb, 1.0f / mb);
    float q = correct_twice(ma * y, ma, mb, y);
    int exponent = (int)(bits_of(q) >> 23) + ea - eb;
    if (exponent >= 255)
        return from_bits(sign | inf);
    if (exponent <= 0)
        return from_bits(sign);
    return from_bits(sign | ((uint32_t)exponent << 23) | (bits_of(q) & 0x007fffffu));
}

float oct_quotient(float x, float s, float y)
{
    float limit = s * 0x1p20f;
    x = fminf(fmaxf(x, -limit), limit);
    return correct_twice(x * y, x, s, y);
}

int32_t oct_muldiv_rte(float e, float c, float s)
{
    uint32_t ue = bits_of(e), uc = bits_of(c), us = bits_of(s);
    const uint32_t hidden = 0x00800000u, fraction = 0x007fffffu;
    if (ue < hidden || uc < hidden)
        return 0;
    int shift = 150 - (int)(ue >> 23) - (int)(uc >> 23) + (int)(us >> 23);
    uint64_t n = (uint64_t)((ue & fraction) | hidden) * ((uc & fraction) | hidden);
    if (shift < 14) /* n >= 2^46 and the divisor is below 2^24 * 2^shift */
        return 256;
    if (shift > 26) /* n < 2^48 and the divisor is at least 2^23 * 2^shift */
        return 0;
    uint64_t d = (uint64_t)((us & fraction) | hidden) << shift;
    uint64_t q = n / d, rest = 2 * (n - q * d);
    q += rest > d || (rest == d && (q & 1) != 0);
    return q > 256 ? 256 : (int32_t)q;
}
