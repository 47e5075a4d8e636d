#include "runner.h"
#include "clock.h"
#include "executor_priv.h"

static octet_status upload(oct_executor *e, const oct_host_memory *memories, size_t count)
{
    FORWARD(oct_executor_use_own_buffers(e));
    for (size_t i = 0; i < count; i++) {
        if (!memories[i].to)
            FORWARD(oct_executor_upload(e, memories[i].mem, memories[i].from));
    }
    return OCTET_OK;
}

static octet_status download(oct_executor *e, const oct_host_memory *memories, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (memories[i].to)
            FORWARD(oct_executor_download(e, memories[i].mem, memories[i].to));
    }
    return oct_executor_read_flag(e);
}

/* Wait, and tell what the launches have found. */
static octet_status finish(oct_executor *e, octet_status status)
{
    FORWARD(oct_device_finish_after(e->device, status));
    FORWARD(oct_executor_settle(e));
    return oct_executor_check_flag(e);
}

static octet_status run(oct_executor *e, const oct_host_memory *memories, size_t count)
{
    FORWARD(upload(e, memories, count));
    FORWARD(oct_executor_run(e, NULL));
    return download(e, memories, count);
}

static octet_status run_often(oct_executor *e, size_t runs)
{
    for (size_t i = 0; i < runs; i++)
        FORWARD(oct_executor_run(e, NULL));
    return OCTET_OK;
}

octet_status oct_runner_run(oct_executor *e, const oct_host_memory *memories, size_t count)
{
    return finish(e, run(e, memories, count));
}

octet_status oct_runner_upload(oct_executor *e, const oct_host_memory *memories, size_t count)
{
    return oct_device_finish_after(e->device, upload(e, memories, count));
}

octet_status oct_runner_download(oct_executor *e, const oct_host_memory *memories, size_t count)
{
    return finish(e, download(e, memories, count));
}

octet_status oct_runner_time(oct_executor *e, size_t runs, double *seconds)
{
    FORWARD(oct_executor_use_own_buffers(e));
    FORWARD(oct_device_finish(e->device));
    double start = oct_seconds();
    octet_status status = oct_device_finish_after(e->device, run_often(e, runs));
    *seconds = oct_seconds() - start;
    return status;
}
