/* Finding and opening devices. */
#include "device_priv.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_PLATFORMS 64
#define MAX_DEVICES   64

/* Every device of every platform, in the loader's order. */
typedef struct device_list {
    oct_environment environment;
    struct {
        cl_platform_id platform;
        cl_device_id id;
    } at[MAX_DEVICES];
    size_t count;
    bool pocl_without_device;
} device_list;

static void add_device(device_list *list, cl_platform_id platform, cl_device_id id)
{
    if (list->count == MAX_DEVICES) {
        clReleaseDevice(id);
        return;
    }
    list->at[list->count].platform = platform;
    list->at[list->count++].id = id;
}

/* Mesa's driver (22.3) has no clCreateSubDevices to call: it says so here. */
static bool splits_equally(cl_device_id id)
{
    cl_device_partition_property known[16];
    size_t bytes = 0;
    if (clGetDeviceInfo(id, CL_DEVICE_PARTITION_PROPERTIES, sizeof known, known, &bytes) != CL_SUCCESS)
        return false;
    for (size_t i = 0; i < bytes / sizeof *known; i++) {
        if (known[i] == CL_DEVICE_PARTITION_EQUALLY)
            return true;
    }
    return false;
}

/* For tests and developers: with OCTET_SPLIT=N each device counts as N equal parts of it, where its driver
 * can make them. */
static bool add_parts(device_list *list, cl_platform_id platform, cl_device_id id)
{
    const int64_t wanted = list->environment.split;
    cl_uint units = 0, count = 0;
    cl_device_id parts[MAX_DEVICES];
    if (wanted < 2 || wanted > MAX_DEVICES ||
        clGetDeviceInfo(id, CL_DEVICE_MAX_COMPUTE_UNITS, sizeof units, &units, NULL) != CL_SUCCESS ||
        (int64_t)units < wanted || !splits_equally(id))
        return false;
    const cl_device_partition_property equally[] = {
        CL_DEVICE_PARTITION_EQUALLY, (cl_device_partition_property)(units / (cl_uint)wanted), 0};
    if (clCreateSubDevices(id, equally, MAX_DEVICES, parts, &count) != CL_SUCCESS)
        return false;
    for (cl_uint i = 0; i < count && i < MAX_DEVICES; i++)
        add_device(list, platform, parts[i]);
    return count > 0;
}

static void free_list(device_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        clReleaseDevice(list->at[i].id); /* those that are no parts are not counted */
    list->count = 0;
}

static bool is_pocl(cl_platform_id platform)
{
    char name[128] = "";
    return clGetPlatformInfo(platform, CL_PLATFORM_NAME, sizeof name - 1, name, NULL) == CL_SUCCESS &&
           strstr(name, "Portable Computing Language");
}

/* A driver that cannot list its devices has none: it must not hide those of the others. */
static void list_devices(device_list *list)
{
    cl_platform_id platforms[MAX_PLATFORMS];
    cl_uint platform_count = 0;
    list->count = 0;
    list->pocl_without_device = false;
    oct_environment_read(&list->environment);
    if (clGetPlatformIDs(MAX_PLATFORMS, platforms, &platform_count) != CL_SUCCESS)
        return;
    for (cl_uint p = 0; p < platform_count && p < MAX_PLATFORMS; p++) {
        cl_device_id ids[MAX_DEVICES];
        cl_uint count = 0;
        if (clGetDeviceIDs(platforms[p], CL_DEVICE_TYPE_ALL, MAX_DEVICES, ids, &count) != CL_SUCCESS) {
            list->pocl_without_device |= is_pocl(platforms[p]);
            continue;
        }
        for (cl_uint d = 0; d < count && d < MAX_DEVICES; d++) {
            if (!add_parts(list, platforms[p], ids[d]))
                add_device(list, platforms[p], ids[d]);
        }
    }
}

octet_status oct_devices_count(size_t *count)
{
    device_list list;
    list_devices(&list);
    *count = list.count;
    free_list(&list);
    return OCTET_OK;
}

octet_status oct_devices_get(size_t index, octet_device_info *info)
{
    device_list list;
    list_devices(&list);
    size_t count = list.count;
    oct_caps caps;
    octet_status status = OCTET_INVALID_ARGUMENT;
    if (index < count)
        status = oct_caps_query(list.at[index].platform, list.at[index].id, &caps);
    if (status == OCTET_OK)
        oct_x86_known(list.at[index].id, &caps, &list.environment);
    free_list(&list);
    RETURN_IF(index >= count, OCTET_INVALID_ARGUMENT, "device index %zu; there are %zu devices", index,
              count);
    FORWARD(status);
    oct_local_known(&caps.info, &list.environment);
    oct_verdicts_known(&caps.info, &list.environment);
    *info = caps.info;
    return OCTET_OK;
}

