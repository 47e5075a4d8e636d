/* See scenarios.h. Nothing here allocates or uses streams while faults are on: what fails stands in Octet. */
#define _GNU_SOURCE
#include "scenarios.h"
#include "hash.h"

#include <octet/compare.h>
#include <octet/octet.h>
#include <octet/opencl.h>
#include <octet/quantize.h>

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DIGITS OCTET_SOURCE_DIR "/examples/digits"
#define FLOAT  DIGITS "/digits_f32.onnx"

static char folder[128];

/* ---- the library --------------------------------------------------------------------------------------- */

static octet_tensor images(int64_t rows)
{
    return (octet_tensor){
        OCTET_F32, 4, {rows, 1, 8, 8}, scenario_pixels, sizeof(float) * SCENARIO_PIXELS * (size_t)rows};
}

static octet_status open_device(const char *device, const char *cache_dir, octet_context **context)
{
    octet_context_desc desc;
    OCTET_INIT(desc);
    desc.profiling = getenv("OCTET_VICTIM_PROFILING") != NULL;
    desc.device = device;
    desc.cache_dir = cache_dir;
    return octet_context_create(&desc, context);
}

static void take(outcome *out, octet_tensor *tensor)
{
    out->hash = oct_hash(out->hash, tensor->data, octet_tensor_bytes(tensor));
    octet_tensor_free(tensor);
}

static octet_status run_rows(octet_session *session, int64_t rows, outcome *out)
{
    octet_tensor in = images(rows), scores = {0};
    octet_status status = octet_session_run(session, &in, 1, &scores, 1);
    if (status == OCTET_OK)
        take(out, &scores);
    return status;
}

static octet_status load(octet_context *context, outcome *out)
{
    octet_model *model = NULL;
    octet_value_info info;
    OCTET_INIT(info);
    octet_status status = octet_model_load(context, SCENARIO_MODEL, NULL, &model);
    if (status == OCTET_OK)
        status = octet_model_output(model, 0, &info);
    out->hash = (uint64_t)info.rank;
    octet_model_destroy(model);
    return status;
}

static octet_status gemm(octet_context *context, outcome *out)
{
    static const signed char b[16 * 16] = {1, 2, 3};
    unsigned char a[16 * 16] = {1};
    int c[16 * 16] = {0};
    octet_gemm_desc d;
    OCTET_INIT(d);
    d.m = d.n = d.k = 16;
    d.a_dtype = OCTET_U8;
    d.b_dtype = OCTET_S8;
    octet_gemm *g = NULL;
    octet_status status = octet_gemm_create(context, &d, b, &g);
    if (status == OCTET_OK)
        status = octet_gemm_run(g, a, NULL, c);
    octet_gemm_destroy(g);
    out->hash = oct_hash(OCT_HASH_START, c, sizeof c);
    return status;
}

static octet_status use_session(octet_context *context, const octet_session_desc *desc, outcome *out,
                                octet_status (*use)(octet_session *, outcome *))
{
    octet_model *model = NULL;
    octet_session *session = NULL;
    octet_status status = octet_model_load(context, SCENARIO_MODEL, NULL, &model);
    if (status == OCTET_OK)
        status = octet_session_create(model, desc, &session);
    octet_model_destroy(model);
    if (status == OCTET_OK)
        status = use(session, out);
    octet_session_destroy(session);
    return status;
}

static octet_status once(octet_session *session, outcome *out)
{
    return run_rows(session, 1, out);
}

static octet_status shapes(octet_session *session, outcome *out)
{
    octet_status status = OCTET_OK;
    static const int64_t rows[] = {1, 3, 2, 1, 4};
    for (size_t i = 0; status == OCTET_OK && i < sizeof rows / sizeof rows[0]; i++)
        status = run_rows(session, rows[i], out);
    return status;
}

static octet_status run(octet_context *context, outcome *out)
{
    return use_session(context, NULL, out, once);
}

static octet_status replan(octet_context *context, outcome *out)
{
    return use_session(context, NULL, out, shapes);
}

/* A little less memory than it takes: some weights are streamed in each run. */
static octet_status stream(octet_context *context, outcome *out)
{
    octet_model *model = NULL;
    octet_session_info info;
    octet_session_desc desc;
    OCTET_INIT(info);
    OCTET_INIT(desc);
    octet_status status = octet_model_load(context, SCENARIO_MODEL, NULL, &model);
    if (status == OCTET_OK)
        status = octet_model_plan(model, NULL, &info);
    octet_model_destroy(model);
    desc.memory_limit = info.device_bytes - 1;
    return status == OCTET_OK ? use_session(context, &desc, out, once) : status;
}

