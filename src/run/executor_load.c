/* Making an executor: memory, constants, the load list, the kernels of the run list. */
#include "check_args.h"
#include "clock.h"
#include "executor_priv.h"
#include "sizes.h"

#include <stdlib.h>
#include <string.h>

/* Host bytes that may be on their way before the host waits and reports them as uploaded. */
#define IN_FLIGHT_BYTES ((size_t)8 << 20)
enum { IN_FLIGHT_MAX = 64 };

/* What creation needs and a run does not. */
typedef struct binder {
    oct_executor *e;
    const oct_recipe *recipe;
    oct_memory_plan plan; /* its arrays are the caller's */
    oct_region_buffers weights;
    bool *uploaded;       /* per memory */
    size_t *run_index;    /* per launch: how many launches of the run list come before it */
    unsigned char *small; /* host image of the small constants */
    struct {
        const void *data;
        size_t bytes;
    } in_flight[IN_FLIGHT_MAX];
    size_t in_flight_count, in_flight_bytes;
} binder;

static bool has_work(const oct_launch *l)
{
    for (int i = 0; i < l->dims; i++) {
        if (l->global[i] == 0)
            return false;
    }
    return l->dims > 0;
}

/* The buffer of a place; *offset becomes that in the buffer. */
static cl_mem locate(const binder *b, const oct_place *place, size_t *offset)
{
    const oct_store *s = b->e->store;
    *offset = place->offset;
    switch (place->region) {
    case OCT_REGION_SHARED:
        *offset = place->shared->offset;
        return place->shared->buffer;
    case OCT_REGION_SMALL:
    case OCT_REGION_WEIGHTS:
        return oct_region_at(s, &b->weights, offset);
    case OCT_REGION_ARENA:
    case OCT_REGION_STAGING:
        return oct_region_at(s, &s->scratch, offset);
    default:
        *offset = 0;
        return s->scratch.at[0];
    }
}

/* Likewise, of an argument; a flag stays where it is. */
static cl_mem locate_arg(const binder *b, const oct_arg *a, const oct_place *places, size_t *offset)
{
    oct_place place = {.region = OCT_REGION_NOWHERE};
    if (a->kind == OCT_ARG_FLAG)
        return *offset = 0, b->e->flag;
    if (a->mem != OCT_MEM_NONE)
        place = places[a->mem];
    cl_mem buffer = locate(b, &place, offset);
    *offset = place.region == OCT_REGION_NOWHERE ? 0 : *offset + a->offset;
    return buffer;
}

static octet_status set_arg(binder *b, bound_launch *l, cl_uint index, const oct_arg *a,
                            const oct_place *places)
{
    size_t offset;
    cl_mem buffer = locate_arg(b, a, places, &offset);
    return oct_set_mem_arg(b->e, l, index, buffer, offset);
}

static bool in_scratch(const oct_place *places, oct_mem mem)
{
    return mem == OCT_MEM_NONE || places[mem].region == OCT_REGION_ARENA ||
           places[mem].region == OCT_REGION_NOWHERE;
}

static octet_status make_kernel(binder *b, const oct_launch *l, bound_launch *out)
{
    FORWARD(oct_device_kernel(b->e->device, l->file, l->entry, l->options, &out->kernel));
    FORWARD(oct_check_args(b->e->device, out->kernel, l));
    cl_int err = clSetKernelArg(out->kernel, 2 * (cl_uint)l->arg_count, l->record->numbers_bytes, l->numbers);
    return err == CL_SUCCESS ? OCTET_OK
                             : oct_fail_prefix(oct_device_fail(b->e->device, err, "clSetKernelArg"),
                                               "%s of kernel %s", l->record->numbers, l->entry);
}

/* Make the kernel of a launch and set its arguments. run: it belongs to the run list. */
static octet_status bind_launch(binder *b, const oct_launch *l, bool run, bound_launch *out)
{
    oct_executor *e = b->e;
    if (l->product)
        out->product = *l->product;
    else
        FORWARD(make_kernel(b, l, out));
    out->dims = (cl_uint)l->dims;
    out->node = l->node;
    out->name = l->entry;
    memcpy(out->global, l->global, sizeof out->global);
    memcpy(out->local, l->local, sizeof out->local);
    for (int i = 0; i < l->arg_count; i++) {
        const oct_arg *a = &l->args[i];
        const cl_uint index = 2 * (cl_uint)i;
        octet_status status = set_arg(b, out, index, a, run ? b->plan.run : b->plan.load);
        if (status != OCTET_OK)
            return oct_fail_prefix(status, "argument %u (%s) of kernel %s", index, a->name, l->entry);
        if (run && a->kind != OCT_ARG_FLAG && in_scratch(b->plan.run, a->mem))
            e->patches[e->patch_count++] = (patch){a->mem, a->offset, (size_t)(out - e->run), index};
    }
    return OCTET_OK;
}

