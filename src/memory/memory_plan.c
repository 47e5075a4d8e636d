#include "memory_plan.h"
#include "offsets.h"
#include "sizes.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* What is found out once about a recipe. */
typedef struct work {
    oct_arena arena; /* of all arrays */
    const oct_recipe *r;
    const oct_memory_limits *limits;
    const oct_resident **shared; /* per memory: resident already */
    oct_phase *phases;           /* before anything is dropped or streamed */
    bool *run_mem;               /* changes from run to run */
    bool *can_stream;            /* read by runs; can be made anew in each */
    /* Of the choice that is being tried. */
    bool *streamed; /* memories made anew in each run, and the constants they are made from */
    bool *needed;   /* by the load list or resident */
    oct_span *load_spans, *run_spans, *sorted;
    oct_mem *home;     /* per memory: whose bytes it has in a run; itself, but for what is made in place */
    oct_span *by_size; /* what can be streamed, largest first */
} work;

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
static void split_launches(work *w)
{
    const oct_recipe *r = w->r;
    for (int m = 0; m < r->mem_count; m++)
        w->run_mem[m] = r->mems[m].kind == OCT_MEM_INPUT || r->mems[m].kind == OCT_MEM_OUTPUT;
    for (int i = 0; i < r->launch_count; i++)
        w->phases[i] = OCT_IN_LOAD;
    for (bool changed = true; changed;) {
        changed = false;
        for (int i = 0; i < r->launch_count; i++) {
            const oct_launch *l = r->launches[i];
            if (w->phases[i] == OCT_IN_RUN || !touches_run_mem(l, w->run_mem))
                continue;
            w->phases[i] = OCT_IN_RUN;
            changed = true;
            for (int a = 0; a < l->arg_count; a++) {
                if (is_output(&l->args[a]))
                    w->run_mem[l->args[a].mem] = true;
            }
        }
    }
}

static bool can_stream_constant(const oct_mem_info *m)
{
    return m->kind == OCT_MEM_CONST && !m->by_content;
}

/* A launch of the load list that makes one memory from one constant and nothing else: packing. */
static bool is_packing(const work *w, const oct_launch *l)
{
    int inputs = 0, outputs = 0;
    for (int a = 0; a < l->arg_count; a++) {
        if (is_output(&l->args[a]))
            outputs++;
        else if (is_input(&l->args[a]))
            inputs += can_stream_constant(&w->r->mems[l->args[a].mem]) ? 1 : 2;
    }
    return inputs == 1 && outputs == 1;
}

/* Weights that runs read and that each run could make anew: a large constant, or what is packed from one. */
static void find_streamable(work *w)
{
    const oct_recipe *r = w->r;
    for (int i = 0; i < r->launch_count && w->limits->can_stream; i++) {
        for (int a = 0; a < r->launches[i]->arg_count; a++) {
            const oct_arg *arg = &r->launches[i]->args[a];
            if (w->phases[i] == OCT_IN_RUN && is_input(arg))
                w->can_stream[arg->mem] |= !w->run_mem[arg->mem] && !w->shared[arg->mem];
        }
    }
    for (int m = 0; m < r->mem_count; m++)
        w->can_stream[m] &= r->mems[m].bytes > OCT_SMALL_CONST_BYTES &&
                            (r->mems[m].kind == OCT_MEM_TEMP || can_stream_constant(&r->mems[m]));
    for (int i = 0; i < r->launch_count; i++) {
        if (w->phases[i] != OCT_IN_LOAD || is_packing(w, r->launches[i]))
            continue;
        for (int a = 0; a < r->launches[i]->arg_count; a++) {
            if (is_output(&r->launches[i]->args[a]))
                w->can_stream[r->launches[i]->args[a].mem] = false;
        }
    }
}

/* Mark the launches that make streamed memories, and the constants they make them from. */
static void mark_streaming(work *w, oct_memory_plan *p)
{
    const oct_recipe *r = w->r;
    memcpy(p->phases, w->phases, (size_t)r->launch_count * sizeof *p->phases);
    for (int i = 0; i < r->launch_count; i++) {
        const oct_launch *l = r->launches[i];
        bool makes = false;
        for (int a = 0; a < l->arg_count; a++)
            makes |= is_output(&l->args[a]) && w->streamed[l->args[a].mem];
        for (int a = 0; a < l->arg_count && makes; a++) {
            if (oct_arg_names_memory(&l->args[a]))
                w->streamed[l->args[a].mem] = true;
        }
        if (makes)
            p->phases[i] |= OCT_IN_RUN;
    }
}

