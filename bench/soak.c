/* Mixed work for hours, as a service does it: contexts, models, sessions, runs of many shapes, streams and
 * products, made and destroyed again and again. Every output must be the first one's bytes, and nothing may
 * grow: memory, files, OpenCL objects, files of the cache. Prints counts; exit 1 with a line for what is not
 * so.
 *
 *   soak SECONDS [--contexts N] [--sessions N] [--runs N] [--model FILE]...
 *
 * Ends after SECONDS, or when all the counts that are given are reached. A context has 10 sessions, a session
 * 12 runs. XDG_CACHE_HOME names a folder for it. bench/soak calls this, and has the part with SIGKILL. */
#define _GNU_SOURCE
#include "fault_layer.h"
#include "hash.h"

#include <octet/octet.h>

#include <dirent.h>
#include <dlfcn.h>
#include <glob.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    MOST_MODELS = 256,
    MOST_TENSORS = 16,
    SESSIONS = 10, /* of a context: a streamed one first, one that is refused last */
    RUNS = 12,     /* of a session */
    SOURCE = 50,   /* each so-many-th context compiles from source */
    SHAPES = 3,    /* batches 1, 2, 3 where the first dimension is open */
    LOOKS = 20     /* at what is held, over the whole time */
};

typedef struct subject {
    char path[512];
    uint64_t hash[SHAPES];   /* of the outputs; 0: not run yet */
    uint64_t error;          /* of its text */
    uint64_t streamed_limit; /* device bytes at which something is streamed; 0: not known yet */
} subject;

static subject subjects[MOST_MODELS], *right[MOST_MODELS],
    *wrong[MOST_MODELS]; /* all; those that run; others */
static size_t subject_count, right_count, wrong_count;
typedef struct counts {
    long contexts, sessions, streamed, runs, gemms, refused;
} counts;
static counts done;
static uint64_t gemm_hash;
static void (*look)(fault_seen *);
static unsigned char data[MOST_TENSORS][1 << 16];

static void fail(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    fputs("soak: ", stdout);
    vprintf(fmt, args);
    puts("");
    va_end(args);
    exit(1);
}

static double seconds_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ---- work ---------------------------------------------------------------------------------------------- */

static void check(const char *what, uint64_t *first, uint64_t now)
{
    if (*first == 0)
        *first = now;
    if (*first != now)
        fail("%s: another result than at first (run %ld)", what, done.runs);
}

/* Inputs of a shape: numbers that all types bear, the same each time. false: too large, or of a type that is
 * not filled here. */
static bool make_inputs(const octet_model *model, int shape, octet_tensor *tensors, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        octet_value_info info;
        OCTET_INIT(info);
        if (octet_model_input(model, i, &info) != OCTET_OK)
            return false;
        octet_tensor *t = &tensors[i];
        *t = (octet_tensor){
            .dtype = info.dtype, .rank = info.rank, .data = data[i], .data_bytes = sizeof data[i]};
        for (int d = 0; d < info.rank; d++)
            t->dims[d] = info.dims[d] >= 0 ? info.dims[d] : d == 0 ? shape + 1 : 3;
        if (octet_tensor_bytes(t) > sizeof data[i])
            return false;
        const size_t n = octet_tensor_bytes(t) / octet_dtype_bytes(t->dtype);
        for (size_t k = 0; k < n; k++) {
            if (t->dtype == OCTET_F32)
                ((float *)t->data)[k] = (float)(k * 37 % 17) / 8;
            else
                memset((char *)t->data + k * octet_dtype_bytes(t->dtype), 0, octet_dtype_bytes(t->dtype));
        }
    }
    return true;
}

/* One run; false: refused, the error's text is the result. */
static bool run_once(octet_session *session, const octet_model *model, subject *s, int shape)
{
    octet_tensor in[MOST_TENSORS], out[MOST_TENSORS] = {0};
    const size_t ins = octet_model_input_count(model), outs = octet_model_output_count(model);
    if (ins > MOST_TENSORS || outs > MOST_TENSORS || !make_inputs(model, shape, in, ins))
        return false;
    if (octet_session_run(session, in, ins, out, outs) != OCTET_OK) {
        check(s->path, &s->error, oct_hash(OCT_HASH_START, octet_last_error(), strlen(octet_last_error())));
        return false;
    }
    uint64_t hash = OCT_HASH_START;
    for (size_t i = 0; i < outs; i++) {
        hash = oct_hash(hash, out[i].data, octet_tensor_bytes(&out[i]));
        octet_tensor_free(&out[i]);
    }
    check(s->path, &s->hash[shape], hash);
    done.runs++;
    return true;
}

