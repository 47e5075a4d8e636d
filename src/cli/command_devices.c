/* octet devices: what there is, and what matters of it for int8. */
#include "json.h"

#include <stdio.h>

static const char *type_name(octet_device_type type)
{
    return type == OCTET_DEVICE_GPU ? "GPU" : type == OCTET_DEVICE_ACCELERATOR ? "accelerator" : "CPU";
}

static void print_device(const octet_device_info *d)
{
    char text[256], global[32], largest[32], local[32];
    printf("%s%s\n", cli_clean(text, sizeof text, d->name), d->available ? "" : "  (cannot be used)");
    printf("   platform     %s\n", cli_clean(text, sizeof text, d->platform));
    printf("   driver       %s\n", cli_clean(text, sizeof text, d->driver));
    printf("   type         %s, %u compute units\n", type_name(d->type), (unsigned)d->compute_units);
    printf("   int8 dot     %s\n", cli_clean(text, sizeof text, d->dot4));
    printf("   int8 matrix  %s\n", cli_clean(text, sizeof text, d->matrix));
    printf("   memory       %s, %s at most in one buffer, %s\n",
           cli_bytes_text(global, sizeof global, d->global_bytes),
           cli_bytes_text(largest, sizeof largest, d->max_alloc_bytes),
           d->unified_memory ? "shared with the host" : "its own");
    printf("   local memory %s, %s", cli_bytes_text(local, sizeof local, d->local_bytes),
           d->local_is_dedicated ? "dedicated" : "part of global memory");
    if (d->local_bytes < d->local_said_bytes)
        printf("; the driver says %s, with which no kernel runs",
               cli_bytes_text(local, sizeof local, d->local_said_bytes));
    printf("\n");
}

static void write_device(FILE *json, const octet_device_info *d)
{
    const struct {
        const char *key, *text;
    } texts[] = {{"name", d->name},     {"vendor", d->vendor},        {"platform", d->platform},
                 {"driver", d->driver}, {"type", type_name(d->type)}, {"dot", d->dot4},
                 {"matrix", d->matrix}};
    const struct {
        const char *key;
        uint64_t value;
    } numbers[] = {{"global_bytes", d->global_bytes},
                   {"max_alloc_bytes", d->max_alloc_bytes},
                   {"local_bytes", d->local_bytes},
                   {"local_said_bytes", d->local_said_bytes},
                   {"compute_units", d->compute_units}};
    fprintf(json, "{");
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        fprintf(json, "\"%s\": ", texts[i].key);
        json_string(json, texts[i].text);
        fprintf(json, ", ");
    }
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        fprintf(json, "\"%s\": %llu, ", numbers[i].key, (unsigned long long)numbers[i].value);
    fprintf(json, "\"unified_memory\": %s, \"available\": %s}", d->unified_memory ? "true" : "false",
            d->available ? "true" : "false");
}

/* What --device selects. */
static int print_selected(const cli_options *options, FILE *json)
{
    octet_context *context = NULL;
    octet_device_info info;
    OCTET_INIT(info);
    int status = cli_open_context(options, &context);
    if (status == EXIT_DONE && octet_context_device(context, &info) != OCTET_OK)
        status = cli_octet_error();
    if (status == EXIT_DONE) {
        print_device(&info);
        if (json)
            write_device(json, &info);
    }
    octet_context_destroy(context);
    return status;
}

static int print_all(FILE *json)
{
    size_t count = 0;
    if (octet_device_count(&count) != OCTET_OK)
        return cli_octet_error();
    if (count == 0)
        return cli_error("there is no OpenCL device; install a driver (pocl-opencl-icd runs on any CPU)");
    for (size_t i = 0; i < count; i++) {
        octet_device_info info;
        OCTET_INIT(info);
        if (octet_device_get(i, &info) != OCTET_OK)
            return cli_octet_error();
        printf("%s%zu: ", i ? "\n" : "", i);
        print_device(&info);
        if (json) {
            fprintf(json, "%s", i ? ",\n" : "");
            write_device(json, &info);
        }
    }
    return EXIT_DONE;
}

int cli_devices(const cli_options *options)
{
    FILE *json = NULL;
    int status = json_open(options, &json);
    if (json)
        fprintf(json, "[");
    if (status == EXIT_DONE)
        status = options->device ? print_selected(options, json) : print_all(json);
    if (json)
        fprintf(json, "]\n");
    return json_close(options, json, status);
}
