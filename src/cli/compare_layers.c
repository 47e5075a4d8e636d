/* See compare_layers.h. */
#include "compare_layers.h"
#include "json.h"

#include <math.h>
#include <octet/compare.h>
#include <stdlib.h>

void json_decibel(FILE *json, double db)
{
    if (isfinite(db))
        fprintf(json, "%.3f", db);
    else
        fprintf(json, "null");
}

static int read_infos(const octet_comparison *c, octet_compared_info *infos, size_t count, size_t *worst)
{
    *worst = count;
    for (size_t i = 0; i < count; i++) {
        OCTET_INIT(infos[i]);
        if (octet_comparison_tensor(c, i, &infos[i]) != OCTET_OK)
            return cli_octet_error();
        if (isfinite(infos[i].snr_db) && (*worst == count || infos[i].snr_db < infos[*worst].snr_db))
            *worst = i;
    }
    return EXIT_DONE;
}

static void print_infos(const octet_compared_info *infos, size_t count, size_t worst)
{
    printf("\n%-36s %-20s %9s %10s %10s\n", "tensor", "made by", "SNR dB", "cosine", "max error");
    for (size_t i = 0; i < count; i++) {
        const octet_compared_info *t = &infos[i];
        char name[64], op[32], snr[16] = "exact";
        if (isfinite(t->snr_db))
            snprintf(snr, sizeof snr, "%.2f", t->snr_db);
        printf("%-36.36s %-20.20s %9s %10.6f %10.4g%s\n", cli_clean(name, sizeof name, t->tensor),
               cli_clean(op, sizeof op, *t->op_type ? t->op_type : "input"), snr, t->cosine, t->max_error,
               i == worst ? "  <- the worst" : "");
    }
}

static void write_infos(FILE *json, const octet_compared_info *infos, size_t count)
{
    fprintf(json, ",\n \"layers\": [");
    for (size_t i = 0; i < count; i++) {
        const octet_compared_info *t = &infos[i];
        fprintf(json, "%s\n  {\"tensor\": ", i ? "," : "");
        json_string(json, t->tensor);
        fprintf(json, ", \"node\": ");
        json_string(json, t->node);
        fprintf(json, ", \"op\": ");
        json_string(json, t->op_type);
        fprintf(json, ", \"snr_db\": ");
        json_decibel(json, t->snr_db);
        fprintf(json, ", \"cosine\": %.9g, \"max_error\": %.9g}", t->cosine, t->max_error);
    }
    fprintf(json, "\n ]");
}

static int show(const octet_comparison *c, FILE *json)
{
    size_t count = octet_comparison_tensor_count(c), worst = count;
    octet_compared_info *infos = calloc(count + 1, sizeof *infos);
    int status = infos ? read_infos(c, infos, count, &worst) : cli_error("out of memory");
    if (status == EXIT_DONE) {
        print_infos(infos, count, worst);
        if (json)
            write_infos(json, infos, count);
    }
    free(infos);
    return status;
}

int compare_layers(const cli_options *options, const fixed_inputs *fixed, octet_context *context,
                   const sample_set *set, FILE *json)
{
    octet_comparison *c = NULL;
    octet_comparison_desc desc;
    OCTET_INIT(desc);
    desc.fixed = fixed->items;
    desc.fixed_count = fixed->count;
    desc.memory_limit = options->memory_limit;
    octet_tensor *inputs = calloc(set->inputs + 1, sizeof *inputs);
    int status = inputs ? EXIT_DONE : cli_error("out of memory");
    if (status == EXIT_DONE && octet_comparison_create(context, options->operands.items[0],
                                                       options->operands.items[1], &desc, &c) != OCTET_OK)
        status = cli_octet_error();
    for (size_t i = 0; status == EXIT_DONE && i < set->count; i++) {
        cli_progress(options, "layers: %zu of %zu ...", i, set->count);
        samples_get(set, i, inputs);
        if (octet_comparison_add(c, inputs, set->inputs) != OCTET_OK)
            status = cli_octet_error();
    }
    cli_progress_end(options);
    if (status == EXIT_DONE)
        status = show(c, json);
    octet_comparison_destroy(c);
    free(inputs);
    return status;
}
