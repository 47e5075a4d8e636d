/* The file: the lines of make_head below, which say whose it is, then rows as caps/tuning.c reads them. A
 * file that is anything else is none of ours, and is ignored as a whole. */
#include "tuning_file.h"
#include "device_priv.h"
#include "hash.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FORMAT "octet-tuning 1"
enum { HEAD_CHARS = 1024, LINE_CHARS = OCT_TUNING_KEY + 96 };

/* Whose rows these are. Two forms of one device, as parts of it are, differ in their units. */
static void make_head(const oct_device *d, char head[HEAD_CHARS])
{
    const octet_device_info *i = &d->caps.info;
    snprintf(head, HEAD_CHARS, FORMAT "\nversion %s\nplatform %s\ndevice %s\ndriver %s\nunits %u\ndot %s\n",
             octet_version(), i->platform, i->name, i->driver, (unsigned)i->compute_units, i->dot4);
}

static void file_name(const char *head, char name[40])
{
    snprintf(name, 40, "tuning-%016llx.txt",
             (unsigned long long)oct_hash(OCT_HASH_START, head, strlen(head)));
}

void oct_tuning_path(const oct_device *d, char *path, size_t size)
{
    char head[HEAD_CHARS], name[40];
    make_head(d, head);
    file_name(head, name);
    snprintf(path, size, "%s%s%s", d->cache_dir ? d->cache_dir : "", d->cache_dir ? "/" : "",
             d->cache_dir ? name : "");
}

octet_status oct_tuning_read(oct_device *d, oct_tuning *t)
{
    char head[HEAD_CHARS], name[40];
    size_t bytes = 0;
    memset(t, 0, sizeof *t);
    make_head(d, head);
    file_name(head, name);
    char *text = d->cache_dir ? oct_cache_read(d->cache_dir, name, &bytes) : NULL;
    if (!text)
        return OCTET_OK;
    octet_status status = strlen(text) == bytes ? oct_tuning_parse(text, head, t)
                                                : oct_fail(OCTET_CORRUPT_FILE, "it holds a zero byte");
    free(text);
    if (status != OCTET_CORRUPT_FILE)
        return status;
    oct_device_log(d, "tuning: %s/%s is ignored: %s", d->cache_dir, name, oct_error_text());
    oct_error_clear();
    return OCTET_OK;
}

static void load_shipped(oct_device *d)
{
    char *text = NULL;
    size_t own = d->tuning.count;
    octet_status status = oct_kernel_text(d, "tuning.txt", &text);
    if (status == OCTET_OK)
        status = oct_tuning_ship(text, &d->caps.info, &d->tuning);
    free(text);
    if (status != OCTET_OK) {
        oct_device_log(d, "tuning: none that comes with the library: %s", oct_error_text());
        oct_error_clear();
    } else if (d->tuning.count > own) {
        oct_device_log(d, "tuning: %zu problems are known from the library", d->tuning.count - own);
    }
}

void oct_tuning_load(oct_device *d)
{
    if (oct_tuning_read(d, &d->tuning) != OCTET_OK)
        oct_error_clear();
    d->caps.tuning = &d->tuning;
    if (d->tuning.count)
        oct_device_log(d, "tuning: %zu problems of this device are known", d->tuning.count);
    load_shipped(d);
}

void oct_tuning_unload(oct_device *d)
{
    oct_tuning_free(&d->tuning);
}

static octet_status need_folder(const oct_device *d)
{
    RETURN_IF(
        !d->cache_dir, OCTET_INVALID_ARGUMENT,
        "there is no cache folder to keep tuning in: set XDG_CACHE_HOME or HOME to a folder of your own");
    return OCTET_OK;
}

static octet_status write_rows(oct_device *d, const oct_tuning *t)
{
    char head[HEAD_CHARS], name[40];
    make_head(d, head);
    file_name(head, name);
    size_t length = 0, capacity = (t->count + 1) * LINE_CHARS;
    char *text = malloc(capacity);
    RETURN_IF(!text, OCTET_OUT_OF_MEMORY, "out of host memory for %zu tuning rows", t->count);
    for (size_t i = 0; i < t->count; i++) {
        const oct_tuning_row *row = &t->rows[i];
        length += (size_t)snprintf(text + length, LINE_CHARS, "%s %" PRId64 " %s\n", row->variant,
                                   row->spread, row->key);
    }
    length += (size_t)snprintf(text + length, LINE_CHARS, "end %zu\n", t->count);
    const oct_cache_piece pieces[] = {{head, strlen(head)}, {text, length}};
    bool written = oct_cache_write(d->cache_dir, name, pieces, 2);
    free(text);
    RETURN_IF(!written, OCTET_CORRUPT_FILE, "%s/%s cannot be written", d->cache_dir, name);
    return OCTET_OK;
}

octet_status oct_tuning_store(oct_device *d, const oct_tuning *rows)
{
    oct_tuning all;
    FORWARD(need_folder(d));
    FORWARD(oct_tuning_read(d, &all));
    octet_status status = OCTET_OK;
    for (size_t i = 0; status == OCTET_OK && i < rows->count; i++)
        status = oct_tuning_set(&all, &rows->rows[i]);
    if (status == OCTET_OK)
        status = write_rows(d, &all);
    oct_tuning_free(&all);
    return status;
}

octet_status oct_tuning_forget(oct_device *d)
{
    char head[HEAD_CHARS], name[40];
    FORWARD(need_folder(d));
    make_head(d, head);
    file_name(head, name);
    RETURN_IF(!oct_cache_remove(d->cache_dir, name), OCTET_CORRUPT_FILE, "%s/%s cannot be removed",
              d->cache_dir, name);
    return OCTET_OK;
}
