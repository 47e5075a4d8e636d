/* octet inspect: a model's nodes, which run in int8, and what its weights weigh. Needs no device; with one
 * it also tells what a session would take there. */
#include "cli.h"
#include "fixed_inputs.h"
#include "shapes.h"
#include "tensors.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const path_names[] = {"int8", "float", "move", "refused"};
enum { PATHS = 4, NAME_WIDTH_MAX = 40 };

typedef struct totals {
    size_t nodes[PATHS];
    int64_t macs[PATHS];
    uint64_t weight_bytes[PATHS];
    size_t unknown; /* nodes whose work is not known */
} totals;

static void print_value(const char *title, const octet_value_info *info)
{
    char name[256], shape[256];
    printf("%-8s %s  %s\n", title, cli_clean(name, sizeof name, info->name),
           shape_text(shape, sizeof shape, info->dtype, info->rank, info->dims));
}

static int print_inputs(const octet_model *model)
{
    octet_value_info info;
    OCTET_INIT(info);
    for (size_t i = 0; i < octet_model_input_count(model); i++) {
        if (octet_model_input(model, i, &info) != OCTET_OK)
            return cli_octet_error();
        print_value("input", &info);
    }
    return EXIT_DONE;
}

/* What the file leaves open stays so; what it does not tell at all is inferred. */
static int print_outputs(const octet_model *model, const octet_inspection *inspection)
{
    octet_value_info info, inferred;
    OCTET_INIT(info);
    OCTET_INIT(inferred);
    for (size_t i = 0; i < octet_model_output_count(model); i++) {
        bool open = false;
        if (octet_model_output(model, i, &info) != OCTET_OK ||
            octet_inspection_output(inspection, i, &inferred) != OCTET_OK)
            return cli_octet_error();
        for (int d = 0; d < info.rank; d++)
            open = open || info.dims[d] < 0;
        print_value("output", open ? &info : &inferred);
    }
    return EXIT_DONE;
}

static int get_node(const octet_inspection *inspection, size_t index, octet_node_info *info)
{
    OCTET_INIT(*info);
    if (octet_inspection_node(inspection, index, info) != OCTET_OK)
        return cli_octet_error();
    if ((unsigned)info->path >= PATHS)
        info->path = OCTET_NODE_REFUSED;
    return EXIT_DONE;
}

static int print_node(const octet_inspection *inspection, size_t index, int width, totals *sum)
{
    char name[256], op[128], macs[32], reason[512];
    octet_node_info n;
    if (get_node(inspection, index, &n) != EXIT_DONE)
        return EXIT_FAILED;
    snprintf(macs, sizeof macs, "%" PRId64, n.macs);
    printf("%-*.*s  %-24.24s  %-7s  %14s  %12" PRIu64, width, width, cli_clean(name, sizeof name, n.name),
           cli_clean(op, sizeof op, n.op_type), path_names[n.path], n.macs < 0 ? "?" : macs, n.weight_bytes);
    if (n.path == OCTET_NODE_REFUSED)
        printf("  %s", cli_clean(reason, sizeof reason, n.reason));
    printf("\n");
    sum->nodes[n.path]++;
    sum->macs[n.path] += n.macs > 0 ? n.macs : 0;
    sum->unknown += n.macs < 0;
    sum->weight_bytes[n.path] += n.weight_bytes;
    return EXIT_DONE;
}

static void print_totals(const totals *sum)
{
    int64_t macs = 0;
    uint64_t weight_bytes = 0;
    char text[32];
    for (int i = 0; i < PATHS; i++) {
        macs += sum->macs[i];
        weight_bytes += sum->weight_bytes[i];
    }
    printf("\n");
    for (int i = 0; i < PATHS; i++) {
        if (sum->nodes[i])
            printf("%-8s %5zu nodes  %6.2f%% of %" PRId64 " multiply-adds\n", path_names[i], sum->nodes[i],
                   macs ? 100.0 * (double)sum->macs[i] / (double)macs : 0.0, macs);
    }
    if (sum->unknown)
        printf("%zu nodes of unknown shape are not counted\n", sum->unknown);
    printf("weights  %s (%" PRIu64 " bytes)\n", cli_bytes_text(text, sizeof text, weight_bytes),
           weight_bytes);
    if (sum->nodes[OCTET_NODE_REFUSED])
        printf("This model cannot run: the refused nodes say why.\n");
}

