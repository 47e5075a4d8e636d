#include "split.h"
#include "sizes.h"

#include <string.h>

int64_t oct_split_chunk(const oct_caps *caps)
{
    return caps->info.type == OCTET_DEVICE_CPU ? 8192 : 64; /* a multiple of 16, the kernels' vectors */
}

size_t oct_split_items(const oct_caps *caps, int64_t n)
{
    return oct_ceil_div((size_t)n, (size_t)oct_split_chunk(caps));
}

/* Steps of an operand, right-aligned to rank 8. */
static octet_status steps_of(const oct_operand *t, const oct_operand *y, int64_t *steps)
{
    int64_t step = 1;
    memset(steps, 0, 8 * sizeof *steps);
    RETURN_IF(t->rank > y->rank, OCTET_INVALID_ARGUMENT,
              "an operand of rank %d does not broadcast to rank %d", t->rank, y->rank);
    for (int i = 1; i <= t->rank; i++) {
        int64_t size = t->dims[t->rank - i], whole = y->dims[y->rank - i];
        RETURN_IF(size != whole && size != 1, OCTET_INVALID_ARGUMENT,
                  "an operand's dimension %lld does not broadcast to %lld", (long long)size,
                  (long long)whole);
        steps[8 - i] = size == 1 ? 0 : step;
        step *= size;
    }
    return OCTET_OK;
}

/* Dimension i is merged into its inner neighbour when both operands go on where that one ends. */
static bool mergeable(const oct_broadcast *s, int outer, int inner)
{
    return s->dims[outer] == 1 || s->dims[inner] == 1 ||
           (s->a[outer] == s->a[inner] * s->dims[inner] && s->b[outer] == s->b[inner] * s->dims[inner]);
}

octet_status oct_broadcast_make(const oct_operand *a, const oct_operand *b, const oct_operand *y,
                                oct_broadcast *out)
{
    oct_broadcast s;
    for (int i = 0; i < 8; i++)
        s.dims[i] = i < 8 - y->rank ? 1 : y->dims[i - (8 - y->rank)];
    FORWARD(steps_of(a, y, s.a));
    FORWARD(steps_of(b, y, s.b));
    int at = 7; /* where the current merged dimension is kept */
    *out =
        (oct_broadcast){.dims = {1, 1, 1, 1, 1, 1, 1, s.dims[7]}, .a = {[7] = s.a[7]}, .b = {[7] = s.b[7]}};
    for (int i = 6; i >= 0; i--) {
        oct_broadcast pair = {
            .dims = {s.dims[i], out->dims[at]}, .a = {s.a[i], out->a[at]}, .b = {s.b[i], out->b[at]}};
        if (!mergeable(&pair, 0, 1))
            at--;
        else if (out->dims[at] != 1) {
            out->dims[at] *= s.dims[i];
            continue;
        }
        out->dims[at] = s.dims[i];
        out->a[at] = s.a[i];
        out->b[at] = s.b[i];
    }
    return OCTET_OK;
}

void oct_broadcast_launch(oct_launch *l, const oct_caps *caps, const oct_broadcast *s)
{
    int64_t rows = 1;
    for (int i = 0; i < 7; i++)
        rows *= s->dims[i];
    oct_launch_i64(l, s->dims[7]);
    oct_launch_i64(l, oct_split_chunk(caps));
    oct_launch_i32(l, s->a[7]);
    oct_launch_i32(l, s->b[7]);
    for (int i = 1; i < 7; i++)
        oct_launch_i64(l, s->dims[i]);
    for (int i = 0; i < 7; i++)
        oct_launch_i64(l, s->a[i]);
    for (int i = 0; i < 7; i++)
        oct_launch_i64(l, s->b[i]);
    oct_launch_2d(l, oct_split_items(caps, s->dims[7]), (size_t)rows, 0, 0);
}
