/* What was found of programs that ask a driver for more than OpenCL C: computed beside the reference once,
 * kept for later starts in the user's cache folder, a text file for each device, driver and set of kernel
 * sources: exact PROGRAM            or   wrong VARIANT PROGRAM A file that is anything else is none of ours,
 * and is ignored as a whole. */
#include "device_priv.h"
#include "hash.h"
#include "kernel_sources.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FORMAT "octet-verdicts 1"
enum { HEAD_CHARS = 1024, NAME_CHARS = 44 };

struct oct_verdict_entry {
    oct_verdict_entry *next;
    oct_verdict verdict;
    char *variant, *program;
};

/* Whose verdicts these are. */
static void make_head(const octet_device_info *i, char head[HEAD_CHARS], char name[NAME_CHARS])
{
    snprintf(head, HEAD_CHARS,
             FORMAT "\nplatform %s\ndevice %s\ndriver %s\nversion %s\ndot %s\nsources %016llx\n", i->platform,
             i->name, i->driver, i->version, i->dot4, (unsigned long long)oct_kernel_sources_hash);
    snprintf(name, NAME_CHARS, "verdicts-%016llx.txt",
             (unsigned long long)oct_hash(OCT_HASH_START, head, strlen(head)));
}

static void free_entry(oct_verdict_entry *e)
{
    if (!e)
        return;
    free(e->variant);
    free(e->program);
    free(e);
}

static char *copy_text(const char *text, size_t length)
{
    char *copy = malloc(length + 1);
    if (copy) {
        memcpy(copy, text, length);
        copy[length] = '\0';
    }
    return copy;
}

static oct_verdict_entry *new_entry(oct_verdict verdict, const char *variant, size_t variant_chars,
                                    const char *program, size_t program_chars)
{
    oct_verdict_entry *e = calloc(1, sizeof *e);
    if (!e)
        return NULL;
    e->verdict = verdict;
    e->variant = copy_text(variant, variant_chars);
    e->program = copy_text(program, program_chars);
    if (e->variant && e->program)
        return e;
    free_entry(e);
    return NULL;
}

static void free_entries(oct_verdict_entry *e)
{
    while (e) {
        oct_verdict_entry *next = e->next;
        free_entry(e);
        e = next;
    }
}

/* One line, without its end; NULL: it is damaged, or there is no memory for it. */
static oct_verdict_entry *parse_line(const char *line, size_t length)
{
    static const char exact[] = "exact ", wrong[] = "wrong ";
    const size_t word = sizeof exact - 1;
    if (length <= word)
        return NULL;
    const char *rest = line + word, *end = line + length;
    if (memcmp(line, exact, word) == 0)
        return new_entry(OCT_EXACT, "", 0, rest, (size_t)(end - rest));
    const char *space = memcmp(line, wrong, word) == 0 ? memchr(rest, ' ', (size_t)(end - rest)) : NULL;
    if (!space || space == rest || space + 1 == end)
        return NULL;
    return new_entry(OCT_INEXACT, rest, (size_t)(space - rest), space + 1, (size_t)(end - space - 1));
}

static bool read_file(const char *folder, const octet_device_info *info, oct_verdict_entry **entries)
{
    char head[HEAD_CHARS], name[NAME_CHARS];
    size_t bytes = 0;
    *entries = NULL;
    make_head(info, head, name);
    char *text = folder ? oct_cache_read(folder, name, &bytes) : NULL;
    bool good = text && strlen(text) == bytes && strncmp(text, head, strlen(head)) == 0;
    for (const char *line = good ? text + strlen(head) : NULL; line && *line;) {
        const char *end = strchr(line, '\n');
        oct_verdict_entry *e = end ? parse_line(line, (size_t)(end - line)) : NULL;
        good = e != NULL;
        if (!good)
            break;
        e->next = *entries;
        *entries = e;
        line = end + 1;
    }
    free(text);
    if (!good) {
        free_entries(*entries);
        *entries = NULL;
    }
    return good;
}

static const oct_verdict_entry *find(const oct_verdict_entry *e, const char *program)
{
    while (e && strcmp(e->program, program) != 0)
        e = e->next;
    return e;
}

/* Sources of a developer's folder change under the names that they have. */
static bool keeps(const oct_device *d)
{
    return d->cache_dir && !*d->environment.kernel_dir;
}

