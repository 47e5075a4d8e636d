/* See used_files.h. A process runs one command, and what that uses is one list. */
#include "used_files.h"
#include "cli.h"
#include "read_file.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

typedef struct used_file {
    dev_t device;
    ino_t number;
    char *name; /* NULL: the file; else one in this folder that was not there yet */
} used_file;

typedef struct used_list {
    used_file *items;
    size_t count, capacity;
} used_list;

static used_list inputs, outputs;

static bool has(const used_list *list, const used_file *file)
{
    for (size_t i = 0; i < list->count; i++) {
        const used_file *other = &list->items[i];
        bool same_name =
            !other->name || !file->name ? other->name == file->name : strcmp(other->name, file->name) == 0;
        if (other->device == file->device && other->number == file->number && same_name)
            return true;
    }
    return false;
}

static int add(used_list *list, const used_file *file, const char *name)
{
    if (list->count == list->capacity) {
        size_t capacity = list->capacity ? 2 * list->capacity : 16;
        used_file *items = realloc(list->items, capacity * sizeof *items);
        if (!items)
            return cli_error("out of memory");
        list->items = items;
        list->capacity = capacity;
    }
    used_file *added = &list->items[list->count];
    *added = *file;
    if (name && !(added->name = strdup(name)))
        return cli_error("out of memory");
    list->count++;
    return EXIT_DONE;
}

static int read_and_written(const char *path)
{
    return cli_error("%s: it would be written and is read as well; give the output another name", path);
}

/* ---- what is read -------------------------------------------------------------------------------------- */

int input_note(const char *path)
{
    struct stat about;
    if (stat(path, &about) != 0 || !S_ISREG(about.st_mode))
        return EXIT_DONE;
    used_file file = {about.st_dev, about.st_ino, NULL};
    return has(&outputs, &file) ? read_and_written(path) : add(&inputs, &file, NULL);
}

int input_open(const char *path, FILE **file, size_t *bytes)
{
    const char *why = oct_open_stream(path, file, bytes);
    if (why)
        return cli_error("%s: %s", path, why);
    int status = input_note(path);
    if (status != EXIT_DONE)
        fclose(*file);
    return status;
}

int input_read(const char *path, unsigned char **data, size_t *bytes)
{
    const char *why = oct_read_whole(path, data, bytes);
    if (why)
        return cli_error("%s: %s", path, why);
    int status = input_note(path);
    if (status != EXIT_DONE)
        free(*data);
    return status;
}

/* ---- what is written ----------------------------------------------------------------------------------- */

/* The file that is there, or the name where one will be. */
static int note_output(const output_file *output)
{
    struct stat about;
    const oct_out_file *out = &output->out;
    const char *name = out->is_new ? out->name : NULL;
    if (out->folder < 0) /* a device, which may be anything */
        return EXIT_DONE;
    if ((name ? fstat(out->folder, &about) : fstatat(out->folder, out->name, &about, 0)) != 0)
        return EXIT_DONE;
    used_file file = {about.st_dev, about.st_ino, (char *)name};
    if (has(&inputs, &file))
        return read_and_written(output->path);
    if (has(&outputs, &file))
        return cli_error("%s: two outputs would be in this file; give one of them another name",
                         output->path);
    return add(&outputs, &file, name);
}

int output_open(const char *path, output_file *file)
{
    const char *why = oct_out_open(path, &file->out);
    file->path = path;
    if (why)
        return cli_error("%s: cannot be written: %s", path, why);
    int status = note_output(file);
    if (status != EXIT_DONE)
        output_abandon(file, 1);
    return status;
}

int output_check(const char *path)
{
    output_file file;
    int status = output_open(path, &file);
    if (status == EXIT_DONE)
        output_abandon(&file, 1);
    return status;
}

int output_finish(output_file *file)
{
    const char *why = oct_out_finish(&file->out);
    return why ? cli_error("%s: cannot be written: %s", file->path, why) : EXIT_DONE;
}

int output_commit(output_file *files, size_t count)
{
    size_t failed = 0;
    oct_out_file *outs = calloc(count + 1, sizeof *outs);
    if (!outs)
        return cli_error("out of memory");
    for (size_t i = 0; i < count; i++) {
        outs[i] = files[i].out;
        files[i].out = (oct_out_file){.folder = -1};
    }
    const char *why = oct_out_commit(outs, count, &failed);
    free(outs);
    return why ? cli_error("%s: cannot be written: %s", files[failed].path, why) : EXIT_DONE;
}

void output_abandon(output_file *files, size_t count)
{
    for (size_t i = 0; i < count; i++)
        oct_out_abandon(&files[i].out);
}

static void forget(used_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i].name);
    free(list->items);
    memset(list, 0, sizeof *list);
}

void used_files_forget(void)
{
    forget(&inputs);
    forget(&outputs);
}