static bool contains(const char *text, const char *part)
{
    size_t n = strlen(part);
    for (; *text; text++) {
        size_t i = 0;
        while (i < n && text[i] && tolower((unsigned char)text[i]) == tolower((unsigned char)part[i]))
            i++;
        if (i == n)
            return true;
    }
    return false;
}

static bool matches(const octet_device_info *info, const char *part)
{
    return contains(info->name, part) || contains(info->vendor, part) || contains(info->platform, part);
}

static int rank_of(octet_device_type type)
{
    return type == OCTET_DEVICE_GPU ? 3 : type == OCTET_DEVICE_ACCELERATOR ? 2 : 1;
}

/* "0 NAME, 1 NAME": what there is to choose from, for error texts. */
static void describe(const device_list *list, char *text, size_t size)
{
    size_t at = 0;
    text[0] = '\0';
    for (size_t i = 0; i < list->count && at < size; i++) {
        oct_caps caps;
        if (oct_caps_query(list->at[i].platform, list->at[i].id, &caps) != OCTET_OK)
            continue;
        int n = snprintf(text + at, size - at, "%s%zu '%s'", at ? ", " : "", i, caps.info.name);
        at += n > 0 ? (size_t)n : 0;
    }
}

static bool is_index(const char *text, size_t *index)
{
    *index = 0;
    for (const char *c = text; *c; c++) {
        if (!isdigit((unsigned char)*c) || c - text > 6)
            return false;
        *index = *index * 10 + (size_t)(*c - '0');
    }
    return text[0] != '\0';
}

/* Which device `want` names; NULL or "": the first of the best type. */
static octet_status select_device(const device_list *list, const char *want, size_t *chosen)
{
    RETURN_IF(
        list->count == 0 && list->pocl_without_device, OCTET_NO_DEVICE,
        "no OpenCL device found: PoCL is there and lists none, as where it cannot make its cache folder; set "
        "POCL_CACHE_DIR, or XDG_CACHE_HOME or HOME, to a folder of your own that can be written");
    RETURN_IF(list->count == 0, OCTET_NO_DEVICE,
              "no OpenCL device found; install a driver for your GPU, or pocl-opencl-icd to run on the CPU");
    size_t index;
    bool by_index = want && is_index(want, &index);
    int best = 0;
    for (size_t i = 0; i < list->count; i++) {
        oct_caps caps;
        if (oct_caps_query(list->at[i].platform, list->at[i].id, &caps) != OCTET_OK)
            continue;
        bool fits = by_index ? i == index : !want || !*want || matches(&caps.info, want);
        int rank = rank_of(caps.info.type);
        if (fits && (by_index || caps.info.available) && rank > best) {
            best = rank;
            *chosen = i;
        }
    }
    if (best)
        return OCTET_OK;
    char devices[700];
    describe(list, devices, sizeof devices);
    if (want && *want)
        return oct_fail(OCTET_NO_DEVICE, "no device matches '%s'; there are: %s", want, devices);
    return oct_fail(OCTET_NO_DEVICE, "no usable OpenCL device; there are: %s", devices);
}

/* OCTET_VERBOSE, for programs that give no log function. */
static void log_to_stderr(void *user, const char *line)
{
    (void)user;
    fprintf(stderr, "octet: %s\n", line);
}

static oct_device *new_device(const octet_context_desc *desc)
{
    oct_device *d = calloc(1, sizeof *d);
    if (!d) {
        (void)oct_out_of_memory("a device");
        return NULL;
    }
    atomic_init(&d->references, 1);
    atomic_init(&d->lost, CL_SUCCESS);
    pthread_mutex_init(&d->programs_lock, NULL);
    pthread_mutex_init(&d->verdicts_lock, NULL);
    pthread_mutex_init(&d->staging.lock, NULL);
    d->profiling = desc->profiling != 0;
    oct_environment_read(&d->environment);
    d->log = desc->log ? desc->log : d->environment.verbose > 0 ? log_to_stderr : NULL;
    d->log_user = desc->log_user;
    d->cache_dir = oct_disk_cache_folder(desc->cache_dir, &d->environment);
    return d;
}

