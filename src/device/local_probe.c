/* How much local memory a kernel can have: what the driver says, if a kernel that takes it runs and reads
 * back what it wrote, else the most with which one does. Kept in the user's cache folder, a small text file
 * for each device and driver, so that it is asked once. */
#include "device_priv.h"
#include "hash.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FORMAT "octet-probe 1"
enum { ITEMS = 64, STEP = 1024, TEXT_CHARS = 1024, NAME_CHARS = 40 };

typedef struct probe {
    oct_device *device;
    cl_kernel kernel;
    cl_mem buffer;
} probe;

/* Does a kernel run with this much? */
static bool runs_with(const probe *p, size_t bytes)
{
    const cl_int words = (cl_int)(bytes / sizeof(cl_uint));
    const size_t items = ITEMS;
    cl_int right[ITEMS] = {0};
    cl_int err = clSetKernelArg(p->kernel, 0, sizeof p->buffer, &p->buffer);
    if (err == CL_SUCCESS)
        err = clSetKernelArg(p->kernel, 1, bytes, NULL);
    if (err == CL_SUCCESS)
        err = clSetKernelArg(p->kernel, 2, sizeof words, &words);
    if (err == CL_SUCCESS)
        err = clEnqueueNDRangeKernel(p->device->queue, p->kernel, 1, NULL, &items, &items, 0, NULL, NULL);
    if (err == CL_SUCCESS)
        err =
            clEnqueueReadBuffer(p->device->queue, p->buffer, CL_TRUE, 0, sizeof right, right, 0, NULL, NULL);
    if (err != CL_SUCCESS)
        return false;
    cl_int sum = 0;
    for (int i = 0; i < ITEMS; i++)
        sum += right[i];
    return sum == words;
}

/* The most that works, by halving the distance between what does and what does not. */
static size_t search(const probe *p, size_t said)
{
    if (runs_with(p, said))
        return said;
    size_t works = 0, fails = said / STEP;
    while (fails - works > 1) {
        size_t middle = works + (fails - works) / 2;
        if (runs_with(p, middle * STEP))
            works = middle;
        else
            fails = middle;
    }
    return works * STEP;
}

static octet_status find(oct_device *d, size_t said, size_t *found)
{
    probe p = {.device = d};
    octet_status status = oct_device_kernel(d, "probe_local.cl", "probe", "", &p.kernel);
    if (status == OCTET_OK)
        status = oct_buffer_create(d, ITEMS * sizeof(cl_int), &p.buffer);
    if (status == OCTET_OK)
        *found = search(&p, said);
    oct_buffer_release(d, p.buffer);
    if (p.kernel)
        clReleaseKernel(p.kernel);
    return status;
}

/* ---- what is kept -------------------------------------------------------------------------------------- */

/* The file is this text, then the number. */
static void make_text(const octet_device_info *i, char text[TEXT_CHARS], char name[NAME_CHARS])
{
    snprintf(text, TEXT_CHARS, FORMAT "\nplatform %s\ndevice %s\ndriver %s\nsaid %llu\nlocal ", i->platform,
             i->name, i->driver, (unsigned long long)i->local_said_bytes);
    snprintf(name, NAME_CHARS, "probe-%016llx.txt",
             (unsigned long long)oct_hash(OCT_HASH_START, text, strlen(text)));
}

static bool known(const char *folder, const octet_device_info *info, size_t *found)
{
    char text[TEXT_CHARS], name[NAME_CHARS];
    size_t bytes = 0;
    make_text(info, text, name);
    char *file = folder ? oct_cache_read(folder, name, &bytes) : NULL;
    unsigned long long number = 0;
    char end = 0;
    bool right = file && strlen(file) == bytes && strncmp(file, text, strlen(text)) == 0 &&
                 sscanf(file + strlen(text), "%7llu%c", &number, &end) == 2 && end == '\n' &&
                 number <= info->local_said_bytes;
    free(file);
    if (right)
        *found = (size_t)number;
    return right;
}

void oct_local_known(octet_device_info *info, const oct_environment *environment)
{
    size_t found;
    char *folder = oct_disk_cache_folder(NULL, environment);
    if (known(folder, info, &found))
        info->local_bytes = found;
    free(folder);
}

static void keep(oct_device *d, size_t found)
{
    char text[TEXT_CHARS], name[NAME_CHARS], number[24];
    make_text(&d->caps.info, text, name);
    snprintf(number, sizeof number, "%llu\n", (unsigned long long)found);
    const oct_cache_piece pieces[] = {{text, strlen(text)}, {number, strlen(number)}};
    if (d->cache_dir)
        (void)oct_cache_write(d->cache_dir, name, pieces, 2);
}

void oct_device_probe_local(oct_device *d)
{
    octet_device_info *info = &d->caps.info;
    const int64_t asked = d->environment.probe;
    bool wanted = asked >= 0 ? asked != 0 : d->caps.prefers_tiles;
    /* The largest tile takes 33 KiB: more than this need not be tried. */
    const size_t most = (size_t)1 << 20, said = info->local_bytes < most ? (size_t)info->local_bytes : most;
    size_t found = said;
    if (!wanted || said < STEP || d->caps.max_group < ITEMS)
        return;
    if (!known(d->cache_dir, info, &found)) {
        if (find(d, said, &found) != OCTET_OK) {
            oct_device_log(d, "local memory is not tried: %s", oct_error_text());
            oct_error_clear();
            return;
        }
        keep(d, found);
        oct_device_counters_reset(d);
    }
    if (found == said)
        return;
    info->local_bytes = found;
    oct_device_log(d, "local memory: the driver says %llu bytes, a kernel runs with %zu",
                   (unsigned long long)info->local_said_bytes, found);
}