static octet_status inspect(octet_context *context, outcome *out)
{
    octet_model *model = NULL;
    octet_inspection *inspection = NULL;
    octet_status status = octet_model_load(context, SCENARIO_MODEL, NULL, &model);
    if (status == OCTET_OK)
        status = octet_inspection_create(model, NULL, &inspection);
    out->hash = octet_inspection_node_count(inspection);
    octet_inspection_destroy(inspection);
    octet_model_destroy(model);
    return status;
}

static octet_status quantize(octet_context *context, outcome *out)
{
    char path[200];
    snprintf(path, sizeof path, "%s/out/quantized.onnx", folder);
    octet_quantizer *quantizer = NULL;
    octet_quantize_desc desc;
    octet_tensor in = images(SCENARIO_ROWS);
    OCTET_INIT(desc);
    desc.observer = OCTET_OBSERVE_MINMAX;
    octet_status status = octet_quantizer_create(context, FLOAT, &desc, &quantizer);
    if (status == OCTET_OK)
        status = octet_quantizer_add(quantizer, &in, 1);
    if (status == OCTET_OK)
        status = octet_quantizer_write(quantizer, path);
    out->hash = octet_quantizer_tensor_count(quantizer);
    octet_quantizer_destroy(quantizer);
    return status;
}

static octet_status compare(octet_context *context, outcome *out)
{
    octet_comparison *comparison = NULL;
    octet_tensor in = images(SCENARIO_ROWS);
    octet_compared_info info;
    OCTET_INIT(info);
    octet_status status = octet_comparison_create(context, FLOAT, SCENARIO_MODEL, NULL, &comparison);
    if (status == OCTET_OK)
        status = octet_comparison_add(comparison, &in, 1);
    if (status == OCTET_OK)
        status = octet_comparison_tensor(comparison, 0, &info);
    out->hash = oct_hash(OCT_HASH_START, &info.snr_db, sizeof info.snr_db);
    octet_comparison_destroy(comparison);
    return status;
}

static octet_status tune(octet_context *context, outcome *out)
{
    octet_gemm_desc d;
    octet_tune_desc how;
    OCTET_INIT(d);
    OCTET_INIT(how);
    d.m = d.n = d.k = 3;
    d.a_dtype = d.b_dtype = OCTET_S8;
    octet_status status = octet_tune_gemm(context, &d, &how);
    out->hash = 0;
    return status == OCTET_OK ? octet_tuning_reset(context) : status;
}

/* The caller's own context, queue and buffers. The driver's objects are made from Octet's, by Octet. */
static octet_status adopt(octet_context *context, outcome *out)
{
    octet_context *ours = NULL;
    octet_model *model = NULL;
    octet_session *session = NULL;
    octet_value_info shape;
    OCTET_INIT(shape);
    shape.rank = 4;
    memcpy(shape.dims, (int64_t[]){1, 1, 8, 8}, sizeof(int64_t[4]));
    octet_status status =
        octet_context_from_cl(octet_context_cl(context), octet_context_queue(context), NULL, &ours);
    if (status == OCTET_OK)
        status = octet_model_load(ours, SCENARIO_MODEL, NULL, &model);
    if (status == OCTET_OK)
        status = octet_session_create(model, NULL, &session);
    cl_mem in = NULL, scores = NULL;
    cl_event done = NULL;
    if (status == OCTET_OK) {
        in = clCreateBuffer(octet_context_cl(ours), CL_MEM_READ_WRITE, sizeof scenario_pixels, NULL, NULL);
        scores =
            clCreateBuffer(octet_context_cl(ours), CL_MEM_READ_WRITE, sizeof scenario_pixels, NULL, NULL);
        if (in && scores)
            status = octet_session_enqueue(session, &shape, &in, 1, &scores, 1, &done);
    }
    (void)clFinish(octet_context_queue(context));
    if (done)
        clReleaseEvent(done);
    if (in)
        clReleaseMemObject(in);
    if (scores)
        clReleaseMemObject(scores);
    octet_session_destroy(session);
    octet_model_destroy(model);
    octet_context_destroy(ours);
    out->hash = 0;
    return status;
}

typedef octet_status use_of_context(octet_context *, outcome *);

static void report(octet_status status, outcome *out)
{
    out->failed = status != OCTET_OK;
    if (status != OCTET_OK)
        snprintf(out->text, sizeof out->text, "%s: %s", octet_status_name(status), octet_last_error());
    if (status == OCTET_INTERNAL || (status != OCTET_OK && !*octet_last_error()))
        out->failed = 2;
}

static void with_context(const char *cache_dir, use_of_context *use, outcome *out)
{
    octet_context *context = NULL;
    octet_status status = open_device(NULL, cache_dir, &context);
    if (status == OCTET_OK)
        status = use(context, out);
    octet_context_destroy(context);
    report(status, out);
}

