#include "executor.h"
#include "memory_plan.h"
#include "sizes.h"

#include <stdlib.h>
#include <string.h>

typedef struct bound_launch {
    cl_kernel kernel;
    cl_uint dims;
    size_t global[3], local[3];
    int node;
    const char *name; /* kernel function; static storage */
    cl_event event;   /* of the last run, when profiling */
} bound_launch;

/* A kernel argument pair that names a host-side memory, so that the caller's buffer can take its place. */
typedef struct patch {
    oct_mem mem;
    size_t launch;
    cl_uint index;
} patch;

struct oct_executor {
    oct_device *device;
    cl_mem arena, weights;
    bound_launch *run;
    size_t run_count, load_count;
    patch *patches;
    size_t patch_count;
    oct_mem_info *mems; /* host-side ones are used; CONST host pointers are cleared */
    oct_place *places;
    int mem_count;
    size_t arena_bytes, weight_bytes;
    oct_launch_time *times;
    bool external; /* some memory is a buffer of the caller's */
};

/* What creation needs and a run does not. */
typedef struct binder {
    oct_executor *e;
    const oct_recipe *recipe;
    oct_memory_plan plan;
    cl_mem staging;
    unsigned char *small; /* host image of the small constants */
} binder;

static bool is_mem_arg(const oct_arg *a)
{
    return a->kind == OCT_ARG_IN || a->kind == OCT_ARG_OUT;
}

static cl_mem place_buffer(const binder *b, const oct_place *place)
{
    switch (place->region) {
    case OCT_REGION_SHARED:
        return place->shared->buffer;
    case OCT_REGION_SMALL:
    case OCT_REGION_WEIGHTS:
        return b->e->weights;
    case OCT_REGION_STAGING:
        return b->staging;
    default:
        return b->e->arena;
    }
}

static octet_status set_mem_arg(cl_kernel kernel, cl_uint index, cl_mem buffer, size_t offset)
{
    cl_ulong at = offset;
    cl_int err = clSetKernelArg(kernel, index, sizeof buffer, &buffer);
    if (err == CL_SUCCESS)
        err = clSetKernelArg(kernel, index + 1, sizeof at, &at);
    return err == CL_SUCCESS ? OCTET_OK : oct_cl_fail(err, "clSetKernelArg");
}

static octet_status set_plain_arg(cl_kernel kernel, cl_uint index, const oct_arg *a)
{
    cl_int err = CL_INVALID_ARG_VALUE;
    if (a->kind == OCT_ARG_I32)
        err = clSetKernelArg(kernel, index, sizeof a->u.i32, &a->u.i32);
    else if (a->kind == OCT_ARG_I64)
        err = clSetKernelArg(kernel, index, sizeof a->u.i64, &a->u.i64);
    else if (a->kind == OCT_ARG_F32)
        err = clSetKernelArg(kernel, index, sizeof a->u.f32, &a->u.f32);
    return err == CL_SUCCESS ? OCTET_OK : oct_cl_fail(err, "clSetKernelArg");
}

static bool has_work(const oct_launch *l)
{
    for (int i = 0; i < l->dims; i++) {
        if (l->global[i] == 0)
            return false;
    }
    return l->dims > 0;
}

/* Make the kernel of a launch and set its arguments. launch_index: its place in the run list, for patches. */
static octet_status bind_launch(binder *b, const oct_launch *l, size_t launch_index, bool in_run,
                                bound_launch *out)
{
    oct_executor *e = b->e;
    FORWARD(oct_device_kernel(e->device, l->file, l->entry, l->options, &out->kernel));
    out->dims = (cl_uint)l->dims;
    out->node = l->node;
    out->name = l->entry;
    memcpy(out->global, l->global, sizeof out->global);
    memcpy(out->local, l->local, sizeof out->local);
    cl_uint index = 0;
    for (int i = 0; i < l->arg_count; i++) {
        const oct_arg *a = &l->args[i];
        if (!is_mem_arg(a)) {
            octet_status status = set_plain_arg(out->kernel, index++, a);
            if (status != OCTET_OK)
                return oct_fail_prefix(status, "argument %u of kernel %s", index - 1, l->entry);
            continue;
        }
        oct_place nowhere = {.region = OCT_REGION_NOWHERE};
        oct_place place = a->mem == OCT_MEM_NONE ? nowhere : b->plan.places[a->mem];
        size_t offset = place.region == OCT_REGION_SHARED ? place.shared->offset : place.offset;
        octet_status status = set_mem_arg(out->kernel, index, place_buffer(b, &place), offset);
        if (status != OCTET_OK)
            return oct_fail_prefix(status, "argument %u of kernel %s", index, l->entry);
        if (in_run && a->mem != OCT_MEM_NONE &&
            (e->mems[a->mem].kind == OCT_MEM_INPUT || e->mems[a->mem].kind == OCT_MEM_OUTPUT))
            e->patches[e->patch_count++] = (patch){a->mem, launch_index, index};
        index += 2;
    }
    return OCTET_OK;
}

