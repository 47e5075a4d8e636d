/* Programs: embedded sources with their includes resolved, built once per (file, options) and device, kept in
 * memory and on disk. A program that several threads ask for is built once: the lock is held while it is
 * built, by one thread or by several that the holder waits for. */
#include "device_priv.h"
#include "hash.h"
#include "kernel_sources.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Part of every cache key: raise it when the way programs are built changes. */
#define CACHE_FORMAT "octet-program-1"
/* Of programs whose options name no other standard. Types of arguments are for run/check_args.c. */
#define BASE_OPTIONS "-cl-std=CL1.2 -cl-kernel-arg-info"
#define MAX_INCLUDES 32
#define MAX_PATH     128 /* of a source below kernels/ */
#define MAX_OPTIONS  512 /* of one program; what the driver needs besides comes on top */
#define BUILD_TRIES  3   /* of one program from source */

struct oct_program_entry {
    oct_program_entry *next;
    char *name; /* "FILE OPTIONS" */
    cl_program program;
};

/* A growing text. */
typedef struct text {
    char *data;
    size_t length, capacity;
} text;

static octet_status append(text *t, const char *data, size_t n)
{
    if (t->length + n + 1 > t->capacity) {
        size_t capacity = (t->length + n + 1) * 2;
        char *bigger = realloc(t->data, capacity);
        RETURN_IF(!bigger, OCTET_OUT_OF_MEMORY, "out of host memory for a kernel source");
        t->data = bigger;
        t->capacity = capacity;
    }
    memcpy(t->data + t->length, data, n);
    t->length += n;
    t->data[t->length] = '\0';
    return OCTET_OK;
}

static const oct_kernel_source *find_source(const char *path)
{
    for (size_t i = 0; i < oct_kernel_source_count; i++) {
        if (strcmp(oct_kernel_sources[i].path, path) == 0)
            return &oct_kernel_sources[i];
    }
    return NULL;
}

/* For developers: OCTET_KERNEL_DIR holds sources to use instead of the embedded ones. */
static octet_status read_from_folder(const char *folder, const char *path, text *out)
{
    char full[1024];
    int length = snprintf(full, sizeof full, "%s/%s", folder, path);
    RETURN_IF(length < 0 || (size_t)length >= sizeof full, OCTET_INVALID_ARGUMENT,
              "OCTET_KERNEL_DIR: the path of %s in it is longer than %zu bytes; use a shorter one", path,
              sizeof full - 1);
    FILE *f = fopen(full, "rb");
    RETURN_IF(!f, OCTET_INVALID_ARGUMENT, "OCTET_KERNEL_DIR: cannot open %s", full);
    char block[4096];
    octet_status status = OCTET_OK;
    for (size_t n; status == OCTET_OK && (n = fread(block, 1, sizeof block, f)) > 0;)
        status = append(out, block, n);
    fclose(f);
    return status == OCTET_OK ? append(out, "", 0) : status;
}

static octet_status load_source(const oct_device *d, const char *path, text *out)
{
    const char *folder = d->environment.kernel_dir;
    if (*folder)
        return read_from_folder(folder, path, out);
    const oct_kernel_source *s = find_source(path);
    RETURN_IF(!s, OCTET_INTERNAL, "kernel source %s is not in the library; this is a defect in Octet", path);
    return append(out, s->text, s->size);
}

octet_status oct_kernel_text(const oct_device *d, const char *path, char **out)
{
    text t = {0};
    octet_status status = load_source(d, path, &t);
    *out = t.data;
    return status;
}

typedef struct include_list {
    const oct_device *device;
    char path[MAX_INCLUDES][MAX_PATH];
    int count;
    text whole; /* the source being put together */
} include_list;

static octet_status expand(const char *path, include_list *list);

/* `#include "path"` at the start of a line, path below kernels/. Each file goes in once. */
static octet_status expand_include(const char *line, size_t length, include_list *list)
{
    const char *open = memchr(line, '"', length);
    const char *close = open ? memchr(open + 1, '"', length - (size_t)(open + 1 - line)) : NULL;
    RETURN_IF(!close, OCTET_INTERNAL, "malformed #include in a kernel source");
    size_t n = (size_t)(close - open - 1);
    char path[MAX_PATH];
    RETURN_IF(n >= sizeof path, OCTET_INTERNAL, "#include \"%.40s...\": at most %zu bytes", open + 1,
              sizeof path - 1);
    memcpy(path, open + 1, n);
    path[n] = '\0';
    return expand(path, list);
}

