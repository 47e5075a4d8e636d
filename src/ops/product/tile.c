#include "tile.h"
#include "sizes.h"

#include <stdio.h>
#include <string.h>

/* In step with kernels/gemm/gemm_small.cl. */
#define SMALL_ITEMS 256

/* Loads of B that a work-item has on their way. */
static int small_ahead(const oct_tile *t)
{
    return t->bm < 8 ? 8 : 4;
}

size_t oct_tile_items(const oct_tile *t)
{
    return t->bk ? (size_t)(t->bm / t->tm * (t->bn / t->tn)) : SMALL_ITEMS;
}

size_t oct_tile_local_bytes(const oct_tile *t)
{
    if (!t->bk)
        return (size_t)t->bm * SMALL_ITEMS * 16;
    return 2 * (size_t)t->bk * (size_t)(t->bm + 4 + t->bn); /* two buffers; 4 rows of padding */
}

/* Every work-item fetches whole 16 bytes, as many as the others, and 64 columns are a panel. */
static bool fits_together(const oct_tile *t)
{
    int items = (int)oct_tile_items(t);
    return t->bk % 32 == 0 && t->bn % 64 == 0 && t->tm % 4 == 0 && t->tn % 4 == 0 && t->bm % t->tm == 0 &&
           t->bm * t->bk / 16 % items == 0 && t->bn * t->bk / 16 % items == 0;
}

/* Dwords that a work-item holds at least: its sums and what it has fetched. */
static int item_words(const oct_tile *t)
{
    if (!t->bk)
        return t->bm * 4 + small_ahead(t) * 4;
    return t->tm * t->tn + (t->bm + t->bn) * t->bk / 4 / (int)oct_tile_items(t);
}

bool oct_tile_valid(const oct_tile *t, const oct_caps *caps)
{
    return (!t->bk || fits_together(t)) && oct_tile_items(t) <= caps->max_group &&
           oct_tile_local_bytes(t) <= caps->info.local_bytes && item_words(t) <= caps->item_words;
}

bool oct_tile_fits(const oct_variant *v, const oct_caps *caps)
{
    return oct_tile_valid(&v->tile, caps);
}

static int64_t units(const oct_caps *caps)
{
    return caps->info.compute_units ? caps->info.compute_units : 1;
}

oct_tiling oct_tile_spread_whole(const oct_tile *t, int64_t m, int64_t n, int64_t groups)
{
    return (oct_tiling){.down = (int64_t)oct_ceil_div((size_t)m, (size_t)t->bm),
                        .across = (int64_t)oct_ceil_div((size_t)n, (size_t)t->bn),
                        .splits = 1,
                        .split_groups = groups};
}

/* k groups that a work-group takes between two looks at its loop. */
static int64_t stage_groups(const oct_tile *t)
{
    return t->bk ? t->bk / 4 : SMALL_ITEMS / (t->bn / 4) * small_ahead(t);
}

oct_tiling oct_tile_spread_parts(const oct_tile *t, int64_t m, int64_t n, int64_t groups, int64_t splits)
{
    oct_tiling s = oct_tile_spread_whole(t, m, n, groups);
    int64_t stage = stage_groups(t);
    splits = splits < 1 ? 1 : splits > 64 ? 64 : splits;
    int64_t stages = (int64_t)oct_ceil_div((size_t)groups, (size_t)(stage * splits));
    s.split_groups = stages ? stages * stage : stage;
    s.splits = groups ? (int64_t)oct_ceil_div((size_t)groups, (size_t)s.split_groups) : 1;
    return s;
}

oct_tiling oct_tile_spread(const oct_tile *t, const oct_caps *caps, int64_t m, int64_t n, int64_t groups,
                           int64_t batch)
{
    oct_tiling s = oct_tile_spread_whole(t, m, n, groups);
    /* Parts of k until every unit has a work-group, each long enough to be worth its start and the sum at the
     * end, which is a launch of its own. */
    int64_t work_groups = s.down * s.across * batch;
    int64_t most = groups / ((t->bk ? 16 : 2) * stage_groups(t)) + 1;
    int64_t splits = work_groups ? units(caps) / work_groups : 1;
    return oct_tile_spread_parts(t, m, n, groups, splits > most ? most : splits);
}

