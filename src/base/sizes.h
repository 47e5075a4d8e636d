/* Overflow-checked size arithmetic. Every size that a file or a caller can influence goes through here. */
#ifndef OCT_SIZES_H
#define OCT_SIZES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* false on overflow; *out is written only on success. */
static inline bool oct_size_mul(size_t a, size_t b, size_t *out)
{
    if (b != 0 && a > SIZE_MAX / b)
        return false;
    *out = a * b;
    return true;
}

static inline bool oct_size_add(size_t a, size_t b, size_t *out)
{
    if (a > SIZE_MAX - b)
        return false;
    *out = a + b;
    return true;
}

/* a rounded up to a multiple of m (m > 0); the caller knows that a + m does not overflow. */
static inline size_t oct_round_up(size_t a, size_t m)
{
    return (a + m - 1) / m * m;
}

static inline size_t oct_ceil_div(size_t a, size_t b)
{
    return a / b + (a % b != 0);
}

/* Number of elements of a shape; false if a dimension is negative or the product exceeds OCT_MAX_ELEMS. */
#define OCT_MAX_ELEMS ((int64_t)1 << 40)
bool oct_shape_elems(const int64_t *dims, int rank, int64_t *elems);

#endif
