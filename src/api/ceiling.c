/* What the device can do at best, measured. */
#include "api.h"
#include "clock.h"
#include "executor.h"
#include "peak.h"

#include <octet/experimental.h>

static octet_status time_runs(octet_context *c, oct_executor *e, double *best)
{
    *best = 1e30;
    for (int i = 0; i < 5; i++) {
        double start = oct_seconds();
        FORWARD(oct_device_settle(c->device, oct_executor_run(e, NULL)));
        double taken = oct_seconds() - start;
        *best = taken < *best ? taken : *best;
    }
    return OCTET_OK;
}

octet_status octet_context_ceiling(octet_context *context, double *gops)
{
    CHECK_ARG(context);
    CHECK_ARG(gops);
    *gops = 0;
    oct_recipe r;
    oct_recipe_init(&r);
    oct_executor *e = NULL;
    double operations = 0, best = 1;
    octet_status status = oct_peak(&r, oct_device_caps(context->device), &operations);
    if (status == OCTET_OK)
        status = oct_executor_create(context->device, &r, NULL, &e);
    if (status == OCTET_OK)
        status = time_runs(context, e, &best);
    oct_executor_destroy(e);
    oct_recipe_free(&r);
    if (status == OCTET_OK)
        *gops = operations / best * 1e-9;
    return status;
}
