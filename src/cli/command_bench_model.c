/* octet bench MODEL: latency over many runs on random inputs, and what one run moves. */
#include "command_bench.h"
#include "crew.h"
#include "json.h"
#include "kernel_times.h"
#include "shapes.h"
#include "tensors.h"

#include <inttypes.h>
#include <stdlib.h>

enum { WARM_UP = 3, RUNS_MIN = 5, RUNS_MAX = 100000 };

typedef struct figures {
    double median, min, p95; /* seconds */
    uint64_t weight_bytes_up, peak_device_bytes, load_nanoseconds;
    octet_counters run; /* of one run */
    octet_session_info session;
    char device[256]; /* the first one's name, and how many others there are */
    int64_t batch;
} figures;

static int make_inputs(const cli_options *options, const octet_model *model, tensor_list *inputs,
                       int64_t *batch)
{
    uint64_t state = (uint64_t)options->seed * 0x9E3779B97F4A7C15u + 1;
    *batch = 1;
    for (size_t i = 0; i < inputs->count; i++) {
        octet_tensor *t = &inputs->items[i];
        octet_value_info info;
        int status = shapes_input(options, model, i, &info);
        if (status != EXIT_DONE)
            return status;
        t->dtype = info.dtype;
        t->rank = info.rank;
        for (int d = 0; d < info.rank; d++)
            t->dims[d] = info.dims[d] >= 0 ? info.dims[d] : 1;
        if (i == 0 && options->batch && (info.rank == 0 || t->dims[0] != options->batch))
            return cli_error("input \"%s\" has a fixed first dimension of %" PRId64
                             "; --batch cannot change it",
                             info.name, info.rank ? info.dims[0] : 1);
        if (i == 0 && info.rank)
            *batch = t->dims[0];
        if (octet_tensor_alloc(t) != OCTET_OK)
            return cli_octet_error();
        bench_random(&state, t->dtype, t->data, (size_t)tensor_elements(t));
    }
    return EXIT_DONE;
}

static int run_once(const crew *devices, const tensor_list *inputs, tensor_list *outputs, double *seconds)
{
    double start = cli_seconds_now();
    int status = crew_run(devices, inputs, outputs);
    *seconds = cli_seconds_now() - start;
    return status;
}

static int measure(const cli_options *options, const crew *devices, const tensor_list *inputs,
                   tensor_list *outputs, figures *f, kernel_times *kernels)
{
    double start = cli_seconds_now(), *times = malloc(RUNS_MAX * sizeof *times);
    size_t count = 0;
    int status = times ? EXIT_DONE : cli_error("out of memory");
    while (status == EXIT_DONE &&
           (count < RUNS_MIN || (count < RUNS_MAX && cli_seconds_now() - start < (double)options->seconds))) {
        status = run_once(devices, inputs, outputs, &times[count++]);
        if (status == EXIT_DONE && options->kernels)
            status = kernel_times_add(kernels, devices->members[0].session);
        if (count % 64 == 1)
            cli_progress(options, "run %zu: %.3f ms", count, times[count - 1] * 1e3);
    }
    cli_progress_end(options);
    if (status == EXIT_DONE) {
        f->median = bench_median(times, count);
        f->min = times[0];
        f->p95 = bench_percentile(times, count, 95);
    }
    free(times);
    return status;
}

static int name_devices(const crew *devices, char *name, size_t size)
{
    char clean[200];
    octet_device_info info;
    OCTET_INIT(info);
    if (octet_context_device(devices->members[0].context, &info) != OCTET_OK)
        return cli_octet_error();
    cli_clean(clean, sizeof clean, info.name);
    if (devices->count == 1)
        snprintf(name, size, "%s", clean);
    else
        snprintf(name, size, "%s and %zu more", clean, devices->count - 1);
    return EXIT_DONE;
}

/* Warm up, count what one run moves, then time many. */
static int collect(const cli_options *options, const crew *devices, const tensor_list *inputs,
                   tensor_list *outputs, figures *f, kernel_times *kernels)
{
    double seconds;
    octet_counters so_far;
    int status = EXIT_DONE;
    for (int i = 0; i < WARM_UP && status == EXIT_DONE; i++)
        status = run_once(devices, inputs, outputs, &seconds);
    if (status == EXIT_DONE)
        status = crew_counters(devices, &so_far);
    if (status != EXIT_DONE)
        return status;
    f->peak_device_bytes = so_far.peak_device_bytes;
    f->load_nanoseconds = so_far.load_nanoseconds;
    crew_reset_counters(devices);
    status = run_once(devices, inputs, outputs, &seconds);
    if (status == EXIT_DONE)
        status = crew_counters(devices, &f->run);
    if (status == EXIT_DONE)
        status = crew_info(devices, &f->session);
    /* What each run streams was sent in these, too. */
    f->weight_bytes_up = so_far.weight_bytes_up - WARM_UP * f->run.weight_bytes_up;
    if (status == EXIT_DONE)
        status = name_devices(devices, f->device, sizeof f->device);
    return status == EXIT_DONE ? measure(options, devices, inputs, outputs, f, kernels) : status;
}

