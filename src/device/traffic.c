/* What crosses between host and device and what is enqueued, with its counters. */
#include "device_priv.h"

#include <string.h>

static _Thread_local int paused; /* how often this thread has paused counting */

void oct_device_pause_counters(void)
{
    paused++;
}

void oct_device_resume_counters(void)
{
    paused--;
}

void oct_count(oct_device *d, int which, uint64_t n)
{
    if (!paused)
        atomic_fetch_add_explicit(&d->counters[which], n, memory_order_relaxed);
}

static void hold(oct_device *d, size_t bytes)
{
    uint_fast64_t now = atomic_fetch_add(&d->held_bytes, bytes) + bytes, peak = atomic_load(&d->peak_bytes);
    while (!paused && now > peak && !atomic_compare_exchange_weak(&d->peak_bytes, &peak, now)) {
    }
}

/* Drivers of devices with memory of their own often take it when a buffer is first used, and then fail in the
 * middle of something else: a large buffer is used at once. */
static bool is_there(oct_device *d, cl_mem buffer, size_t bytes)
{
    const cl_uint zero = 0;
    const size_t large = (size_t)16 << 20;
    if (atomic_load(&d->held_bytes) + bytes > d->real_bytes && d->real_bytes)
        return false;
    if (bytes < large || !d->staging.piece_bytes)
        return true;
    return clEnqueueFillBuffer(d->queue, buffer, &zero, sizeof zero, bytes / 4 * 4 - 4, 4, 0, NULL, NULL) ==
               CL_SUCCESS &&
           clFinish(d->queue) == CL_SUCCESS;
}

octet_status oct_buffer_create(oct_device *d, size_t bytes, cl_mem *buffer)
{
    *buffer = NULL;
    FORWARD(oct_device_check(d));
    RETURN_IF(bytes > SIZE_MAX - OCT_BUFFER_PAD || bytes + OCT_BUFFER_PAD > d->caps.info.max_alloc_bytes,
              OCTET_OUT_OF_MEMORY,
              "a buffer of %zu bytes exceeds the device's largest allocation (%llu bytes)", bytes,
              (unsigned long long)d->caps.info.max_alloc_bytes);
    cl_int err;
    *buffer = clCreateBuffer(d->context, CL_MEM_READ_WRITE, bytes + OCT_BUFFER_PAD, NULL, &err);
    if (!*buffer)
        return oct_fail_prefix(oct_device_fail(d, err, "clCreateBuffer"), "%zu bytes", bytes);
    if (!is_there(d, *buffer, bytes + OCT_BUFFER_PAD)) {
        clReleaseMemObject(*buffer);
        *buffer = NULL;
        return oct_fail(OCTET_OUT_OF_MEMORY, "the device does not have %zu bytes more", bytes);
    }
    hold(d, bytes + OCT_BUFFER_PAD);
    return OCTET_OK;
}

void oct_buffer_release(oct_device *d, cl_mem buffer)
{
    size_t bytes = 0;
    if (!buffer)
        return;
    if (clGetMemObjectInfo(buffer, CL_MEM_SIZE, sizeof bytes, &bytes, NULL) == CL_SUCCESS)
        atomic_fetch_sub(&d->held_bytes, bytes);
    clReleaseMemObject(buffer);
}

size_t oct_buffer_largest(const oct_device *d, size_t align)
{
    uint64_t most = d->caps.info.max_alloc_bytes;
    most = most > SIZE_MAX / 4 ? SIZE_MAX / 4 : most;
    return most > OCT_BUFFER_PAD ? (size_t)(most - OCT_BUFFER_PAD) / align * align : 0;
}

/* Rows that touch are one piece; drivers copy those faster. */
static cl_int write(cl_command_queue queue, cl_mem buffer, size_t offset, const oct_host_data *from,
                    cl_uint waits, const cl_event *wait_list, cl_event *event)
{
    if (!from->row_bytes || from->row_bytes == from->row_stride || from->row_bytes == from->bytes)
        return clEnqueueWriteBuffer(queue, buffer, CL_FALSE, offset, from->bytes, from->data, waits,
                                    wait_list, event);
    const size_t to[3] = {offset, 0, 0}, origin[3] = {0, 0, 0},
                 region[3] = {from->row_bytes, from->bytes / from->row_bytes, 1};
    return clEnqueueWriteBufferRect(queue, buffer, CL_FALSE, to, origin, region, from->row_bytes, 0,
                                    from->row_stride, 0, from->data, waits, wait_list, event);
}