static int print_model(const octet_model *model, const octet_inspection *inspection)
{
    size_t count = octet_inspection_node_count(inspection);
    size_t width = strlen("node");
    totals sum = {0};
    if (print_inputs(model) != EXIT_DONE || print_outputs(model, inspection) != EXIT_DONE)
        return EXIT_FAILED;
    for (size_t i = 0; i < count; i++) {
        octet_node_info n;
        if (get_node(inspection, i, &n) != EXIT_DONE)
            return EXIT_FAILED;
        size_t length = n.name ? strlen(n.name) : 0;
        width = length > width ? length : width;
    }
    width = width > NAME_WIDTH_MAX ? NAME_WIDTH_MAX : width;
    printf("\n%-*s  %-24s  %-7s  %14s  %12s\n", (int)width, "node", "operator", "path", "multiply-adds",
           "weight bytes");
    for (size_t i = 0; i < count; i++) {
        if (print_node(inspection, i, (int)width, &sum) != EXIT_DONE)
            return EXIT_FAILED;
    }
    print_totals(&sum);
    return EXIT_DONE;
}

/* With --shape or --batch: everything that follows holds for these; the caller frees desc->inputs. */
static int take_shapes(const cli_options *options, const octet_model *model, octet_session_desc *desc)
{
    size_t count = octet_model_input_count(model);
    if (!options->dims.count && !options->batch)
        return EXIT_DONE;
    octet_value_info *infos = calloc(count ? count : 1, sizeof *infos);
    int status = infos ? EXIT_DONE : cli_error("out of memory");
    for (size_t i = 0; status == EXIT_DONE && i < count; i++) {
        status = shapes_input(options, model, i, &infos[i]);
        for (int d = 0; d < infos[i].rank; d++)
            infos[i].dims[d] = infos[i].dims[d] < 0 ? 1 : infos[i].dims[d];
    }
    desc->inputs = infos;
    desc->input_count = count;
    return status;
}

static octet_status load_fixed(octet_context *context, const char *path, const fixed_inputs *fixed,
                               octet_model **model)
{
    octet_model_desc desc;
    OCTET_INIT(desc);
    desc.fixed = fixed->items;
    desc.fixed_count = fixed->count;
    return octet_model_load(context, path, &desc, model);
}

/* What a session would take of a device, when there is one to plan for. */
static int print_memory(const cli_options *options, const fixed_inputs *fixed, const octet_session_desc *desc)
{
    char arena[32], weights[32], all[32], streamed[32], name[256], reason[512];
    octet_context *context = NULL;
    octet_model *model = NULL;
    octet_session_info takes;
    octet_device_info device;
    OCTET_INIT(takes);
    OCTET_INIT(device);
    octet_status status = cli_create_context(options, options->device, &context);
    if (status == OCTET_OK)
        status = octet_context_device(context, &device);
    if (status == OCTET_OK)
        status = load_fixed(context, options->operands.items[0], fixed, &model);
    if (status == OCTET_OK)
        status = octet_model_plan(model, desc, &takes);
    octet_model_destroy(model);
    octet_context_destroy(context);
    if (status != OCTET_OK && (options->device || options->memory_limit))
        return cli_octet_error();
    if (status != OCTET_OK) {
        printf("memory   not known: %s\n", cli_clean(reason, sizeof reason, octet_last_error()));
        return EXIT_DONE;
    }
    printf("memory   %s on %s: %s of packed weights, %s of activations at most at a time\n",
           cli_bytes_text(all, sizeof all, takes.device_bytes), cli_clean(name, sizeof name, device.name),
           cli_bytes_text(weights, sizeof weights, takes.weight_bytes),
           cli_bytes_text(arena, sizeof arena, takes.arena_bytes));
    if (takes.streamed_bytes)
        printf("streamed %s of weights in each run\n",
               cli_bytes_text(streamed, sizeof streamed, takes.streamed_bytes));
    return EXIT_DONE;
}

static int inspect(const cli_options *options, const octet_model *model, const octet_inspection *inspection,
                   const fixed_inputs *fixed, const octet_session_desc *desc)
{
    int status = print_model(model, inspection);
    if (status == EXIT_DONE)
        status = print_memory(options, fixed, desc);
    return status == EXIT_DONE ? shapes_check_strict(options, inspection) : status;
}

int cli_inspect(const cli_options *options)
{
    octet_model *model = NULL;
    octet_inspection *inspection = NULL;
    octet_session_desc desc;
    fixed_inputs fixed;
    const char *path = options->operands.items[0];
    OCTET_INIT(desc);
    desc.memory_limit = options->memory_limit;
    int status = fixed_read(options, path, &fixed);
    if (status != EXIT_DONE)
        return status;
    if (load_fixed(NULL, path, &fixed, &model) != OCTET_OK)
        status = cli_octet_error();
    if (status == EXIT_DONE)
        status = take_shapes(options, model, &desc);
    if (status == EXIT_DONE)
        status = shapes_border(options, &desc.border);
    if (status == EXIT_DONE && octet_inspection_create(model, &desc, &inspection) != OCTET_OK)
        status = cli_octet_error();
    if (status == EXIT_DONE)
        status = inspect(options, model, inspection, &fixed, &desc);
    octet_inspection_destroy(inspection);
    octet_model_destroy(model);
    free((void *)desc.inputs);
    fixed_free(&fixed);
    return status;
}
