/* The option table: it drives parsing and every --help. */
#include "cli.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* KIND_MAYBE: a text that may be left out, then "". */
typedef enum option_kind { KIND_FLAG, KIND_TEXT, KIND_MAYBE, KIND_LIST, KIND_COUNT, KIND_SIZE } option_kind;

typedef struct option_row {
    const char *name;
    const char *value; /* what --help calls the value; NULL for a flag */
    unsigned commands; /* FOR_* */
    option_kind kind;
    size_t field;  /* of cli_options */
    long min, max; /* of a count */
    const char *help;
} option_row;

#define FIELD(name) offsetof(cli_options, name)

static const option_row rows[] = {
    {"input", "NAME=FILE", FOR_RUN, KIND_LIST, FIELD(inputs), 0, 0,
     "a tensor for an input, .npy or ONNX .pb; once per input"},
    {"image", "FILE", FOR_RUN, KIND_TEXT, FIELD(image), 0, 0,
     "a PNG or JPEG picture for the remaining input"},
    {"output", "DIR", FOR_RUN, KIND_TEXT, FIELD(output), 0, 0, "write each output to DIR/NAME.npy"},
    {"top", "K", FOR_RUN, KIND_COUNT, FIELD(top), 1, 1000000, "the K highest values of the first output"},
    {"labels", "FILE", FOR_RUN, KIND_TEXT, FIELD(labels), 0, 0, "names for --top, one a line"},
    {"gemm", "MxNxK[:TYPES]", FOR_BENCH | FOR_TUNE, KIND_LIST, FIELD(gemms), 0, 0,
     "a matrix product; TYPES of A, B and C, u8s8s32 by default"},
    {"shapes", "FILE", FOR_BENCH | FOR_TUNE, KIND_TEXT, FIELD(shapes), 0, 0,
     "the products of FILE, one a line"},
    {"show", NULL, FOR_TUNE, KIND_FLAG, FIELD(show), 0, 0, "what is known of the device, and in which file"},
    {"reset", NULL, FOR_TUNE, KIND_FLAG, FIELD(reset), 0, 0, "forget what is known of the device"},
    {"check", NULL, FOR_DEVICES, KIND_FLAG, FIELD(check), 0, 0,
     "try every kernel that names instructions beside the reference"},
    {"json", "FILE", FOR_DEVICES | FOR_VERIFY | FOR_BENCH | FOR_TUNE | FOR_COMPARE, KIND_TEXT, FIELD(json), 0,
     0, "write the results to FILE as well, as JSON"},
    {"variant", "NAME", FOR_BENCH, KIND_TEXT, FIELD(variant), 0, 0,
     "force a kernel variant for --gemm and --shapes"},
    {"kernels", NULL, FOR_BENCH, KIND_FLAG, FIELD(kernels), 0, 0,
     "of a MODEL: how long each kernel takes, the longest first"},
    {"seconds", "N", FOR_BENCH | FOR_TUNE, KIND_COUNT, FIELD(seconds), 0, 3600,
     "how long to measure each; 2 by default"},
    {"seed", "N", FOR_BENCH | FOR_TUNE, KIND_COUNT, FIELD(seed), 0, 2147483647,
     "of the random data; 1 by default"},
    {"batch", "N", FOR_INSPECT | FOR_RUN | FOR_BENCH | FOR_TUNE | FOR_QUANTIZE | FOR_COMPARE, KIND_COUNT,
     FIELD(batch), 1, 1000000, "what a dynamic first dimension is; 1 by default"},
    {"calibrate", "[NAME=]DIR", FOR_QUANTIZE, KIND_LIST, FIELD(calibration), 0, 0,
     "samples: a file or folder of .npy, .npz, .pb, PNG or JPEG; once per input"},
    {"inputs", "[NAME=]DIR", FOR_COMPARE, KIND_LIST, FIELD(calibration), 0, 0,
     "samples: a file or folder of .npy, .npz, .pb, PNG or JPEG; once per input"},
    {"output", "FILE", FOR_QUANTIZE, KIND_TEXT, FIELD(output), 0, 0, "the int8 network; -o for short"},
    {"activations", "TYPE", FOR_QUANTIZE, KIND_TEXT, FIELD(activations), 0, 0,
     "u8 (default), s8, u16 or s16; 16 bits are nearer to float, and slower"},
    {"format", "FORM", FOR_QUANTIZE, KIND_TEXT, FIELD(format), 0, 0,
     "qdq (default), or qoperator: integer operators in the file; the results are the same"},
    {"observer", "METHOD", FOR_QUANTIZE, KIND_TEXT, FIELD(observer), 0, 0,
     "minmax, average, percentile, entropy, mse, or best of them (default)"},
    {"percentile", "P", FOR_QUANTIZE, KIND_TEXT, FIELD(percentile), 0, 0, "of that method; 99.99 by default"},
    {"exclude", "NODE|OPERATOR", FOR_QUANTIZE, KIND_LIST, FIELD(excludes), 0, 0,
     "keep these float; any number of times"},
    {"wide", "NODE|OPERATOR", FOR_QUANTIZE, KIND_LIST, FIELD(wide), 0, 0,
     "these read 16-bit activations in a network of 8 bits; any number of times"},
    {"auto", "N", FOR_QUANTIZE, KIND_COUNT, FIELD(keep), 0, 10000, "keep the N layers higher that cost most"},
    {"raise", "HOW", FOR_QUANTIZE, KIND_TEXT, FIELD(raise), 0, 0,
     "what --auto keeps them in: float (default), or 16 for 16-bit activations"},
    {"per-tensor", NULL, FOR_QUANTIZE, KIND_FLAG, FIELD(per_tensor), 0, 0,
     "one scale for a layer's weights, not one a channel"},
    {"symmetric", NULL, FOR_QUANTIZE, KIND_FLAG, FIELD(symmetric), 0, 0,
     "zero points of activations in the middle"},
    {"reduce-range", NULL, FOR_QUANTIZE, KIND_FLAG, FIELD(reduce_range), 0, 0, "weights of 7 bits"},
    {"no-bias-correction", NULL, FOR_QUANTIZE, KIND_FLAG, FIELD(no_bias_correction), 0, 0,
     "leave biases as they are"},
    {"equalize", NULL, FOR_QUANTIZE, KIND_FLAG, FIELD(equalize), 0, 0,
     "cross-layer equalization of Conv, Relu, Conv chains"},
    {"smooth", "[=A]", FOR_QUANTIZE, KIND_MAYBE, FIELD(smooth), 0, 0,
     "SmoothQuant: scale channels between normalizations and the products they feed; A is 0.5 by default"},
    {"adaptive", NULL, FOR_QUANTIZE, KIND_FLAG, FIELD(adaptive), 0, 0,
     "round weights for the least error of the products, if it helps; takes longer. 16 bits have it anyway"},
    {"nearest", NULL, FOR_QUANTIZE, KIND_FLAG, FIELD(nearest), 0, 0,
     "round each weight to the nearest number, with 16-bit activations too"},
    {"split", "PERCENT", FOR_QUANTIZE, KIND_TEXT, FIELD(split), 0, 0,
     "16-bit activations: so much more work for weights of 16 bits where they cost most; 15 by default, 0: "
     "none"},
    {"integer-softmax", NULL, FOR_QUANTIZE, KIND_FLAG, FIELD(integer_softmax), 0, 0,
     "quantize a Softmax at the end too"},
    {"report", "FILE.html", FOR_QUANTIZE, KIND_TEXT, FIELD(report), 0, 0,
     "a page with histograms, and what each layer costs"},
    {"layers", NULL, FOR_COMPARE, KIND_FLAG, FIELD(layers), 0, 0,
     "every tensor that both models have, by name, not the outputs alone"},
    {"all", NULL, FOR_QUANTIZE, KIND_FLAG, FIELD(all), 0, 0, "every tensor in the table, not the worst ten"},
    {"samples", "N", FOR_QUANTIZE | FOR_COMPARE, KIND_COUNT, FIELD(samples), 1, 1000000,
     "use the first N; all by default"},
    {"scale", "S", FOR_QUANTIZE | FOR_COMPARE, KIND_TEXT, FIELD(scale), 0, 0,
     "8-bit samples of a float input: x * S; 1/255 by default"},
    {"mean", "M[,M,M]", FOR_QUANTIZE | FOR_COMPARE, KIND_TEXT, FIELD(mean), 0, 0,
     "pictures: (x * S - M) / D, for each channel"},
    {"std", "D[,D,D]", FOR_QUANTIZE | FOR_COMPARE, KIND_TEXT, FIELD(std), 0, 0, "see --mean"},
    {"bgr", NULL, FOR_QUANTIZE | FOR_COMPARE, KIND_FLAG, FIELD(bgr), 0, 0, "pictures: blue first"},
    {"size", "HxW", FOR_QUANTIZE | FOR_COMPARE, KIND_TEXT, FIELD(size), 0, 0,
     "pictures, where the model leaves it open; their own by default"},
    {"memory-limit", "SIZE", FOR_INSPECT | FOR_RUN | FOR_BENCH, KIND_SIZE, FIELD(memory_limit), 0, 0,
     "device memory to use at most, like 64M or 1G; weights that do not fit are streamed"},
    {"memory-limit", "SIZE", FOR_QUANTIZE | FOR_COMPARE, KIND_SIZE, FIELD(memory_limit), 0, 0,
     "memory for samples, and for a network on the device; a quarter of the machine's by default"},
    {"border", "WHERE", FOR_INSPECT | FOR_RUN | FOR_BENCH, KIND_TEXT, FIELD(border), 0, 0,
     "who quantizes float inputs and dequantizes outputs: host, device, or auto (default), what moves less"},
    {"shape", "[NAME=]DIMS", FOR_INSPECT | FOR_RUN | FOR_BENCH | FOR_TUNE, KIND_LIST, FIELD(dims), 0, 0,
     "of an input, like 1x3x224x224, where the model leaves it open; once per input"},
    {"fix", "NAME=VALUE", FOR_INSPECT | FOR_RUN | FOR_BENCH | FOR_TUNE | FOR_QUANTIZE | FOR_COMPARE,
     KIND_LIST, FIELD(fixed), 0, 0,
     "an input is this number, or the tensor of this file, for good: what an If hangs on"},
    {"strict-int8", NULL, FOR_INSPECT | FOR_RUN | FOR_BENCH, KIND_FLAG, FIELD(strict_int8), 0, 0,
     "an error if any node would compute in float, or not at all"},
    {"device", "INDEX|NAME", FOR_ALL, KIND_TEXT, FIELD(device), 0, 0,
     "its index or part of its name; else OCTET_DEVICE, else the best. run, bench: also a list, or all"},
    {"survive", NULL, FOR_RUN | FOR_BENCH, KIND_FLAG, FIELD(survive), 0, 0,
     "of several devices: when one is lost, the others do its part; an error by default"},
    {"quiet", NULL, FOR_ALL, KIND_FLAG, FIELD(quiet), 0, 0, "results only: no times, no progress"},
    {"verbose", NULL, FOR_ALL, KIND_FLAG, FIELD(verbose), 0, 0,
     "a line for each choice on standard error: device, passes, variants, caches; or OCTET_VERBOSE=1"},
    {"help", NULL, FOR_ALL, KIND_FLAG, FIELD(help), 0, 0, "this text"},
    {"version", NULL, FOR_ALL, KIND_FLAG, FIELD(version), 0, 0, "the version of Octet"},
};
enum { ROWS = sizeof rows / sizeof rows[0] };

