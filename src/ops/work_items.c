#include "work_items.h"
#include "sizes.h"

#include <string.h>

static const oct_lanes variants[] = {
#define LANES(name, lanes, coalesced) {#name, lanes, coalesced},
#include "lane_variants.def"
#undef LANES
};
enum { VARIANT_COUNT = sizeof variants / sizeof variants[0] };

/* What a compute unit wants to have in hand. */
enum { UNIT_ITEMS = 1024 };

const oct_lanes *oct_lanes_variant(size_t index)
{
    return index < VARIANT_COUNT ? &variants[index] : NULL;
}

/* On GPUs a vector is one access, of at most 16 bytes. */
static bool fits_access(const oct_lanes *v, size_t elem_bytes)
{
    return !v->coalesced || (size_t)v->lanes * elem_bytes <= 16;
}

static bool suits(const oct_lanes *v, const oct_caps *caps, int64_t length, int64_t rows)
{
    if (v->coalesced != (caps->prefers_tiles && caps->max_group >= OCT_GROUP_ITEMS))
        return false;
    if (!v->coalesced || v == &variants[VARIANT_COUNT - 1])
        return true;
    int64_t items = length / v->lanes * rows;
    return (rows == 1 || length % v->lanes == 0) && items >= (int64_t)caps->info.compute_units * UNIT_ITEMS;
}

const oct_lanes *oct_lanes_select(const oct_caps *caps, int64_t length, int64_t rows, size_t elem_bytes)
{
    bool forced = false;
    for (size_t i = 0; i < VARIANT_COUNT; i++) {
        const oct_lanes *v = &variants[i];
        forced = forced || (caps->lanes && strcmp(caps->lanes, v->name) == 0);
        if (fits_access(v, elem_bytes) && (caps->lanes ? forced : suits(v, caps, length, rows)))
            return v;
    }
    return &variants[0];
}

const char *oct_lanes_options(const oct_lanes *v)
{
    return !v->coalesced ? "" : v->lanes == 16 ? " -DLANES=16 -DCOALESCED" : " -DLANES=4 -DCOALESCED";
}

int64_t oct_lanes_chunk(const oct_lanes *v, const oct_caps *caps)
{
    return v->coalesced ? v->lanes : oct_item_chunk(caps);
}

void oct_group_items(const oct_caps *caps, size_t global[3], size_t local[3])
{
    size_t left = caps->max_group < OCT_GROUP_ITEMS ? caps->max_group : OCT_GROUP_ITEMS;
    for (int i = 0; i < 3; i++) {
        local[i] = 1;
        while (i < 2 && local[i] < global[i] && 2 * local[i] <= left)
            local[i] *= 2;
        left /= local[i];
        global[i] = oct_round_up(global[i], local[i]);
    }
}

void oct_lanes_launch(oct_launch *l, const oct_caps *caps, const oct_lanes *v, int64_t length, int64_t rows,
                      int64_t depth)
{
    size_t chunk = (size_t)oct_lanes_chunk(v, caps), local[3] = {0};
    size_t global[3] = {oct_ceil_div((size_t)length, chunk), (size_t)rows, (size_t)depth};
    if (v->coalesced)
        oct_group_items(caps, global, local);
    oct_launch_3d(l, global, v->coalesced ? local : NULL);
}

int64_t oct_item_chunk(const oct_caps *caps)
{
    return caps->info.type == OCTET_DEVICE_CPU ? 8192 : 64; /* a multiple of 16, the kernels' vectors */
}

size_t oct_item_count(const oct_caps *caps, int64_t n)
{
    return oct_ceil_div((size_t)n, (size_t)oct_item_chunk(caps));
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

/* Dimension i is merged into its inner neighbour, now dimension `at` of `out`, when all operands go on where
 * that one ends. */
static bool mergeable(const oct_broadcast *s, int count, int i, const oct_broadcast *out, int at)
{
    bool all = true;
    for (int k = 0; k < count; k++)
        all = all && s->steps[k][i] == out->steps[k][at] * out->dims[at];
    return all || s->dims[i] == 1 || out->dims[at] == 1;
}

octet_status oct_broadcast_make(const oct_operand *const *operands, int count, const oct_operand *y,
                                oct_broadcast *out)
{
    oct_broadcast s;
    for (int i = 0; i < 8; i++)
        s.dims[i] = i < 8 - y->rank ? 1 : y->dims[i - (8 - y->rank)];
    for (int k = 0; k < count; k++)
        FORWARD(steps_of(operands[k], y, s.steps[k]));
    int at = 7; /* where the current merged dimension is kept */
    *out = (oct_broadcast){.dims = {1, 1, 1, 1, 1, 1, 1, s.dims[7]}};
    for (int k = 0; k < count; k++)
        out->steps[k][7] = s.steps[k][7];
    for (int i = 6; i >= 0; i--) {
        if (!mergeable(&s, count, i, out, at))
            at--;
        else if (out->dims[at] != 1) {
            out->dims[at] *= s.dims[i];
            continue;
        }
        out->dims[at] = s.dims[i];
        for (int k = 0; k < count; k++)
            out->steps[k][at] = s.steps[k][i];
    }
    return OCTET_OK;
}

static int64_t rows_of(const oct_broadcast *s)
{
    int64_t rows = 1;
    for (int i = 0; i < 7; i++)
        rows *= s->dims[i];
    return rows;
}

const oct_lanes *oct_broadcast_lanes(const oct_caps *caps, const oct_broadcast *s, size_t elem_bytes)
{
    return oct_lanes_select(caps, s->dims[7], rows_of(s), elem_bytes);
}

broadcast_part oct_broadcast_numbers(const oct_caps *caps, const oct_broadcast *s, const oct_lanes *v)
{
    broadcast_part p = {.rows = rows_of(s),
                        .inner = s->dims[7],
                        .chunk = oct_lanes_chunk(v ? v : &variants[0], caps),
                        .a_step = s->steps[0][7],
                        .b_step = s->steps[1][7]};
    memcpy(p.dims, s->dims, sizeof p.dims);
    memcpy(p.a_rows, s->steps[0], sizeof p.a_rows);
    memcpy(p.b_rows, s->steps[1], sizeof p.b_rows);
    return p;
}

void oct_broadcast_launch(oct_launch *l, const oct_caps *caps, const oct_broadcast *s, const oct_lanes *v)
{
    oct_lanes_launch(l, caps, v ? v : &variants[0], s->dims[7], rows_of(s), 1);
}
