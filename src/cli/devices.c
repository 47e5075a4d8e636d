/* octet devices: what there is, and what matters of it for int8. */
#include "cli.h"

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
    printf("   local memory %s, %s\n", cli_bytes_text(local, sizeof local, d->local_bytes),
           d->local_is_dedicated ? "dedicated" : "part of global memory");
}

/* What --device selects. */
static int print_selected(const cli_options *options)
{
    octet_context *context = NULL;
    octet_device_info info;
    OCTET_INIT(info);
    int status = cli_open_context(options, &context);
    if (status == EXIT_DONE && octet_context_device(context, &info) != OCTET_OK)
        status = cli_octet_error();
    if (status == EXIT_DONE)
        print_device(&info);
    octet_context_destroy(context);
    return status;
}

int cli_devices(const cli_options *options)
{
    size_t count = 0;
    if (options->device)
        return print_selected(options);
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
    }
    return EXIT_DONE;
}
