/* octet devices: what there is, and what matters of it for int8. */
#include "json.h"

#include <octet/experimental.h>

#include <stdio.h>
#include <string.h>

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
    if (d->distrusted[0])
        printf("   not used     %s: not exact with this driver\n",
               cli_clean(text, sizeof text, d->distrusted));
}

/* What is listed, and whether a kernel was found that is not exact. */
typedef struct listing {
    const cli_options *options;
    FILE *json; /* NULL: none */
    bool wrong;
} listing;

/* What trying the kernels of a device has found so far. */
typedef struct findings {
    const cli_options *options;
    size_t tried, wrong;
    char last[64]; /* the variant that was named last */
} findings;

static int on_kernel(void *user, const octet_kernel_check *k)
{
    findings *f = user;
    char text[256];
    f->tried++;
    cli_progress(f->options, "%zu kernels tried: %s", f->tried, k->variant);
    if (k->exact)
        return 0;
    f->wrong++;
    if (strcmp(f->last, k->variant) == 0)
        return 0;
    cli_progress_end(f->options);
    printf("   not exact    %s: %s\n", k->variant, cli_clean(text, sizeof text, k->program));
    snprintf(f->last, sizeof f->last, "%s", k->variant);
    return 0;
}

/* Every kernel that names instructions, beside the reference. Its line, and JSON's two numbers. */
static int check_device(listing *l, octet_context *context)
{
    findings f = {.options = l->options};
    int status = octet_context_check(context, on_kernel, &f) == OCTET_OK ? EXIT_DONE : cli_octet_error();
    cli_progress_end(l->options);
    if (status != EXIT_DONE)
        return status;
    if (f.tried == 0)
        printf("   checked      nothing: plain OpenCL C is all that is used here\n");
    else if (f.wrong == 0)
        printf("   checked      %zu kernels that name instructions: all exact\n", f.tried);
    else
        printf("   checked      %zu kernels that name instructions: %zu are not exact, and are not used\n",
               f.tried, f.wrong);
    if (l->json)
        fprintf(l->json, ", \"checked\": %zu, \"not_exact\": %zu", f.tried, f.wrong);
    l->wrong |= f.wrong > 0;
    return EXIT_DONE;
}

static void write_device(FILE *json, const octet_device_info *d)
{
    const struct {
        const char *key, *text;
    } texts[] = {{"name", d->name},     {"vendor", d->vendor},        {"platform", d->platform},
                 {"driver", d->driver}, {"type", type_name(d->type)}, {"dot", d->dot4},
                 {"matrix", d->matrix}, {"distrusted", d->distrusted}};
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
    fprintf(json, "\"unified_memory\": %s, \"available\": %s", d->unified_memory ? "true" : "false",
            d->available ? "true" : "false");
}

/* A device and, where that is asked for, what trying its kernels gives; `context` is on it, or NULL. */
static int show_device(listing *l, const octet_device_info *d, octet_context *context)
{
    int status = EXIT_DONE;
    print_device(d);
    if (l->json)
        write_device(l->json, d);
    if (context)
        status = check_device(l, context);
    if (l->json)
        fprintf(l->json, "}");
    return status;
}

/* What --device selects. */
static int print_selected(listing *l)
{
    octet_context *context = NULL;
    octet_device_info info;
    OCTET_INIT(info);
    int status = cli_open_context(l->options, &context);
    if (status == EXIT_DONE && octet_context_device(context, &info) != OCTET_OK)
        status = cli_octet_error();
    if (status == EXIT_DONE)
        status = show_device(l, &info, l->options->check ? context : NULL);
    octet_context_destroy(context);
    return status;
}

/* Device `index` of all. One that cannot be used is listed, and not checked. */
static int print_one(listing *l, size_t index)
{
    octet_context *context = NULL;
    octet_device_info info;
    char name[24];
    OCTET_INIT(info);
    if (octet_device_get(index, &info) != OCTET_OK)
        return cli_octet_error();
    snprintf(name, sizeof name, "%zu", index);
    if (l->options->check && info.available && cli_create_context(l->options, name, &context) != OCTET_OK)
        return cli_octet_error();
    printf("%s%zu: ", index ? "\n" : "", index);
    if (l->json && index)
        fprintf(l->json, ",\n");
    int status = show_device(l, &info, context);
    octet_context_destroy(context);
    return status;
}

static int print_all(listing *l)
{
    size_t count = 0;
    int status = EXIT_DONE;
    if (octet_device_count(&count) != OCTET_OK)
        return cli_octet_error();
    if (count == 0)
        return print_selected(l); /* which tells why there is none */
    for (size_t i = 0; i < count && status == EXIT_DONE; i++)
        status = print_one(l, i);
    return status;
}

int cli_devices(const cli_options *options)
{
    listing l = {.options = options};
    int status = json_open(options, &l.json);
    if (l.json)
        fprintf(l.json, "[");
    if (status == EXIT_DONE)
        status = options->device ? print_selected(&l) : print_all(&l);
    if (l.json)
        fprintf(l.json, "]\n");
    status = json_close(options, l.json, status);
    return status == EXIT_DONE && l.wrong ? EXIT_FAILED : status;
}
