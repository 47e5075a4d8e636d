#include "memory_plan.h"
#include "sizes.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* A memory with its lifetime in launch indices (inclusive), while offsets are being assigned. */
typedef struct span {
    oct_mem mem;
    size_t bytes, offset;
    int first, last;
} span;

static bool is_input(const oct_arg *a)
{
    return a->kind == OCT_ARG_IN && oct_arg_names_memory(a);
}

static bool is_output(const oct_arg *a)
{
    return a->kind == OCT_ARG_OUT && oct_arg_names_memory(a);
}

static bool touches_run_mem(const oct_launch *l, const bool *run_mem)
{
    for (int i = 0; i < l->arg_count; i++) {
        if (oct_arg_names_memory(&l->args[i]) && run_mem[l->args[i].mem])
            return true;
    }
    return false;
}

/* A launch belongs to the run list when it touches a memory that changes from run to run; everything it
 * writes then does so too. To a fixed point, because a memory may have several writers. */
static void split_launches(const oct_recipe *r, oct_phase *phases, bool *run_mem)
{
    for (int m = 0; m < r->mem_count; m++)
        run_mem[m] = r->mems[m].kind == OCT_MEM_INPUT || r->mems[m].kind == OCT_MEM_OUTPUT;
    for (bool changed = true; changed;) {
        changed = false;
        for (int i = 0; i < r->launch_count; i++) {
            const oct_launch *l = r->launches[i];
            if (phases[i] == OCT_PHASE_RUN || !touches_run_mem(l, run_mem))
                continue;
            phases[i] = OCT_PHASE_RUN;
            changed = true;
            for (int a = 0; a < l->arg_count; a++) {
                if (is_output(&l->args[a]))
                    run_mem[l->args[a].mem] = true;
            }
        }
    }
}

/* Drop launches of the load list whose results are resident already or not read by anything that stays.
 * Backwards: a launch is needed for what later launches read. */
static void drop_launches(const oct_recipe *r, const oct_weights *weights, oct_memory_plan *p, bool *needed)
{
    for (int i = r->launch_count - 1; i >= 0; i--) {
        const oct_launch *l = r->launches[i];
        bool keep = p->phases[i] == OCT_PHASE_RUN;
        for (int a = 0; a < l->arg_count && !keep; a++)
            keep = is_output(&l->args[a]) && needed[l->args[a].mem];
        if (!keep)
            p->phases[i] = OCT_PHASE_DROPPED;
        for (int a = 0; a < l->arg_count && keep; a++) {
            if (!is_input(&l->args[a]))
                continue;
            oct_mem m = l->args[a].mem;
            p->places[m].shared = weights ? oct_weights_find(weights, &p->identities[m]) : NULL;
            needed[m] = !p->places[m].shared;
        }
    }
}

static int by_size_then_start(const void *x, const void *y)
{
    const span *a = x, *b = y;
    if (a->bytes != b->bytes)
        return a->bytes < b->bytes ? 1 : -1;
    return (a->first > b->first) - (a->first < b->first);
}

static int by_offset(const void *x, const void *y)
{
    const span *a = *(span *const *)x, *b = *(span *const *)y;
    return (a->offset > b->offset) - (a->offset < b->offset);
}

/* Offsets such that spans alive at the same time do not overlap: largest first, each into the lowest gap
 * between the already placed ones it meets (greedy by size; Pisarchyk and Lee, "Efficient Memory Management
 * for Deep Neural Net Inference", 2020). Returns the total, or SIZE_MAX when memory is short. */
static size_t assign_offsets(span *spans, int count, size_t base)
{
    span **live = malloc((size_t)(count ? count : 1) * sizeof *live);
    if (!live)
        return SIZE_MAX;
    qsort(spans, (size_t)count, sizeof *spans, by_size_then_start);
    size_t total = base;
    for (int i = 0; i < count; i++) {
        int live_count = 0;
        for (int j = 0; j < i; j++) {
            if (spans[j].first <= spans[i].last && spans[i].first <= spans[j].last)
                live[live_count++] = &spans[j];
        }
        qsort(live, (size_t)live_count, sizeof *live, by_offset);
        size_t at = base;
        for (int j = 0; j < live_count; j++) {
            if (live[j]->offset >= at && live[j]->offset - at >= spans[i].bytes)
                break;
            size_t end = live[j]->offset + live[j]->bytes;
            if (end > at)
                at = end;
        }
        spans[i].offset = at;
        if (at + spans[i].bytes > total)
            total = at + spans[i].bytes;
    }
    free(live);
    return total;
}

static oct_region choose_region(const oct_mem_info *m, bool run_mem, bool read_by_run)
{
    if (run_mem)
        return OCT_REGION_ARENA;
    if (m->kind == OCT_MEM_CONST && m->bytes <= OCT_SMALL_CONST_BYTES)
        return OCT_REGION_SMALL;
    return read_by_run ? OCT_REGION_WEIGHTS : OCT_REGION_STAGING;
}

typedef struct work {
    bool *run_mem, *needed;
    span *spans;  /* lifetimes, one per memory */
    span *sorted; /* those of one region */
} work;