static const option_row *find(const cli_command *command, const char *name, size_t length)
{
    for (size_t i = 0; i < ROWS; i++) {
        if ((rows[i].commands & command->bit) && strlen(rows[i].name) == length &&
            memcmp(rows[i].name, name, length) == 0)
            return &rows[i];
    }
    return NULL;
}

static int append(cli_list *list, const char *item)
{
    const char **items = realloc(list->items, (list->count + 1) * sizeof *items);
    if (!items)
        return cli_error("out of memory");
    list->items = items;
    items[list->count++] = item;
    return EXIT_DONE;
}

/* "65536", "64K", "64M", "1G": powers of 1024. */
static int parse_size(const option_row *row, const char *value, uint64_t *size)
{
    static const char units[] = "KMG";
    char *end = NULL;
    errno = 0;
    unsigned long long number = strtoull(value, &end, 10);
    const char *unit = *end ? strchr(units, toupper((unsigned char)*end)) : NULL;
    int shift = unit ? 10 * (int)(unit - units + 1) : 0;
    bool ends = unit ? end[1] == '\0' : *end == '\0';
    if (!isdigit((unsigned char)value[0]) || !ends || errno || number == 0 || number > UINT64_MAX >> shift)
        return cli_usage("--%s takes bytes, or a number with K, M or G, not \"%s\"", row->name, value);
    *size = (uint64_t)number << shift;
    return EXIT_DONE;
}

