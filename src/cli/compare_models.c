/* octet compare: two networks on the same inputs, and how far apart their outputs are. */
#include "cli.h"
#include "compare_layers.h"
#include "json.h"
#include "samples.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct agreement {
    double dot, a2, b2, noise, worst;
    size_t rows, same_top, different; /* different: elements that are not equal */
    size_t elements;
} agreement;

typedef struct side {
    octet_model *model;
    octet_session *session;
    tensor_list outputs;
} side;

static int open_side(const cli_options *options, octet_context *context, const char *path, side *s)
{
    int status = fixed_load_some(options, context, path, &s->model);
    if (status != EXIT_DONE)
        return status;
    if (octet_session_create(s->model, NULL, &s->session) != OCTET_OK)
        return cli_octet_error();
    return tensor_list_make(&s->outputs, octet_model_output_count(s->model));
}

static void close_side(side *s)
{
    tensor_list_free(&s->outputs);
    octet_session_destroy(s->session);
    octet_model_destroy(s->model);
}

static int run_side(side *s, const octet_tensor *inputs, size_t count)
{
    for (size_t i = 0; i < s->outputs.count; i++)
        octet_tensor_free(&s->outputs.items[i]);
    if (octet_session_run(s->session, inputs, count, s->outputs.items, s->outputs.count) != OCTET_OK)
        return cli_octet_error();
    return EXIT_DONE;
}

static int64_t highest(const octet_tensor *t, int64_t first, int64_t count)
{
    int64_t best = first;
    for (int64_t i = first; i < first + count; i++)
        best = tensor_value(t, i) > tensor_value(t, best) ? i : best;
    return best - first;
}

/* Top-1 is of each row along the last dimension. */
static int add_output(const char *name, const octet_tensor *a, const octet_tensor *b, agreement *sum)
{
    int64_t count = tensor_elements(a), row = a->rank ? a->dims[a->rank - 1] : 1;
    if (a->rank != b->rank || memcmp(a->dims, b->dims, (size_t)a->rank * sizeof *a->dims) != 0) {
        char x[256], y[256];
        return cli_error("output \"%s\": %s here, %s there", name,
                         shape_text(x, sizeof x, a->dtype, a->rank, a->dims),
                         shape_text(y, sizeof y, b->dtype, b->rank, b->dims));
    }
    for (int64_t i = 0; i < count; i++) {
        double x = tensor_value(a, i), y = tensor_value(b, i), d = fabs(x - y);
        sum->dot += x * y;
        sum->a2 += x * x;
        sum->b2 += y * y;
        sum->noise += d * d;
        sum->worst = fmax(sum->worst, d);
        sum->different += !(x == y);
    }
    sum->elements += (size_t)count;
    for (int64_t i = 0; row > 1 && i + row <= count; i += row) {
        sum->rows++;
        sum->same_top += highest(a, i, row) == highest(b, i, row);
    }
    return EXIT_DONE;
}

static int add_sample(const octet_model *model, side *a, side *b, const octet_tensor *inputs, size_t count,
                      agreement *sums)
{
    int status = run_side(a, inputs, count);
    if (status == EXIT_DONE)
        status = run_side(b, inputs, count);
    for (size_t i = 0; status == EXIT_DONE && i < a->outputs.count; i++) {
        octet_value_info info;
        OCTET_INIT(info);
        if (octet_model_output(model, i, &info) != OCTET_OK)
            return cli_octet_error();
        status = add_output(info.name, &a->outputs.items[i], &b->outputs.items[i], &sums[i]);
    }
    return status;
}

static double decibel(const agreement *s)
{
    return s->noise > 0 ? 10 * log10(s->a2 / s->noise) : INFINITY;
}

static double cosine(const agreement *s)
{
    double length = sqrt(s->a2) * sqrt(s->b2);
    return length > 0 ? s->dot / length : 1.0;
}

static double share_of_unequal(const agreement *s)
{
    return s->elements ? (double)s->different / (double)s->elements : 0.0;
}

static void write_sum(FILE *json, const char *name, const agreement *s)
{
    fprintf(json, "\n  {\"output\": ");
    json_string(json, name);
    fprintf(json, ", \"top1\": ");
    if (s->rows)
        fprintf(json, "%.6f", (double)s->same_top / (double)s->rows);
    else
        fprintf(json, "null");
    fprintf(json, ", \"snr_db\": ");
    json_decibel(json, decibel(s));
    fprintf(json, ", \"cosine\": %.9g, \"max_error\": %.9g, \"unequal\": %.9g}", cosine(s), s->worst,
            share_of_unequal(s));
}

