/* See quant_report.h. */
#include "quant_report.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct row {
    octet_quantized_info info;
} row;

static int read_rows(const octet_quantizer *q, row **rows, size_t *count, octet_quantize_result *result)
{
    *count = octet_quantizer_tensor_count(q);
    *rows = calloc(*count + 1, sizeof **rows);
    if (!*rows)
        return cli_error("out of memory");
    OCTET_INIT(*result);
    bool good = octet_quantizer_result(q, result) == OCTET_OK;
    for (size_t i = 0; good && i < *count; i++) {
        OCTET_INIT((*rows)[i].info);
        good = octet_quantizer_tensor(q, i, &(*rows)[i].info) == OCTET_OK;
    }
    return good ? EXIT_DONE : cli_octet_error();
}

/* What keeping a node higher would gain at most. */
static double best_gain(const octet_quantized_info *t)
{
    double gain = isnan(t->gain_db) ? -1e9 : t->gain_db;
    return isnan(t->gain16_db) ? gain : fmax(gain, t->gain16_db);
}

/* The worst first: the most gained by keeping the node higher, or the least signal to noise. */
static int worse_first(const void *a, const void *b)
{
    const octet_quantized_info *x = &((const row *)a)->info, *y = &((const row *)b)->info;
    double gain = best_gain(x), other = best_gain(y);
    if (gain != other)
        return gain > other ? -1 : 1;
    return x->snr_db < y->snr_db ? -1 : x->snr_db > y->snr_db;
}

static const char *decibel_text(char *text, size_t size, double db)
{
    if (isnan(db))
        snprintf(text, size, "-");
    else if (isinf(db))
        snprintf(text, size, "exact");
    else
        snprintf(text, size, "%.1f", db);
    return text;
}

static void print_result(const octet_quantize_result *r)
{
    printf("%zu samples, %zu layers in int8", r->samples, r->layers);
    if (r->kept)
        printf(", %zu kept higher", r->kept);
    if (r->smoothed)
        printf(", %zu normalizations smoothed", r->smoothed);
    if (r->split)
        printf(", %zu with weights of 16 bits", r->split);
    printf("; observer %s%s%s\n", octet_observer_name(r->observer),
           r->bias_correction ? ", biases corrected" : "", r->adaptive ? ", weights rounded adaptively" : "");
    printf("signal to noise of the outputs: %.2f dB; compared by ", r->snr_db);
    bool first = true;
    for (int o = 1; octet_observer_name((octet_observer)o); o++) {
        if (isnan(r->tried_db[o]))
            continue;
        printf("%s%s %.2f", first ? "" : ", ", octet_observer_name((octet_observer)o), r->tried_db[o]);
        first = false;
    }
    printf("\n");
}

int quant_report_print(const cli_options *options, const octet_quantizer *q)
{
    row *rows = NULL;
    size_t count;
    octet_quantize_result result;
    int status = read_rows(q, &rows, &count, &result);
    if (status == EXIT_DONE && !options->quiet) {
        qsort(rows, count, sizeof *rows, worse_first);
        size_t shown = options->all || count < 10 ? count : 10;
        printf("%-36s %-14s %9s %9s %10s %5s %9s %7s %7s %7s\n",
               shown < count ? "the worst tensors" : "tensor", "made by", "low", "high", "scale", "zero",
               "saturated", "SNR dB", "float", "16 bits");
        for (size_t i = 0; i < shown; i++) {
            const octet_quantized_info *t = &rows[i].info;
            char name[64], op[32], snr[16], gain[16], gain16[16];
            printf("%-36.36s %-14.14s %9.4g %9.4g %10.4g %5d %8.3f%% %7s %7s %7s\n",
                   cli_clean(name, sizeof name, t->tensor),
                   cli_clean(op, sizeof op, *t->op_type ? t->op_type : "input"), t->lo, t->hi,
                   (double)t->scale, t->zero_point, 100 * t->saturated,
                   decibel_text(snr, sizeof snr, t->snr_db), decibel_text(gain, sizeof gain, t->gain_db),
                   decibel_text(gain16, sizeof gain16, t->gain16_db));
        }
    }
    if (status == EXIT_DONE)
        print_result(&result);
    free(rows);
    return status;
}

/* ---- the page ------------------------------------------------------------------------------------------ */

static void put_text(FILE *f, const char *text)
{
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '<' || c == '>' || c == '&' || c == '"')
            fprintf(f, "&#%d;", c);
        else
            fputc(c < 32 || c == 127 ? '?' : c, f);
    }
}

enum { BARS = 96, PICTURE_WIDTH = 288, PICTURE_HEIGHT = 44 };

/* The histogram, its heights logarithmic, and the range that 8 bits hold as a band behind it. */
static void put_histogram(FILE *f, const octet_quantized_info *t)
{
    double sums[BARS] = {0}, most = 0;
    double lo = fmin(t->seen_lo, t->lo), hi = fmax(t->seen_hi, t->hi), width = hi - lo;
    if (!(width > 0))
        return;
    for (size_t i = 0; i < t->bins; i++) {
        double at = (t->bin_lo + ((double)i + 0.5) * t->bin_width - lo) / width * BARS;
        int bar = (int)fmin(fmax(at, 0), BARS - 1);
        sums[bar] += (double)t->histogram[i];
    }
    for (int i = 0; i < BARS; i++)
        most = fmax(most, log1p(sums[i]));
    double step = (double)PICTURE_WIDTH / BARS, from = (t->lo - lo) / width * PICTURE_WIDTH,
           to = (t->hi - lo) / width * PICTURE_WIDTH;
    fprintf(f,
            "<svg width=\"%d\" height=\"%d\"><rect class=\"held\" x=\"%.1f\" y=\"0\" width=\"%.1f\" "
            "height=\"%d\"/>",
            PICTURE_WIDTH, PICTURE_HEIGHT, from, fmax(to - from, 1), PICTURE_HEIGHT);
    fprintf(f, "<path d=\"");
    for (int i = 0; i < BARS && most > 0; i++) {
        double height = log1p(sums[i]) / most * (PICTURE_HEIGHT - 2);
        if (sums[i] > 0)
            fprintf(f, "M%.1f %dh%.1fv%.1fh%.1fz", i * step, PICTURE_HEIGHT, step, -height, -step);
    }
    fprintf(f, "\"/></svg>");
}