static int store(const option_row *row, const char *value, cli_options *options)
{
    char *field = (char *)options + row->field;
    char *end = NULL;
    long count;
    switch (row->kind) {
    case KIND_FLAG:
        *(bool *)field = true;
        return EXIT_DONE;
    case KIND_TEXT:
    case KIND_MAYBE:
        if (*(const char **)field)
            return cli_usage("--%s is given twice", row->name);
        *(const char **)field = value;
        return EXIT_DONE;
    case KIND_LIST:
        return append((cli_list *)field, value);
    case KIND_SIZE:
        return parse_size(row, value, (uint64_t *)field);
    case KIND_COUNT:
        break;
    }
    errno = 0;
    count = strtol(value, &end, 10);
    if (!isdigit((unsigned char)value[0]) || *end || errno || count < row->min || count > row->max)
        return cli_usage("--%s takes a whole number from %ld to %ld, not \"%s\"", row->name, row->min,
                         row->max, value);
    *(long *)field = count;
    return EXIT_DONE;
}

/* One option at argv[*at]; *at is moved past its value. */
static int parse_option(const cli_command *command, int argc, char **argv, int *at, cli_options *options)
{
    const char *name = strcmp(argv[*at], "-o") == 0 ? "output" : argv[*at] + 2;
    const char *equals = strchr(name, '=');
    const option_row *row = find(command, name, equals ? (size_t)(equals - name) : strlen(name));
    if (!row)
        return cli_usage("%s has no option \"%s\"; octet %s --help lists them", command->name, argv[*at],
                         command->name);
    if (row->kind == KIND_FLAG)
        return equals ? cli_usage("--%s takes no value", row->name) : store(row, NULL, options);
    if (equals || row->kind == KIND_MAYBE)
        return store(row, equals ? equals + 1 : "", options);
    if (*at + 1 >= argc)
        return cli_usage("--%s needs a value: --%s %s", row->name, row->name, row->value);
    return store(row, argv[++*at], options);
}

