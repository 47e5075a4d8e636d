/* octet tune: measures kernel variants and keeps what it finds; --show and --reset of that. */
#include "command_bench.h"
#include "fixed_inputs.h"
#include "json.h"
#include "shapes.h"

#include <inttypes.h>
#include <octet/experimental.h>
#include <stdlib.h>

typedef struct tuner {
    const cli_options *options;
    octet_context *context;
    FILE *json;
    size_t told; /* results so far */
} tuner;

static void write_result(FILE *json, const octet_tune_result *r, bool first)
{
    const struct {
        const char *key, *text;
    } texts[] = {{"problem", r->problem},
                 {"variant", r->variant},
                 {"usual_variant", r->usual_variant},
                 {"dropped", r->dropped}};
    fprintf(json, "%s{", first ? "" : ",\n");
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        fprintf(json, "\"%s\": ", texts[i].key);
        json_string(json, texts[i].text);
        fprintf(json, ", ");
    }
    fprintf(json, "\"spread\": %" PRId64 ", \"seconds\": %.6g, \"usual_seconds\": %.6g, \"tried\": %zu}",
            r->spread, r->seconds, r->usual_seconds, r->tried);
}

static void print_choice(const octet_tune_result *r)
{
    char text[256];
    printf("%s: %s", cli_clean(text, sizeof text, r->problem), r->variant);
    if (r->spread)
        printf(" in %" PRId64, r->spread);
}

/* One problem measured. */
static int found(void *user, const octet_tune_result *r)
{
    tuner *t = user;
    char text[1100];
    cli_progress_end(t->options);
    print_choice(r);
    printf(", %.4f ms", r->seconds * 1e3);
    if (r->usual_seconds > 0 && r->seconds < r->usual_seconds)
        printf(", %.0f%% less than %s", 100 - 100 * r->seconds / r->usual_seconds, r->usual_variant);
    printf("; %zu tried\n", r->tried);
    if (*r->dropped)
        printf("   dropped: %s\n", cli_clean(text, sizeof text, r->dropped));
    fflush(stdout);
    if (t->json)
        write_result(t->json, r, t->told == 0);
    t->told++;
    if (r->index + 1 < r->count)
        cli_progress(t->options, "%zu of %zu ...", r->index + 1, r->count);
    return 0;
}

static void describe(tuner *t, octet_tune_desc *desc)
{
    OCTET_INIT(*desc);
    desc->seconds = (double)t->options->seconds;
    desc->seed = (uint64_t)t->options->seed;
    desc->found = found;
    desc->user = t;
}

static int tune_product(void *user, const octet_gemm_desc *gemm)
{
    tuner *t = user;
    octet_tune_desc desc;
    describe(t, &desc);
    return octet_tune_gemm(t->context, gemm, &desc) == OCTET_OK ? EXIT_DONE : cli_octet_error();
}

/* Every input with --shape and --batch applied, other dynamic dimensions 1. */
static int take_inputs(const cli_options *options, const octet_model *model, octet_session_desc *session)
{
    size_t count = octet_model_input_count(model);
    octet_value_info *inputs = calloc(count + 1, sizeof *inputs);
    if (!inputs)
        return cli_error("out of memory");
    session->inputs = inputs;
    session->input_count = count;
    for (size_t i = 0; i < count; i++) {
        int status = shapes_input(options, model, i, &inputs[i]);
        if (status != EXIT_DONE)
            return status;
        for (int d = 0; d < inputs[i].rank; d++)
            inputs[i].dims[d] = inputs[i].dims[d] < 0 ? 1 : inputs[i].dims[d];
    }
    return EXIT_DONE;
}

static int tune_model(tuner *t, const char *path)
{
    octet_model *model = NULL;
    octet_tune_desc desc;
    octet_session_desc session;
    OCTET_INIT(session);
    describe(t, &desc);
    int status = fixed_load(t->options, t->context, path, &model);
    if (status == EXIT_DONE)
        status = take_inputs(t->options, model, &session);
    if (status == EXIT_DONE && octet_tune_model(model, &session, &desc) != OCTET_OK)
        status = cli_octet_error();
    free((void *)session.inputs);
    octet_model_destroy(model);
    return status;
}

static int show_row(void *user, const octet_tune_result *r)
{
    tuner *t = user;
    print_choice(r);
    printf("\n");
    if (t->json)
        write_result(t->json, r, r->index == 0);
    t->told++;
    return 0;
}

static int show(tuner *t)
{
    char path[1024], text[1024];
    if (octet_tuning_list(t->context, show_row, t) != OCTET_OK ||
        octet_tuning_file(t->context, path, sizeof path) != OCTET_OK)
        return cli_octet_error();
    if (!t->told)
        printf("nothing is known of this device; octet tune MODEL measures\n");
    if (!t->options->quiet && *path)
        printf("file: %s\n", cli_clean(text, sizeof text, path));
    return EXIT_DONE;
}

static int work(tuner *t)
{
    const cli_options *options = t->options;
    if (options->reset)
        return octet_tuning_reset(t->context) == OCTET_OK ? EXIT_DONE : cli_octet_error();
    if (options->show)
        return show(t);
    cli_progress(options, "measuring ...");
    int status = options->operands.count ? tune_model(t, options->operands.items[0])
                                         : bench_each_product(options, tune_product, t);
    cli_progress_end(options);
    if (status == EXIT_DONE && !t->told && !options->quiet)
        printf("there is no product or convolution in 8 bits to tune\n");
    return status;
}

int cli_tune(const cli_options *options)
{
    tuner t = {.options = options};
    int kinds = (options->operands.count > 0) + (options->gemms.count > 0) + (options->shapes != NULL) +
                options->show + options->reset;
    if (kinds != 1)
        return cli_usage("tune takes one thing: MODEL, --gemm MxNxK, --shapes FILE, --show or --reset");
    int status = bench_check_gemms(options);
    if (status == EXIT_DONE)
        status = cli_open_context(options, &t.context);
    if (status == EXIT_DONE)
        status = json_open(options, &t.json);
    if (t.json)
        fprintf(t.json, "{\"problems\": [");
    if (status == EXIT_DONE)
        status = work(&t);
    if (t.json)
        fprintf(t.json, "]}\n");
    status = json_close(options, t.json, status);
    octet_context_destroy(t.context);
    return status;
}
