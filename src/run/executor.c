#include "executor_priv.h"

#include <stdlib.h>

octet_status oct_set_mem_arg(const oct_executor *e, bound_launch *l, cl_uint index, cl_mem buffer,
                             size_t offset)
{
    if (!l->kernel) {
        l->operands[index / 2] = buffer;
        l->offsets[index / 2] = offset;
        return OCTET_OK;
    }
    cl_ulong at = offset;
    cl_int err = clSetKernelArg(l->kernel, index, sizeof buffer, &buffer);
    if (err == CL_SUCCESS)
        err = clSetKernelArg(l->kernel, index + 1, sizeof at, &at);
    return err == CL_SUCCESS ? OCTET_OK : oct_device_fail(e->device, err, "clSetKernelArg");
}

cl_mem oct_region_at(const oct_store *s, const oct_region_buffers *region, size_t *offset)
{
    size_t i = *offset / s->chunk;
    *offset %= s->chunk;
    return region->at[i];
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

octet_status oct_executor_enqueue(oct_executor *e, bound_launch *l, cl_uint wait_count, const cl_event *waits,
                                  cl_event *event)
{
    octet_status status = l->kernel ? oct_device_launch(e->device, l->kernel, l->dims, l->global,
                                                        group_size(e, l), wait_count, waits, event)
                                    : oct_device_sgemm(e->device, &l->product, l->operands, l->offsets,
                                                       wait_count, waits, event);
    return status == OCTET_OK ? status : oct_fail_prefix(status, "kernel %s", l->name);
}

static void drop_events(oct_executor *e)
{
    for (size_t i = 0; i < e->stream_count; i++) {
        oct_event_release(e->streams[i].done);
        e->streams[i].done = NULL;
    }
    for (size_t i = 0; i < e->run_count; i++) {
        oct_event_release(e->run[i].event);
        e->run[i].event = NULL;
    }
}

void oct_executor_destroy(oct_executor *e)
{
    if (!e)
        return;
    if (e->stream_count) /* uploads that are on their way read the model's bytes */
        oct_device_quiesce(e->device);
    drop_events(e);
    for (size_t i = 0; i < e->run_count; i++) {
        if (e->run[i].kernel)
            clReleaseKernel(e->run[i].kernel);
    }
    oct_buffer_release(e->device, e->flag);
    oct_arena_free(&e->texts);
    oct_store_free(&e->own_store);
    free(e->run);
    free(e->times);
    free(e->patches);
    free(e->streams);
    free(e->mems);
    free(e->places);
    oct_device_release(e->device);
    free(e);
}

/* The buffer of a memory in scratch; *offset becomes that in the buffer. */
static cl_mem find_scratch(const oct_executor *e, oct_mem mem, size_t *offset)
{
    *offset = 0;
    if (mem != OCT_MEM_NONE && e->places[mem].region == OCT_REGION_ARENA)
        *offset = e->places[mem].offset;
    return oct_region_at(e->store, &e->store->scratch, offset);
}

static octet_status set_own(oct_executor *e, const patch *p)
{
    size_t offset;
    cl_mem buffer = find_scratch(e, p->mem, &offset);
    bool placed = p->mem != OCT_MEM_NONE && e->places[p->mem].region == OCT_REGION_ARENA;
    return oct_set_mem_arg(e, &e->run[p->launch], p->index, buffer, placed ? offset + p->offset : 0);
}

/* Another plan of the session may have made the scratch memory anew. */
static octet_status follow_scratch(oct_executor *e)
{
    FORWARD(oct_store_reserve(e->store, e->scratch_bytes));
    if (e->scratch_generation == e->store->scratch_generation)
        return OCTET_OK;
    for (size_t i = 0; i < e->patch_count; i++)
        FORWARD(set_own(e, &e->patches[i]));
    e->scratch_generation = e->store->scratch_generation;
    e->external = false;
    return OCTET_OK;
}

octet_status oct_executor_upload(oct_executor *e, oct_mem mem, const void *data)
{
    if (e->places[mem].region == OCT_REGION_NOWHERE)
        return OCTET_OK;
    FORWARD(follow_scratch(e));
    size_t offset;
    cl_mem buffer = find_scratch(e, mem, &offset);
    oct_host_data from = {.data = data, .bytes = e->mems[mem].bytes};
    return oct_device_upload(e->device, OCT_TRAFFIC_INPUT, buffer, offset, &from);
}

octet_status oct_executor_download(oct_executor *e, oct_mem mem, void *data)
{
    if (e->places[mem].region == OCT_REGION_NOWHERE)
        return OCTET_OK;
    size_t offset;
    cl_mem buffer = find_scratch(e, mem, &offset);
    return oct_device_download(e->device, OCT_TRAFFIC_OUTPUT, buffer, offset, data, e->mems[mem].bytes);
}

octet_status oct_executor_set_buffer(oct_executor *e, oct_mem mem, cl_mem buffer, size_t offset)
{
    FORWARD(follow_scratch(e));
    e->external = true;
    for (size_t i = 0; i < e->patch_count; i++) {
        const patch *p = &e->patches[i];
        if (p->mem == mem && buffer)
            FORWARD(oct_set_mem_arg(e, &e->run[p->launch], p->index, buffer, offset + p->offset));
        else if (p->mem == mem)
            FORWARD(set_own(e, p));
    }
    return OCTET_OK;
}

octet_status oct_executor_use_own_buffers(oct_executor *e)
{
    if (!e->external)
        return OCTET_OK;
    for (size_t i = 0; i < e->patch_count; i++) {
        const patch *p = &e->patches[i];
        bool host_side = p->mem != OCT_MEM_NONE &&
                         (e->mems[p->mem].kind == OCT_MEM_INPUT || e->mems[p->mem].kind == OCT_MEM_OUTPUT);
        if (host_side)
            FORWARD(set_own(e, p));
    }
    e->external = false;
    return OCTET_OK;
}

/* ---- numbers out of range ------------------------------------------------------------------------------ */

octet_status oct_executor_lower_flag(oct_executor *e)
{
    static const oct_flag lowered = {0};
    const oct_host_data from = {.data = &lowered, .bytes = sizeof lowered};
    return e->flag ? oct_device_upload(e->device, OCT_TRAFFIC_WEIGHT, e->flag, 0, &from) : OCTET_OK;
}

octet_status oct_executor_read_flag(oct_executor *e)
{
    return e->flag ? oct_device_download(e->device, OCT_TRAFFIC_OUTPUT, e->flag, 0, &e->seen, sizeof e->seen)
                   : OCTET_OK;
}

octet_status oct_executor_check_flag(oct_executor *e)
{
    const oct_flag seen = e->seen;
    e->seen = (oct_flag){0};
    if (!seen.check)
        return OCTET_OK;
    const oct_check *c = &e->checks[seen.check - 1];
    FORWARD(oct_executor_lower_flag(e));
    return oct_fail(OCTET_INVALID_ARGUMENT,
                    "%s (node '%s'): element %lld of '%s' is %lld; it must be from %lld to %lld", c->op_type,
                    c->node, (long long)seen.position, c->tensor, (long long)seen.number, (long long)c->low,
                    (long long)c->high);
}

/* ---- running ------------------------------------------------------------------------------------------- */

/* Where enqueuing a run has got to. */
typedef struct progress {
    size_t started; /* streams whose upload is enqueued */
    size_t waited;  /* streams that a launch waits for */
    cl_event last;  /* of the launch before, where a stream needs it */
} progress;

/* Enqueue the uploads that may begin before launch `index`. They wait for what is enqueued so far. */
static octet_status start_streams(oct_executor *e, progress *p, size_t index)
{
    if (p->started == e->stream_count || e->streams[p->started].start != index)
        return OCTET_OK;
    cl_event before = p->last;
    p->last = NULL;
    octet_status status = before ? OCTET_OK : oct_device_mark(e->device, &before);
    while (status == OCTET_OK && p->started < e->stream_count && e->streams[p->started].start == index) {
        bound_stream *s = &e->streams[p->started++];
        size_t offset = s->offset;
        cl_mem buffer = oct_region_at(e->store, &e->store->scratch, &offset);
        status = oct_device_upload_beside(e->device, buffer, offset, &s->from, before, &s->done);
    }
    oct_event_release(before);
    return status;
}

/* The event of the last upload that launch `index` reads: uploads are done in their order. */
static cl_uint uploads_for(oct_executor *e, progress *p, size_t index, cl_event *wait)
{
    cl_uint count = 0;
    for (; p->waited < p->started && e->streams[p->waited].first <= index; p->waited++) {
        *wait = e->streams[p->waited].done;
        count = 1;
    }
    return count;
}

static bool stream_starts_at(const oct_executor *e, const progress *p, size_t index)
{
    return p->started < e->stream_count && e->streams[p->started].start == index;
}

static octet_status enqueue_launches(oct_executor *e, progress *p, cl_event *event)
{
    bool profiling = oct_device_profiling(e->device);
    for (size_t i = 0; i < e->run_count; i++) {
        FORWARD(start_streams(e, p, i));
        cl_event wait = NULL, *out = NULL;
        cl_uint waits = uploads_for(e, p, i, &wait);
        if (profiling)
            out = &e->run[i].event;
        else if (event && i + 1 == e->run_count)
            out = event;
        else if (stream_starts_at(e, p, i + 1))
            out = &p->last;
        FORWARD(oct_executor_enqueue(e, &e->run[i], waits, &wait, out));
    }
    return OCTET_OK;
}

octet_status oct_executor_run(oct_executor *e, cl_event *event)
{
    bool profiling = oct_device_profiling(e->device);
    progress p = {0};
    if (event)
        *event = NULL;
    drop_events(e);
    if (e->stream_count)
        e->failures = oct_device_failures(e->device);
    FORWARD(follow_scratch(e));
    octet_status status = enqueue_launches(e, &p, event);
    oct_event_release(p.last);
    FORWARD(status);
    if (profiling && event && e->run_count) {
        cl_int err = clRetainEvent(e->run[e->run_count - 1].event);
        if (err != CL_SUCCESS)
            return oct_device_fail(e->device, err, "clRetainEvent");
        *event = e->run[e->run_count - 1].event;
    }
    return OCTET_OK;
}

octet_status oct_executor_settle(oct_executor *e)
{
    for (size_t i = 0; i < e->stream_count; i++) {
        oct_device_settle(e->device, e->streams[i].done);
        e->streams[i].done = NULL;
    }
    for (size_t i = 0; i < e->run_count; i++) { /* events only when profiling */
        const bound_launch *l = &e->run[i];
        cl_int err = l->event ? clWaitForEvents(1, &l->event) : CL_SUCCESS;
        if (err != CL_SUCCESS)
            return oct_fail_prefix(oct_device_fail(e->device, err, "clWaitForEvents"), "kernel %s", l->name);
    }
    RETURN_IF(e->stream_count && oct_device_failures(e->device) != e->failures, OCTET_DEVICE_ERROR,
              "a copy of streamed weights failed on the device; run again, or raise the memory limit");
    return OCTET_OK;
}

oct_executor_stats oct_executor_get_stats(const oct_executor *e)
{
    return (oct_executor_stats){e->arena_bytes, e->weight_bytes, e->streamed_bytes, e->run_count,
                                e->load_count};
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