static void log_choice(oct_device *d)
{
    oct_device_log(d, "device '%s' of %s, driver %s, int8 dot %s", d->caps.info.name, d->caps.info.platform,
                   d->caps.info.driver, d->caps.info.dot4);
    oct_device_log(d, "program cache: %s", d->cache_dir ? d->cache_dir : "none");
}

static octet_status make_context_and_queue(oct_device *d)
{
    const cl_context_properties properties[] = {CL_CONTEXT_PLATFORM, (cl_context_properties)d->platform, 0};
    cl_int err;
    d->context = clCreateContext(properties, 1, &d->id, NULL, NULL, &err);
    if (!d->context)
        return oct_device_fail(d, err, "clCreateContext");
    d->queue = clCreateCommandQueue(d->context, d->id, d->profiling ? CL_QUEUE_PROFILING_ENABLE : 0, &err);
    return d->queue ? OCTET_OK : oct_device_fail(d, err, "clCreateCommandQueue");
}

/* OCTET_X86: which of the instructions of x86 processors kernels may name. */
static octet_status override_x86(oct_caps *caps, const char *wanted)
{
    if (!*wanted)
        return OCTET_OK;
    bool emulated = strcmp(wanted, "emulated") == 0, avx2 = strcmp(wanted, "avx2") == 0;
    RETURN_IF(!emulated && !avx2 && strcmp(wanted, "none") != 0, OCTET_INVALID_ARGUMENT,
              "OCTET_X86 is '%s'; it may be none, avx2 or emulated", wanted);
    caps->x86_avx2 = emulated || (caps->x86_avx2 && avx2);
    caps->x86_avx512_vnni = caps->x86_avx512_vbmi = caps->x86_emulated = emulated;
    oct_caps_name_paths(caps);
    return OCTET_OK;
}

/* What the environment says otherwise than the device, for tests and developers (docs/hardware.md). */
static octet_status apply_overrides(oct_device *d)
{
    const oct_environment *e = &d->environment;
    if (*e->lanes)
        d->caps.lanes = e->lanes;
    d->real_bytes = e->memory > 0 ? (uint64_t)e->memory : 0;
    if (e->max_alloc > 0 && (uint64_t)e->max_alloc < d->caps.info.max_alloc_bytes)
        d->caps.info.max_alloc_bytes = (uint64_t)e->max_alloc;
    d->staging.piece_bytes = oct_staging_bytes(&d->caps, e);
    return override_x86(&d->caps, e->x86);
}

/* The device becomes d's own, who releases it. */
static octet_status take_device(oct_device *d, cl_device_id id)
{
    cl_int err = clRetainDevice(id);
    if (err != CL_SUCCESS)
        return oct_cl_fail(err, "clRetainDevice");
    d->id = id;
    return OCTET_OK;
}

static octet_status choose_device(const char *want, oct_device *d)
{
    device_list list;
    size_t chosen = 0;
    list_devices(&list);
    octet_status status = select_device(&list, want, &chosen);
    if (status == OCTET_OK) {
        d->platform = list.at[chosen].platform;
        status = take_device(d, list.at[chosen].id);
    }
    free_list(&list);
    return status;
}

/* With its context and queue: what running tells of it, what the environment says, what is known from before.
 */
static octet_status finish_opening(oct_device *d, octet_status status, oct_device **device)
{
    if (status == OCTET_OK)
        oct_device_probe_x86(d);
    if (status == OCTET_OK)
        status = oct_device_probe_dot4(d);
    if (status == OCTET_OK)
        status = apply_overrides(d);
    if (status != OCTET_OK) {
        oct_device_release(d);
        return status;
    }
    log_choice(d);
    oct_device_probe_local(d);
    oct_tuning_load(d);
    oct_verdicts_load(d);
    *device = d;
    return OCTET_OK;
}

octet_status oct_device_open(const octet_context_desc *desc, oct_device **device)
{
    *device = NULL;
    oct_device *d = new_device(desc);
    if (!d)
        return OCTET_OUT_OF_MEMORY;
    bool named = desc->device && *desc->device;
    octet_status status = choose_device(named ? desc->device : d->environment.device, d);
    if (status == OCTET_OK)
        status = oct_caps_query(d->platform, d->id, &d->caps);
    if (status == OCTET_OK && !d->caps.info.available)
        status = oct_fail(
            OCTET_NO_DEVICE,
            "device '%s' cannot be used: its driver has no compiler, is not available or does not tell how "
            "much it can allocate",
            d->caps.info.name);
    if (status == OCTET_OK)
        status = make_context_and_queue(d);
    return finish_opening(d, status, device);
}

