/* octet quantize: a float network and samples in, an int8 one out, and a report. */
#include "cli.h"
#include "fixed_inputs.h"
#include "quant_report.h"
#include "samples.h"
#include "used_files.h"

#include <math.h>
#include <octet/quantize.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static int find_observer(const char *name, octet_observer *observer)
{
    *observer = OCTET_OBSERVE_BEST;
    if (!name)
        return EXIT_DONE;
    for (int o = 0; octet_observer_name((octet_observer)o); o++) {
        if (strcmp(octet_observer_name((octet_observer)o), name) == 0) {
            *observer = (octet_observer)o;
            return EXIT_DONE;
        }
    }
    return cli_usage("--observer takes best, minmax, average, percentile, entropy or mse, not \"%s\"", name);
}

static int find_activations(const char *name, octet_dtype *dtype)
{
    static const octet_dtype known[] = {OCTET_U8, OCTET_S8, OCTET_U16, OCTET_S16};
    *dtype = OCTET_U8;
    if (!name)
        return EXIT_DONE;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        *dtype = known[i];
        if (strcmp(octet_dtype_name(known[i]), name) == 0)
            return EXIT_DONE;
    }
    return cli_usage("--activations takes u8, s8, u16 or s16, not \"%s\"", name);
}

static void show_progress(void *user, const char *step, size_t done, size_t total)
{
    cli_progress(user, "%s: %zu of %zu ...", step, done, total);
}

static int fill_desc(const cli_options *options, octet_quantize_desc *d)
{
    OCTET_INIT(*d);
    if (find_activations(options->activations, &d->activations) != EXIT_DONE)
        return EXIT_USAGE;
    if (options->percentile) {
        char *end;
        d->percentile = strtod(options->percentile, &end);
        if (end == options->percentile || *end || !(d->percentile > 50 && d->percentile <= 100))
            return cli_usage("--percentile takes a number above 50, up to 100, not \"%s\"",
                             options->percentile);
    }
    if (options->smooth) {
        char *end;
        d->smooth = *options->smooth ? strtod(options->smooth, &end) : 0.5;
        if (*options->smooth && (*end || !(d->smooth > 0 && d->smooth <= 1)))
            return cli_usage("--smooth takes a number above 0, up to 1, not \"%s\"", options->smooth);
    }
    if (options->format && strcmp(options->format, "qoperator") == 0)
        d->format = OCTET_FORMAT_QOPERATOR;
    else if (options->format && strcmp(options->format, "qdq") != 0)
        return cli_usage("--format takes qdq or qoperator, not \"%s\"", options->format);
    d->per_tensor = options->per_tensor;
    d->symmetric = options->symmetric;
    d->reduce_range = options->reduce_range;
    d->no_bias_correction = options->no_bias_correction;
    d->equalize = options->equalize;
    d->integer_softmax = options->integer_softmax;
    if (options->raise && strcmp(options->raise, "16") == 0)
        d->raise = OCTET_RAISE_16;
    else if (options->raise && strcmp(options->raise, "float") != 0)
        return cli_usage("--raise takes float or 16, not \"%s\"", options->raise);
    d->wide = options->wide.items;
    d->wide_count = options->wide.count;
    if (options->adaptive && options->nearest)
        return cli_usage("--adaptive and --nearest are two ways to round weights: give one of them");
    d->adaptive = options->nearest ? -1 : options->adaptive;
    if (options->split) {
        char *end;
        double percent = strtod(options->split, &end);
        if (!*options->split || *end || !(percent >= 0 && percent <= 100))
            return cli_usage("--split takes a percentage, 0 to 100, not \"%s\"", options->split);
        d->split = percent > 0 ? percent : -1;
    }
    d->exclude = options->excludes.items;
    d->exclude_count = options->excludes.count;
    d->auto_count = (int)options->keep;
    d->memory_limit = options->memory_limit;
    d->progress = show_progress;
    d->progress_user = (void *)options;
    return find_observer(options->observer, &d->observer);
}