static octet_status expand(const char *path, include_list *list)
{
    for (int i = 0; i < list->count; i++) {
        if (strcmp(list->path[i], path) == 0)
            return OCTET_OK;
    }
    RETURN_IF(list->count == MAX_INCLUDES, OCTET_INTERNAL, "kernel source %s: more than %d files", path,
              MAX_INCLUDES);
    RETURN_IF(strlen(path) >= MAX_PATH, OCTET_INTERNAL, "kernel source %.40s...: at most %d bytes", path,
              MAX_PATH - 1);
    strcpy(list->path[list->count++], path);
    text source = {0};
    octet_status status = load_source(list->device, path, &source);
    for (const char *line = source.data; status == OCTET_OK && line && *line;) {
        const char *end = strchr(line, '\n');
        size_t length = end ? (size_t)(end - line) + 1 : strlen(line);
        status = strncmp(line, "#include", 8) == 0 ? expand_include(line, length, list)
                                                   : append(&list->whole, line, length);
        line += length;
    }
    free(source.data);
    return status;
}

/* Everything that the binary depends on, as text. */
static octet_status make_key(const oct_device *d, const char *source, const char *options, const char *name,
                             text *key)
{
    const octet_device_info *i = &d->caps.info;
    char head[256];
    snprintf(head, sizeof head, "%s\nsource %016llx %zu\n", CACHE_FORMAT,
             (unsigned long long)oct_hash(OCT_HASH_START, source, strlen(source)), strlen(source));
    const char *parts[] = {head, name,      "\n", options,   "\n", i->platform, "\n", i->name,
                           "\n", i->vendor, "\n", i->driver, "\n", i->version,  "\n"};
    for (size_t p = 0; p < sizeof parts / sizeof parts[0]; p++)
        FORWARD(append(key, parts[p], strlen(parts[p])));
    return OCTET_OK;
}

/* The first lines of a build log that matter, as one line. */
static octet_status build_failure(oct_device *d, cl_program program, cl_int err, const char *name)
{
    size_t bytes = 0;
    char *log = NULL;
    if (clGetProgramBuildInfo(program, d->id, CL_PROGRAM_BUILD_LOG, 0, NULL, &bytes) == CL_SUCCESS && bytes)
        log = calloc(1, bytes + 1);
    if (log)
        clGetProgramBuildInfo(program, d->id, CL_PROGRAM_BUILD_LOG, bytes, log, NULL);
    const char *start = log ? strstr(log, "error") : NULL;
    if (start) {
        while (start > log && start[-1] != '\n')
            start--;
    } else {
        start = log ? log : "";
    }
    char line[400];
    size_t n = 0;
    for (; *start && n + 1 < sizeof line; start++)
        line[n++] = *start == '\n' || *start == '\r' ? ' ' : *start;
    line[n] = '\0';
    free(log);
    return oct_fail_prefix(oct_device_fail(d, err, "clBuildProgram"), "kernel %s on '%s': %s", name,
                           d->caps.info.name, line);
}

static cl_program from_binary(oct_device *d, const char *key, const char *options)
{
    size_t bytes;
    unsigned char *binary = oct_disk_cache_get(d->cache_dir, key, &bytes);
    if (!binary)
        return NULL;
    const unsigned char *binaries[] = {binary};
    cl_int err, of_binary = CL_SUCCESS;
    cl_program program = clCreateProgramWithBinary(d->context, 1, &d->id, &bytes, binaries, &of_binary, &err);
    free(binary);
    if (program && of_binary == CL_SUCCESS &&
        clBuildProgram(program, 1, &d->id, options, NULL, NULL) == CL_SUCCESS)
        return program;
    if (program)
        clReleaseProgram(program);
    return NULL;
}

static void to_disk(oct_device *d, const char *key, cl_program program)
{
    size_t bytes = 0;
    if (clGetProgramInfo(program, CL_PROGRAM_BINARY_SIZES, sizeof bytes, &bytes, NULL) != CL_SUCCESS ||
        !bytes)
        return;
    unsigned char *binary = malloc(bytes);
    if (binary && clGetProgramInfo(program, CL_PROGRAM_BINARIES, sizeof binary, &binary, NULL) == CL_SUCCESS)
        oct_disk_cache_put(d->cache_dir, key, binary, bytes);
    free(binary);
}

static octet_status try_source(oct_device *d, const char *source, const char *options, const char *name,
                               cl_program *program)
{
    cl_int err;
    *program = clCreateProgramWithSource(d->context, 1, &source, NULL, &err);
    if (!*program)
        return oct_device_fail(d, err, "clCreateProgramWithSource");
    err = clBuildProgram(*program, 1, &d->id, options, NULL, NULL);
    if (err == CL_SUCCESS)
        return OCTET_OK;
    octet_status status = build_failure(d, *program, err, name);
    clReleaseProgram(*program);
    *program = NULL;
    return status;
}

