#include "ceiling.h"
#include "peak.h"
#include "runner.h"

enum { RUNS = 5 };

static octet_status time_best(oct_executor *e, double *best)
{
    FORWARD(oct_runner_time(e, 1, best));
    for (int i = 1; i < RUNS; i++) {
        double seconds;
        FORWARD(oct_runner_time(e, 1, &seconds));
        *best = seconds < *best ? seconds : *best;
    }
    return OCTET_OK;
}

octet_status oct_ceiling(oct_device *device, double *gops)
{
    oct_recipe r;
    oct_recipe_init(&r);
    oct_executor *e = NULL;
    double operations = 0, best = 1;
    octet_status status = oct_peak(&r, oct_device_caps(device), &operations);
    if (status == OCTET_OK)
        status = oct_executor_create(device, &r, NULL, &e);
    if (status == OCTET_OK)
        status = time_best(e, &best);
    oct_executor_destroy(e);
    oct_recipe_free(&r);
    *gops = status == OCTET_OK ? operations / best * 1e-9 : 0;
    return status;
}