/* Take launches off the load list whose results are resident already or not read by anything that stays.
 * Backwards: a launch is needed for what later launches read. */
static void drop_launches(work *w, oct_memory_plan *p)
{
    const oct_recipe *r = w->r;
    memset(w->needed, 0, (size_t)r->mem_count * sizeof *w->needed);
    for (int i = r->launch_count - 1; i >= 0; i--) {
        const oct_launch *l = r->launches[i];
        bool load = false, run = p->phases[i] == OCT_IN_RUN;
        for (int a = 0; a < l->arg_count && (p->phases[i] & OCT_IN_LOAD); a++)
            load |= is_output(&l->args[a]) && w->needed[l->args[a].mem];
        if (!load)
            p->phases[i] &= (oct_phase)~OCT_IN_LOAD;
        for (int a = 0; a < l->arg_count && (load || run); a++) {
            oct_mem m = l->args[a].mem;
            if (is_input(&l->args[a]) && !w->shared[m] && (load || !w->streamed[m]))
                w->needed[m] = true;
        }
    }
}

static void use(oct_span *s, int launch)
{
    if (s->last < 0)
        s->first = launch;
    s->last = launch;
}

static void find_lifetimes(work *w, const oct_memory_plan *p)
{
    const oct_recipe *r = w->r;
    for (int m = 0; m < r->mem_count; m++) {
        w->run_spans[m] = (oct_span){
            .mem = m, .bytes = oct_round_up(r->mems[m].bytes, OCT_MEM_ALIGN), .first = INT_MAX, .last = -1};
        w->load_spans[m] = w->run_spans[m];
    }
    for (int i = 0; i < r->launch_count; i++) {
        const oct_launch *l = r->launches[i];
        for (int a = 0; a < l->arg_count; a++) {
            if (!oct_arg_names_memory(&l->args[a]))
                continue;
            if (p->phases[i] & OCT_IN_LOAD)
                use(&w->load_spans[l->args[a].mem], i);
            if (p->phases[i] & OCT_IN_RUN)
                use(&w->run_spans[l->args[a].mem], i);
        }
    }
    for (int m = 0; m < r->mem_count; m++) {
        if (r->mems[m].kind == OCT_MEM_INPUT)
            w->run_spans[m].first = -1;
        if (r->mems[m].kind == OCT_MEM_OUTPUT) {
            w->run_spans[m].last = INT_MAX;
            w->run_spans[m].first = w->run_spans[m].first == INT_MAX ? 0 : w->run_spans[m].first;
        }
    }
}

/* May `out`, which launch i is the first to write, take the bytes of `in`, which is not read afterwards? */
static bool can_take_over(const work *w, oct_mem in, oct_mem out, int i)
{
    const oct_mem_info *from = &w->r->mems[in], *to = &w->r->mems[out];
    return in != OCT_MEM_NONE && in != out && w->run_mem[in] && from->kind == OCT_MEM_TEMP &&
           (to->kind == OCT_MEM_TEMP || to->kind == OCT_MEM_OUTPUT) && from->bytes == to->bytes &&
           w->home[out] == out && w->run_spans[out].first == i && w->run_spans[w->home[in]].last == i;
}

/* Where an element-wise launch is the last to read its input, its output lives on in the same bytes. */
static void share_in_place(work *w, const oct_memory_plan *p)
{
    for (int m = 0; m < w->r->mem_count; m++)
        w->home[m] = m;
    for (int i = 0; i < w->r->launch_count; i++) {
        const oct_launch *l = w->r->launches[i];
        const oct_arg *out = NULL;
        for (int a = 0; a < l->arg_count && l->in_place_count && p->phases[i] == OCT_IN_RUN; a++)
            out = is_output(&l->args[a]) ? &l->args[a] : out;
        for (int k = 0; out && k < l->in_place_count; k++) {
            oct_mem in = l->in_place[k];
            if (!can_take_over(w, in, out->mem, i))
                continue;
            w->home[out->mem] = w->home[in];
            w->run_spans[w->home[in]].last = w->run_spans[out->mem].last;
        }
    }
}