static octet_status adopt(oct_device *d, cl_context context, cl_command_queue queue)
{
    cl_context of_queue = NULL;
    cl_command_queue_properties properties = 0;
    cl_device_id id = NULL;
    cl_int err = clGetCommandQueueInfo(queue, CL_QUEUE_CONTEXT, sizeof of_queue, &of_queue, NULL);
    RETURN_IF(err != CL_SUCCESS, OCTET_INVALID_ARGUMENT, "octet_context_from_cl: the queue is not valid");
    RETURN_IF(of_queue != context, OCTET_INVALID_ARGUMENT,
              "octet_context_from_cl: the queue belongs to another cl_context");
    err = clGetCommandQueueInfo(queue, CL_QUEUE_PROPERTIES, sizeof properties, &properties, NULL);
    if (err == CL_SUCCESS)
        err = clGetCommandQueueInfo(queue, CL_QUEUE_DEVICE, sizeof id, &id, NULL);
    if (err != CL_SUCCESS)
        return oct_cl_fail(err, "clGetCommandQueueInfo");
    RETURN_IF(properties & CL_QUEUE_OUT_OF_ORDER_EXEC_MODE_ENABLE, OCTET_INVALID_ARGUMENT,
              "octet_context_from_cl: the queue is out of order; Octet needs an in-order one");
    d->profiling = d->profiling && (properties & CL_QUEUE_PROFILING_ENABLE);
    FORWARD(take_device(d, id));
    err = clGetDeviceInfo(d->id, CL_DEVICE_PLATFORM, sizeof d->platform, &d->platform, NULL);
    if (err != CL_SUCCESS)
        return oct_cl_fail(err, "clGetDeviceInfo");
    FORWARD(oct_caps_query(d->platform, d->id, &d->caps));
    err = clRetainContext(context);
    if (err != CL_SUCCESS)
        return oct_cl_fail(err, "clRetainContext");
    d->context = context;
    err = clRetainCommandQueue(queue);
    if (err != CL_SUCCESS)
        return oct_cl_fail(err, "clRetainCommandQueue");
    d->queue = queue;
    return OCTET_OK;
}

octet_status oct_device_adopt(cl_context context, cl_command_queue queue, const octet_context_desc *desc,
                              oct_device **device)
{
    *device = NULL;
    oct_device *d = new_device(desc);
    if (!d)
        return OCTET_OUT_OF_MEMORY;
    octet_status status = adopt(d, context, queue);
    return finish_opening(d, status, device);
}

void oct_device_retain(oct_device *d)
{
    atomic_fetch_add(&d->references, 1);
}

void oct_device_release(oct_device *d)
{
    if (!d || atomic_fetch_sub(&d->references, 1) != 1)
        return;
    oct_programs_free(d);
    oct_blas_forget(d);
    oct_tuning_unload(d);
    oct_verdicts_free(d);
    oct_staging_close(d);
    cl_command_queue upload_queue = atomic_load(&d->upload_queue);
    if (upload_queue)
        clReleaseCommandQueue(upload_queue);
    if (d->queue)
        clReleaseCommandQueue(d->queue);
    if (d->context)
        clReleaseContext(d->context);
    if (d->id)
        clReleaseDevice(d->id);
    pthread_mutex_destroy(&d->programs_lock);
    pthread_mutex_destroy(&d->verdicts_lock);
    free(d->cache_dir);
    free(d);
}

const oct_caps *oct_device_caps(const oct_device *d)
{
    return &d->caps;
}

cl_context oct_device_context(oct_device *d)
{
    return d->context;
}

cl_command_queue oct_device_queue(oct_device *d)
{
    return d->queue;
}

bool oct_device_profiling(const oct_device *d)
{
    return d->profiling;
}

bool oct_device_logs(const oct_device *d)
{
    return d->log != NULL;
}

void oct_device_log(oct_device *d, const char *fmt, ...)
{
    if (!d->log)
        return;
    char line[512];
    va_list args;
    va_start(args, fmt);
    vsnprintf(line, sizeof line, fmt, args);
    va_end(args);
    d->log(d->log_user, line);
}