/* A session, perhaps with less memory than it wants, so that weights are streamed. */
static void use_session(octet_context *context, subject *s, bool streamed)
{
    octet_model *model = NULL;
    octet_session *session = NULL;
    octet_session_desc desc;
    octet_session_info info;
    OCTET_INIT(desc);
    OCTET_INIT(info);
    octet_status status = octet_model_load(context, s->path, NULL, &model);
    if (streamed)
        desc.memory_limit = s->streamed_limit;
    if (status == OCTET_OK)
        status = octet_session_create(model, &desc, &session);
    for (int i = 0; status == OCTET_OK && i < RUNS; i++) {
        if (!run_once(session, model, s, desc.memory_limit ? 0 : i % SHAPES))
            break;
    }
    if (status == OCTET_OK && octet_session_get_info(session, &info) == OCTET_OK) {
        done.streamed += info.streamed_bytes > 0;
        if (!s->streamed_limit && info.weight_bytes > 4096)
            s->streamed_limit = info.device_bytes - 1;
    }
    if (status != OCTET_OK && !desc.memory_limit) {
        check(s->path, &s->error, oct_hash(OCT_HASH_START, octet_last_error(), strlen(octet_last_error())));
        done.refused++;
    }
    octet_session_destroy(session);
    octet_model_destroy(model);
    done.sessions++;
}

static void multiply(octet_context *context)
{
    static int8_t a[33 * 65], b[65 * 47];
    static int32_t c[33 * 47];
    octet_gemm_desc d;
    OCTET_INIT(d);
    d.m = 33, d.n = 47, d.k = 65;
    d.a_dtype = d.b_dtype = OCTET_S8;
    for (size_t i = 0; i < sizeof a; i++)
        a[i] = (int8_t)(i * 11);
    for (size_t i = 0; i < sizeof b; i++)
        b[i] = (int8_t)(i * 7);
    octet_gemm *gemm = NULL;
    if (octet_gemm_create(context, &d, b, &gemm) != OCTET_OK || octet_gemm_run(gemm, a, NULL, c) != OCTET_OK)
        fail("gemm: %s", octet_last_error());
    octet_gemm_destroy(gemm);
    check("gemm", &gemm_hash, oct_hash(OCT_HASH_START, c, sizeof c));
    done.gemms++;
}

static octet_context *open_context(const char *cache_dir)
{
    octet_context *context = NULL;
    octet_context_desc desc;
    OCTET_INIT(desc);
    desc.cache_dir = cache_dir;
    if (octet_context_create(&desc, &context) != OCTET_OK)
        fail("%s", octet_last_error());
    return context;
}

static void use_context(void)
{
    octet_context *context = open_context(done.contexts % SOURCE == SOURCE - 1 ? "" : NULL);
    multiply(context);
    use_session(context, right[(size_t)done.contexts % 2],
                true); /* the digits, which have the weights for it */
    for (int i = 1; i < SESSIONS - 1; i++)
        use_session(context, right[(size_t)done.sessions % right_count], false);
    use_session(context, wrong[(size_t)done.contexts % wrong_count], false);
    octet_context_destroy(context);
    done.contexts++;
}

/* Each alone, to know which run, and everything twice before counting begins: what is compiled, cached and
 * pooled is there then. */
static void warm_up(void)
{
    octet_context *context = open_context(NULL);
    for (size_t i = 0; i < subject_count; i++) {
        long before = done.runs;
        use_session(context, &subjects[i], false);
        if (done.runs > before)
            right[right_count++] = &subjects[i];
        else
            wrong[wrong_count++] = &subjects[i];
    }
    octet_context_destroy(context);
    if (right_count < 3 || wrong_count < 1 || !right[0]->streamed_limit || !right[1]->streamed_limit)
        fail("the models are not those that this was made for");
    for (size_t i = 0; i < 2 * subject_count / SESSIONS + SOURCE; i++)
        use_context();
    memset(&done, 0, sizeof done);
}

/* ---- what is held -------------------------------------------------------------------------------------- */

typedef struct held {
    long resident_kib, files, objects, cached;
} held;

static long count_entries(const char *path)
{
    long n = 0;
    DIR *dir = opendir(path);
    while (dir && readdir(dir))
        n++;
    if (dir)
        closedir(dir);
    return n;
}