/* Processes that fill one cache of a driver's at the same time trip over each other (PoCL), and what failed
 * builds a moment later, as a new program. *tries: how many it took; the error text is that of the last
 * failure. */
static octet_status from_source(oct_device *d, const char *source, const char *options, const char *name,
                                int *tries, cl_program *program)
{
    const struct timespec moment = {.tv_nsec = 20000000};
    octet_status status = try_source(d, source, options, name, program);
    for (*tries = 1; status == OCTET_DEVICE_ERROR && *tries < BUILD_TRIES; ++*tries) {
        (void)nanosleep(&moment, NULL);
        status = try_source(d, source, options, name, program);
    }
    return status;
}

/* A program to build, and what came of it. */
typedef struct job {
    const char *file, *options;
    char name[MAX_PATH + MAX_OPTIONS]; /* "FILE OPTIONS" */
    cl_program program;
    bool cached; /* taken from disk */
    int tries;   /* builds from source */
    octet_status status;
    char error[OCT_ERROR_TEXT_BYTES]; /* the last failure: error texts belong to threads */
} job;

static octet_status build(oct_device *d, job *j)
{
    char all_options[2 * MAX_OPTIONS];
    int length = snprintf(all_options, sizeof all_options, "%s %s%s %s",
                          strstr(j->options, "-cl-std=") ? "" : BASE_OPTIONS, d->caps.build_options,
                          d->caps.x86_emulated ? " -DX86_EMULATED" : "", j->options);
    RETURN_IF(length < 0 || (size_t)length >= sizeof all_options, OCTET_INTERNAL,
              "kernel source %s: its build options are longer than %zu bytes", j->file,
              sizeof all_options - 1);
    include_list list = {.device = d};
    text key = {0};
    octet_status status = expand(j->file, &list);
    if (status == OCTET_OK)
        status = make_key(d, list.whole.data, all_options, j->name, &key);
    if (status == OCTET_OK && d->cache_dir)
        j->program = from_binary(d, key.data, all_options);
    j->cached = j->program != NULL;
    if (status == OCTET_OK && !j->cached) {
        status = from_source(d, list.whole.data, all_options, j->name, &j->tries, &j->program);
        if (status == OCTET_OK && j->tries > 1)
            snprintf(j->error, sizeof j->error, "%s", oct_error_text());
        if (status == OCTET_OK && d->cache_dir)
            to_disk(d, key.data, j->program);
    }
    free(list.whole.data);
    free(key.data);
    return status;
}

static octet_status begin_job(const char *file, const char *options, job *j)
{
    RETURN_IF(strlen(file) >= MAX_PATH || strlen(options) >= MAX_OPTIONS, OCTET_INTERNAL,
              "kernel source %.40s: its path or its build options are longer than %d and %d bytes", file,
              MAX_PATH - 1, MAX_OPTIONS - 1);
    memset(j, 0, sizeof *j);
    j->file = file;
    j->options = options;
    snprintf(j->name, sizeof j->name, "%s %s", file, options);
    return OCTET_OK;
}

static oct_program_entry *find_program(const oct_device *d, const char *name)
{
    for (oct_program_entry *e = d->programs; e; e = e->next) {
        if (strcmp(e->name, name) == 0)
            return e;
    }
    return NULL;
}

/* The program of a job that went well becomes the device's. */
static octet_status keep_program(oct_device *d, job *j)
{
    oct_program_entry *e = calloc(1, sizeof *e);
    char *copy = malloc(strlen(j->name) + 1);
    if (!e || !copy) {
        free(e);
        free(copy);
        clReleaseProgram(j->program);
        return oct_out_of_memory("a program");
    }
    atomic_fetch_add(&d->counters[j->cached ? COUNT_CACHED : COUNT_BUILT], 1);
    oct_device_log(d, "%s: %s", j->cached ? "taken from the cache" : "compiled", j->name);
    if (j->tries > 1)
        oct_device_log(d, "it built when tried again: %.300s", j->error);
    strcpy(copy, j->name);
    *e = (oct_program_entry){.next = d->programs, .name = copy, .program = j->program};
    d->programs = e;
    return OCTET_OK;
}

static octet_status get_program(oct_device *d, const char *file, const char *options, cl_program *program)
{
    job j;
    FORWARD(begin_job(file, options, &j));
    const oct_program_entry *e = find_program(d, j.name);
    if (!e) {
        FORWARD(build(d, &j));
        FORWARD(keep_program(d, &j));
    }
    *program = e ? e->program : j.program;
    return OCTET_OK;
}

/* ---- several at once ----------------------------------------------------------------------------------- */

enum { MAX_BUILDERS = 8 };

