/* See kernel_times.h. */
#include "kernel_times.h"
#include "command_bench.h"
#include "json.h"

#include <octet/experimental.h>
#include <stdlib.h>
#include <string.h>

enum { RUNS_KEPT = 1000, NAME_WIDTH_MAX = 40 };

typedef struct row {
    octet_kernel_time time;
    double median; /* seconds */
    size_t index;  /* in the run */
} row;

static int get_kernel(const octet_session *session, size_t index, octet_kernel_time *time)
{
    OCTET_INIT(*time);
    return octet_session_kernel_time(session, index, time) == OCTET_OK ? EXIT_DONE : cli_octet_error();
}

int kernel_times_add(kernel_times *k, const octet_session *session)
{
    if (!k->seconds) {
        k->kernels = octet_session_kernel_count(session);
        k->seconds = calloc(k->kernels * RUNS_KEPT + 1, sizeof *k->seconds);
        if (!k->seconds)
            return cli_error("out of memory");
    }
    for (size_t i = 0; k->runs < RUNS_KEPT && i < k->kernels; i++) {
        octet_kernel_time time;
        if (get_kernel(session, i, &time) != EXIT_DONE)
            return EXIT_FAILED;
        k->seconds[i * RUNS_KEPT + k->runs] = (double)(time.end_ns - time.start_ns) * 1e-9;
    }
    k->runs += k->runs < RUNS_KEPT;
    return EXIT_DONE;
}

static int longest_first(const void *a, const void *b)
{
    const row *x = a, *y = b;
    if (x->median != y->median)
        return x->median < y->median ? 1 : -1;
    return (x->index > y->index) - (x->index < y->index);
}

static int fill_rows(kernel_times *k, const octet_session *session, row *rows, double *sum)
{
    for (size_t i = 0; i < k->kernels; i++) {
        if (get_kernel(session, i, &rows[i].time) != EXIT_DONE)
            return EXIT_FAILED;
        rows[i].index = i;
        rows[i].median = bench_median(k->seconds + i * RUNS_KEPT, k->runs);
        *sum += rows[i].median;
    }
    qsort(rows, k->kernels, sizeof *rows, longest_first);
    return EXIT_DONE;
}

static void print_rows(const row *rows, size_t count, double sum)
{
    char node[256], kernel[256];
    size_t width = strlen("node");
    for (size_t i = 0; i < count; i++) {
        size_t length = strlen(rows[i].time.node);
        width = length > width ? length : width;
    }
    width = width > NAME_WIDTH_MAX ? NAME_WIDTH_MAX : width;
    printf("\n%-*s  %-32s  %10s  %6s\n", (int)width, "node", "kernel", "median ms", "share");
    for (size_t i = 0; i < count; i++)
        printf("%-*.*s  %-32s  %10.4f  %5.1f%%\n", (int)width, (int)width,
               cli_clean(node, sizeof node, rows[i].time.node),
               cli_clean(kernel, sizeof kernel, rows[i].time.kernel), rows[i].median * 1e3,
               sum > 0 ? 100 * rows[i].median / sum : 0.0);
    printf("%zu kernels, %.4f ms in all\n", count, sum * 1e3);
}

static void write_rows(FILE *json, const row *rows, size_t count, double sum)
{
    fprintf(json, "\"kernels\": [");
    for (size_t i = 0; i < count; i++) {
        fprintf(json, "%s{\"node\": ", i ? ",\n" : "");
        json_string(json, rows[i].time.node);
        fprintf(json, ", \"kernel\": ");
        json_string(json, rows[i].time.kernel);
        fprintf(json, ", \"median_ms\": %.6g, \"share\": %.6g}", rows[i].median * 1e3,
                sum > 0 ? rows[i].median / sum : 0.0);
    }
    fprintf(json, "]");
}

int kernel_times_report(kernel_times *k, const octet_session *session, FILE *json)
{
    double sum = 0;
    row *rows = calloc(k->kernels + 1, sizeof *rows);
    int status = rows ? fill_rows(k, session, rows, &sum) : cli_error("out of memory");
    if (status == EXIT_DONE) {
        print_rows(rows, k->kernels, sum);
        if (json)
            write_rows(json, rows, k->kernels, sum);
    }
    free(rows);
    return status;
}

void kernel_times_free(kernel_times *k)
{
    free(k->seconds);
    *k = (kernel_times){0};
}