static held what_is_held(void)
{
    char cache[4200];
    snprintf(cache, sizeof cache, "%s/octet", getenv("XDG_CACHE_HOME"));
    held now = {.files = count_entries("/proc/self/fd"), .cached = count_entries(cache)};
    long pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (!f || fscanf(f, "%*d %ld", &pages) != 1)
        fail("/proc/self/statm cannot be read");
    fclose(f);
    now.resident_kib = pages * (sysconf(_SC_PAGESIZE) / 1024);
    fault_seen seen;
    look(&seen);
    now.objects = seen.live;
    return now;
}

static void print(const held *h, double seconds)
{
    printf("%7.0f s: %ld contexts, %ld sessions (%ld streamed, %ld refused), %ld runs, %ld products; "
           "%ld KiB, %ld files, %ld OpenCL objects, %ld in the cache\n",
           seconds, done.contexts, done.sessions, done.streamed, done.refused, done.runs, done.gemms,
           h->resident_kib, h->files, h->objects, h->cached);
    fflush(stdout);
}

/* Resident memory may breathe: what allocators keep differs from look to look. */
static void compare_held(const held *first, const held *now)
{
    const long slack = first->resident_kib / 8 > 16384 ? first->resident_kib / 8 : 16384;
    if (now->objects != first->objects || now->files != first->files || now->cached != first->cached)
        fail("%ld OpenCL objects, %ld files, %ld in the cache at first; now %ld, %ld, %ld", first->objects,
             first->files, first->cached, now->objects, now->files, now->cached);
    if (now->resident_kib > first->resident_kib + slack)
        fail("%ld KiB at first, now %ld KiB", first->resident_kib, now->resident_kib);
}

/* ---- setting up ---------------------------------------------------------------------------------------- */

static void add_subjects(const char *pattern)
{
    glob_t found;
    if (glob(pattern, 0, NULL, &found) != 0)
        fail("%s: no such file", pattern);
    for (size_t i = 0; i < found.gl_pathc && subject_count < MOST_MODELS; i++)
        snprintf(subjects[subject_count++].path, sizeof subjects[0].path, "%s", found.gl_pathv[i]);
    globfree(&found);
}

static void open_layer(void)
{
    setenv("OPENCL_LAYERS", OCTET_FAULT_LAYER, 1);
    void *module = dlopen(OCTET_FAULT_LAYER, RTLD_NOW);
    if (module)
        *(void **)&look = dlsym(module, "fault_layer_look");
    if (!look)
        fail("%s", dlerror());
}

static bool reached(const counts *most)
{
    return most->contexts + most->sessions + most->runs > 0 && done.contexts >= most->contexts &&
           done.sessions >= most->sessions && done.runs >= most->runs;
}

static void work(double seconds, const counts *most)
{
    const double start = seconds_now();
    held first = what_is_held(), now = first;
    print(&first, 0);
    for (int looks = 1; looks <= LOOKS && !reached(most); looks++) {
        while (!reached(most) && seconds_now() - start < seconds * looks / LOOKS)
            use_context();
        now = what_is_held();
        print(&now, seconds_now() - start);
        compare_held(&first, &now);
    }
    printf("soak: all the same bytes, nothing grew; %.2f KiB a context\n",
           (double)(now.resident_kib - first.resident_kib) / (double)(done.contexts ? done.contexts : 1));
}

int main(int argc, char **argv)
{
    counts most = {0};
    double seconds = argc > 1 ? strtod(argv[1], NULL) : 0;
    add_subjects(OCTET_SOURCE_DIR "/examples/digits/*.onnx");
    add_subjects(OCTET_SOURCE_DIR "/tests/data/*.onnx");
    for (int i = 2; i + 1 < argc; i += 2) {
        long *count = strcmp(argv[i], "--contexts") == 0   ? &most.contexts
                      : strcmp(argv[i], "--sessions") == 0 ? &most.sessions
                      : strcmp(argv[i], "--runs") == 0     ? &most.runs
                                                           : NULL;
        if (count)
            *count = strtol(argv[i + 1], NULL, 10);
        else
            add_subjects(argv[i + 1]);
    }
    if (seconds <= 0 || !getenv("XDG_CACHE_HOME"))
        fail("usage: soak SECONDS [--contexts N] [--sessions N] [--runs N] [--model FILE]..., with "
             "XDG_CACHE_HOME");
    (void)mkdir(getenv("XDG_CACHE_HOME"), 0700);
    open_layer();
    warm_up();
    work(seconds, &most);
    return 0;
}
