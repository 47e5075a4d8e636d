/* See outputs.h. */
#include "outputs.h"
#include "npy.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { NAME_MAX_CHARS = 200, PATH_CHARS = 4096, SHOWN = 8, LABEL_CHARS = 256 };

/* A file name made of an output's name, which is not trusted: no folders, no hidden files. */
static void file_name(char name[NAME_MAX_CHARS], const char *from)
{
    size_t i = 0;
    for (; from[i] && i + 1 < NAME_MAX_CHARS; i++) {
        unsigned char c = (unsigned char)from[i];
        bool plain = c < 128 && (isalnum(c) || c == '-' || c == '_' || (c == '.' && i));
        name[i] = plain ? from[i] : '_';
    }
    name[i] = '\0';
    if (i == 0)
        strcpy(name, "output");
}

static int output_name(const octet_model *model, size_t index, const char **name)
{
    octet_value_info info;
    OCTET_INIT(info);
    if (octet_model_output(model, index, &info) != OCTET_OK)
        return cli_octet_error();
    *name = info.name ? info.name : "";
    return EXIT_DONE;
}

/* Two names that make the same file name: the later one gets its index behind it. */
static int unique_file_name(const octet_model *model, size_t index, char *name, size_t size)
{
    const char *text = "";
    char mine[NAME_MAX_CHARS], other[NAME_MAX_CHARS];
    if (output_name(model, index, &text) != EXIT_DONE)
        return EXIT_FAILED;
    file_name(mine, text);
    snprintf(name, size, "%s", mine);
    for (size_t i = 0; i < index; i++) {
        if (output_name(model, i, &text) != EXIT_DONE)
            return EXIT_FAILED;
        file_name(other, text);
        if (strcmp(mine, other) == 0)
            snprintf(name, size, "%s__%zu", mine, index);
    }
    return EXIT_DONE;
}

static int write_all(const cli_options *options, const octet_model *model, const tensor_list *outputs)
{
    if (mkdir(options->output, 0777) != 0 && errno != EEXIST)
        return cli_error("%s: %s", options->output, strerror(errno));
    for (size_t i = 0; i < outputs->count; i++) {
        char name[NAME_MAX_CHARS + 32], path[PATH_CHARS], shape[256];
        const octet_tensor *t = &outputs->items[i];
        if (unique_file_name(model, i, name, sizeof name) != EXIT_DONE)
            return EXIT_FAILED;
        if ((size_t)snprintf(path, sizeof path, "%s/%s.npy", options->output, name) >= sizeof path)
            return cli_error("%s: the path is too long", options->output);
        if (npy_write(path, t) != EXIT_DONE)
            return EXIT_FAILED;
        if (!options->quiet)
            printf("%s  %s\n", path, shape_text(shape, sizeof shape, t->dtype, t->rank, t->dims));
    }
    return EXIT_DONE;
}

static void summarize(const char *name, const octet_tensor *t)
{
    char text[256], shape[256];
    int64_t count = tensor_elements(t), nans = 0;
    double min = INFINITY, max = -INFINITY, sum = 0;
    for (int64_t i = 0; i < count; i++) {
        double value = tensor_value(t, i);
        nans += isnan(value) != 0;
        if (isnan(value))
            continue;
        min = value < min ? value : min;
        max = value > max ? value : max;
        sum += value;
    }
    printf("%s  %s", cli_clean(text, sizeof text, name),
           shape_text(shape, sizeof shape, t->dtype, t->rank, t->dims));
    if (count > nans)
        printf("  min %.6g  max %.6g  mean %.6g", min, max, sum / (double)(count - nans));
    if (nans)
        printf("  %lld not numbers", (long long)nans);
    printf("\n ");
    for (int64_t i = 0; i < count && i < SHOWN; i++)
        printf(" %.6g", tensor_value(t, i));
    printf("%s\n", count > SHOWN ? " ..." : count ? "" : " (empty)");
}

/* Line `index` of the open file, "" past its end. */
static void find_label(FILE *file, int64_t index, char label[LABEL_CHARS])
{
    int64_t line = 0;
    int c;
    size_t used = 0;
    rewind(file);
    while (line <= index && (c = getc(file)) != EOF) {
        if (c == '\n')
            line++;
        else if (line == index && used + 1 < LABEL_CHARS && c != '\r')
            label[used++] = (char)c;
    }
    label[used] = '\0';
}

/* The `top` highest of `count` values from `first`; of equal ones the earlier first. NaN never wins. */
static void print_top(const octet_tensor *t, int64_t first, int64_t count, long top, FILE *labels)
{
    double last = INFINITY;
    int64_t last_at = -1;
    for (long rank = 0; rank < top && rank < count; rank++) {
        char label[LABEL_CHARS] = "", clean[LABEL_CHARS];
        double best = -INFINITY;
        int64_t best_at = -1;
        for (int64_t i = 0; i < count; i++) {
            double value = tensor_value(t, first + i);
            bool eligible = value < last || (value == last && i > last_at);
            if (eligible && (best_at < 0 || value > best)) {
                best = value;
                best_at = i;
            }
        }
        if (best_at < 0)
            break;
        if (labels)
            find_label(labels, best_at, label);
        printf("%5lld  %-12.6g %s\n", (long long)best_at, best, cli_clean(clean, sizeof clean, label));
        last = best;
        last_at = best_at;
    }
}

/* The first output, row by row of its first dimension when it has more than one. */
static void show_top(const cli_options *options, const octet_tensor *t, FILE *labels)
{
    int64_t count = tensor_elements(t), rows = t->rank > 1 && count ? t->dims[0] : 1;
    for (int64_t row = 0; row < rows; row++) {
        if (rows > 1)
            printf("[%lld]\n", (long long)row);
        print_top(t, row * (count / rows), count / rows, options->top, labels);
    }
}

/* Opened and read from before anything is printed. */
static int open_labels(const char *path, FILE **labels)
{
    *labels = NULL;
    if (!path)
        return EXIT_DONE;
    *labels = fopen(path, "r");
    if (*labels && getc(*labels) != EOF)
        return EXIT_DONE;
    int why = errno;
    bool bad = !*labels || ferror(*labels);
    if (*labels)
        fclose(*labels);
    *labels = NULL;
    return bad ? cli_error("%s: %s", path, strerror(why)) : cli_error("%s: no labels in it", path);
}

int outputs_show(const cli_options *options, const octet_model *model, const tensor_list *outputs)
{
    FILE *labels;
    int status = open_labels(options->labels, &labels);
    if (status == EXIT_DONE && options->output)
        status = write_all(options, model, outputs);
    for (size_t i = 0; i < outputs->count && status == EXIT_DONE && !options->output && !options->top; i++) {
        const char *name = "";
        status = output_name(model, i, &name);
        if (status == EXIT_DONE)
            summarize(name, &outputs->items[i]);
    }
    if (status == EXIT_DONE && options->top && outputs->count)
        show_top(options, &outputs->items[0], labels);
    if (labels)
        fclose(labels);
    return status;
}