static void write_json(FILE *json, const figures *f, double gops, double ceiling)
{
    fprintf(json, "{\"latency_ms\": {\"median\": %.6g, \"min\": %.6g, \"p95\": %.6g}, \"gops\": %.6g, ",
            f->median * 1e3, f->min * 1e3, f->p95 * 1e3, gops);
    fprintf(json, "\"ceiling_gops\": ");
    json_known(json, ceiling);
    fprintf(json, ", \"ceiling_share\": ");
    json_known(json, ceiling > 0 ? gops / ceiling : 0);
    fprintf(json,
            ", \"weight_bytes_up\": %" PRIu64 ", \"run_bytes_up\": %" PRIu64 ", \"run_bytes_down\": %" PRIu64,
            f->weight_bytes_up, f->run.input_bytes_up + f->run.weight_bytes_up, f->run.output_bytes_down);
    fprintf(json, ", \"transfers\": %" PRIu64 ", \"launches\": %" PRIu64 ", \"waits\": %" PRIu64,
            f->run.transfers, f->run.launches, f->run.waits);
    fprintf(json,
            ", \"load_ms\": %.6g, \"arena_bytes\": %" PRIu64 ", \"peak_device_bytes\": %" PRIu64
            ", \"streamed_bytes\": %" PRIu64,
            (double)f->load_nanoseconds * 1e-6, f->session.arena_bytes, f->peak_device_bytes,
            f->session.streamed_bytes);
    fprintf(json, ", \"batch\": %" PRId64 ", \"device\": ", f->batch);
    json_string(json, f->device);
}

static void report(const figures *f, double gops, double ceiling)
{
    char weights[32], arena[32], peak[32];
    printf("device    %s\n", f->device);
    printf("latency   %.3f ms median, %.3f min, %.3f p95; batch %" PRId64 "\n", f->median * 1e3, f->min * 1e3,
           f->p95 * 1e3, f->batch);
    if (ceiling > 0)
        printf("work      %.2f GOPS, %.1f%% of the device's %.1f\n", gops, 100 * gops / ceiling, ceiling);
    else
        printf("work      %.2f GOPS; the device's ceiling is unknown\n", gops);
    printf("each run  %" PRIu64 " bytes up, %" PRIu64 " down; %" PRIu64 " transfers, %" PRIu64
           " launches, %" PRIu64 " waits\n",
           f->run.input_bytes_up + f->run.weight_bytes_up, f->run.output_bytes_down, f->run.transfers,
           f->run.launches, f->run.waits);
    printf("memory    %s of weights sent once, packed in %.1f ms; %s arena, %s on the device at most\n",
           cli_bytes_text(weights, sizeof weights, f->weight_bytes_up), (double)f->load_nanoseconds * 1e-6,
           cli_bytes_text(arena, sizeof arena, f->session.arena_bytes),
           cli_bytes_text(peak, sizeof peak, f->peak_device_bytes));
    if (f->session.streamed_bytes)
        printf("streamed  %s of weights in each run\n",
               cli_bytes_text(weights, sizeof weights, f->session.streamed_bytes));
}

/* That of all devices together; 0 when one of them is unknown. */
static double ceiling_of(const crew *devices)
{
    double sum = 0;
    for (size_t i = 0; i < devices->count; i++) {
        double one = bench_ceiling(devices->members[i].context);
        if (one <= 0)
            return 0;
        sum += one;
    }
    return sum;
}

/* Everything that was measured, as text and JSON. */
static int tell(const cli_options *options, const crew *devices, const figures *f, kernel_times *kernels,
                FILE *json)
{
    double gops = f->median > 0 ? 2.0 * (double)f->session.macs / f->median * 1e-9 : 0;
    double ceiling = ceiling_of(devices);
    int status = EXIT_DONE;
    report(f, gops, ceiling);
    if (json)
        write_json(json, f, gops, ceiling);
    if (json && options->kernels)
        fprintf(json, ", ");
    if (options->kernels)
        status = kernel_times_report(kernels, devices->members[0].session, json);
    if (json)
        fprintf(json, "}\n");
    return status;
}

int bench_model(const cli_options *options, FILE *json)
{
    crew devices = {0};
    tensor_list inputs = {0}, outputs = {0};
    figures f = {0};
    kernel_times kernels = {0};
    cli_progress(options, "compiling and uploading ...");
    int status = crew_open(options, &devices);
    if (status == EXIT_DONE)
        status = crew_load(options, &devices, options->operands.items[0]);
    const octet_model *model = devices.count ? devices.members[0].model : NULL;
    if (status == EXIT_DONE)
        status = tensor_list_make(&inputs, octet_model_input_count(model));
    if (status == EXIT_DONE)
        status = tensor_list_make(&outputs, octet_model_output_count(model));
    if (status == EXIT_DONE)
        status = make_inputs(options, model, &inputs, &f.batch);
    if (status == EXIT_DONE)
        status = crew_make_sessions(options, &devices, &inputs);
    if (status == EXIT_DONE)
        status = collect(options, &devices, &inputs, &outputs, &f, &kernels);
    cli_progress_end(options);
    if (status == EXIT_DONE)
        status = tell(options, &devices, &f, &kernels, json);
    kernel_times_free(&kernels);
    tensor_list_free(&inputs);
    tensor_list_free(&outputs);
    crew_close(&devices);
    return status;
}
