/* octet bench: chooses between products and a model, and owns what both need. */
#include "command_bench.h"
#include "json.h"

#include <errno.h>
#include <octet/experimental.h>
#include <stdlib.h>
#include <string.h>

/* xorshift64*: Vigna, "An experimental exploration of Marsaglia's xorshift generators", 2016. */
static uint32_t next(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return (uint32_t)(*state * 0x2545F4914F6CDD1Du >> 32);
}

void bench_random(uint64_t *state, octet_dtype dtype, void *data, size_t count)
{
    size_t bytes = octet_dtype_bytes(dtype);
    unsigned char *at = data;
    for (size_t i = 0; i < count; i++, at += bytes) {
        uint32_t bits = next(state);
        if (dtype == OCTET_F32) {
            float value = (float)(bits >> 8) * 0x1p-23f - 1.0f;
            memcpy(at, &value, sizeof value);
        } else if (bytes <= 2 && dtype != OCTET_BOOL && dtype != OCTET_F16 && dtype != OCTET_BF16) {
            memcpy(at, &bits, bytes);
        } else {
            memset(at, 0, bytes);
            at[0] = dtype == OCTET_F16 || dtype == OCTET_BF16 || dtype == OCTET_F64 ? 0 : bits >> 31;
        }
    }
}

static int compare_times(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double bench_median(double *times, size_t count)
{
    qsort(times, count, sizeof *times, compare_times);
    return count % 2 ? times[count / 2] : (times[count / 2 - 1] + times[count / 2]) / 2;
}

double bench_percentile(const double *sorted, size_t count, int percent)
{
    size_t rank = (count * (size_t)percent + 99) / 100;
    return sorted[rank ? rank - 1 : 0];
}

double bench_ceiling(octet_context *context)
{
    double gops = 0;
    return octet_context_ceiling(context, &gops) == OCTET_OK && gops > 0 ? gops : 0;
}

int cli_bench(const cli_options *options)
{
    octet_context *context = NULL;
    FILE *json = NULL;
    int kinds = (options->operands.count > 0) + (options->gemms.count > 0) + (options->shapes != NULL);
    if (kinds != 1)
        return cli_usage("bench measures one thing: MODEL, --gemm MxNxK or --shapes FILE");
    if (options->operands.count && options->variant)
        return cli_usage("--variant is for --gemm and --shapes");
    if (!options->operands.count && options->batch)
        return cli_usage("--batch is for a MODEL");
    if (options->kernels && (!options->operands.count || cli_names_several(options)))
        return cli_usage("--kernels is for a MODEL on one device");
    int status = bench_check_gemms(options);
    if (status == EXIT_DONE && !options->operands.count)
        status = cli_open_context(options, &context);
    if (status == EXIT_DONE)
        status = json_open(options, &json);
    if (status == EXIT_DONE)
        status = options->operands.count ? bench_model(options, json) : bench_gemms(options, context, json);
    status = json_close(options, json, status);
    octet_context_destroy(context);
    return status;
}