static int read_samples(const cli_options *options, const octet_quantizer *q, sample_set *set)
{
    size_t inputs = octet_quantizer_input_count(q);
    octet_value_info *infos = calloc(inputs + 1, sizeof *infos);
    int status = infos ? EXIT_DONE : cli_error("out of memory");
    for (size_t i = 0; status == EXIT_DONE && i < inputs; i++) {
        OCTET_INIT(infos[i]);
        if (octet_quantizer_input(q, i, &infos[i]) != OCTET_OK)
            status = cli_octet_error();
    }
    if (status == EXIT_DONE)
        status = samples_read(options, &options->calibration, infos, inputs, set);
    free(infos);
    return status;
}

static int add_samples(const cli_options *options, octet_quantizer *q, const sample_set *set)
{
    octet_tensor *inputs = calloc(set->inputs + 1, sizeof *inputs);
    if (!inputs)
        return cli_error("out of memory");
    int status = EXIT_DONE;
    for (size_t i = 0; status == EXIT_DONE && i < set->count; i++) {
        cli_progress(options, "calibrate: %zu of %zu ...", i, set->count);
        samples_get(set, i, inputs);
        if (octet_quantizer_add(q, inputs, set->inputs) != OCTET_OK)
            status = cli_octet_error();
    }
    free(inputs);
    return status;
}

static double file_bytes(const char *path)
{
    struct stat about;
    return stat(path, &about) == 0 ? (double)about.st_size : NAN;
}

/* The model and its report: both are whole before either is put in its place. */
static int write_results(const cli_options *options, octet_quantizer *q, output_file *report)
{
    int status = octet_quantizer_write(q, NULL) == OCTET_OK ? EXIT_DONE : cli_octet_error();
    if (status == EXIT_DONE && options->report && octet_quantizer_measure_gains(q) != OCTET_OK)
        status = cli_octet_error();
    cli_progress_end(options);
    if (status == EXIT_DONE && options->report)
        status = quant_report_html(q, options->operands.items[0], report->out.stream);
    if (status == EXIT_DONE && options->report)
        status = output_finish(report);
    if (status == EXIT_DONE && octet_quantizer_write(q, options->output) != OCTET_OK)
        status = cli_octet_error();
    if (status == EXIT_DONE && options->report)
        status = output_commit(report, 1);
    return status;
}

static int quantize(const cli_options *options, octet_quantizer *q, output_file *report)
{
    sample_set set = {0};
    const char *from = options->operands.items[0];
    int status = read_samples(options, q, &set);
    if (status == EXIT_DONE)
        status = add_samples(options, q, &set);
    samples_free(&set);
    if (status == EXIT_DONE)
        status = write_results(options, q, report);
    if (status == EXIT_DONE)
        status = quant_report_print(options, q);
    if (status == EXIT_DONE)
        printf("%s: %.3f of the bytes of %s\n", options->output,
               file_bytes(options->output) / file_bytes(from), from);
    return status;
}

int cli_quantize(const cli_options *options)
{
    octet_context *context = NULL;
    octet_quantizer *q = NULL;
    octet_quantize_desc desc;
    fixed_inputs fixed = {0};
    output_file report = {.out = {.folder = -1}};
    if (!options->calibration.count)
        return cli_usage("no calibration data: give --calibrate with a folder of samples");
    if (!options->output)
        return cli_usage("where to? give -o INT8.onnx");
    int status = fill_desc(options, &desc);
    if (status == EXIT_DONE)
        status = output_check(options->output);
    if (status == EXIT_DONE && options->report)
        status = output_open(options->report, &report);
    if (status == EXIT_DONE)
        status = fixed_read(options, options->operands.items[0], &fixed);
    desc.fixed = fixed.items;
    desc.fixed_count = fixed.count;
    if (status == EXIT_DONE)
        status = cli_open_context(options, &context);
    if (status == EXIT_DONE &&
        octet_quantizer_create(context, options->operands.items[0], &desc, &q) != OCTET_OK)
        status = cli_octet_error();
    if (status == EXIT_DONE)
        status = quantize(options, q, &report);
    cli_progress_end(options);
    output_abandon(&report, 1);
    fixed_free(&fixed);
    octet_quantizer_destroy(q);
    octet_context_destroy(context);
    return status;
}
