/* See outputs.h. */
#include "outputs.h"
#include "npy.h"
#include "used_files.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { NAME_MAX_CHARS = 200, SHOWN = 8, LABEL_CHARS = 256 };

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

/* Output `index` beside its place; *path is allocated. */
static int write_one(const char *dir, const octet_model *model, size_t index, const octet_tensor *tensor,
                     char **path, output_file *file)
{
    char name[NAME_MAX_CHARS + 32];
    if (unique_file_name(model, index, name, sizeof name) != EXIT_DONE)
        return EXIT_FAILED;
    size_t size = strlen(dir) + sizeof name + 8;
    *path = malloc(size);
    if (!*path)
        return cli_error("out of memory");
    snprintf(*path, size, "%s/%s.npy", dir, name);
    if (output_open(*path, file) != EXIT_DONE)
        return EXIT_FAILED;
    npy_write(&file->out, tensor);
    return output_finish(file);
}

/* All of them, or none. */
static int write_all(const cli_options *options, const octet_model *model, const tensor_list *outputs)
{
    size_t count = outputs->count;
    output_file *files = calloc(count + 1, sizeof *files);
    char **paths = calloc(count + 1, sizeof *paths), shape[256];
    int status = files && paths ? EXIT_DONE : cli_error("out of memory");
    for (size_t i = 0; files && i < count; i++)
        files[i].out.folder = -1;
    if (status == EXIT_DONE && mkdir(options->output, 0777) != 0 && errno != EEXIST)
        status = cli_error("%s: %s", options->output, strerror(errno));
    for (size_t i = 0; status == EXIT_DONE && i < count; i++)
        status = write_one(options->output, model, i, &outputs->items[i], &paths[i], &files[i]);
    if (status == EXIT_DONE)
        status = output_commit(files, count);
    for (size_t i = 0; status == EXIT_DONE && !options->quiet && i < count; i++) {
        const octet_tensor *t = &outputs->items[i];
        printf("%s  %s\n", paths[i], shape_text(shape, sizeof shape, t->dtype, t->rank, t->dims));
    }
    if (files)
        output_abandon(files, count);
    for (size_t i = 0; paths && i < count; i++)
        free(paths[i]);
    free(files);
    free(paths);
    return status;
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

/* ---- the highest values -------------------------------------------------------------------------------- */

typedef struct label_list {
    char *text;        /* the file, its lines ended by 0 */
    const char **line; /* into it */
    size_t count;
} label_list;

/* Read before anything is printed. path NULL: none. */
static int read_labels(const char *path, label_list *labels)
{
    unsigned char *data;
    size_t bytes, lines = 1;
    if (!path)
        return EXIT_DONE;
    if (input_read(path, &data, &bytes) != EXIT_DONE)
        return EXIT_FAILED;
    labels->text = (char *)data;
    for (size_t i = 0; i < bytes; i++)
        lines += data[i] == '\n';
    labels->line = malloc(lines * sizeof *labels->line);
    if (!bytes || !labels->line)
        return bytes ? cli_error("out of memory") : cli_error("%s: no labels in it", path);
    for (char *at = labels->text, *end = at + bytes; at < end;) {
        char *stop = memchr(at, '\n', (size_t)(end - at));
        stop = stop ? stop : end;
        *stop = '\0';
        if (stop > at && stop[-1] == '\r')
            stop[-1] = '\0';
        labels->line[labels->count++] = at;
        at = stop + 1;
    }
    return EXIT_DONE;
}

typedef struct ranked {
    double value;
    int64_t index;
} ranked;

/* The highest first; of equal ones the earlier. */
static int highest_first(const void *a, const void *b)
{
    const ranked *x = a, *y = b;
    if (x->value != y->value)
        return x->value < y->value ? 1 : -1;
    return (x->index > y->index) - (x->index < y->index);
}

/* The `top` highest of `count` values from `first`; what is no number is none. rows: room for them all. */
static void print_top(const octet_tensor *t, int64_t first, int64_t count, long top, const label_list *labels,
                      ranked *rows)
{
    size_t numbers = 0;
    for (int64_t i = 0; i < count; i++) {
        double value = tensor_value(t, first + i);
        if (!isnan(value))
            rows[numbers++] = (ranked){value, i};
    }
    qsort(rows, numbers, sizeof *rows, highest_first);
    for (size_t i = 0; i < numbers && i < (size_t)top; i++) {
        char clean[LABEL_CHARS];
        size_t at = (size_t)rows[i].index;
        printf("%5zu  %-12.6g %s\n", at, rows[i].value,
               cli_clean(clean, sizeof clean, at < labels->count ? labels->line[at] : ""));
    }
}

/* The first output, row by row of its first dimension when it has more than one. */
static int show_top(const cli_options *options, const octet_tensor *t, const label_list *labels)
{
    int64_t count = tensor_elements(t), rows = t->rank > 1 && count ? t->dims[0] : 1;
    ranked *room = calloc((size_t)(count / rows) + 1, sizeof *room);
    if (!room)
        return cli_error("out of memory");
    for (int64_t row = 0; row < rows; row++) {
        if (rows > 1)
            printf("[%lld]\n", (long long)row);
        print_top(t, row * (count / rows), count / rows, options->top, labels, room);
    }
    free(room);
    return EXIT_DONE;
}

int outputs_show(const cli_options *options, const octet_model *model, const tensor_list *outputs)
{
    label_list labels = {0};
    int status = read_labels(options->labels, &labels);
    if (status == EXIT_DONE && options->output)
        status = write_all(options, model, outputs);
    for (size_t i = 0; i < outputs->count && status == EXIT_DONE && !options->output && !options->top; i++) {
        const char *name = "";
        status = output_name(model, i, &name);
        if (status == EXIT_DONE)
            summarize(name, &outputs->items[i]);
    }
    if (status == EXIT_DONE && options->top && outputs->count)
        status = show_top(options, &outputs->items[0], &labels);
    free(labels.line);
    free(labels.text);
    return status;
}
