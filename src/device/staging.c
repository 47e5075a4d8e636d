/* Weights on their way to a device with memory of its own: through two pieces of pinned host memory (what
 * drivers make of CL_MEM_ALLOC_HOST_PTR), mapped once, so that a file's pages are read into one while the
 * other crosses the bus. The source is free on return. Where a driver gives no such memory, or shares the
 * host's, ordinary writes are used. */
#include "device_priv.h"

#include <stdlib.h>

#define PIECE_BYTES ((size_t)4 << 20)

/* OCTET_STAGING, for tests and developers: the bytes of a piece, also where memory is shared; 0: none. */
size_t oct_staging_bytes(const oct_caps *caps, const oct_environment *environment)
{
    if (environment->staging >= 0)
        return (size_t)environment->staging;
    return caps->info.unified_memory ? 0 : PIECE_BYTES;
}

static void release(oct_device *d, oct_staging *s)
{
    for (int i = 0; i < OCT_STAGING_PIECES; i++) {
        if (s->busy[i]) {
            (void)clWaitForEvents(1, &s->busy[i]);
            clReleaseEvent(s->busy[i]);
        }
        if (s->at[i])
            (void)clEnqueueUnmapMemObject(d->queue, s->buffer[i], s->at[i], 0, NULL, NULL);
    }
    (void)clFinish(d->queue);
    for (int i = 0; i < OCT_STAGING_PIECES; i++) {
        if (s->buffer[i])
            clReleaseMemObject(s->buffer[i]);
        s->buffer[i] = NULL;
        s->busy[i] = NULL;
        s->at[i] = NULL;
    }
}

void oct_staging_close(oct_device *d)
{
    if (d->staging.buffer[0])
        release(d, &d->staging);
    oct_copiers_stop(d->staging.copiers);
    pthread_mutex_destroy(&d->staging.lock);
}

/* Make the pieces when they are first needed; false: there is no staging on this device. Locked. */
static bool open_pieces(oct_device *d)
{
    oct_staging *s = &d->staging;
    for (int i = 0; s->piece_bytes && !s->at[OCT_STAGING_PIECES - 1] && i < OCT_STAGING_PIECES; i++) {
        cl_int err;
        s->buffer[i] =
            clCreateBuffer(d->context, CL_MEM_READ_WRITE | CL_MEM_ALLOC_HOST_PTR, s->piece_bytes, NULL, &err);
        if (s->buffer[i])
            s->at[i] = clEnqueueMapBuffer(d->queue, s->buffer[i], CL_TRUE, CL_MAP_READ | CL_MAP_WRITE, 0,
                                          s->piece_bytes, 0, NULL, NULL, &err);
        if (!s->at[i]) {
            oct_device_log(d, "no pinned memory for uploads: %s", oct_cl_error_name(err));
            release(d, s);
            s->piece_bytes = 0;
        }
    }
    return s->piece_bytes != 0;
}

/* One piece, after what was in its place has left. *done: of this copy; NULL: nobody asks. */
static cl_int send(oct_device *d, cl_command_queue queue, cl_mem buffer, size_t offset,
                   const oct_host_data *from, size_t first, cl_event after, cl_event *done)
{
    oct_staging *s = &d->staging;
    int turn = s->turn;
    size_t left = from->bytes - first, n = left < s->piece_bytes ? left : s->piece_bytes;
    cl_event event = NULL;
    if (s->busy[turn]) {
        oct_count(d, COUNT_WAITS, 1);
        oct_device_settle(d, s->busy[turn]); /* if it failed, those whose copy it was will see that */
        s->busy[turn] = NULL;
    }
    /* Large copies by several threads. */
    oct_copiers_copy(&s->copiers, n > s->piece_bytes / 8, from, first, n, s->at[turn]);
    cl_int err = clEnqueueWriteBuffer(queue, buffer, CL_FALSE, offset + first, n, s->at[turn], after ? 1 : 0,
                                      after ? &after : NULL, &event);
    if (err != CL_SUCCESS)
        return err;
    s->busy[turn] = event;
    s->turn = (turn + 1) % OCT_STAGING_PIECES;
    if (done) {
        err = clRetainEvent(event);
        if (err != CL_SUCCESS)
            return err;
        *done = event;
    }
    return clFlush(queue);
}

void oct_staging_look(oct_device *d)
{
    oct_staging *s = &d->staging;
    pthread_mutex_lock(&s->lock);
    for (int i = 0; i < OCT_STAGING_PIECES; i++) {
        if (s->busy[i] && oct_event_is_over(s->busy[i])) {
            oct_device_settle(d, s->busy[i]);
            s->busy[i] = NULL;
        }
    }
    pthread_mutex_unlock(&s->lock);
}

bool oct_staging_write(oct_device *d, cl_command_queue queue, cl_mem buffer, size_t offset,
                       const oct_host_data *from, cl_event after, cl_event *done, cl_int *err)
{
    *err = CL_SUCCESS;
    pthread_mutex_lock(&d->staging.lock);
    bool staged = open_pieces(d);
    const size_t piece = d->staging.piece_bytes;
    for (size_t first = 0; staged && *err == CL_SUCCESS && first < from->bytes; first += piece) {
        bool last = from->bytes - first <= piece;
        *err = send(d, queue, buffer, offset, from, first, after, last ? done : NULL);
    }
    pthread_mutex_unlock(&d->staging.lock);
    return staged;
}