/* ---- constants ----------------------------------------------------------------------------------------- */

static oct_host_data host_data(const oct_mem_info *m)
{
    return (oct_host_data){
        .data = m->host, .bytes = m->bytes, .row_bytes = m->row_bytes, .row_stride = m->row_stride};
}

static octet_status land_uploads(binder *b)
{
    oct_store *s = b->e->store;
    if (!b->in_flight_count)
        return OCTET_OK;
    FORWARD(oct_device_finish(b->e->device));
    for (size_t i = 0; i < b->in_flight_count; i++)
        s->uploaded(s->user, b->in_flight[i].data, b->in_flight[i].bytes);
    b->in_flight_count = b->in_flight_bytes = 0;
    return OCTET_OK;
}

static octet_status note_upload(binder *b, const oct_mem_info *m)
{
    if (!b->e->store->uploaded || m->by_content)
        return OCTET_OK;
    oct_store *s = b->e->store;
    size_t reach = m->row_bytes ? (m->bytes / m->row_bytes - 1) * m->row_stride + m->row_bytes : m->bytes;
    if (oct_device_copies_at_once(b->e->device)) {
        s->uploaded(s->user, m->host, reach);
        return OCTET_OK;
    }
    b->in_flight[b->in_flight_count].data = m->host;
    b->in_flight[b->in_flight_count++].bytes = reach;
    b->in_flight_bytes += m->bytes;
    bool full = b->in_flight_count == IN_FLIGHT_MAX || b->in_flight_bytes >= IN_FLIGHT_BYTES;
    return full ? land_uploads(b) : OCTET_OK;
}

static octet_status upload_constant(binder *b, oct_mem m, const oct_place *place)
{
    const oct_mem_info *info = &b->recipe->mems[m];
    bool separate = place->region == OCT_REGION_WEIGHTS || place->region == OCT_REGION_STAGING;
    if (info->kind != OCT_MEM_CONST || !separate || b->uploaded[m])
        return OCTET_OK;
    b->uploaded[m] = true;
    size_t offset;
    cl_mem buffer = locate(b, place, &offset);
    oct_host_data from = host_data(info);
    FORWARD(oct_device_upload(b->e->device, OCT_TRAFFIC_WEIGHT, buffer, offset, &from));
    return note_upload(b, info);
}

/* Upload what a launch is the first to read. */
static octet_status upload_for(binder *b, const oct_launch *l, const oct_place *places)
{
    for (int i = 0; i < l->arg_count; i++) {
        if (oct_arg_names_memory(&l->args[i]))
            FORWARD(upload_constant(b, l->args[i].mem, &places[l->args[i].mem]));
    }
    return OCTET_OK;
}

static octet_status upload_small(binder *b)
{
    if (!b->plan.small_bytes)
        return OCTET_OK;
    b->small = calloc(1, b->plan.small_bytes);
    RETURN_IF(!b->small, OCTET_OUT_OF_MEMORY, "out of host memory for %zu bytes of constants",
              b->plan.small_bytes);
    for (int m = 0; m < b->recipe->mem_count; m++) {
        const oct_mem_info *info = &b->recipe->mems[m];
        size_t row = info->row_bytes ? info->row_bytes : info->bytes;
        unsigned char *to = b->small + b->plan.run[m].offset;
        if (b->plan.run[m].region != OCT_REGION_SMALL)
            continue;
        for (size_t at = 0, i = 0; at < info->bytes; at += row, i++)
            memcpy(to + at, (const char *)info->host + i * info->row_stride, row);
    }
    oct_host_data from = {.data = b->small, .bytes = b->plan.small_bytes};
    return oct_device_upload(b->e->device, OCT_TRAFFIC_WEIGHT, b->weights.at[0], 0, &from);
}

/* ---- the two lists ------------------------------------------------------------------------------------- */

static octet_status run_load_launch(binder *b, const oct_launch *l)
{
    bound_launch bound = {0};
    octet_status status = bind_launch(b, l, false, &bound);
    if (status == OCTET_OK)
        status = oct_executor_enqueue(b->e, &bound, 0, NULL, NULL);
    if (bound.kernel)
        clReleaseKernel(bound.kernel); /* the queue keeps it until it has run */
    return status;
}