static void put_row(FILE *f, size_t index, const octet_quantized_info *t)
{
    char snr[16], gain[16], gain16[16];
    fprintf(f, "<tr><td>%zu</td><td>", index + 1);
    put_text(f, t->tensor);
    fprintf(f, "</td><td>");
    put_text(f, *t->op_type ? t->op_type : "input");
    fprintf(f, " ");
    put_text(f, t->node);
    fprintf(f,
            "</td><td>%.4g … %.4g</td><td>%.4g … %.4g</td><td>%.4g</td><td>%d</td><td>%.3f%%</td><td>%s</td>"
            "<td>%s</td><td>%s</td><td>",
            t->seen_lo, t->seen_hi, t->lo, t->hi, (double)t->scale, t->zero_point, 100 * t->saturated,
            decibel_text(snr, sizeof snr, t->snr_db), decibel_text(gain, sizeof gain, t->gain_db),
            decibel_text(gain16, sizeof gain16, t->gain16_db));
    put_histogram(f, t);
    fprintf(f, "</td></tr>\n");
}

/* Signal to noise along the network. */
static void put_profile(FILE *f, const row *rows, size_t count)
{
    const int height = 160;
    double most = 1;
    for (size_t i = 0; i < count; i++)
        most = isfinite(rows[i].info.snr_db) ? fmax(most, rows[i].info.snr_db) : most;
    double step = count ? fmax(4, fmin(24, 1000.0 / (double)count)) : 4;
    fprintf(f, "<h2>Signal to noise, tensor by tensor</h2><svg width=\"%.0f\" height=\"%d\">",
            step * (double)count + 60, height + 20);
    for (int db = 0; db <= (int)most; db += 10)
        fprintf(f,
                "<line x1=\"36\" x2=\"%.0f\" y1=\"%.1f\" y2=\"%.1f\"/><text x=\"0\" y=\"%.1f\">%d dB</text>",
                step * (double)count + 40, height - db / most * height + 10, height - db / most * height + 10,
                height - db / most * height + 14, db);
    for (size_t i = 0; i < count; i++) {
        double db = rows[i].info.snr_db, bar = fmax(isfinite(db) ? db : most, 0.5) / most * height;
        fprintf(f, "<rect class=\"bar\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"><title>",
                40 + step * (double)i, height - bar + 10, step - 1, bar);
        put_text(f, rows[i].info.tensor);
        fprintf(f, ": %.1f dB</title></rect>", db);
    }
    fprintf(f, "</svg>\n");
}

static void put_page(FILE *f, const char *model, const octet_quantize_result *r, row *rows, size_t count)
{
    fprintf(f, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>octet quantize: ");
    put_text(f, model);
    fprintf(f,
            "</title><style>body{font:14px sans-serif;margin:2em;color:#222}table{border-collapse:collapse}"
            "td,th{padding:2px 8px;border-bottom:1px solid #ddd;text-align:left;white-space:nowrap}"
            "svg text{font-size:10px;fill:#666}svg line{stroke:#eee}.held{fill:#d9e8f6}"
            ".bar,svg path{fill:#2f6fab}</style></head><body>\n<h1>");
    put_text(f, model);
    fprintf(f,
            "</h1>\n<p>%zu samples, %zu layers in int8, %zu kept higher, %zu with weights of 16 bits. "
            "Observer: %s%s%s. Signal to noise of "
            "the outputs: <b>%.2f dB</b>.</p>\n",
            r->samples, r->layers, r->kept, r->split, octet_observer_name(r->observer),
            r->bias_correction ? ", biases corrected" : "", r->adaptive ? ", weights rounded adaptively" : "",
            r->snr_db);
    put_profile(f, rows, count);
    qsort(rows, count, sizeof *rows, worse_first);
    fprintf(f, "<h2>Tensors, those that hurt most first</h2><p>Gain: what the outputs would gain, in dB, if "
               "the node that makes the tensor stayed float (<code>--exclude</code>), or read 16-bit "
               "activations (<code>--wide</code>); <code>--auto</code> takes the highest. The band "
               "behind a histogram is what the bits hold; heights are logarithmic, zeros are left out.</p>\n"
               "<table><tr><th></th><th>tensor</th><th>made by</th><th>seen</th><th>held</th><th>scale</th>"
               "<th>zero</th><th>saturated</th><th>SNR dB</th><th>gain in float</th><th>in 16 bits</th>"
               "<th>histogram</th></tr>\n");
    for (size_t i = 0; i < count; i++)
        put_row(f, i, &rows[i].info);
    fprintf(f, "</table></body></html>\n");
}

int quant_report_html(const octet_quantizer *q, const char *model, FILE *page)
{
    row *rows = NULL;
    size_t count;
    octet_quantize_result result;
    int status = read_rows(q, &rows, &count, &result);
    if (status == EXIT_DONE)
        put_page(page, model, &result, rows, count);
    free(rows);
    return status;
}
