/* Moves: Transpose, Cast and QLinearConcat. */
#include "dtype.h"
#include "ref.h"
#include <math.h>
#include <string.h>

void oct_ref_transpose(const void *x, const int64_t *dims, int rank, const int *perm, size_t elem_bytes,
                       void *y)
{
    int64_t step[OCTET_MAX_RANK], n = 1;
    for (int d = rank - 1; d >= 0; d--) {
        step[d] = n;
        n *= dims[d];
    }
    for (int64_t i = 0; i < n; i++) {
        int64_t rest = i, from = 0;
        for (int d = rank - 1; d >= 0; d--) {
            from += rest % dims[perm[d]] * step[perm[d]];
            rest /= dims[perm[d]];
        }
        memcpy((char *)y + (size_t)i * elem_bytes, (const char *)x + (size_t)from * elem_bytes, elem_bytes);
    }
}

/* A float as an integer of [lo, hi]. */
static int64_t truncate(float x, double lo, double hi)
{
    if (isnan(x))
        return 0;
    double t = trunc((double)x);
    if (t <= lo)
        return (int64_t)lo;
    return t >= hi ? (hi >= 9223372036854775807.0 ? INT64_MAX : (int64_t)hi) : (int64_t)t;
}

static int64_t load_int(octet_dtype dtype, const void *x, int64_t i)
{
    return dtype == OCTET_S64 ? ((const int64_t *)x)[i] : oct_ref_load(dtype, x, i);
}

static int64_t float_to_int(octet_dtype to, float x)
{
    if (to == OCTET_S64)
        return truncate(x, -9223372036854775808.0, 9223372036854775807.0);
    return truncate(x, (double)oct_dtype_min(to), (double)oct_dtype_max(to));
}

static int32_t wrap(int64_t value)
{
    uint32_t low = (uint32_t)(uint64_t)value;
    return low <= INT32_MAX ? (int32_t)low : (int32_t)((int64_t)low - (INT64_C(1) << 32));
}

void oct_ref_cast(octet_dtype from, octet_dtype to, const void *x, int64_t n, void *y)
{
    for (int64_t i = 0; i < n; i++) {
        bool is_float = from == OCTET_F32;
        float f = is_float ? ((const float *)x)[i] : 0.0f;
        int64_t v = is_float ? 0 : load_int(from, x, i);
        if (to == OCTET_F32) {
            ((float *)y)[i] = is_float ? f : (float)v;
            continue;
        }
        if (to == OCTET_BOOL)
            v = is_float ? f != 0.0f : v != 0;
        else if (is_float)
            v = float_to_int(to, f);
        if (to == OCTET_S64)
            ((int64_t *)y)[i] = v;
        else
            oct_ref_store(to, y, i, wrap(v));
    }
}

void oct_ref_qconcat(octet_dtype dtype, const oct_ref_concat_input *inputs, int count, int64_t outer,
                     int64_t inner, float y_scale, int32_t y_zero, void *y)
{
    uint8_t *out = y;
    for (int64_t o = 0; o < outer; o++) {
        for (int i = 0; i < count; i++) {
            const oct_ref_concat_input *in = &inputs[i];
            int64_t run = in->axis * inner;
            uint8_t table[256];
            oct_lut_params p = {dtype, dtype, in->scale, y_scale, in->zero, y_zero};
            oct_lut_requantize(&p, table);
            oct_ref_lut(table, (const uint8_t *)in->data + o * run, run, out);
            out += run;
        }
    }
}