/* Where the operator leaves the work-group size open: CPU drivers compile a kernel anew for each size they
 * meet (PoCL), so there it is always one work-item; other drivers choose. */
static const size_t *group_size(const oct_executor *e, const bound_launch *l)
{
    static const size_t one[3] = {1, 1, 1};
    if (l->local[0])
        return l->local;
    return oct_device_caps(e->device)->info.type == OCTET_DEVICE_CPU ? one : NULL;
}

static octet_status enqueue(oct_executor *e, bound_launch *l, cl_event *event)
{
    octet_status status =
        oct_device_launch(e->device, l->kernel, l->dims, l->global, group_size(e, l), event);
    return status == OCTET_OK ? status : oct_fail_prefix(status, "kernel %s", l->name);
}

/* Upload what launch `index` is the first to read. */
static octet_status upload_first_uses(binder *b, int index)
{
    const oct_launch *l = b->recipe->launches[index];
    for (int i = 0; i < l->arg_count; i++) {
        if (!oct_arg_names_memory(&l->args[i]))
            continue;
        oct_mem m = l->args[i].mem;
        const oct_mem_info *info = &b->recipe->mems[m];
        oct_place *place = &b->plan.places[m];
        bool separate = place->region == OCT_REGION_WEIGHTS || place->region == OCT_REGION_STAGING;
        if (info->kind != OCT_MEM_CONST || !separate || place->first_use != index)
            continue;
        FORWARD(oct_device_upload(b->e->device, OCT_TRAFFIC_WEIGHT, place_buffer(b, place), place->offset,
                                  info->host, info->bytes));
        place->first_use = -1; /* the launch may name it twice */
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
        if (b->plan.places[m].region == OCT_REGION_SMALL)
            memcpy(b->small + b->plan.places[m].offset, b->recipe->mems[m].host, b->recipe->mems[m].bytes);
    }
    return oct_device_upload(b->e->device, OCT_TRAFFIC_WEIGHT, b->e->weights, 0, b->small,
                             b->plan.small_bytes);
}

static octet_status run_load_launch(binder *b, const oct_launch *l)
{
    bound_launch bound = {0};
    octet_status status = bind_launch(b, l, 0, false, &bound);
    if (status == OCTET_OK)
        status = enqueue(b->e, &bound, NULL);
    if (bound.kernel)
        clReleaseKernel(bound.kernel); /* the queue keeps it until it has run */
    return status;
}

static octet_status bind_all(binder *b)
{
    const oct_recipe *r = b->recipe;
    FORWARD(upload_small(b));
    for (int i = 0; i < r->launch_count; i++) {
        if (b->plan.phases[i] == OCT_PHASE_DROPPED)
            continue;
        FORWARD(upload_first_uses(b, i));
        if (!has_work(r->launches[i]))
            continue;
        if (b->plan.phases[i] == OCT_PHASE_LOAD) {
            FORWARD(run_load_launch(b, r->launches[i]));
            b->e->load_count++;
            continue;
        }
        size_t at = b->e->run_count++; /* counted before, so that destroy sees a half-bound launch */
        FORWARD(bind_launch(b, r->launches[i], at, true, &b->e->run[at]));
    }
    return OCTET_OK;
}

/* Let later plans find what this one has made resident. */
static octet_status share_weights(const binder *b, oct_weights *weights)
{
    if (b->e->weights)
        FORWARD(oct_weights_add_buffer(weights, b->e->weights));
    for (int m = 0; m < b->recipe->mem_count; m++) {
        const oct_place *place = &b->plan.places[m];
        if (place->region == OCT_REGION_SMALL || place->region == OCT_REGION_WEIGHTS)
            FORWARD(oct_weights_add(weights, &b->plan.identities[m], b->e->weights, place->offset));
    }
    return OCTET_OK;
}

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
    e->mems = calloc(mems, sizeof *e->mems);
    e->places = calloc(mems, sizeof *e->places);
    RETURN_IF(!e->run || !e->times || !e->patches || !e->mems || !e->places, OCTET_OUT_OF_MEMORY,
              "out of host memory for %d kernel launches", r->launch_count);
    e->mem_count = r->mem_count;
    e->weight_bytes = b->plan.weights_bytes;
    for (int m = 0; m < r->mem_count; m++) {
        e->mems[m] = r->mems[m];
        e->mems[m].host = NULL;
        e->places[m] = b->plan.places[m];
        if (e->places[m].region == OCT_REGION_SHARED)
            e->weight_bytes += r->mems[m].bytes;
    }
    return OCTET_OK;
}

static octet_status allocate_device(binder *b)
{
    oct_executor *e = b->e;
    e->arena_bytes = b->plan.arena_bytes;
    /* Never empty: it also stands for operands that are absent. */
    FORWARD(oct_buffer_create(e->device, e->arena_bytes ? e->arena_bytes : OCT_MEM_ALIGN, &e->arena));
    if (b->plan.weights_bytes)
        FORWARD(oct_buffer_create(e->device, b->plan.weights_bytes, &e->weights));
    if (b->plan.staging_bytes)
        FORWARD(oct_buffer_create(e->device, b->plan.staging_bytes, &b->staging));
    return OCTET_OK;
}