static void write_file(oct_device *d)
{
    char head[HEAD_CHARS], name[NAME_CHARS];
    size_t length = 0, capacity = 1;
    make_head(&d->caps.info, head, name);
    for (const oct_verdict_entry *e = d->verdicts; e; e = e->next)
        capacity += strlen(e->variant) + strlen(e->program) + 16;
    char *text = malloc(capacity);
    for (const oct_verdict_entry *e = d->verdicts; text && e; e = e->next) {
        const bool exact = e->verdict == OCT_EXACT;
        if (!exact && e->verdict != OCT_INEXACT) /* another start may have more memory */
            continue;
        length += (size_t)snprintf(text + length, capacity - length, "%s %s%s%s\n", exact ? "exact" : "wrong",
                                   exact ? "" : e->variant, exact ? "" : " ", e->program);
    }
    const oct_cache_piece pieces[] = {{head, strlen(head)}, {text, length}};
    if (text)
        (void)oct_cache_write(d->cache_dir, name, pieces, 2);
    free(text);
}

/* Those that another process has found since this one looked. */
static void take_in(oct_device *d, oct_verdict_entry *others)
{
    while (others) {
        oct_verdict_entry *next = others->next;
        if (find(d->verdicts, others->program)) {
            free_entry(others);
        } else {
            others->next = d->verdicts;
            d->verdicts = others;
        }
        others = next;
    }
}

/* Variants with a verdict that is not good, for people; as many as there is room for. */
static void name_distrusted(const oct_verdict_entry *e, octet_device_info *info)
{
    size_t used = 0;
    info->distrusted[0] = '\0';
    for (; e; e = e->next) {
        if (e->verdict != OCT_INEXACT || strstr(info->distrusted, e->variant))
            continue;
        int n = snprintf(info->distrusted + used, sizeof info->distrusted - used, "%s%s", used ? " " : "",
                         e->variant);
        if (n < 0 || (size_t)n >= sizeof info->distrusted - used)
            return;
        used += (size_t)n;
    }
}

void oct_verdicts_known(octet_device_info *info, const oct_environment *environment)
{
    oct_verdict_entry *entries;
    char *folder = *environment->kernel_dir ? NULL : oct_disk_cache_folder(NULL, environment);
    (void)read_file(folder, info, &entries);
    name_distrusted(entries, info);
    free_entries(entries);
    free(folder);
}

void oct_verdicts_load(oct_device *d)
{
    d->caps.distrust = &d->distrust;
    if (keeps(d))
        (void)read_file(d->cache_dir, &d->caps.info, &d->verdicts);
    name_distrusted(d->verdicts, &d->caps.info);
}

void oct_verdicts_free(oct_device *d)
{
    free_entries(d->verdicts);
    d->verdicts = NULL;
}

oct_verdict oct_device_verdict(oct_device *d, const char *program, const char **variant)
{
    pthread_mutex_lock(&d->verdicts_lock);
    const oct_verdict_entry *e = find(d->verdicts, program);
    oct_verdict verdict = e ? e->verdict : OCT_UNTRIED;
    *variant = e ? e->variant : NULL;
    pthread_mutex_unlock(&d->verdicts_lock);
    return verdict;
}

octet_status oct_device_judge(oct_device *d, const char *program, oct_verdict verdict, const char *variant)
{
    oct_verdict_entry *e = new_entry(verdict, variant, strlen(variant), program, strlen(program)),
                      *others = NULL;
    if (!e)
        return oct_out_of_memory("what was found of a kernel");
    pthread_mutex_lock(&d->verdicts_lock);
    if (find(d->verdicts, program)) {
        free_entry(e);
    } else {
        e->next = d->verdicts;
        d->verdicts = e;
        if (keeps(d)) {
            (void)read_file(d->cache_dir, &d->caps.info, &others);
            take_in(d, others);
            write_file(d);
        }
    }
    pthread_mutex_unlock(&d->verdicts_lock);
    return OCTET_OK;
}

octet_status oct_device_distrust(oct_device *d, const char *variant)
{
    pthread_mutex_lock(&d->verdicts_lock);
    bool known = oct_is_distrusted(&d->distrust, variant), room = oct_distrust_add(&d->distrust, variant);
    pthread_mutex_unlock(&d->verdicts_lock);
    RETURN_IF(!room, OCTET_DEVICE_ERROR, "more than %d kernel variants compute wrong results on '%s'",
              OCT_MAX_DISTRUSTED, d->caps.info.name);
    if (!known)
        oct_device_log(d, "%s is not used on this device and driver", variant);
    return OCTET_OK;
}