double oct_tile_cost(const oct_tile *t, const oct_caps *caps, const oct_tiling *s, int64_t batch)
{
    double work_groups = (double)s->down * (double)s->across * (double)s->splits * (double)batch;
    double rounds = (double)(int64_t)((work_groups - 1) / (double)units(caps)) + 1;
    /* Dot products of a work-group with the local reads of its work-items; and what it moves from global
     * memory, or, for few rows, from B, where a dword costs about what 24 products do. */
    double reads = t->bk ? (double)(t->tm + t->tn) / (t->tm * t->tn) : 0.0;
    double moved = t->bk ? (double)(t->bm + t->bn) : (double)t->bn;
    double work = (double)t->bm * (double)t->bn * (1.0 + reads) + 24.0 * moved;
    return rounds * work * (double)(s->split_groups + 64) + (s->splits > 1 ? 1e5 : 0.0);
}

/* By oct_dot4_path. The functions of cl_khr_integer_dot_product are there for OpenCL C 3.0 only. */
static const struct {
    const char *option;
    oct_form form;
} paths[OCT_DOT4_COUNT] = {
    [OCT_DOT4_NONE] = {"DOT4_NONE", OCT_S8S8},
    [OCT_DOT4_KHR] = {"DOT4_KHR -cl-std=CL3.0", OCT_S8S8},
    [OCT_DOT4_NVIDIA] = {"DOT4_NVIDIA", OCT_S8S8},
    [OCT_DOT4_AMD_SDOT4] = {"DOT4_AMD_SDOT4", OCT_S8S8},
    [OCT_DOT4_AMD_SUDOT4] = {"DOT4_AMD_SUDOT4", OCT_S8S8},
    [OCT_DOT4_INTEL] = {"DOT4_INTEL", OCT_S8S8},
    [OCT_DOT4_ARM] = {"DOT4_ARM", OCT_S8S8},
    [OCT_DOT4_QUALCOMM] = {"DOT4_QUALCOMM", OCT_S8S8},
    [OCT_DOT4_QUALCOMM_US] = {"DOT4_QUALCOMM_US", OCT_U8S8},
    [OCT_DOT4_QUALCOMM_SU] = {"DOT4_QUALCOMM_SU", OCT_U8S8},
};

/* Registers for each work-item so that two work-groups fit a compute unit, one working while the other waits;
 * NVIDIA's compiler would at times take a few more. */
static int register_limit(const oct_tile *t, const oct_caps *caps)
{
    int limit = caps->nvidia_registers / 2 / (int)oct_tile_items(t);
    return limit >= 128 && limit < 255 ? limit : 0;
}

void oct_tile_options(const oct_variant *v, const void *request, char text[OCT_VARIANT_OPTIONS])
{
    const oct_tile *t = &v->tile;
    (void)request;
    if (t->bk)
        snprintf(text, OCT_VARIANT_OPTIONS, "-DBM=%d -DBN=%d -DBK=%d -DTM=%d -DTN=%d", t->bm, t->bn, t->bk,
                 t->tm, t->tn);
    else
        snprintf(text, OCT_VARIANT_OPTIONS, "-DROWS=%d -DCOLS=%d", t->bm, t->bn);
}

void oct_tile_device_options(const oct_tile *t, const oct_caps *caps, char text[64])
{
    int limit = register_limit(t, caps);
    snprintf(text, 64, "-D%s%s", paths[caps->dot4].option, caps->prefers_tiles ? "" : " -DROLLED");
    if (limit)
        snprintf(text + strlen(text), 64 - strlen(text), " -cl-nv-maxrregcount=%d", limit);
}

oct_form oct_tile_form(const oct_caps *caps)
{
    return paths[caps->dot4].form;
}