octet_status oct_executor_create(oct_device *device, const oct_recipe *recipe, oct_weights *weights,
                                 oct_executor **executor)
{
    *executor = NULL;
    FORWARD(recipe->status);
    oct_executor *e = calloc(1, sizeof *e);
    RETURN_IF(!e, OCTET_OUT_OF_MEMORY, "out of host memory for an executor");
    e->device = device;
    oct_device_retain(device);
    binder b = {.e = e, .recipe = recipe};
    octet_status status = oct_memory_plan_make(recipe, weights, &b.plan);
    if (status == OCTET_OK)
        status = allocate_host(&b);
    if (status == OCTET_OK)
        status = allocate_device(&b);
    if (status == OCTET_OK) /* uploads read b.small and the caller's constants: settle before they go */
        status = oct_device_settle(device, bind_all(&b));
    if (status == OCTET_OK && weights)
        status = share_weights(&b, weights);
    oct_buffer_release(b.staging);
    oct_memory_plan_free(&b.plan);
    free(b.small);
    if (status != OCTET_OK) {
        oct_executor_destroy(e);
        return status;
    }
    *executor = e;
    return OCTET_OK;
}

static void drop_events(oct_executor *e)
{
    for (size_t i = 0; i < e->run_count; i++) {
        if (e->run[i].event)
            clReleaseEvent(e->run[i].event);
        e->run[i].event = NULL;
    }
}

void oct_executor_destroy(oct_executor *e)
{
    if (!e)
        return;
    if (e->run)
        drop_events(e);
    for (size_t i = 0; i < e->run_count; i++) {
        if (e->run[i].kernel)
            clReleaseKernel(e->run[i].kernel);
    }
    oct_buffer_release(e->arena);
    oct_buffer_release(e->weights);
    free(e->run);
    free(e->times);
    free(e->patches);
    free(e->mems);
    free(e->places);
    oct_device_release(e->device);
    free(e);
}

octet_status oct_executor_upload(oct_executor *e, oct_mem mem, const void *data)
{
    const oct_place *place = &e->places[mem];
    if (place->region == OCT_REGION_NOWHERE)
        return OCTET_OK;
    return oct_device_upload(e->device, OCT_TRAFFIC_INPUT, e->arena, place->offset, data, e->mems[mem].bytes);
}

octet_status oct_executor_download(oct_executor *e, oct_mem mem, void *data)
{
    const oct_place *place = &e->places[mem];
    if (place->region == OCT_REGION_NOWHERE)
        return OCTET_OK;
    return oct_device_download(e->device, OCT_TRAFFIC_OUTPUT, e->arena, place->offset, data,
                               e->mems[mem].bytes);
}

octet_status oct_executor_set_buffer(oct_executor *e, oct_mem mem, cl_mem buffer, size_t offset)
{
    e->external = true;
    for (size_t i = 0; i < e->patch_count; i++) {
        const patch *p = &e->patches[i];
        if (p->mem == mem)
            FORWARD(set_mem_arg(e->run[p->launch].kernel, p->index, buffer ? buffer : e->arena, offset));
    }
    return OCTET_OK;
}

octet_status oct_executor_use_own_buffers(oct_executor *e)
{
    if (!e->external)
        return OCTET_OK;
    for (size_t i = 0; i < e->patch_count; i++) {
        const patch *p = &e->patches[i];
        FORWARD(set_mem_arg(e->run[p->launch].kernel, p->index, e->arena, e->places[p->mem].offset));
    }
    e->external = false;
    return OCTET_OK;
}

octet_status oct_executor_run(oct_executor *e, cl_event *event)
{
    bool profiling = oct_device_profiling(e->device);
    if (event)
        *event = NULL;
    if (profiling)
        drop_events(e);
    for (size_t i = 0; i < e->run_count; i++) {
        bool last = event && i + 1 == e->run_count;
        FORWARD(enqueue(e, &e->run[i], profiling ? &e->run[i].event : last ? event : NULL));
    }
    if (profiling && event && e->run_count) {
        *event = e->run[e->run_count - 1].event;
        clRetainEvent(*event);
    }
    return OCTET_OK;
}

oct_executor_stats oct_executor_get_stats(const oct_executor *e)
{
    return (oct_executor_stats){e->arena_bytes, e->weight_bytes, e->run_count, e->load_count};
}

octet_status oct_executor_times(oct_executor *e, const oct_launch_time **times, size_t *count)
{
    *count = 0;
    *times = e->times;
    for (size_t i = 0; i < e->run_count; i++) {
        bound_launch *l = &e->run[i];
        if (l->event) {
            cl_event event = l->event;
            l->event = NULL;
            oct_launch_time *t = &e->times[i];
            t->node = l->node;
            t->kernel = l->name;
            FORWARD(oct_event_times(event, &t->start_ns, &t->end_ns));
        }
    }
    *count = e->run_count;
    return OCTET_OK;
}