static int by_first(const void *x, const void *y)
{
    const oct_stream *a = x, *b = y;
    return (a->first > b->first) - (a->first < b->first);
}

/* Double buffering: the upload of each streamed constant may begin when the launch that reads the one before
 * it begins. From then on it is alive. */
static void plan_streams(work *w, oct_memory_plan *p)
{
    p->stream_count = 0;
    p->streamed_bytes = 0;
    for (int m = 0; m < w->r->mem_count; m++) {
        if (!w->streamed[m] || w->r->mems[m].kind != OCT_MEM_CONST || w->run_spans[m].last < 0)
            continue;
        p->streams[p->stream_count++] = (oct_stream){.mem = m, .first = w->run_spans[m].first};
        p->streamed_bytes += w->r->mems[m].bytes;
    }
    qsort(p->streams, (size_t)p->stream_count, sizeof *p->streams, by_first);
    for (int i = 0; i < p->stream_count; i++) {
        p->streams[i].start = i ? p->streams[i - 1].first : 0;
        w->run_spans[p->streams[i].mem].first = i ? p->streams[i].start : -1;
    }
}

static void choose_regions(work *w, oct_memory_plan *p)
{
    const oct_recipe *r = w->r;
    for (int m = 0; m < r->mem_count; m++) {
        const oct_mem_info *info = &r->mems[m];
        bool host_side = info->kind == OCT_MEM_INPUT || info->kind == OCT_MEM_OUTPUT;
        bool loads = info->bytes && w->load_spans[m].last >= 0;
        bool runs = info->bytes && (w->run_spans[m].last >= 0 || host_side);
        oct_region load = loads ? OCT_REGION_STAGING : OCT_REGION_NOWHERE;
        oct_region run = runs ? OCT_REGION_ARENA : OCT_REGION_NOWHERE;
        if (!w->run_mem[m] && !w->streamed[m] && (loads || runs)) {
            bool is_small = info->kind == OCT_MEM_CONST && info->bytes <= OCT_SMALL_CONST_BYTES;
            if (w->shared[m])
                load = run = OCT_REGION_SHARED;
            else if (is_small)
                load = run = OCT_REGION_SMALL;
            else if (runs)
                load = run = OCT_REGION_WEIGHTS;
        }
        p->load[m] = (oct_place){.region = load, .shared = w->shared[m]};
        p->run[m] = (oct_place){.region = run, .shared = w->shared[m]};
        if (run == OCT_REGION_WEIGHTS) {
            w->run_spans[m].first = -1;
            w->run_spans[m].last = INT_MAX;
        }
    }
}

/* Small constants lie back to back, aligned to their own size up to 8 bytes: what is uploaded is what they
 * hold. Those that one buffer cannot hold besides are placed like large ones. */
static size_t place_small(const work *w, oct_memory_plan *p)
{
    size_t at = 0;
    for (int m = 0; m < w->r->mem_count; m++) {
        if (p->run[m].region != OCT_REGION_SMALL)
            continue;
        size_t bytes = w->r->mems[m].bytes, align = bytes >= 8 ? 8 : bytes >= 4 ? 4 : 1;
        at = oct_round_up(at, align);
        if (at + bytes > w->limits->chunk) {
            p->load[m].region = p->run[m].region = OCT_REGION_WEIGHTS;
            w->run_spans[m].first = -1;
            w->run_spans[m].last = INT_MAX;
            continue;
        }
        p->load[m].offset = p->run[m].offset = at;
        at += bytes;
    }
    return at;
}

