/* Models with a few bytes changed, run on a device: what is still taken must plan, run and give all its
 * outputs.
 *
 *   run_mutants [--keep FOLDER] [--seed N] COUNT MODEL...
 *
 * COUNT mutants, of the models in turn. --keep: those that ran, with their inputs and outputs as .npy, for
 * another runtime to do them again (compare_mutants.py). Under Oclgrind the kernels' accesses are checked
 * too. The last line says how many were refused, and how many ran. A mutant is a pure function of the seed,
 * its number and the models. */
#include "npy.h"
#include "save_npy.h"

#include <octet/octet.h>

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST_PORTS = 16, MODEL_MOST = 1 << 16 };

typedef struct work {
    octet_context *context;
    const char *keep, *scratch;
    uint32_t seed;
    long loaded, refused, ran, failed, number;
} work;

static uint32_t next_random(uint32_t *seed)
{
    *seed ^= *seed << 13; /* Marsaglia's xorshift32 */
    *seed ^= *seed >> 17;
    *seed ^= *seed << 5;
    return *seed;
}

/* One to three bytes, or bits of them. */
static void mutate(uint8_t *data, size_t size, uint32_t *seed)
{
    for (uint32_t edits = 1 + next_random(seed) % 3; edits; edits--) {
        size_t at = next_random(seed) % size;
        uint32_t how = next_random(seed) % 4;
        data[at] = how == 0   ? (uint8_t)next_random(seed)
                   : how == 1 ? (uint8_t)(data[at] + 1)
                              : (uint8_t)(data[at] ^ 1u << next_random(seed) % 8);
    }
}

/* Numbers that mean something to most operators: floats around 0, small integers where they may be indices.
 */
static void fill(octet_tensor *t, uint32_t *seed)
{
    size_t each = octet_dtype_bytes(t->dtype), count = each ? t->data_bytes / each : 0;
    for (size_t i = 0; i < count; i++) {
        uint32_t r = next_random(seed);
        unsigned char *at = (unsigned char *)t->data + i * each;
        if (t->dtype == OCTET_F32) {
            float f = (float)(r % 4097) / 1024.0f - 2.0f;
            memcpy(at, &f, sizeof f);
        } else {
            memset(at, 0, each);
            *at = (unsigned char)(each == 1 && t->dtype != OCTET_BOOL ? r >> 8 : r >> 8 & 1);
        }
    }
}

static bool make_inputs(const octet_model *model, octet_tensor *in, uint32_t *seed)
{
    size_t count = octet_model_input_count(model);
    bool fits = count <= MOST_PORTS && octet_model_output_count(model) <= MOST_PORTS;
    for (size_t i = 0; fits && i < count; i++) {
        octet_value_info info;
        OCTET_INIT(info);
        fits = octet_model_input(model, i, &info) == OCTET_OK;
        in[i] = (octet_tensor){.dtype = info.dtype, .rank = info.rank < 0 ? 0 : info.rank};
        for (int d = 0; d < in[i].rank; d++)
            in[i].dims[d] = info.dims[d] < 0 ? 1 : info.dims[d];
        fits = fits && octet_tensor_bytes(&in[i]) <= 1 << 20 && octet_tensor_alloc(&in[i]) == OCTET_OK;
        if (fits)
            fill(&in[i], seed);
    }
    return fits;
}

static void keep_tensors(const work *w, const char *what, const octet_tensor *tensors, size_t count)
{
    char path[512];
    for (size_t i = 0; i < count; i++) {
        snprintf(path, sizeof path, "%s/%ld_%s%zu.npy", w->keep, w->number, what, i);
        if (!save_npy(path, &tensors[i]))
            exit(1);
    }
}

static void keep(const work *w, const uint8_t *data, size_t size)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%ld.onnx", w->keep, w->number);
    FILE *f = fopen(path, "wb");
    if (!f || fwrite(data, 1, size, f) != size || fclose(f) != 0) {
        perror(path);
        exit(1);
    }
}

static void run(work *w, octet_model *model, const uint8_t *data, size_t size)
{
    octet_tensor in[MOST_PORTS] = {0}, out[MOST_PORTS] = {0};
    octet_session *session = NULL;
    size_t inputs = octet_model_input_count(model), outputs = octet_model_output_count(model);
    bool fits = make_inputs(model, in, &w->seed);
    octet_status status = fits ? octet_session_create(model, NULL, &session) : OCTET_UNSUPPORTED;
    if (status == OCTET_OK)
        status = octet_session_run(session, in, inputs, out, outputs);
    if (status == OCTET_INTERNAL || status == OCTET_DEVICE_ERROR) {
        printf("mutant %ld: %s\n", w->number, octet_last_error());
        w->failed++;
    }
    w->ran += status == OCTET_OK;
    w->refused += status != OCTET_OK;
    if (status == OCTET_OK && w->keep) {
        keep(w, data, size);
        keep_tensors(w, "in", in, inputs);
        keep_tensors(w, "out", out, outputs);
    }
    octet_session_destroy(session);
    for (int i = 0; i < MOST_PORTS; i++) {
        octet_tensor_free(&in[i]);
        octet_tensor_free(&out[i]);
    }
}

static void run_mutant(work *w, const char *path)
{
    static uint8_t data[MODEL_MOST];
    FILE *f = fopen(path, "rb");
    size_t size = f ? fread(data, 1, sizeof data, f) : 0;
    if (f)
        fclose(f);
    if (!size || size == sizeof data) {
        fprintf(stderr, "%s cannot be read, or is longer than %d bytes\n", path, MODEL_MOST);
        exit(1);
    }
    mutate(data, size, &w->seed);
    f = fopen(w->scratch, "wb");
    if (!f || fwrite(data, 1, size, f) != size || fclose(f) != 0) {
        perror(w->scratch);
        exit(1);
    }
    octet_model *model = NULL;
    if (octet_model_load(w->context, w->scratch, NULL, &model) == OCTET_OK)
        run(w, model, data, size);
    else
        w->refused++;
    octet_model_destroy(model);
}

int main(int argc, char **argv)
{
    static char scratch[] = "/tmp/octet_mutant_XXXXXX";
    work w = {.seed = 1, .scratch = scratch};
    int at = 1;
    for (; at + 1 < argc && strncmp(argv[at], "--", 2) == 0; at += 2) {
        if (strcmp(argv[at], "--keep") == 0)
            w.keep = argv[at + 1];
        else
            w.seed = (uint32_t)strtoul(argv[at + 1], NULL, 10);
    }
    long count = at < argc ? strtol(argv[at++], NULL, 10) : 0;
    if (count < 1 || at >= argc || !w.seed) {
        fprintf(stderr, "run_mutants [--keep FOLDER] [--seed N] COUNT MODEL...\n");
        return 2;
    }
    int fd = mkstemp(scratch);
    octet_context_desc desc;
    OCTET_INIT(desc);
    desc.cache_dir = "";
    if (fd < 0 || octet_context_create(&desc, &w.context) != OCTET_OK) {
        fprintf(stderr, "%s\n", fd < 0 ? scratch : octet_last_error());
        return 1;
    }
    close(fd);
    for (w.number = 0; w.number < count; w.number++)
        run_mutant(&w, argv[at + w.number % (argc - at)]);
    octet_context_destroy(w.context);
    remove(scratch);
    printf("%ld mutants: %ld refused, %ld ran, %ld failed\n", count, w.refused, w.ran, w.failed);
    return w.failed ? 1 : 0;
}
