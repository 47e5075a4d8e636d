#include "quant_args.h"
#include "dtype.h"

bool oct_quant_zero_is_zero(const oct_quant *q)
{
    if (q->zero_count == 0)
        return true;
    if (!q->host_zero)
        return false;
    const unsigned char *bytes = q->host_zero;
    size_t n = (size_t)q->zero_count * oct_dtype_bytes(q->zero_dtype);
    for (size_t i = 0; i < n; i++) {
        if (bytes[i])
            return false;
    }
    return true;
}
