/* octet run: one run of a model on inputs from files. */
#include "crew.h"
#include "npy.h"
#include "outputs.h"
#include "picture.h"
#include "shapes.h"
#include "tensors.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool shape_fits(const octet_value_info *expected, const octet_tensor *given)
{
    if (expected->dtype != given->dtype || expected->rank != given->rank)
        return false;
    for (int i = 0; i < expected->rank; i++) {
        if (expected->dims[i] >= 0 && expected->dims[i] != given->dims[i])
            return false;
    }
    return true;
}

static int read_input(const cli_options *options, const octet_model *model, const char *text,
                      tensor_list *inputs)
{
    octet_value_info info;
    const char *file;
    size_t found;
    int status = shapes_find_input(model, "input", text, &found, &file);
    if (status == EXIT_DONE)
        status = shapes_input(options, model, found, &info);
    if (status != EXIT_DONE)
        return status;
    octet_tensor *tensor = &inputs->items[found];
    if (tensor->dtype != OCTET_DTYPE_NONE)
        return cli_usage("input \"%s\" is given twice", info.name);
    if (tensor_read(file, tensor) != EXIT_DONE)
        return EXIT_FAILED;
    if (!shape_fits(&info, tensor)) {
        char want[256], got[256];
        return cli_error("input \"%s\": expected %s, given %s", info.name,
                         shape_text(want, sizeof want, info.dtype, info.rank, info.dims),
                         shape_text(got, sizeof got, tensor->dtype, tensor->rank, tensor->dims));
    }
    return EXIT_DONE;
}

/* --image for this input. */
static int read_image(const cli_options *options, const octet_value_info *info, octet_tensor *tensor)
{
    char want[256];
    picture image;
    int64_t channels = info->rank >= 3 ? info->dims[info->rank - 3] : 1;
    if (info->rank < 2 || info->rank > 4 || (channels != 1 && channels != 3 && channels >= 0) ||
        (info->dtype != OCTET_F32 && info->dtype != OCTET_U8))
        return cli_error("input \"%s\": expected %s; a picture is f32 or u8 [N, 1 or 3, height, width]",
                         info->name, shape_text(want, sizeof want, info->dtype, info->rank, info->dims));
    if (picture_read(options->image, channels == 1 ? 1 : 3, &image) != EXIT_DONE)
        return EXIT_FAILED;
    const int64_t known[] = {1, image.channels, image.height,
                             image.width}; /* what dynamic dimensions become */
    tensor->dtype = info->dtype;
    tensor->rank = info->rank;
    bool empty = false;
    for (int i = 0; i < info->rank; i++) {
        tensor->dims[i] = info->dims[i] < 0 ? known[4 - info->rank + i] : info->dims[i];
        empty |= tensor->dims[i] == 0;
    }
    int status = EXIT_DONE;
    if (octet_tensor_alloc(tensor) != OCTET_OK)
        status = cli_octet_error();
    else if (!empty)
        picture_fill(&image, tensor);
    picture_free(&image);
    return status;
}

static int gather_inputs(const cli_options *options, const octet_model *model, tensor_list *inputs)
{
    bool image_used = options->image == NULL;
    for (size_t i = 0; i < options->inputs.count; i++) {
        int status = read_input(options, model, options->inputs.items[i], inputs);
        if (status != EXIT_DONE)
            return status;
    }
    for (size_t i = 0; i < inputs->count; i++) {
        char want[256];
        octet_value_info info;
        if (inputs->items[i].dtype != OCTET_DTYPE_NONE)
            continue;
        int status = shapes_input(options, model, i, &info);
        if (status != EXIT_DONE)
            return status;
        if (image_used)
            return cli_error("input \"%s\" is missing: give --input %s=FILE with %s", info.name, info.name,
                             shape_text(want, sizeof want, info.dtype, info.rank, info.dims));
        if (read_image(options, &info, &inputs->items[i]) != EXIT_DONE)
            return EXIT_FAILED;
        image_used = true;
    }
    return image_used ? EXIT_DONE : cli_usage("--image has no input left: --input gives all of them");
}

/* A second run, for its time and its bytes: the first one pays for what drivers put off until then. */
static int report(const crew *devices, const tensor_list *inputs, tensor_list *outputs, double first_seconds,
                  uint64_t weight_bytes)
{
    char text[32];
    octet_counters counters;
    crew_reset_counters(devices);
    double start = cli_seconds_now();
    int status = crew_run(devices, inputs, outputs);
    double seconds = cli_seconds_now() - start;
    if (status == EXIT_DONE)
        status = crew_counters(devices, &counters);
    if (status != EXIT_DONE)
        return status;
    if (devices->count > 1)
        printf("devices: %zu\n", devices->count);
    printf("latency: %.3f ms (the first run: %.3f ms)\n", seconds * 1e3, first_seconds * 1e3);
    if (!counters.weight_bytes_up) /* else they are streamed */
        printf("weights to the device: %s, once\n", cli_bytes_text(text, sizeof text, weight_bytes));
    printf("each run: %llu bytes in, %llu bytes out, %llu bytes of weights; %llu launches, %llu waits\n",
           (unsigned long long)counters.input_bytes_up, (unsigned long long)counters.output_bytes_down,
           (unsigned long long)counters.weight_bytes_up, (unsigned long long)counters.launches,
           (unsigned long long)counters.waits);
    return EXIT_DONE;
}

static int run_sessions(const cli_options *options, crew *devices, const tensor_list *inputs,
                        tensor_list *outputs)
{
    octet_counters counters;
    cli_progress(options, "compiling and uploading ...");
    int status = crew_make_sessions(options, devices, inputs);
    double start = cli_seconds_now();
    if (status == EXIT_DONE)
        status = crew_run(devices, inputs, outputs);
    double seconds = cli_seconds_now() - start;
    if (status == EXIT_DONE)
        status = crew_counters(devices, &counters);
    cli_progress_end(options);
    if (status == EXIT_DONE)
        status = outputs_show(options, devices->members[0].model, outputs);
    if (status == EXIT_DONE && !options->quiet)
        status = report(devices, inputs, outputs, seconds, counters.weight_bytes_up);
    return status;
}

int cli_run(const cli_options *options)
{
    crew devices = {0};
    tensor_list inputs = {0}, outputs = {0};
    if (options->labels && !options->top)
        return cli_usage("--labels names what --top K shows; give both");
    int status = crew_open(options, &devices);
    if (status == EXIT_DONE)
        status = crew_load(options, &devices, options->operands.items[0]);
    const octet_model *model = devices.count ? devices.members[0].model : NULL;
    if (status == EXIT_DONE)
        status = tensor_list_make(&inputs, octet_model_input_count(model));
    if (status == EXIT_DONE)
        status = tensor_list_make(&outputs, octet_model_output_count(model));
    if (status == EXIT_DONE)
        status = gather_inputs(options, model, &inputs);
    if (status == EXIT_DONE)
        status = run_sessions(options, &devices, &inputs, &outputs);
    tensor_list_free(&inputs);
    tensor_list_free(&outputs);
    crew_close(&devices);
    return status;
}