static void find_lifetimes(const oct_recipe *r, const oct_memory_plan *p, work *w)
{
    for (int m = 0; m < r->mem_count; m++)
        w->spans[m] = (span){
            .mem = m, .bytes = oct_round_up(r->mems[m].bytes, OCT_MEM_ALIGN), .first = INT_MAX, .last = -1};
    for (int i = 0; i < r->launch_count; i++) {
        const oct_launch *l = r->launches[i];
        for (int a = 0; a < l->arg_count && p->phases[i] != OCT_PHASE_DROPPED; a++) {
            if (!oct_arg_names_memory(&l->args[a]))
                continue;
            oct_mem m = l->args[a].mem;
            span *s = &w->spans[m];
            if (s->last < 0)
                s->first = i;
            s->last = i;
            if (p->phases[i] == OCT_PHASE_RUN && !w->run_mem[m])
                p->places[m].region = OCT_REGION_WEIGHTS; /* provisional: read by a run */
        }
    }
    for (int m = 0; m < r->mem_count; m++) {
        span *s = &w->spans[m];
        oct_place *place = &p->places[m];
        bool used = s->last >= 0, read_by_run = place->region == OCT_REGION_WEIGHTS;
        bool host_side = r->mems[m].kind == OCT_MEM_INPUT || r->mems[m].kind == OCT_MEM_OUTPUT;
        place->first_use = used ? s->first : -1;
        place->region = OCT_REGION_NOWHERE;
        if (r->mems[m].bytes && (used || host_side))
            place->region =
                place->shared ? OCT_REGION_SHARED : choose_region(&r->mems[m], w->run_mem[m], read_by_run);
        if (r->mems[m].kind == OCT_MEM_INPUT)
            s->first = -1;
        if (r->mems[m].kind == OCT_MEM_OUTPUT)
            s->last = INT_MAX;
        if (s->first == INT_MAX)
            s->first = 0;
        if (place->region == OCT_REGION_WEIGHTS) {
            s->first = -1;
            s->last = INT_MAX;
        }
    }
}

/* Small constants lie back to back, aligned to their own size up to 8 bytes: what is uploaded is what they
 * hold. */
static size_t place_small(const oct_recipe *r, oct_memory_plan *p)
{
    size_t at = 0;
    for (int m = 0; m < r->mem_count; m++) {
        if (p->places[m].region != OCT_REGION_SMALL)
            continue;
        size_t bytes = r->mems[m].bytes, align = bytes >= 8 ? 8 : bytes >= 4 ? 4 : 1;
        at = oct_round_up(at, align);
        p->places[m].offset = at;
        at += bytes;
    }
    return at;
}

static size_t place_region(const oct_recipe *r, oct_memory_plan *p, work *w, oct_region region, size_t base)
{
    int count = 0;
    for (int m = 0; m < r->mem_count; m++) {
        if (p->places[m].region == region)
            w->sorted[count++] = w->spans[m];
    }
    size_t total = assign_offsets(w->sorted, count, base);
    for (int i = 0; i < count; i++)
        p->places[w->sorted[i].mem].offset = w->sorted[i].offset;
    return total;
}

static bool sizes_are_sane(const oct_recipe *r)
{
    size_t total = 0;
    for (int m = 0; m < r->mem_count; m++) {
        if (r->mems[m].bytes > SIZE_MAX / 4 ||
            !oct_size_add(total, oct_round_up(r->mems[m].bytes, OCT_MEM_ALIGN), &total))
            return false;
    }
    return total < SIZE_MAX / 2;
}

octet_status oct_memory_plan_make(const oct_recipe *r, const oct_weights *weights, oct_memory_plan *p)
{
    memset(p, 0, sizeof *p);
    RETURN_IF(!sizes_are_sane(r), OCTET_OUT_OF_MEMORY, "the network's tensors exceed the address space");
    size_t mems = (size_t)r->mem_count + 1;
    work w = {.run_mem = calloc(mems, sizeof *w.run_mem),
              .needed = calloc(mems, sizeof *w.needed),
              .spans = calloc(mems, sizeof *w.spans),
              .sorted = calloc(mems, sizeof *w.sorted)};
    p->places = calloc(mems, sizeof *p->places);
    p->identities = calloc(mems, sizeof *p->identities);
    p->phases = calloc((size_t)r->launch_count + 1, sizeof *p->phases);
    bool ok = w.run_mem && w.needed && w.spans && w.sorted && p->places && p->identities && p->phases;
    if (ok) {
        split_launches(r, p->phases, w.run_mem);
        oct_identify(r, p->phases, p->identities);
        drop_launches(r, weights, p, w.needed);
        find_lifetimes(r, p, &w);
        p->small_bytes = place_small(r, p);
        p->weights_bytes =
            place_region(r, p, &w, OCT_REGION_WEIGHTS, oct_round_up(p->small_bytes, OCT_MEM_ALIGN));
        p->arena_bytes = place_region(r, p, &w, OCT_REGION_ARENA, 0);
        p->staging_bytes = place_region(r, p, &w, OCT_REGION_STAGING, 0);
        ok = p->weights_bytes != SIZE_MAX && p->arena_bytes != SIZE_MAX && p->staging_bytes != SIZE_MAX;
    }
    free(w.run_mem);
    free(w.needed);
    free(w.spans);
    free(w.sorted);
    if (!ok) {
        oct_memory_plan_free(p);
        return oct_fail(OCTET_OUT_OF_MEMORY, "out of host memory while planning device memory");
    }
    return OCTET_OK;
}

void oct_memory_plan_free(oct_memory_plan *p)
{
    free(p->places);
    free(p->identities);
    free(p->phases);
    memset(p, 0, sizeof *p);
}