#define ON_A_CONTEXT(name)                                                                                   \
    static void name##_alone(const scenario *s, outcome *out)                                                \
    {                                                                                                        \
        (void)s;                                                                                             \
        with_context(NULL, name, out);                                                                       \
    }
ON_A_CONTEXT(load)
ON_A_CONTEXT(gemm)
ON_A_CONTEXT(run)
ON_A_CONTEXT(replan)
ON_A_CONTEXT(stream)
ON_A_CONTEXT(inspect)
ON_A_CONTEXT(quantize)
ON_A_CONTEXT(compare)
ON_A_CONTEXT(tune)
ON_A_CONTEXT(adopt)

/* From source, each program anew, and into a cache that is empty. */
static void compile(const scenario *s, outcome *out)
{
    char fresh[200];
    (void)s;
    snprintf(fresh, sizeof fresh, "%s/fresh", folder);
    with_context(fresh, run, out);
}

static void devices(const scenario *s, outcome *out)
{
    (void)s;
    size_t count = 0;
    octet_device_info info;
    OCTET_INIT(info);
    octet_status status = octet_device_count(&count);
    if (status == OCTET_OK && count)
        status = octet_device_get(0, &info);
    out->hash = 0; /* a driver that cannot list its devices has none */
    report(status, out);
}

/* One batch on two devices; on the same one twice where there is one. (Parts of it, OCTET_SPLIT, would be
 * two, but PoCL 3.1 gives a part back while a thread of its own is still busy with the last command: a crash
 * in some ten thousand runs.) */
static void several(const scenario *s, outcome *out)
{
    (void)s;
    octet_context *contexts[2] = {0};
    octet_model *models[2] = {0};
    octet_session *sessions[2] = {0};
    octet_status status = OCTET_OK;
    for (int i = 0; status == OCTET_OK && i < 2; i++) {
        size_t count = 1;
        status = octet_device_count(&count);
        if (status == OCTET_OK)
            status = open_device(i && count > 1 ? "1" : "0", NULL, &contexts[i]);
        if (status == OCTET_OK)
            status = octet_model_load(contexts[i], SCENARIO_MODEL, NULL, &models[i]);
        if (status == OCTET_OK)
            status = octet_session_create(models[i], NULL, &sessions[i]);
    }
    octet_tensor in = images(SCENARIO_ROWS), scores = {0};
    if (status == OCTET_OK)
        status = octet_sessions_run(sessions, 2, NULL, &in, 1, &scores, 1);
    if (status == OCTET_OK)
        take(out, &scores);
    report(status, out);
    for (int i = 0; i < 2; i++) {
        octet_session_destroy(sessions[i]);
        octet_model_destroy(models[i]);
        octet_context_destroy(contexts[i]);
    }
}

/* ---- the command --------------------------------------------------------------------------------------- */

int octet_main(int argc, char **argv); /* its main */

static size_t read_text(int fd, char *text, size_t size)
{
    ssize_t n = pread(fd, text, size - 1, 0);
    text[n > 0 ? n : 0] = '\0';
    return n > 0 ? (size_t)n : 0;
}

static void clear(int fd)
{
    if (ftruncate(fd, 0) != 0 || lseek(fd, 0, SEEK_SET) != 0)
        abort();
}

static bool is_one_line(const char *text)
{
    const char *end = strchr(text, '\n');
    return strncmp(text, "octet: ", 7) == 0 && end && !end[1];
}

static int words(const char *arguments, char *store, size_t size, char **argv, int most)
{
    int argc = 0;
    size_t at = 0;
    argv[argc++] = (char *)(uintptr_t) "octet";
    for (const char *c = arguments; *c && argc < most;) {
        argv[argc++] = store + at;
        for (; *c && *c != ' '; c++) {
            char one[2] = {*c, '\0'};
            const char *text = *c == '@' ? folder : *c == '%' ? DIGITS : one;
            at += (size_t)snprintf(store + at, size - at, "%s", text);
        }
        store[at++] = '\0';
        c += *c == ' ';
    }
    argv[argc] = NULL;
    return argc;
}

/* In this process, with its outputs in files. What a file of results holds must be what a sound run wrote,
 * where the command says that it is done. */