static int print_sums(const octet_model *model, const agreement *sums, size_t count, size_t samples,
                      FILE *json)
{
    printf("%zu samples\n%-32s %9s %9s %10s %10s %10s\n", samples, "output", "top-1", "SNR dB", "cosine",
           "max error", "unequal");
    if (json)
        fprintf(json, "{\"samples\": %zu, \"outputs\": [", samples);
    for (size_t i = 0; i < count; i++) {
        const agreement *s = &sums[i];
        char name[64], top[16] = "-", snr[16] = "exact";
        octet_value_info info;
        OCTET_INIT(info);
        if (octet_model_output(model, i, &info) != OCTET_OK)
            return cli_octet_error();
        if (s->rows)
            snprintf(top, sizeof top, "%.2f%%", 100.0 * (double)s->same_top / (double)s->rows);
        if (s->noise > 0)
            snprintf(snr, sizeof snr, "%.2f", decibel(s));
        printf("%-32.32s %9s %9s %10.6f %10.4g %9.3f%%\n", cli_clean(name, sizeof name, info.name), top, snr,
               cosine(s), s->worst, 100 * share_of_unequal(s));
        if (json) {
            fprintf(json, "%s", i ? "," : "");
            write_sum(json, info.name, s);
        }
    }
    if (json)
        fprintf(json, "\n ]");
    return EXIT_DONE;
}

static int compare_on(const cli_options *options, side *a, side *b, const sample_set *set, FILE *json)
{
    agreement *sums = calloc(a->outputs.count + 1, sizeof *sums);
    octet_tensor *inputs = calloc(set->inputs + 1, sizeof *inputs);
    int status = sums && inputs ? EXIT_DONE : cli_error("out of memory");
    for (size_t i = 0; status == EXIT_DONE && i < set->count; i++) {
        cli_progress(options, "compare: %zu of %zu ...", i, set->count);
        samples_get(set, i, inputs);
        status = add_sample(a->model, a, b, inputs, set->inputs, sums);
    }
    cli_progress_end(options);
    if (status == EXIT_DONE)
        status = print_sums(a->model, sums, a->outputs.count, set->count, json);
    free(sums);
    free(inputs);
    return status;
}

static int read_inputs(const cli_options *options, const octet_model *model, sample_set *set)
{
    size_t count = octet_model_input_count(model);
    octet_value_info *infos = calloc(count + 1, sizeof *infos);
    int status = infos ? EXIT_DONE : cli_error("out of memory");
    for (size_t i = 0; status == EXIT_DONE && i < count; i++) {
        OCTET_INIT(infos[i]);
        if (octet_model_input(model, i, &infos[i]) != OCTET_OK)
            status = cli_octet_error();
    }
    if (status == EXIT_DONE)
        status = samples_read(options, &options->calibration, infos, count, set);
    free(infos);
    return status;
}

int cli_compare(const cli_options *options)
{
    octet_context *context = NULL;
    side a = {0}, b = {0};
    sample_set set = {0};
    fixed_inputs fixed = {0};
    FILE *json = NULL;
    if (!options->calibration.count)
        return cli_usage("on what? give --inputs with a folder of samples");
    int status = json_open(options, &json);
    if (status == EXIT_DONE)
        status = fixed_read_both(options, options->operands.items[0], options->operands.items[1], &fixed);
    if (status == EXIT_DONE)
        status = cli_open_context(options, &context);
    if (status == EXIT_DONE)
        status = open_side(options, context, options->operands.items[0], &a);
    if (status == EXIT_DONE)
        status = open_side(options, context, options->operands.items[1], &b);
    if (status == EXIT_DONE && (octet_model_input_count(a.model) != octet_model_input_count(b.model) ||
                                a.outputs.count != b.outputs.count))
        status = cli_error("the models have different numbers of inputs or outputs");
    if (status == EXIT_DONE)
        status = read_inputs(options, a.model, &set);
    if (status == EXIT_DONE)
        status = compare_on(options, &a, &b, &set, json);
    if (status == EXIT_DONE && options->layers)
        status = compare_layers(options, &fixed, context, &set, json);
    if (json && status == EXIT_DONE)
        fprintf(json, "}\n");
    status = json_close(options, json, status);
    fixed_free(&fixed);
    samples_free(&set);
    close_side(&a);
    close_side(&b);
    octet_context_destroy(context);
    return status;
}
