/* Requantization in fixed point: the published arithmetic of gemmlowp (fixedpoint.h) and TFLite
 * (quantization_util, common.h: MultiplyByQuantizedMultiplier in both builds). */
#include "quant.h"
#include <math.h>

bool oct_fixed_from_real(double real, oct_fixed *fixed)
{
    if (!(real >= 0.0 && real <= 1073741824.0))
        return false;
    int shift = 0;
    int64_t q = llround(frexp(real, &shift) * 2147483648.0); /* fraction in [0.5, 1) */
    if (q == INT64_C(1) << 31) {
        q /= 2;
        shift++;
    }
    if (q == 0 || shift < -31) {
        q = 0;
        shift = 0;
    }
    fixed->multiplier = (int32_t)q;
    fixed->shift = shift;
    return true;
}

static int32_t saturate(int64_t x)
{
    return x > INT32_MAX ? INT32_MAX : x < INT32_MIN ? INT32_MIN : (int32_t)x;
}

/* floor(x / 2^n), n in 0..62, without shifting a negative number. */
static int64_t floor_shift(int64_t x, int n)
{
    return x >= 0 ? x >> n : -((-x + ((INT64_C(1) << n) - 1)) >> n);
}

static int32_t shift_left(int32_t x, int n)
{
    return n > 31 ? saturate((int64_t)x * INT64_C(0x100000000)) : saturate((int64_t)x * (INT64_C(1) << n));
}

int32_t oct_srdhm(int32_t a, int32_t b)
{
    return saturate(floor_shift((int64_t)a * b + (INT64_C(1) << 30), 31));
}

int32_t oct_rounding_divide_by_pot(int32_t x, int exponent)
{
    int64_t half = exponent == 0 ? 0 : INT64_C(1) << (exponent - 1);
    int64_t magnitude = ((x < 0 ? -(int64_t)x : (int64_t)x) + half) >> exponent;
    return (int32_t)(x < 0 ? -magnitude : magnitude);
}

int32_t oct_fixed_multiply_double(int32_t x, oct_fixed f)
{
    int left = f.shift > 0 ? f.shift : 0;
    int right = f.shift > 0 ? 0 : -f.shift;
    return oct_rounding_divide_by_pot(oct_srdhm(shift_left(x, left), f.multiplier), right);
}

int32_t oct_fixed_multiply_single(int32_t x, oct_fixed f)
{
    int total = 31 - f.shift; /* 0..62 by the range of shift */
    int64_t product = (int64_t)x * f.multiplier;
    int64_t half = total == 0 ? 0 : INT64_C(1) << (total - 1);
    return saturate(floor_shift(product + half, total));
}

int32_t oct_requantize_fixed(int32_t acc, oct_fixed f, oct_rounding rounding, int32_t zero, int32_t qmin,
                             int32_t qmax)
{
    int64_t q = rounding == OCT_ROUND_FIXED_SINGLE ? oct_fixed_multiply_single(acc, f)
                                                   : oct_fixed_multiply_double(acc, f);
    q += zero;
    return (int32_t)(q < qmin ? qmin : q > qmax ? qmax : q);
}