/* Programs do not depend on each other: all that the two lists need at once. */
static octet_status build_programs(const binder *b)
{
    const oct_recipe *r = b->recipe;
    oct_program_name *names = malloc(((size_t)r->launch_count + 1) * sizeof *names);
    RETURN_IF(!names, OCTET_OUT_OF_MEMORY, "out of host memory for %d kernel launches", r->launch_count);
    size_t count = 0;
    for (int i = 0; i < r->launch_count; i++) {
        const oct_launch *l = r->launches[i];
        if ((b->plan.phases[i] & (OCT_IN_LOAD | OCT_IN_RUN)) && has_work(l) && !l->product)
            names[count++] = (oct_program_name){l->file, l->options};
    }
    octet_status status = oct_device_build(b->e->device, names, count);
    free(names);
    return status;
}

static bool loads_checked(const binder *b)
{
    for (int i = 0; i < b->recipe->launch_count; i++) {
        const oct_launch *l = b->recipe->launches[i];
        for (int a = 0; a < l->arg_count && (b->plan.phases[i] & OCT_IN_LOAD); a++) {
            if (l->args[a].kind == OCT_ARG_FLAG)
                return true;
        }
    }
    return false;
}

static octet_status bind_all(binder *b)
{
    const oct_recipe *r = b->recipe;
    oct_executor *e = b->e;
    FORWARD(upload_small(b));
    for (int i = 0; i < r->launch_count; i++) {
        const oct_launch *l = r->launches[i];
        b->run_index[i] = e->run_count;
        if (b->plan.phases[i] & OCT_IN_LOAD) {
            FORWARD(upload_for(b, l, b->plan.load));
            if (has_work(l)) {
                FORWARD(run_load_launch(b, l));
                e->load_count++;
            }
        }
        if (b->plan.phases[i] & OCT_IN_RUN) {
            FORWARD(upload_for(b, l, b->plan.run));
            if (has_work(l)) /* counted before, so that destroy sees a half-bound launch */
                FORWARD(bind_launch(b, l, true, &e->run[e->run_count++]));
        }
    }
    FORWARD(land_uploads(b));
    return loads_checked(b) ? oct_executor_read_flag(e) : OCTET_OK;
}

/* A library compiles at its first call for a kind of product: that is now, on whatever scratch memory holds,
 * and not in the first run. */
static octet_status warm_up(oct_executor *e)
{
    for (size_t i = 0; i < e->run_count; i++) {
        if (!e->run[i].kernel)
            FORWARD(oct_executor_enqueue(e, &e->run[i], 0, NULL, NULL));
    }
    return OCTET_OK;
}

static void bind_streams(binder *b)
{
    oct_executor *e = b->e;
    for (int i = 0; i < b->plan.stream_count; i++) {
        const oct_stream *s = &b->plan.streams[i];
        if (b->recipe->mems[s->mem].bytes)
            e->streams[e->stream_count++] = (bound_stream){.from = host_data(&b->recipe->mems[s->mem]),
                                                           .offset = b->plan.run[s->mem].offset,
                                                           .start = b->run_index[s->start],
                                                           .first = b->run_index[s->first]};
    }
}

/* Let later plans find what this one has made resident. */
static octet_status share_weights(binder *b)
{
    oct_store *s = b->e->store;
    oct_region_buffers region = b->weights;
    FORWARD(oct_store_keep(s, &b->weights));
    for (int m = 0; m < b->recipe->mem_count; m++) {
        const oct_place *place = &b->plan.run[m];
        if (place->region != OCT_REGION_SMALL && place->region != OCT_REGION_WEIGHTS)
            continue;
        size_t offset = place->offset;
        cl_mem buffer = oct_region_at(s, &region, &offset);
        FORWARD(oct_weights_add(&s->weights, &b->plan.identities[m], buffer, offset));
    }
    return OCTET_OK;
}

/* ---- memory -------------------------------------------------------------------------------------------- */

static size_t count_args(const oct_recipe *r)
{
    size_t n = 0;
    for (int i = 0; i < r->launch_count; i++)
        n += (size_t)r->launches[i]->arg_count;
    return n;
}

static octet_status allocate_host(binder *b)
{
    oct_executor *e = b->e;
    const oct_recipe *r = b->recipe;
    size_t launches = (size_t)r->launch_count + 1, mems = (size_t)r->mem_count + 1;
    e->run = calloc(launches, sizeof *e->run);
    e->times = calloc(launches, sizeof *e->times);
    e->patches = calloc(count_args(r) + 1, sizeof *e->patches);
    e->streams = calloc((size_t)b->plan.stream_count + 1, sizeof *e->streams);
    e->mems = calloc(mems, sizeof *e->mems);
    e->places = calloc(mems, sizeof *e->places);
    b->uploaded = calloc(mems, sizeof *b->uploaded);
    b->run_index = calloc(launches, sizeof *b->run_index);
    RETURN_IF(!e->run || !e->times || !e->patches || !e->streams || !e->mems || !e->places || !b->uploaded ||
                  !b->run_index,
              OCTET_OUT_OF_MEMORY, "out of host memory for %d kernel launches", r->launch_count);
    e->mem_count = r->mem_count;
    e->arena_bytes = b->plan.arena_bytes;
    e->scratch_bytes =
        b->plan.arena_bytes > b->plan.staging_bytes ? b->plan.arena_bytes : b->plan.staging_bytes;
    e->streamed_bytes = b->plan.streamed_bytes;
    e->weight_bytes = b->plan.weights_bytes;
    for (int m = 0; m < r->mem_count; m++) {
        e->mems[m] = r->mems[m];
        e->mems[m].host = NULL;
        e->places[m] = b->plan.run[m];
        if (e->places[m].region == OCT_REGION_SHARED)
            e->weight_bytes += r->mems[m].bytes;
    }
    return OCTET_OK;
}