octet_status oct_device_upload(oct_device *d, oct_traffic kind, cl_mem buffer, size_t offset,
                               const oct_host_data *from)
{
    if (from->bytes == 0)
        return OCTET_OK;
    FORWARD(oct_device_check(d));
    cl_int err;
    if (kind != OCT_TRAFFIC_WEIGHT || !oct_staging_write(d, d->queue, buffer, offset, from, NULL, NULL, &err))
        err = write(d->queue, buffer, offset, from, 0, NULL, NULL);
    if (err != CL_SUCCESS)
        return oct_device_fail(d, err, "clEnqueueWriteBuffer");
    oct_count(d, kind == OCT_TRAFFIC_WEIGHT ? COUNT_WEIGHT_UP : COUNT_INPUT_UP, from->bytes);
    oct_count(d, COUNT_TRANSFERS, 1);
    return OCTET_OK;
}

/* The queue of uploads beside the queue; of threads that make it at the same time, the first wins. */
static octet_status upload_queue(oct_device *d, cl_command_queue *queue)
{
    *queue = atomic_load(&d->upload_queue);
    if (*queue)
        return OCTET_OK;
    cl_int err;
    cl_command_queue mine = clCreateCommandQueue(d->context, d->id, 0, &err), none = NULL;
    if (!mine)
        return oct_device_fail(d, err, "clCreateCommandQueue");
    *queue = mine;
    if (!atomic_compare_exchange_strong(&d->upload_queue, &none, mine)) {
        clReleaseCommandQueue(mine);
        *queue = none;
    }
    return OCTET_OK;
}

octet_status oct_device_upload_beside(oct_device *d, cl_mem buffer, size_t offset, const oct_host_data *from,
                                      cl_event after, cl_event *done)
{
    *done = NULL;
    FORWARD(oct_device_check(d));
    cl_command_queue queue;
    FORWARD(upload_queue(d, &queue));
    cl_int err = clFlush(d->queue); /* an event that another queue waits for must have been sent */
    if (err == CL_SUCCESS && !oct_staging_write(d, queue, buffer, offset, from, after, done, &err))
        err = write(queue, buffer, offset, from, 1, &after, done);
    if (err != CL_SUCCESS)
        return oct_device_fail(d, err, "clEnqueueWriteBuffer");
    oct_count(d, COUNT_WEIGHT_UP, from->bytes);
    oct_count(d, COUNT_TRANSFERS, 1);
    err = clFlush(queue);
    return err == CL_SUCCESS ? OCTET_OK : oct_device_fail(d, err, "clFlush");
}

bool oct_device_copies_at_once(oct_device *d)
{
    pthread_mutex_lock(&d->staging.lock);
    bool staged = d->staging.piece_bytes != 0;
    pthread_mutex_unlock(&d->staging.lock);
    return staged;
}

octet_status oct_device_mark(oct_device *d, cl_event *event)
{
    *event = NULL;
    FORWARD(oct_device_check(d));
    cl_int err = clEnqueueMarkerWithWaitList(d->queue, 0, NULL, event);
    return err == CL_SUCCESS ? OCTET_OK : oct_device_fail(d, err, "clEnqueueMarkerWithWaitList");
}

void oct_event_release(cl_event event)
{
    if (event)
        clReleaseEvent(event);
}

bool oct_event_is_over(cl_event event)
{
    cl_int state = CL_QUEUED;
    cl_int err = clGetEventInfo(event, CL_EVENT_COMMAND_EXECUTION_STATUS, sizeof state, &state, NULL);
    return err != CL_SUCCESS || state <= CL_COMPLETE;
}

void oct_device_settle(oct_device *d, cl_event event)
{
    if (event && clWaitForEvents(1, &event) != CL_SUCCESS)
        atomic_fetch_add(&d->failures, 1);
    oct_event_release(event);
}

uint64_t oct_device_failures(oct_device *d)
{
    oct_staging_look(d);
    return atomic_load(&d->failures);
}