/* false: out of host memory. */
static bool place_region(const work *w, const oct_span *spans, oct_place *places, oct_region region,
                         size_t base, size_t *bytes)
{
    int count = 0;
    for (int m = 0; m < w->r->mem_count; m++) {
        if (places[m].region == region && (region != OCT_REGION_ARENA || w->home[m] == m))
            w->sorted[count++] = spans[m];
    }
    bool ok = oct_assign_offsets(w->sorted, count, base, w->limits->chunk, bytes);
    for (int i = 0; i < count; i++)
        places[w->sorted[i].mem].offset = w->sorted[i].offset;
    for (int m = 0; m < w->r->mem_count && region == OCT_REGION_ARENA; m++) {
        if (places[m].region == region)
            places[m].offset = places[w->home[m]].offset;
    }
    return ok;
}

static size_t cost(const oct_memory_limits *l, size_t bytes)
{
    return bytes + (bytes / l->chunk + (bytes % l->chunk != 0)) * l->pad;
}

/* Place everything, given what is streamed. false: out of host memory. */
static bool place_all(work *w, oct_memory_plan *p)
{
    mark_streaming(w, p);
    drop_launches(w, p);
    find_lifetimes(w, p);
    share_in_place(w, p);
    plan_streams(w, p);
    choose_regions(w, p);
    p->small_bytes = place_small(w, p);
    if (!place_region(w, w->run_spans, p->run, OCT_REGION_WEIGHTS,
                      oct_round_up(p->small_bytes, OCT_MEM_ALIGN), &p->weights_bytes) ||
        !place_region(w, w->run_spans, p->run, OCT_REGION_ARENA, 0, &p->arena_bytes) ||
        !place_region(w, w->load_spans, p->load, OCT_REGION_STAGING, 0, &p->staging_bytes))
        return false;
    for (int m = 0; m < w->r->mem_count; m++) {
        if (p->load[m].region == OCT_REGION_WEIGHTS)
            p->load[m].offset = p->run[m].offset;
    }
    size_t scratch = p->arena_bytes > p->staging_bytes ? p->arena_bytes : p->staging_bytes;
    scratch = scratch > w->limits->scratch ? scratch : w->limits->scratch;
    scratch = scratch ? scratch : OCT_MEM_ALIGN;
    p->device_bytes = w->limits->held + cost(w->limits, p->weights_bytes) + cost(w->limits, scratch);
    return true;
}

/* Stream everything that can be but what fits `budget`, largest first. Returns how many are resident. */
static int choose_resident(work *w, int count, size_t budget)
{
    int resident = 0;
    memset(w->streamed, 0, (size_t)w->r->mem_count * sizeof *w->streamed);
    for (int i = 0; i < count; i++) {
        bool fits = w->by_size[i].bytes <= budget;
        budget -= fits ? w->by_size[i].bytes : 0;
        resident += fits;
        w->streamed[w->by_size[i].mem] = !fits;
    }
    return resident;
}

/* What is resident makes scratch smaller or larger besides, so what fits is found by trying: first all that
 * the weights alone would leave room for, then less. */
static octet_status fit(work *w, oct_memory_plan *p, size_t *least)
{
    enum { TRIES = 12 };
    int count = 0;
    for (int m = 0; m < w->r->mem_count; m++) {
        if (w->can_stream[m])
            w->by_size[count++] =
                (oct_span){.mem = m, .bytes = oct_round_up(w->r->mems[m].bytes, OCT_MEM_ALIGN), .first = m};
    }
    oct_sort_spans(w->by_size, count);
    choose_resident(w, count, 0);
    if (!place_all(w, p))
        return oct_out_of_memory("a memory plan");
    *least = p->device_bytes;
    RETURN_IF(*least > w->limits->limit, OCTET_OUT_OF_MEMORY,
              "%zu bytes of device memory are needed at least", *least);
    size_t budget = w->limits->limit - *least;
    for (int i = 0; i < TRIES && choose_resident(w, count, budget); i++) {
        if (!place_all(w, p))
            return oct_out_of_memory("a memory plan");
        if (p->device_bytes <= w->limits->limit)
            return OCTET_OK;
        size_t over = p->device_bytes - w->limits->limit;
        budget = budget > over ? budget - over : 0;
    }
    choose_resident(w, count, 0);
    return place_all(w, p) ? OCTET_OK : oct_out_of_memory("a memory plan");
}