/* The flag, lowered, and what it can mean. */
static octet_status make_flag(binder *b)
{
    oct_executor *e = b->e;
    const oct_recipe *r = b->recipe;
    if (!r->check_count)
        return OCTET_OK;
    e->checks = oct_arena_alloc(&e->texts, (size_t)r->check_count, sizeof *e->checks);
    for (int i = 0; e->checks && i < r->check_count; i++) {
        oct_check *c = &e->checks[i];
        *c = r->checks[i];
        c->op_type = oct_arena_strdup(&e->texts, c->op_type);
        c->node = oct_arena_strdup(&e->texts, c->node);
        c->tensor = oct_arena_strdup(&e->texts, c->tensor);
        if (!c->op_type || !c->node || !c->tensor)
            e->checks = NULL;
    }
    RETURN_IF(!e->checks, OCTET_OUT_OF_MEMORY, "out of host memory for an executor");
    FORWARD(oct_buffer_create(e->device, sizeof(oct_flag), &e->flag));
    return oct_executor_lower_flag(e);
}

static octet_status load(binder *b)
{
    oct_executor *e = b->e;
    oct_store *s = e->store;
    FORWARD(allocate_host(b));
    FORWARD(oct_store_reserve(s, e->scratch_bytes));
    e->scratch_generation = s->scratch_generation;
    FORWARD(oct_region_make(s, b->plan.weights_bytes, &b->weights));
    FORWARD(build_programs(b));
    FORWARD(make_flag(b));
    /* Uploads read b->small and the caller's constants: finish before they go. */
    const double start = oct_seconds();
    const uint64_t failures = oct_device_failures(e->device);
    FORWARD(oct_device_finish_after(e->device, bind_all(b)));
    RETURN_IF(oct_device_failures(e->device) != failures, OCTET_DEVICE_ERROR,
              "a copy of weights failed on the device");
    FORWARD(oct_executor_check_flag(e));
    oct_device_count_load(e->device, oct_seconds() - start);
    FORWARD(oct_device_finish_after(e->device, warm_up(e)));
    bind_streams(b);
    return share_weights(b);
}

static octet_status load_placed(oct_executor *e, const oct_recipe *recipe, const oct_memory_plan *plan)
{
    binder b = {.e = e, .recipe = recipe, .plan = *plan};
    octet_status status = load(&b);
    oct_region_free(e->store, &b.weights);
    free(b.uploaded);
    free(b.run_index);
    free(b.small);
    return status;
}

/* Place the recipe, and load it there. */
static octet_status place_and_load(oct_executor *e, const oct_recipe *recipe)
{
    oct_memory_plan plan;
    FORWARD(oct_store_place(e->store, recipe, &plan, NULL));
    octet_status status = load_placed(e, recipe, &plan);
    oct_memory_plan_free(&plan);
    return status;
}

octet_status oct_executor_create_placed(oct_device *device, const oct_recipe *recipe,
                                        const oct_memory_plan *plan, oct_store *store,
                                        oct_executor **executor)
{
    *executor = NULL;
    FORWARD(recipe->status);
    oct_executor *e = calloc(1, sizeof *e);
    RETURN_IF(!e, OCTET_OUT_OF_MEMORY, "out of host memory for an executor");
    e->device = device;
    oct_device_retain(device);
    e->store = store ? store : &e->own_store;
    if (!store)
        oct_store_init(&e->own_store, device, 0);
    octet_status status = plan ? load_placed(e, recipe, plan) : place_and_load(e, recipe);
    if (status != OCTET_OK) {
        oct_executor_destroy(e);
        return status;
    }
    *executor = e;
    return OCTET_OK;
}

octet_status oct_executor_create(oct_device *device, const oct_recipe *recipe, oct_store *store,
                                 oct_executor **executor)
{
    return oct_executor_create_placed(device, recipe, NULL, store, executor);
}
