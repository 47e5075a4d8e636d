/* See compare.h. */
#include "command_compare.h"
#include "tensors.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static bool values_match(const octet_tensor *expected, const octet_tensor *given, int64_t i)
{
    size_t bytes = octet_dtype_bytes(expected->dtype);
    const char *a = expected->data, *b = given->data;
    if (memcmp(a + (size_t)i * bytes, b + (size_t)i * bytes, bytes) == 0)
        return true;
    if (!dtype_is_float(expected->dtype))
        return false;
    double e = tensor_value(expected, i), g = tensor_value(given, i);
    if (isnan(e) || isnan(g))
        return isnan(e) && isnan(g);
    if (isinf(e) || isinf(g))
        return e == g;
    return fabs(g - e) <= 1e-7 + 1e-3 * fabs(e);
}

bool tensors_match(const octet_tensor *expected, const octet_tensor *given, char *what, size_t what_size)
{
    char want[256], got[256];
    int64_t count = tensor_elements(expected), first = -1, wrong = 0;
    if (expected->dtype != given->dtype || expected->rank != given->rank ||
        memcmp(expected->dims, given->dims, sizeof expected->dims[0] * (size_t)expected->rank) != 0) {
        snprintf(what, what_size, "expected %s, got %s",
                 shape_text(want, sizeof want, expected->dtype, expected->rank, expected->dims),
                 shape_text(got, sizeof got, given->dtype, given->rank, given->dims));
        return false;
    }
    for (int64_t i = 0; i < count; i++) {
        if (!values_match(expected, given, i)) {
            first = wrong++ ? first : i;
        }
    }
    if (wrong)
        snprintf(what, what_size, "%lld of %lld values differ; at %lld: expected %.9g, got %.9g",
                 (long long)wrong, (long long)count, (long long)first, tensor_value(expected, first),
                 tensor_value(given, first));
    return wrong == 0;
}