static octet_status check_sizes(const oct_recipe *r)
{
    size_t total = 0;
    for (int m = 0; m < r->mem_count; m++) {
        RETURN_IF(r->mems[m].bytes > SIZE_MAX / 4 ||
                      !oct_size_add(total, oct_round_up(r->mems[m].bytes, OCT_MEM_ALIGN), &total) ||
                      total >= SIZE_MAX / 2,
                  OCTET_OUT_OF_MEMORY, "the network's tensors exceed the address space");
    }
    return OCTET_OK;
}

/* Parts of a memory cannot lie in two buffers. */
static octet_status check_placed(const work *w, const oct_memory_plan *p)
{
    for (int m = 0; m < w->r->mem_count; m++) {
        bool placed = p->run[m].region != OCT_REGION_NOWHERE || p->load[m].region != OCT_REGION_NOWHERE;
        RETURN_IF(placed && w->r->mems[m].bytes > w->limits->chunk, OCTET_OUT_OF_MEMORY,
                  "a tensor of %zu bytes exceeds the device's largest allocation (%zu bytes)",
                  w->r->mems[m].bytes, w->limits->chunk);
    }
    return OCTET_OK;
}

static octet_status plan_memory(work *w, const oct_weights *weights, oct_memory_plan *p, size_t *least)
{
    split_launches(w);
    oct_identify(w->r, w->phases, p->identities);
    for (int m = 0; m < w->r->mem_count; m++)
        w->shared[m] = weights ? oct_weights_find(weights, &p->identities[m]) : NULL;
    find_streamable(w);
    if (!place_all(w, p))
        return oct_out_of_memory("a memory plan");
    FORWARD(check_placed(w, p));
    *least = p->device_bytes;
    return p->device_bytes <= w->limits->limit ? OCTET_OK : fit(w, p, least);
}

/* false: out of host memory. */
static bool allocate(work *w, oct_memory_plan *p)
{
    size_t mems = (size_t)w->r->mem_count, launches = (size_t)w->r->launch_count;
    oct_arena *own = &w->arena, *given = &p->arena;
    return (w->shared = oct_arena_alloc(own, mems, sizeof *w->shared)) &&
           (w->phases = oct_arena_alloc(own, launches, sizeof *w->phases)) &&
           (w->run_mem = oct_arena_alloc(own, mems, sizeof *w->run_mem)) &&
           (w->can_stream = oct_arena_alloc(own, mems, sizeof *w->can_stream)) &&
           (w->streamed = oct_arena_alloc(own, mems, sizeof *w->streamed)) &&
           (w->needed = oct_arena_alloc(own, mems, sizeof *w->needed)) &&
           (w->load_spans = oct_arena_alloc(own, mems, sizeof *w->load_spans)) &&
           (w->run_spans = oct_arena_alloc(own, mems, sizeof *w->run_spans)) &&
           (w->sorted = oct_arena_alloc(own, mems, sizeof *w->sorted)) &&
           (w->home = oct_arena_alloc(own, mems, sizeof *w->home)) &&
           (w->by_size = oct_arena_alloc(own, mems, sizeof *w->by_size)) &&
           (p->load = oct_arena_alloc(given, mems, sizeof *p->load)) &&
           (p->run = oct_arena_alloc(given, mems, sizeof *p->run)) &&
           (p->identities = oct_arena_alloc(given, mems, sizeof *p->identities)) &&
           (p->phases = oct_arena_alloc(given, launches, sizeof *p->phases)) &&
           (p->streams = oct_arena_alloc(given, mems, sizeof *p->streams));
}

octet_status oct_memory_plan_make(const oct_recipe *r, const oct_weights *weights,
                                  const oct_memory_limits *limits, oct_memory_plan *p, size_t *least)
{
    size_t ignored;
    least = least ? least : &ignored;
    *least = 0;
    memset(p, 0, sizeof *p);
    FORWARD(check_sizes(r));
    work w = {.r = r, .limits = limits};
    octet_status status =
        allocate(&w, p) ? plan_memory(&w, weights, p, least) : oct_out_of_memory("a memory plan");
    oct_arena_free(&w.arena);
    if (status != OCTET_OK)
        oct_memory_plan_free(p);
    return status;
}

void oct_memory_plan_free(oct_memory_plan *p)
{
    oct_arena_free(&p->arena);
    memset(p, 0, sizeof *p);
}
