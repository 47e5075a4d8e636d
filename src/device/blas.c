/* Float products by CLBlast, where Octet was built with it (OCTET_CLBLAST in CMakeLists.txt). CLBlast keeps
 * the programs it compiles for every context, by its address; they go when a device that has used it does. */
#include "device_priv.h"

#ifdef OCTET_CLBLAST
#include <clblast_c.h>

bool oct_blas_built(void)
{
    return true;
}

static octet_status blas_fail(oct_device *d, CLBlastStatusCode code)
{
    if (code >= -63 && code < 0) /* OpenCL's own */
        return oct_device_fail(d, (cl_int)code, "CLBlastSgemm");
    return oct_fail(OCTET_DEVICE_ERROR, "CLBlastSgemm failed with status %d of clblast.h", (int)code);
}

static CLBlastStatusCode call(oct_device *d, const oct_sgemm *g, const cl_mem buffers[3],
                              const size_t offsets[3], cl_event *event)
{
    size_t at[3];
    for (int i = 0; i < 3; i++)
        at[i] = offsets[i] / sizeof(float);
    if (g->batch == 1)
        return CLBlastSgemm(CLBlastLayoutRowMajor, CLBlastTransposeNo, CLBlastTransposeNo, g->m, g->n, g->k,
                            g->alpha, buffers[0], at[0], g->lda, buffers[1], at[1], g->ldb, g->beta,
                            buffers[2], at[2], g->ldc, &d->queue, event);
    return CLBlastSgemmStridedBatched(CLBlastLayoutRowMajor, CLBlastTransposeNo, CLBlastTransposeNo, g->m,
                                      g->n, g->k, g->alpha, buffers[0], at[0], g->lda, g->a_stride,
                                      buffers[1], at[1], g->ldb, g->b_stride, g->beta, buffers[2], at[2],
                                      g->ldc, g->c_stride, g->batch, &d->queue, event);
}

octet_status oct_device_sgemm(oct_device *d, const oct_sgemm *g, const cl_mem buffers[3],
                              const size_t offsets[3], cl_uint wait_count, const cl_event *waits,
                              cl_event *event)
{
    for (int i = 0; i < 3; i++)
        RETURN_IF(offsets[i] % sizeof(float), OCTET_INVALID_ARGUMENT,
                  "a buffer's offset of %zu bytes does not fit floats", offsets[i]);
    FORWARD(oct_device_check(d));
    if (wait_count) { /* the queue is in order: what follows waits too */
        cl_int err = clEnqueueBarrierWithWaitList(d->queue, wait_count, waits, NULL);
        if (err != CL_SUCCESS)
            return oct_device_fail(d, err, "clEnqueueBarrierWithWaitList");
    }
    atomic_store(&d->used_blas, true);
    CLBlastStatusCode code = call(d, g, buffers, offsets, event);
    if (code != CLBlastSuccess)
        return blas_fail(d, code);
    oct_count(d, COUNT_LAUNCHES, 1);
    return OCTET_OK;
}

void oct_blas_forget(oct_device *d)
{
    if (atomic_load(&d->used_blas))
        (void)CLBlastClearCache();
}

#else

bool oct_blas_built(void)
{
    return false;
}

octet_status oct_device_sgemm(oct_device *d, const oct_sgemm *g, const cl_mem buffers[3],
                              const size_t offsets[3], cl_uint wait_count, const cl_event *waits,
                              cl_event *event)
{
    (void)d, (void)g, (void)buffers, (void)offsets, (void)wait_count, (void)waits, (void)event;
    return oct_fail(OCTET_UNSUPPORTED, "this build of Octet is without CLBlast");
}

void oct_blas_forget(oct_device *d)
{
    (void)d;
}

#endif