octet_status oct_device_download(oct_device *d, oct_traffic kind, cl_mem buffer, size_t offset, void *data,
                                 size_t bytes)
{
    (void)kind; /* only outputs come down */
    if (bytes == 0)
        return OCTET_OK;
    FORWARD(oct_device_check(d));
    cl_int err = clEnqueueReadBuffer(d->queue, buffer, CL_FALSE, offset, bytes, data, 0, NULL, NULL);
    if (err != CL_SUCCESS)
        return oct_device_fail(d, err, "clEnqueueReadBuffer");
    oct_count(d, COUNT_OUTPUT_DOWN, bytes);
    oct_count(d, COUNT_TRANSFERS, 1);
    return OCTET_OK;
}

octet_status oct_device_launch(oct_device *d, cl_kernel kernel, cl_uint dims, const size_t *global,
                               const size_t *local, cl_uint wait_count, const cl_event *waits,
                               cl_event *event)
{
    FORWARD(oct_device_check(d));
    cl_int err = clEnqueueNDRangeKernel(d->queue, kernel, dims, NULL, global, local, wait_count,
                                        wait_count ? waits : NULL, event);
    if (err != CL_SUCCESS)
        return oct_device_fail(d, err, "clEnqueueNDRangeKernel");
    oct_count(d, COUNT_LAUNCHES, 1);
    return OCTET_OK;
}

octet_status oct_device_finish(oct_device *d)
{
    oct_count(d, COUNT_WAITS, 1);
    cl_int err = clFinish(d->queue);
    return err == CL_SUCCESS ? oct_device_check_available(d, "clFinish")
                             : oct_device_fail(d, err, "clFinish");
}

octet_status oct_device_finish_after(oct_device *d, octet_status status)
{
    if (status == OCTET_OK)
        return oct_device_finish(d);
    char text[OCT_ERROR_TEXT_BYTES];
    strcpy(text, oct_error_text());
    oct_count(d, COUNT_WAITS, 1);
    oct_device_quiesce(d); /* the first failure is the one to report */
    return oct_fail(status, "%s", text);
}

void oct_device_quiesce(oct_device *d)
{
    cl_command_queue uploads = atomic_load(&d->upload_queue);
    (void)clFinish(d->queue);
    if (uploads)
        (void)clFinish(uploads);
}

octet_status oct_event_times(cl_event event, uint64_t *start_ns, uint64_t *end_ns)
{
    cl_ulong start = 0, end = 0;
    cl_int err = clGetEventProfilingInfo(event, CL_PROFILING_COMMAND_START, sizeof start, &start, NULL);
    if (err == CL_SUCCESS)
        err = clGetEventProfilingInfo(event, CL_PROFILING_COMMAND_END, sizeof end, &end, NULL);
    clReleaseEvent(event);
    *start_ns = start;
    *end_ns = end;
    return err == CL_SUCCESS ? OCTET_OK : oct_cl_fail(err, "clGetEventProfilingInfo");
}

void oct_device_count_load(oct_device *d, double seconds)
{
    oct_count(d, COUNT_LOAD_NS, (uint64_t)(seconds * 1e9));
}

void oct_device_counters(oct_device *d, octet_counters *c)
{
    c->weight_bytes_up = atomic_load(&d->counters[COUNT_WEIGHT_UP]);
    c->input_bytes_up = atomic_load(&d->counters[COUNT_INPUT_UP]);
    c->output_bytes_down = atomic_load(&d->counters[COUNT_OUTPUT_DOWN]);
    c->transfers = atomic_load(&d->counters[COUNT_TRANSFERS]);
    c->launches = atomic_load(&d->counters[COUNT_LAUNCHES]);
    c->waits = atomic_load(&d->counters[COUNT_WAITS]);
    c->programs_built = atomic_load(&d->counters[COUNT_BUILT]);
    c->programs_cached = atomic_load(&d->counters[COUNT_CACHED]);
    c->device_bytes = atomic_load(&d->held_bytes);
    c->peak_device_bytes = atomic_load(&d->peak_bytes);
    c->load_nanoseconds = atomic_load(&d->counters[COUNT_LOAD_NS]);
}

void oct_device_counters_reset(oct_device *d)
{
    for (int i = 0; i < COUNTER_COUNT; i++)
        atomic_store(&d->counters[i], 0);
    atomic_store(&d->peak_bytes, atomic_load(&d->held_bytes));
}