typedef struct build_queue {
    oct_device *device;
    job *jobs;
    size_t count;
    atomic_size_t next; /* jobs are handed out in order */
} build_queue;

static void *work(void *argument)
{
    build_queue *c = argument;
    for (size_t i; (i = atomic_fetch_add(&c->next, 1)) < c->count;) {
        job *j = &c->jobs[i];
        j->status = build(c->device, j);
        if (j->status != OCTET_OK) {
            snprintf(j->error, sizeof j->error, "%s", oct_error_text());
            atomic_store(&c->next, c->count); /* what comes before is in hand: the first failure stays it */
        }
    }
    return NULL;
}

/* OCTET_BUILD_THREADS, or as many as processors where the device is not a CPU (drivers of CPUs compile one
 * program at a time) and its driver stands it. */
static size_t builders(const oct_device *d)
{
    const int64_t wanted = d->environment.build_threads;
    bool together = d->caps.prefers_tiles && !d->caps.one_build;
    int64_t n = wanted >= 0 ? wanted : together ? sysconf(_SC_NPROCESSORS_ONLN) : 1;
    return n < 1 ? 1 : n > MAX_BUILDERS ? MAX_BUILDERS : (size_t)n;
}

/* The caller is one of the threads. */
static void build_together(build_queue *c, size_t threads)
{
    pthread_t others[MAX_BUILDERS];
    size_t started = 0;
    while (started + 1 < threads && started + 1 < c->count &&
           pthread_create(&others[started], NULL, work, c) == 0)
        started++;
    work(c);
    while (started > 0)
        pthread_join(others[--started], NULL);
}

/* Those that are not there yet, each once. */
static octet_status list_jobs(const oct_device *d, const oct_program_name *names, size_t count,
                              build_queue *c)
{
    for (size_t i = 0; i < count; i++) {
        job *j = &c->jobs[c->count];
        FORWARD(begin_job(names[i].file, names[i].options, j));
        bool there = find_program(d, j->name) != NULL;
        for (size_t k = 0; !there && k < c->count; k++)
            there = strcmp(c->jobs[k].name, j->name) == 0;
        c->count += !there;
    }
    return OCTET_OK;
}

/* In the order of the jobs, whoever built them: what is logged, and the first failure. */
static octet_status keep_jobs(build_queue *c)
{
    octet_status status = OCTET_OK;
    for (size_t i = 0; i < c->count; i++) {
        job *j = &c->jobs[i];
        octet_status mine = j->program ? keep_program(c->device, j) : j->status;
        if (status == OCTET_OK && mine != OCTET_OK)
            status = j->program ? mine : oct_fail(mine, "%s", j->error);
    }
    return status;
}

octet_status oct_device_build(oct_device *d, const oct_program_name *names, size_t count)
{
    size_t threads = builders(d);
    if (threads < 2 || count < 2)
        return OCTET_OK;
    build_queue c = {.device = d, .jobs = malloc(count * sizeof *c.jobs)};
    RETURN_IF(!c.jobs, OCTET_OUT_OF_MEMORY, "out of host memory for %zu programs", count);
    atomic_init(&c.next, 0);
    pthread_mutex_lock(&d->programs_lock);
    octet_status status = list_jobs(d, names, count, &c);
    if (status == OCTET_OK && c.count > 1) {
        build_together(&c, threads);
        status = keep_jobs(&c);
    }
    pthread_mutex_unlock(&d->programs_lock);
    free(c.jobs);
    return status;
}

octet_status oct_device_kernel(oct_device *d, const char *file, const char *entry, const char *options,
                               cl_kernel *kernel)
{
    *kernel = NULL;
    cl_program program;
    FORWARD(oct_device_check(d));
    pthread_mutex_lock(&d->programs_lock);
    octet_status status = get_program(d, file, options, &program);
    cl_int err = CL_SUCCESS;
    if (status == OCTET_OK)
        *kernel = clCreateKernel(program, entry, &err);
    pthread_mutex_unlock(&d->programs_lock);
    if (status == OCTET_OK && !*kernel)
        return oct_fail_prefix(oct_device_fail(d, err, "clCreateKernel"), "kernel %s of %s", entry, file);
    return status;
}

octet_status oct_device_need(oct_device *d, const char *file, const char *options)
{
    cl_program program;
    pthread_mutex_lock(&d->programs_lock);
    octet_status status = get_program(d, file, options, &program);
    pthread_mutex_unlock(&d->programs_lock);
    return status;
}

void oct_programs_free(oct_device *d)
{
    while (d->programs) {
        oct_program_entry *next = d->programs->next;
        clReleaseProgram(d->programs->program);
        free(d->programs->name);
        free(d->programs);
        d->programs = next;
    }
}
