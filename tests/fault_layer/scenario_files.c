/* The files that scenarios read, samples and a test for `octet verify`, and those that they write. */
#define _GNU_SOURCE
#include "hash.h"
#include "scenarios.h"

#include <octet/octet.h>

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CLASSES = 10 };

static const char *folder;
float scenario_pixels[SCENARIO_ROWS * SCENARIO_PIXELS];

void scenario_empty(const char *path)
{
    DIR *dir = opendir(path);
    for (struct dirent *e; dir && (e = readdir(dir));) {
        char file[512];
        snprintf(file, sizeof file, "%s/%s", path, e->d_name);
        if (e->d_name[0] != '.')
            remove(file);
    }
    if (dir)
        closedir(dir);
}

/* The files of a folder, each by its name and bytes. The order does not count. */
uint64_t scenario_hash_files(const char *path)
{
    uint64_t all = 0;
    DIR *dir = opendir(path);
    for (struct dirent *e; dir && (e = readdir(dir));) {
        static unsigned char data[1 << 20];
        char file[512];
        snprintf(file, sizeof file, "%s/%s", path, e->d_name);
        int fd = e->d_name[0] == '.' ? -1 : open(file, O_RDONLY);
        ssize_t n = fd < 0 ? 0 : read(fd, data, sizeof data);
        if (fd >= 0) {
            close(fd);
            all +=
                oct_hash(oct_hash(OCT_HASH_START, e->d_name, strlen(e->d_name)), data, n > 0 ? (size_t)n : 0);
        }
    }
    if (dir)
        closedir(dir);
    return all;
}

static void write_file(const char *name, const void *head, size_t head_bytes, const void *data, size_t bytes)
{
    char path[200];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (fd < 0 || write(fd, head, head_bytes) != (ssize_t)head_bytes ||
        write(fd, data, bytes) != (ssize_t)bytes || close(fd) != 0)
        abort();
}

static void write_npy(const char *name, int rows)
{
    char head[129];
    memset(head, ' ', sizeof head);
    memcpy(head, "\x93NUMPY\x01\x00\x76\x00", 10);
    int n =
        snprintf(head + 10, 118, "{'descr': '<f4', 'fortran_order': False, 'shape': (%d, 1, 8, 8), }", rows);
    head[10 + n] = ' ';
    head[127] = '\n';
    write_file(name, head, 128, scenario_pixels, sizeof(float) * SCENARIO_PIXELS * (size_t)rows);
}

/* A TensorProto: dims, FLOAT, raw_data. */
static void write_pb(const char *name, const unsigned char *dims, int rank, const float *data, size_t count)
{
    unsigned char head[32];
    size_t at = 0;
    for (int i = 0; i < rank; i++) {
        head[at++] = 1 << 3;
        head[at++] = dims[i];
    }
    memcpy(head + at, (unsigned char[]){2 << 3, 1, 9 << 3 | 2}, 3);
    at += 3;
    size_t bytes = count * sizeof *data;
    for (; bytes >= 128; bytes >>= 7)
        head[at++] = (unsigned char)(bytes & 127) | 128;
    head[at++] = (unsigned char)bytes;
    write_file(name, head, at, data, count * sizeof *data);
}

/* The digits network as a test of `octet verify`, with what it says here. */
static void make_test(void)
{
    char path[200];
    static const char *const folders[] = {"test", "test/test_data_set_0"};
    for (size_t i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, folders[i]);
        mkdir(path, 0700);
    }
    snprintf(path, sizeof path, "%s/test/model.onnx", folder);
    octet_context *context = NULL;
    octet_model *model = NULL;
    octet_session *session = NULL;
    octet_tensor in = {OCTET_F32, 4, {1, 1, 8, 8}, scenario_pixels, sizeof(float) * SCENARIO_PIXELS},
                 scores = {0};
    if (symlink(SCENARIO_MODEL, path) != 0 || octet_context_create(NULL, &context) != OCTET_OK ||
        octet_model_load(context, SCENARIO_MODEL, NULL, &model) != OCTET_OK ||
        octet_session_create(model, NULL, &session) != OCTET_OK ||
        octet_session_run(session, &in, 1, &scores, 1) != OCTET_OK)
        abort();
    write_pb("test/test_data_set_0/input_0.pb", (unsigned char[]){1, 1, 8, 8}, 4, scenario_pixels,
             SCENARIO_PIXELS);
    write_pb("test/test_data_set_0/output_0.pb", (unsigned char[]){1, CLASSES}, 2, scores.data, CLASSES);
    octet_tensor_free(&scores);
    octet_session_destroy(session);
    octet_model_destroy(model);
    octet_context_destroy(context);
}

/* PoCL keeps its kernels where XDG_CACHE_HOME says, too; with an empty cache it compiles each anew. */
static void keep_kernels(void)
{
    char path[512];
    const char *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    snprintf(path, sizeof path, "%s%s/pocl/kcache", xdg ? xdg : home ? home : "", xdg ? "" : "/.cache");
    setenv("POCL_CACHE_DIR", path, 0);
}

void scenario_make_files(const char *in)
{
    static const char *const folders[] = {"out", "fresh", "cache"};
    char path[200];
    folder = in;
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, folders[i]);
        mkdir(path, 0700);
    }
    keep_kernels();
    setenv("XDG_CACHE_HOME", path, 1);
    for (size_t i = 0; i < SCENARIO_ROWS * SCENARIO_PIXELS; i++)
        scenario_pixels[i] = (float)(i * 37 % 17);
    write_npy("in.npy", SCENARIO_ROWS);
    make_test();
}
