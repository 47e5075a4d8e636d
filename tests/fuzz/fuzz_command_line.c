/* The command line: arguments, one a line, as the command gets them. The command itself runs in this process,
 * on a stub of OpenCL, in a folder of small files whose names an argument may say; but for bench and tune,
 * which take their time, of which arguments are parsed only. */
#include "cli.h"
#include "fuzz.h"
#include "npy.h"
#include "save_npy.h"
#include "stub_opencl.h"

#include <dirent.h>
#include <string.h>
#include <unistd.h>

int octet_command(int argc, char **argv); /* main of src/cli/main.c */

enum { MOST_ARGUMENTS = 24, MOST_BYTES = 1024, FILE_BYTES = 4096 };

static struct {
    const char *name, *from; /* NULL: made here */
    unsigned char data[FILE_BYTES];
    size_t bytes;
} files[] = {
    {"m.onnx", "tests/data/conv.onnx", {0}, 0},
    {"f.onnx", "tests/data/relu_float.onnx", {0}, 0},
    {"g.onnx", "tests/data/matmul.onnx", {0}, 0},
    {"q.onnx", "tests/data/bad_scale_nan.onnx", {0}, 0},
    {"p.png", "examples/digits/pictures/digit_3.png", {0}, 0},
    {"x.npy", NULL, {0}, 0}, /* of f.onnx */
    {"u.npy", NULL, {0}, 0}, /* of m.onnx */
};
enum { FILES = sizeof files / sizeof files[0] };

static void make_arrays(void)
{
    octet_tensor x = {.dtype = OCTET_F32, .rank = 1, .dims = {2}};
    octet_tensor u = {.dtype = OCTET_U8, .rank = 4, .dims = {1, 3, 8, 8}};
    FUZZ_MUST(octet_tensor_alloc(&x) == OCTET_OK && octet_tensor_alloc(&u) == OCTET_OK);
    memset(x.data, 1, x.data_bytes);
    memset(u.data, 7, u.data_bytes);
    FUZZ_MUST(save_npy(fuzz_path("x.npy"), &x));
    FUZZ_MUST(save_npy(fuzz_path("u.npy"), &u));
    octet_tensor_free(&x);
    octet_tensor_free(&u);
}

static void read_files(void)
{
    make_arrays();
    for (size_t i = 0; i < FILES; i++) {
        char path[512];
        snprintf(path, sizeof path, "%s/%s", OCTET_SOURCE_DIR, files[i].from ? files[i].from : "");
        FILE *f = fopen(files[i].from ? path : fuzz_path(files[i].name), "rb");
        FUZZ_MUST(f);
        files[i].bytes = fread(files[i].data, 1, FILE_BYTES, f);
        fclose(f);
        FUZZ_MUST(files[i].bytes && files[i].bytes < FILE_BYTES);
    }
}

static bool is_one_of_ours(const char *name)
{
    for (size_t i = 0; i < FILES; i++) {
        if (strcmp(name, files[i].name) == 0)
            return true;
    }
    return false;
}

/* The folder as it was, and the process in it. Nothing of a run before is left: a finding must be one of its
 * input. */
static void enter_folder(void)
{
    static char folder[512];
    if (!*folder) {
        read_files();
        fuzz_file(files[0].name, files[0].data, files[0].bytes);
        snprintf(folder, sizeof folder, "%s", fuzz_path("."));
        setenv("XDG_CACHE_HOME", folder, 1);
        setenv("OCTET_PROBE", "0", 1);
    }
    FUZZ_MUST(chdir(folder) == 0);
    DIR *dir = opendir(".");
    FUZZ_MUST(dir);
    for (struct dirent *e; (e = readdir(dir));) {
        if (e->d_name[0] != '.' && !is_one_of_ours(e->d_name))
            (void)remove(e->d_name);
    }
    closedir(dir);
    for (size_t i = 0; i < FILES; i++)
        fuzz_file(files[i].name, files[i].data, files[i].bytes);
}

static const cli_command *find_command(const char *name)
{
    const cli_command *c = cli_commands;
    while (c->name && strcmp(c->name, name) != 0)
        c++;
    return c->name ? c : NULL;
}

/* Does it end soon? */
static bool may_run(int argc, char **argv)
{
    const cli_command *c = argc > 1 ? find_command(argv[1]) : NULL;
    cli_options options;
    if (!c)
        return true;
    int status = cli_parse(c, argc - 2, argv + 2, &options);
    FUZZ_MUST(status == EXIT_DONE || status == EXIT_USAGE);
    bool soon = (c->bit != FOR_BENCH && c->bit != FOR_TUNE && options.batch < 1000) || options.help;
    cli_options_free(&options);
    return soon;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char text[MOST_BYTES], *argv[MOST_ARGUMENTS + 2] = {(char *)"octet"};
    int argc = 1;
    /* No path leads out of the folder. */
    if (size >= sizeof text || memchr(data, '/', size) || memchr(data, '\0', size))
        return 0;
    if (size)
        memcpy(text, data, size);
    text[size] = '\0';
    if (strstr(text, ".."))
        return 0;
    for (char *at = text; *at && argc <= MOST_ARGUMENTS;) {
        char *end = at + strcspn(at, "\n");
        argv[argc++] = at;
        at = *end ? end + 1 : end;
        *end = '\0';
    }
    if (!may_run(argc, argv))
        return 0;
    enter_folder();
    int status = octet_command(argc, argv);
    FUZZ_MUST(status == EXIT_DONE || status == EXIT_FAILED || status == EXIT_USAGE);
    FUZZ_MUST(stub_opencl_live() == 0);
    return 0;
}