static void command(const scenario *s, outcome *out)
{
    static int files[2] = {-1, -1};
    char store[2048], path[200], *argv[32];
    for (int i = 0; i < 2 && files[i] < 0; i++) {
        snprintf(path, sizeof path, "%s/std%d", folder, i);
        files[i] = open(path, O_RDWR | O_CREAT | O_TRUNC | O_APPEND, 0600);
    }
    snprintf(path, sizeof path, "%s/out", folder);
    clear(files[0]);
    clear(files[1]);
    int argc = words(s->arguments, store, sizeof store, argv, 30);
    int kept[2] = {dup(STDOUT_FILENO), dup(STDERR_FILENO)};
    dup2(files[0], STDOUT_FILENO);
    dup2(files[1], STDERR_FILENO);
    int code = octet_main(argc, argv);
    __fpurge(stdout); /* what could not be written is not written now */
    dup2(kept[0], STDOUT_FILENO);
    dup2(kept[1], STDERR_FILENO);
    close(kept[0]);
    close(kept[1]);
    clearerr(stdout);
    out->failed = code != 0;
    size_t told = read_text(files[1], out->text, sizeof out->text);
    bool in_results = code == 1 && !told && strncmp(s->arguments, "verify ", 7) == 0;
    if (in_results) { /* a test that fails is a line of the results */
        told = read_text(files[0], out->text, sizeof out->text);
        out->text[strcspn(out->text, "\n")] = '\0';
    }
    if (code == 0)
        out->hash = scenario_hash_files(path);
    else if (code != 1 || (in_results ? strncmp(out->text, "fail", 4) != 0 : !is_one_line(out->text)))
        out->failed = 2;
    if (out->failed == 2)
        snprintf(out->text + told, sizeof out->text - told, " (exit %d)", code);
}

/* ---- all of them --------------------------------------------------------------------------------------- */

#define LIBRARY(name, function, variable, value)                                                             \
    {                                                                                                        \
        name, variable, value, function, NULL                                                                \
    }
#define COMMAND(name, arguments)                                                                             \
    {                                                                                                        \
        "octet " name, NULL, NULL, command, arguments                                                        \
    }
#define QUIET " --quiet"

/* OCTET_SPLIT where no command is enqueued: see several. */
const scenario scenarios[] = {
    LIBRARY("devices", devices, "OCTET_SPLIT", "2"),
    LIBRARY("load", load_alone, NULL, NULL),
    LIBRARY("gemm", gemm_alone, NULL, NULL),
    LIBRARY("run", run_alone, NULL, NULL),
    LIBRARY("run, profiling", run_alone, "OCTET_VICTIM_PROFILING", "1"),
    LIBRARY("replan", replan_alone, NULL, NULL),
    LIBRARY("stream", stream_alone, NULL, NULL),
    LIBRARY("stream, staged", stream_alone, "OCTET_STAGING", "1003"),
    LIBRARY("several devices", several, NULL, NULL),
    LIBRARY("adopt", adopt_alone, NULL, NULL),
    LIBRARY("inspect", inspect_alone, "OCTET_SPLIT", "2"),
    LIBRARY("compile", compile, NULL, NULL),
    LIBRARY("compile, together", compile, "OCTET_BUILD_THREADS", "2"),
    LIBRARY("quantize", quantize_alone, NULL, NULL),
    LIBRARY("compare", compare_alone, NULL, NULL),
    LIBRARY("tune", tune_alone, NULL, NULL),
    COMMAND("devices", "devices"),
    COMMAND("inspect", "inspect %/digits_int8.onnx"),
    COMMAND("run", "run %/digits_int8.onnx --input image=@/in.npy --batch 4 --output @/out" QUIET),
    COMMAND("run, all", "run %/digits_int8.onnx --input image=@/in.npy --batch 4 --device 0,0" QUIET),
    COMMAND("run, image", "run %/digits_int8.onnx --image %/pictures/digit_3.png --top 3" QUIET),
    COMMAND("verify", "verify @/test"),
    COMMAND("bench", "bench %/digits_int8.onnx --seconds 0" QUIET),
    COMMAND("bench, kernels", "bench %/digits_int8.onnx --kernels --seconds 0" QUIET),
    COMMAND("bench, gemm", "bench --gemm 128x512x512 --seconds 0" QUIET),
    COMMAND("tune", "tune --gemm 3x3x3 --seconds 0 --device 0" QUIET),
    COMMAND("quantize", "quantize %/digits_f32.onnx --calibrate @/in.npy --observer minmax --device 0 "
                        "-o @/out/int8.onnx --report @/out/report.html" QUIET),
    COMMAND("compare", "compare %/digits_f32.onnx %/digits_int8.onnx --inputs @/in.npy --device 0" QUIET),
};
const size_t scenario_count = sizeof scenarios / sizeof scenarios[0];

void scenario_run(const scenario *s, void (*begin)(void), void (*end)(void), outcome *out)
{
    char path[200];
    snprintf(path, sizeof path, "%s/out", folder);
    scenario_empty(path);
    snprintf(path, sizeof path, "%s/fresh", folder);
    scenario_empty(path);
    if (s->variable)
        setenv(s->variable, s->value, 1);
    *out = (outcome){.hash = OCT_HASH_START};
    begin();
    s->run(s, out);
    end();
    if (s->variable)
        unsetenv(s->variable);
}

void scenarios_prepare(const char *in)
{
    snprintf(folder, sizeof folder, "%s", in);
    scenario_make_files(folder);
}
