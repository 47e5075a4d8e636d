/* Fuzz target of the ONNX reader and shape inference: any bytes are read or refused, nothing else.
 *
 * As a test: fuzz_onnx FILE..., each file as it is, and with bytes overwritten, cut and doubled.
 * With libFuzzer: cmake -DCMAKE_C_COMPILER=clang -DOCTET_FUZZ=ON
 * -DOCTET_SANITIZE=address,undefined,fuzzer-no-link, then fuzz_onnx CORPUS tests/data.
 */
#include "onnx.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The reader maps files: one temporary file, rewritten for every input. */
static const char *as_file(const uint8_t *data, size_t size)
{
    static char in_memory[] = "/dev/shm/octet_fuzz_XXXXXX", on_disk[] = "/tmp/octet_fuzz_XXXXXX", of_fd[32];
    static int fd = -1;
    if (fd < 0) {
        fd = mkstemp(in_memory);
        if (fd >= 0)
            unlink(in_memory);
        else if ((fd = mkstemp(on_disk)) >= 0)
            unlink(on_disk);
        if (fd < 0)
            abort();
        snprintf(of_fd, sizeof of_fd, "/dev/fd/%d", fd);
    }
    if (ftruncate(fd, 0) != 0 || pwrite(fd, data, size, 0) != (ssize_t)size)
        abort();
    return of_fd;
}

static void infer(const oct_graph *graph)
{
    oct_graph g;
    if (oct_graph_clone(graph, &g) != OCTET_OK)
        return;
    for (int i = 0; i < g.input_count; i++) {
        oct_value *v = &g.values[g.inputs[i]];
        for (int d = 0; d < v->rank; d++)
            v->dims[d] = v->dims[d] < 0 ? 1 : v->dims[d];
    }
    (void)oct_graph_infer(&g);
    oct_graph_free(&g);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *path = as_file(data, size);
    oct_onnx_model *m;
    octet_tensor t;
    if (oct_onnx_load(path, true, &m) == OCTET_OK)
        infer(oct_onnx_graph(m));
    oct_onnx_free(m);
    if (oct_onnx_read_tensor(path, &t, NULL, 0) == OCTET_OK)
        free(t.data);
    return 0;
}

#ifndef OCTET_FUZZER
#define CHANGES_PER_FILE 200

static uint32_t next_random(uint32_t *seed)
{
    *seed ^= *seed << 13; /* Marsaglia's xorshift32 */
    *seed ^= *seed >> 17;
    *seed ^= *seed << 5;
    return *seed;
}

static void change(const uint8_t *data, size_t size, uint8_t *out, uint32_t *seed)
{
    memcpy(out, data, size);
    size_t n = size;
    for (uint32_t edits = 1 + next_random(seed) % 4; n && edits; edits--) {
        size_t at = next_random(seed) % n, length = 1 + next_random(seed) % 16;
        length = length < n - at ? length : n - at;
        switch (next_random(seed) % 4) {
        case 0:
            out[at] = (uint8_t)next_random(seed);
            break;
        case 1: /* a large varint */
            memset(out + at, 0xff, length);
            break;
        case 2: /* cut out */
            memmove(out + at, out + at + length, n - at - length);
            n -= length;
            break;
        default: /* doubled; the buffer has room for four times 16 more */
            memmove(out + at + length, out + at, n - at);
            n += length;
        }
    }
    LLVMFuzzerTestOneInput(out, n);
}

static int run_file(const char *path, uint32_t *seed)
{
    FILE *f = fopen(path, "rb");
    long size = f && fseek(f, 0, SEEK_END) == 0 ? ftell(f) : -1;
    uint8_t *data = size >= 0 ? malloc((size_t)size + 1) : NULL,
            *out = data ? malloc((size_t)size + 64) : NULL;
    int read = out && fseek(f, 0, SEEK_SET) == 0 && fread(data, 1, (size_t)size, f) == (size_t)size;
    if (read) {
        LLVMFuzzerTestOneInput(data, (size_t)size);
        for (int i = 0; i < CHANGES_PER_FILE; i++)
            change(data, (size_t)size, out, seed);
    } else {
        fprintf(stderr, "%s cannot be read\n", path);
    }
    free(out);
    free(data);
    if (f)
        fclose(f);
    return read;
}

int main(int argc, char **argv)
{
    uint32_t seed = 20261123;
    int files = 0;
    for (int i = 1; i < argc; i++)
        files += run_file(argv[i], &seed);
    printf("%d files, %d changed copies of each\n", files, CHANGES_PER_FILE);
    return files == argc - 1 && files > 0 ? 0 : 1;
}
#endif