int cli_parse(const cli_command *command, int argc, char **argv, cli_options *options)
{
    bool only_operands = false;
    memset(options, 0, sizeof *options);
    options->seconds = 2;
    options->seed = 1;
    for (int i = 0; i < argc; i++) {
        int status;
        if (only_operands || argv[i][0] != '-' || argv[i][1] == '\0')
            status = append(&options->operands, argv[i]);
        else if (strcmp(argv[i], "--") == 0)
            status = !(only_operands = true);
        else if (strcmp(argv[i], "-h") == 0)
            status = !(options->help = true);
        else if (argv[i][1] != '-' && strcmp(argv[i], "-o") != 0)
            status = cli_usage("%s has no option \"%s\"; octet %s --help lists them", command->name, argv[i],
                               command->name);
        else
            status = parse_option(command, argc, argv, &i, options);
        if (status != EXIT_DONE)
            return status;
    }
    if (options->help || options->version)
        return EXIT_DONE;
    if (options->operands.count < (size_t)command->operands_min)
        return cli_usage("%s needs more: octet %s %s", command->name, command->name, command->usage);
    if (command->operands_max >= 0 && options->operands.count > (size_t)command->operands_max)
        return cli_usage("%s does not take \"%s\": octet %s %s", command->name,
                         options->operands.items[command->operands_max], command->name, command->usage);
    return EXIT_DONE;
}

void cli_options_free(cli_options *options)
{
    free(options->inputs.items);
    free(options->gemms.items);
    free(options->operands.items);
    free(options->calibration.items);
    free(options->excludes.items);
    free(options->wide.items);
    free(options->fixed.items);
    free(options->dims.items);
    memset(options, 0, sizeof *options);
}

static void print_option(const option_row *row)
{
    char left[64];
    const char *between = row->kind == KIND_MAYBE ? "" : " "; /* its value has the = */
    snprintf(left, sizeof left, "--%s%s%s", row->name, row->value ? between : "",
             row->value ? row->value : "");
    printf("  %-24s %s\n", left, row->help);
}

static void print_command_help(const cli_command *command)
{
    printf("octet %s%s%s\n\n%s.\n", command->name, *command->usage ? " " : "", command->usage,
           command->about);
    if (*command->more)
        printf("\n%s\n", command->more);
    printf("\nOptions:\n");
    for (size_t i = 0; i < ROWS; i++) {
        if (rows[i].commands & command->bit)
            print_option(&rows[i]);
    }
}

void cli_print_help(const cli_command *command)
{
    if (command) {
        print_command_help(command);
        return;
    }
    printf("octet: neural networks in int8 on any OpenCL device\n\n");
    for (const cli_command *c = cli_commands; c->name; c++)
        printf("  octet %-8s %-36s %s\n", c->name, c->usage, c->about);
    printf("\nFor every command:\n");
    for (size_t i = 0; i < ROWS; i++) {
        if (rows[i].commands == FOR_ALL)
            print_option(&rows[i]);
    }
    printf("\n`octet COMMAND --help` tells more. Exit status: 0 done, 1 the run failed, 2 wrong usage.\n"
           "Start with: octet devices\n");
}
