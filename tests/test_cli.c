/* The `octet` command from outside, as a script sees it: exit status, what it prints, one line per error.
 * Runs the digits network of examples/digits. The readers of files are tested in their own process by
 * test_cli_files.c.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define DIGITS       OCTET_SOURCE_DIR "/examples/digits"
#define MODEL        DIGITS "/digits_int8.onnx"
#define CONV_MODEL   OCTET_SOURCE_DIR "/tests/data/conv.onnx"
#define FLOAT_MODEL  DIGITS "/digits_f32.onnx"
#define PASSES_MODEL OCTET_SOURCE_DIR "/tests/data/if_else.onnx" /* which passes change */

enum { TEXT = 1 << 16, ARGUMENTS = 16, IMAGES = 4, PIXELS = 64, CLASSES = 10, NPY_HEADER = 128 };

static char folder[] = "/tmp/octet_cli_XXXXXX";
static char out[TEXT], err[TEXT]; /* of the last run */

/* folder/name, in one of a few buffers that take turns. */
static const char *in_folder(const char *name)
{
    static char paths[4][256];
    static int turn;
    turn = (turn + 1) % 4;
    snprintf(paths[turn], sizeof paths[turn], "%s/%s", folder, name);
    return paths[turn];
}

static void read_text(const char *path, char text[TEXT])
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t bytes = fread(text, 1, TEXT - 1, file);
    text[bytes] = '\0';
    fclose(file);
}

static void write_bytes(const char *path, const void *data, size_t bytes)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, bytes, file), bytes);
    assert_int_equal(fclose(file), 0);
}

static void redirect(const char *name, int to)
{
    int file = open(in_folder(name), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (file < 0 || dup2(file, to) < 0)
        _exit(99);
}

/* Run octet with these arguments, NULL last; `out` and `err` hold what it said. Its exit status. */
static int octet(const char *first, ...)
{
    const char *arguments[ARGUMENTS + 2] = {"octet", first};
    va_list more;
    int count = 1, status;
    va_start(more, first);
    while (arguments[count]) {
        assert_true(count < ARGUMENTS);
        arguments[++count] = va_arg(more, const char *);
    }
    va_end(more);
    pid_t child = fork();
    if (child == 0) {
        redirect("out", STDOUT_FILENO);
        redirect("err", STDERR_FILENO);
        execv(OCTET_COMMAND, (char *const *)(uintptr_t)arguments);
        _exit(98);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    read_text(in_folder("out"), out);
    read_text(in_folder("err"), err);
    if (!WIFEXITED(status))
        fail_msg("octet %s died of signal %d", first ? first : "", WTERMSIG(status));
    return WEXITSTATUS(status);
}

/* The error was one line that begins as all do and has `part` in it. */
static void check_error(const char *part)
{
    size_t length = strlen(err);
    if (strncmp(err, "octet: ", 7) != 0 || strchr(err, '\n') != err + length - 1 || !strstr(err, part))
        fail_msg("expected one line with \"%s\", got \"%s\"", part, err);
}

#define FAILS(status, part, ...)                                                                             \
    do {                                                                                                     \
        assert_int_equal(octet(__VA_ARGS__, NULL), status);                                                  \
        check_error(part);                                                                                   \
    } while (0)

#define WORKS(...)                                                                                           \
    do {                                                                                                     \
        if (octet(__VA_ARGS__, NULL) != 0)                                                                   \
            fail_msg("%s:%d: %s", __FILE__, __LINE__, err);                                                  \
        assert_string_equal(err, "");                                                                        \
    } while (0)

static int set_up(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int tear_down(void **state)
{
    char command[64];
    (void)state;
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command);
}

static void usage(void **state)
{
    (void)state;
    assert_int_equal(octet(NULL), 2);
    check_error("--help");
    FAILS(2, "no command \"frobnicate\"", "frobnicate");
    FAILS(2, "no option \"--frob\"", "run", MODEL, "--frob");
    FAILS(2, "no option \"--gemm=1x1x1\"", "run", MODEL, "--gemm=1x1x1");
    FAILS(2, "no option \"-q\"", "devices", "-q");
    FAILS(2, "needs a value", "run", MODEL, "--top");
    FAILS(2, "takes no value", "run", MODEL, "--quiet=1");
    FAILS(2, "number from 1", "run", MODEL, "--top=0");
    FAILS(2, "number from 1", "run", MODEL, "--batch", "many");
    FAILS(2, "number from 1", "run", MODEL, "--batch=99999999999999999999");
    FAILS(2, "given twice", "run", MODEL, "--image=a", "--image", "b");
    FAILS(2, "needs more", "run");
    FAILS(2, "needs more", "verify", "--quiet");
    FAILS(2, "does not take \"b\"", "inspect", "a", "b");
    FAILS(2, "one thing", "bench");
    FAILS(2, "one thing", "bench", MODEL, "--gemm=1x1x1");
    FAILS(2, "--kernels is for a MODEL", "bench", "--gemm=1x1x1", "--kernels");
    FAILS(2, "on one device", "bench", MODEL, "--device=0,0", "--kernels");
    FAILS(2, "MxNxK", "bench", "--gemm=1x1");
    FAILS(2, "MxNxK", "bench", "--gemm=1x1x1:f32u8s32");
    FAILS(2, "MxNxK", "bench", "--gemm=1x1x99999999999");
    FAILS(2, "--labels", "run", MODEL, "--labels=x");
    FAILS(2, "no calibration data", "quantize", FLOAT_MODEL, "-o", "x");
    FAILS(2, "where to", "quantize", FLOAT_MODEL, "--calibrate=x");
    FAILS(2, "--output needs a value", "quantize", FLOAT_MODEL, "-o");
    FAILS(2, "u16 or s16", "quantize", FLOAT_MODEL, "--calibrate=x", "-o", "x", "--activations=u4");
    FAILS(2, "--observer takes", "quantize", FLOAT_MODEL, "--calibrate=x", "-o", "x", "--observer=eye");
    FAILS(2, "--percentile takes", "quantize", FLOAT_MODEL, "--calibrate=x", "-o", "x", "--percentile=5");
    FAILS(2, "needs more", "compare", MODEL);
    FAILS(2, "--inputs", "compare", MODEL, FLOAT_MODEL);
    WORKS("--version");
    assert_string_equal(out, "octet 0.1.0\n");
    WORKS("bench", "--version");
}

/* Every option that a --help lists is in docs/cli.md, and every option there is in some --help. */
static void help(void **state)
{
    static const char *const commands[] = {"devices", "inspect",  "run",     "verify",
                                           "bench",   "quantize", "compare", "tune"};
    const size_t count = sizeof commands / sizeof *commands;
    static char document[TEXT], all[TEXT];
    char name[64];
    int options = 0;
    (void)state;
    read_text(OCTET_SOURCE_DIR "/docs/cli.md", document);
    WORKS("--help");
    for (size_t i = 0; i < count; i++)
        assert_non_null(strstr(out, commands[i]));
    for (size_t i = 0; i < count; i++) {
        WORKS(commands[i], "--help");
        strcat(all, out);
        for (const char *at = strstr(out, "\n  --"); at; at = strstr(at + 1, "\n  --"), options++) {
            assert_int_equal(sscanf(at, " %63[a-z-]", name), 1);
            if (!strstr(document, name))
                fail_msg("docs/cli.md does not have %s of octet %s", name, commands[i]);
        }
    }
    assert_int_equal(options, 5 * 8 + 18 + 8 + 4 + 2 + 30 + 11 + 9 + 6);
    for (const char *at = strstr(document, "--"); at; at = strstr(at + 2, "--")) {
        if (sscanf(at, "%63[a-z-]", name) == 1 && name[2] >= 'a' && !strstr(all, name))
            fail_msg("docs/cli.md has %s, which no command lists", name);
    }
}

/* The float digits network, its calibration pictures and the held-out ones. */
static void quantize(void **state)
{
    (void)state;
    char made[64], page[64];
    static char text[TEXT];
    snprintf(made, sizeof made, "%s/made.onnx", folder);
    snprintf(page, sizeof page, "%s/page.html", folder);
    double ratio = 1, top = 0, db = 0;
    WORKS("quantize", FLOAT_MODEL, "--calibrate", DIGITS "/calibration_images.npy", "--scale=0.0625",
          "--batch=16", "-o", made, "--report", page);
    const char *told = strstr(out, "made.onnx: ");
    assert_true(told && sscanf(told, "made.onnx: %lf of the bytes", &ratio) == 1);
    assert_true(ratio <= 0.30);
    assert_non_null(strstr(out, "SNR dB"));
    read_text(page, text);
    assert_non_null(strstr(text, "<svg"));
    assert_non_null(strstr(text, "relu1_out"));
    WORKS("compare", FLOAT_MODEL, made, "--inputs=image=" DIGITS "/test_images.npy", "--scale=0.0625",
          "--batch=60");
    told = strstr(out, "scores");
    assert_true(told && sscanf(told, "scores %lf%% %lf", &top, &db) == 2);
    assert_true(top >= 99.7 && db >= 35);
    WORKS("compare", FLOAT_MODEL, made, "--inputs=" DIGITS "/test_images.npy", "--scale=0.0625",
          "--samples=3", "--layers", "--json", page);
    assert_non_null(strstr(out, "relu1_out"));
    assert_non_null(strstr(out, "<- the worst"));
    read_text(page, text);
    assert_non_null(strstr(text, "{\"samples\": 3, \"outputs\": ["));
    assert_non_null(strstr(text, "{\"tensor\": \"relu1_out\", \"node\": "));
    WORKS("quantize", FLOAT_MODEL, "--calibrate", DIGITS "/pictures", "-o", made, "--wide=Conv", "--auto=1",
          "--raise", "16", "--observer=minmax", "--smooth");
    assert_non_null(strstr(out, "1 kept higher"));
    FAILS(2, "--raise takes", "quantize", FLOAT_MODEL, "--calibrate", DIGITS "/pictures", "-o", made,
          "--raise=17");
    FAILS(2, "--smooth takes", "quantize", FLOAT_MODEL, "--calibrate", DIGITS "/pictures", "-o", made,
          "--smooth=2");
    FAILS(2, "--split takes", "quantize", FLOAT_MODEL, "--calibrate", DIGITS "/pictures", "-o", made,
          "--activations=u16", "--split=some");
    FAILS(2, "two ways", "quantize", FLOAT_MODEL, "--calibrate", DIGITS "/pictures", "-o", made, "--adaptive",
          "--nearest");
    WORKS("compare", made, made, "--inputs=" DIGITS "/test_images.npy", "--scale=0.0625", "--samples=3");
    assert_non_null(strstr(out, "exact"));
    WORKS("quantize", FLOAT_MODEL, "--calibrate", DIGITS "/pictures", "-o", made, "--quiet", "--observer=mse",
          "--exclude=Gemm", "--mean=0.0", "--std=1,1,1");
    WORKS("inspect", made);
    assert_non_null(strstr(out, "float"));
    FAILS(1, "no calibration data", "quantize", FLOAT_MODEL, "--calibrate", in_folder(""), "-o", made);
    FAILS(1, "no input \"picture\"", "quantize", FLOAT_MODEL, "--calibrate=picture=" DIGITS "/pictures", "-o",
          made);
    FAILS(1, "does not fit input \"image\"", "quantize", FLOAT_MODEL,
          "--calibrate=" DIGITS "/expected_scores.npy", "-o", made);
    FAILS(1, "no node or operator is named 'Frob'", "quantize", FLOAT_MODEL, "--exclude=Frob",
          "--calibrate=" DIGITS "/pictures", "-o", made);
    remove(made);
    remove(page);
}

static void devices(void **state)
{
    (void)state;
    WORKS("devices");
    assert_true(strncmp(out, "0: ", 3) == 0);
    WORKS("devices", "--device", "0");
    assert_non_null(strstr(out, "int8 dot"));
    WORKS("devices", "--json", in_folder("devices.json"));
    static char listed[TEXT];
    read_text(in_folder("devices.json"), listed);
    assert_true(strncmp(listed, "[{\"name\": \"", 11) == 0);
    assert_string_equal(listed + strlen(listed) - 3, "}]\n");
    FAILS(1, "no such thing", "devices", "--device", "no such thing");
    FAILS(1, "no such thing", "devices", "--device=no such thing", "--json", in_folder("none.json"));
    assert_int_equal(access(in_folder("none.json"), F_OK), -1);
    FAILS(1, "77", "run", MODEL, "--device=77", "--image=" DIGITS "/pictures/digit_3.png");
    FAILS(1, "", "bench", "--gemm=1x1x1", "--device=a\nb");
}

static void inspect(void **state)
{
    (void)state;
    WORKS("inspect", MODEL);
    assert_non_null(strstr(out, "QLinearConv"));
    assert_non_null(strstr(out, "100.00%"));
    WORKS("inspect", MODEL, "--shape", "4x1x8x8", "--strict-int8");
    assert_non_null(strstr(out, "100.00% of 2398720 ")); /* four times that of one picture */
    FAILS(2, "1xtwo", "inspect", MODEL, "--shape", "1xtwo");
    FAILS(1, "[?, 1, 8, 8]", "inspect", MODEL, "--shape", "image=4x2x8x8");
    FAILS(1, "\"picture\"", "inspect", MODEL, "--shape", "picture=4x1x8x8");
    FAILS(1, "\"conv1\" (Conv) computes in float", "inspect", FLOAT_MODEL, "--strict-int8");
    FAILS(1, "no_such_file", "inspect", in_folder("no_such_file"));
    write_bytes(in_folder("junk"), "junk\xff\xff\xff", 7);
    FAILS(1, "junk", "inspect", in_folder("junk"));
    FAILS(1, "", "inspect", folder);
}

/* An input that an If hangs on: no model for a session until it is fixed, and then no input. */
static void fix(void **state)
{
    static const char model[] = OCTET_SOURCE_DIR "/tests/data/branch_input.onnx";
    (void)state;
    WORKS("inspect", model);
    assert_non_null(strstr(out, "refused"));
    assert_non_null(strstr(out, "--fix rate=VALUE"));
    WORKS("inspect", model, "--fix", "rate=2");
    assert_non_null(strstr(out, "LSTM"));
    assert_null(strstr(out, "second"));
    assert_null(strstr(out, "rate"));
    WORKS("inspect", model, "--fix=rate=3");
    assert_non_null(strstr(out, "second"));
    WORKS("bench", model, "--fix=rate=2", "--batch=3", "--seconds=0");
    FAILS(1, "--fix rate=VALUE", "bench", model, "--seconds=0");
    FAILS(2, "no number of type s64", "bench", model, "--fix=rate=2.5");
    FAILS(2, "no number of type s64", "bench", model, "--fix=rate=99999999999999999999");
    FAILS(1, "no input \"pace\"", "bench", model, "--fix=pace=2");
    FAILS(2, "NAME=", "bench", model, "--fix=rate");
}

/* A .npy file of `count` images, [count, 1, 8, 8], with this type and these bytes. */
static void write_npy(const char *name, const char *type, int count, const void *data, size_t bytes)
{
    static unsigned char file[TEXT];
    memset(file, ' ', NPY_HEADER);
    memcpy(file, "\x93NUMPY\x01\x00\x76\x00", 10);
    int used = snprintf((char *)file + 10, 110,
                        "{'descr': '%s', 'fortran_order': False, 'shape': (%d, 1, 8, 8), }", type, count);
    file[10 + used] = ' ';
    file[NPY_HEADER - 1] = '\n';
    memcpy(file + NPY_HEADER, data, bytes);
    write_bytes(in_folder(name), file, NPY_HEADER + bytes);
}

/* The first held-out images as f32, and their scores as ONNX Runtime gave them. */
static void load_images(float images[IMAGES * PIXELS], float scores[IMAGES * CLASSES])
{
    static unsigned char bytes[NPY_HEADER + IMAGES * PIXELS], raw[NPY_HEADER + IMAGES * CLASSES * 4];
    FILE *file = fopen(DIGITS "/test_images.npy", "rb");
    assert_non_null(file);
    assert_int_equal(fread(bytes, 1, sizeof bytes, file), sizeof bytes);
    fclose(file);
    file = fopen(DIGITS "/expected_scores.npy", "rb");
    assert_non_null(file);
    assert_int_equal(fread(raw, 1, sizeof raw, file), sizeof raw);
    fclose(file);
    for (int i = 0; i < IMAGES * PIXELS; i++)
        images[i] = (float)bytes[NPY_HEADER + i] / 16;
    memcpy(scores, raw + NPY_HEADER, IMAGES * CLASSES * sizeof *scores);
}

static void run_files(void **state)
{
    float images[IMAGES * PIXELS], scores[IMAGES * CLASSES];
    char option[512];
    (void)state;
    load_images(images, scores);
    write_npy("images.npy", "<f4", IMAGES, images, sizeof images);
    snprintf(option, sizeof option, "image=%s", in_folder("images.npy"));
    WORKS("run", MODEL, "--input", option, "--output", in_folder("made"));
    assert_non_null(strstr(out, "latency"));
    assert_non_null(strstr(out, " 0 bytes of weights"));
    static char made[TEXT];
    read_text(in_folder("made/scores.npy"), made);
    assert_memory_equal(made + NPY_HEADER, scores, sizeof scores);
    WORKS("run", MODEL, "--input", strchr(option, '=') + 1, "--quiet");
    WORKS("run", MODEL, "--input", option, "--quiet", "--strict-int8", "--border", "host");
    assert_non_null(strstr(out, "scores  f32 [4, 10]  min "));
    assert_null(strstr(out, "latency"));
    FAILS(2, "--border", "run", MODEL, "--input", option, "--border", "nowhere");
    FAILS(1, "computes in float", "run", FLOAT_MODEL, "--input", option, "--strict-int8");
    WORKS("run", MODEL, "--input", option, "--top=1", "--quiet");
    assert_non_null(strstr(out, "[3]\n"));
    FAILS(1, "expected f32 [2, 1, 8, 8], given f32 [4, 1, 8, 8]", "run", MODEL, "--input", option,
          "--batch=2");
    FAILS(2, "twice", "run", MODEL, "--input", option, "--input", option);
    FAILS(1, "no folder", "run", MODEL, "--input", option, "--output", "/no folder/here");
    WORKS("run", MODEL, "--input", option, "--device=0", "--batch", "4");
}

/* What the last run said of its choices, on standard error, has these; NULL last. */
static void check_choices(const char *const *wanted)
{
    for (; *wanted; wanted++) {
        if (!strstr(err, *wanted))
            fail_msg("no \"%s\" in \"%s\"", *wanted, err);
    }
    assert_true(strstr(err, "octet: taken from the cache: ") || strstr(err, "octet: compiled: "));
}

static void verbose(void **state)
{
    static const char *const rewritten[] = {
        "octet: device '", "octet: program cache: ", "octet: plan: ", "octet: pass 'tables' changed", NULL};
    static const char *const products[] = {"octet: node 'conv1_quant': conv_", ", the cheapest of its kind\n",
                                           NULL};
    (void)state;
    assert_int_equal(octet("bench", PASSES_MODEL, "--seconds=0", "--verbose", NULL), 0);
    check_choices(rewritten);
    assert_non_null(strstr(out, "latency"));
    setenv("OCTET_VERBOSE", "1", 1);
    assert_int_equal(octet("bench", MODEL, "--seconds=0", NULL), 0);
    check_choices(products);
    setenv("OCTET_VERBOSE", "0", 1);
    WORKS("bench", MODEL, "--seconds=0");
    unsetenv("OCTET_VERBOSE");
}

/* A batch over the parts of a device (one device where its driver makes none): the same file. */
static void several_devices(void **state)
{
    float images[IMAGES * PIXELS], scores[IMAGES * CLASSES];
    static char made[TEXT];
    (void)state;
    load_images(images, scores);
    write_npy("images.npy", "<f4", IMAGES, images, sizeof images);
    setenv("OCTET_SPLIT", "2", 1);
    WORKS("run", MODEL, "--input", in_folder("images.npy"), "--device=all", "--output", in_folder("all"));
    read_text(in_folder("all/scores.npy"), made);
    assert_memory_equal(made + NPY_HEADER, scores, sizeof scores);
    assert_non_null(strstr(out, "latency"));
    WORKS("bench", MODEL, "--device", "all", "--seconds=0", "--batch", "6", "--json", in_folder("all.json"));
    read_text(in_folder("all.json"), made);
    assert_non_null(strstr(made, "\"run_bytes_up\": 1536, \"run_bytes_down\": 240,"));
    WORKS("run", MODEL, "--input", in_folder("images.npy"), "--device", "0,0", "--strict-int8");
    assert_non_null(strstr(out, "devices: 2\n"));
    FAILS(1, "there is no batch to divide among 2 devices", "bench", CONV_MODEL, "--device", "0,0");
    FAILS(1, "no device matches 'no_such'", "bench", MODEL, "--device", "0,no_such");
    FAILS(2, "several with commas", "bench", MODEL, "--device", "0,");
    FAILS(2, "several devices are for", "devices", "--device", "all");
    FAILS(2, "several devices are for", "bench", "--gemm", "2x2x2", "--device", "0,0");
    unsetenv("OCTET_SPLIT");
}

static void run_mistakes(void **state)
{
    static float zeros[PIXELS * 2];
    char option[512];
    (void)state;
    FAILS(1, "input \"image\" is missing", "run", MODEL);
    FAILS(1, "no input \"foo\"", "run", MODEL, "--input", "foo=x.npy");
    FAILS(1, "image: No such file", "run", MODEL, "--input", "image");
    FAILS(1, "no_such.npy", "run", MODEL, "--input", "image=no_such.npy");
    FAILS(1, "no_such.pb", "run", MODEL, "--input", "image=no_such.pb");
    FAILS(1, "not a .npy", "run", MODEL, "--input", "image=" MODEL);
    FAILS(1, "no_such.onnx", "run", "no_such.onnx");
    FAILS(1, "no_such.png", "run", MODEL, "--image", "no_such.png");
    FAILS(1, "PNG", "run", MODEL, "--image", MODEL);
    write_npy("u8.npy", "|u1", 2, zeros, 2 * PIXELS);
    snprintf(option, sizeof option, "image=%s", in_folder("u8.npy"));
    FAILS(1, "expected f32 [?, 1, 8, 8], given u8 [2, 1, 8, 8]", "run", MODEL, "--input", option);
    write_npy("short.npy", "<f4", 2, zeros, PIXELS * 4);
    snprintf(option, sizeof option, "image=%s", in_folder("short.npy"));
    FAILS(1, "promises 512 bytes", "run", MODEL, "--input", option);
}

static void run_pictures(void **state)
{
    static const char digits[] = {'0', '3', '6'};
    (void)state;
    write_bytes(in_folder("labels"), "zero\r\none\ntwo\nthree\r\nfour\nfive\nsix", 34); /* ends of any kind */
    for (size_t i = 0; i < sizeof digits; i++) {
        char option[512], expected[] = {' ', ' ', ' ', ' ', digits[i], ' ', ' ', '\0'};
        snprintf(option, sizeof option, "--image=%s/pictures/digit_%c.png", DIGITS, digits[i]);
        WORKS("run", MODEL, option, "--top", "2", "--quiet", "--labels", in_folder("labels"));
        assert_memory_equal(out, expected, sizeof expected - 1);
    }
    assert_non_null(strstr(out, " six\n"));
    WORKS("run", MODEL, "--image", DIGITS "/pictures/digit_3.png", "--top", "1000", "--quiet", "--labels",
          in_folder("labels"));
    int lines = 0;
    double before = 1e9, value;
    for (const char *line = out; *line; line = strchr(line, '\n') + 1, lines++) {
        assert_int_equal(sscanf(line, "%*d %lf", &value), 1);
        assert_true(value <= before);
        before = value;
    }
    assert_int_equal(lines, CLASSES);
    assert_non_null(strstr(out, " three\n"));
    assert_non_null(strstr(out, " zero\n"));
    WORKS("run", MODEL, "--image", DIGITS "/pictures/digit_3.png", "--batch", "3", "--quiet");
    assert_non_null(strstr(out, "[3, 10]"));
    FAILS(1, "no_labels", "run", MODEL, "--image", DIGITS "/pictures/digit_3.png", "--top=1", "--labels",
          in_folder("no_labels"));
}

/* An ONNX TensorProto of f32, [count, 10] or [count, 1, 8, 8]: dims, data_type 1, name, raw_data. */
static void write_pb(const char *name, const char *value, int count, const float *data, size_t elements)
{
    static unsigned char file[TEXT];
    size_t at = 0, bytes = elements * sizeof *data, length = strlen(value);
    const int dims[] = {count, 1, 8, 8}, scores[] = {count, CLASSES};
    int rank = elements == (size_t)count * CLASSES ? 2 : 4;
    for (int i = 0; i < rank; i++) {
        file[at++] = 1 << 3;
        file[at++] = (unsigned char)(rank == 2 ? scores : dims)[i];
    }
    file[at++] = 2 << 3;
    file[at++] = 1;
    file[at++] = 8 << 3 | 2;
    file[at++] = (unsigned char)length;
    memcpy(file + at, value, length);
    at += length;
    file[at++] = 9 << 3 | 2;
    file[at++] = (unsigned char)((bytes & 127) | 128);
    file[at++] = (unsigned char)(bytes >> 7);
    memcpy(file + at, data, bytes);
    write_bytes(in_folder(name), file, at + bytes);
}

/* folder/tests/NAME: a backend test of the digits network. */
static void make_test(const char *name, const float *images, const float *scores)
{
    char path[128];
    snprintf(path, sizeof path, "tests/%s", name);
    assert_int_equal(mkdir(in_folder(path), 0700), 0);
    snprintf(path, sizeof path, "tests/%s/model.onnx", name);
    assert_int_equal(symlink(MODEL, in_folder(path)), 0);
    snprintf(path, sizeof path, "tests/%s/test_data_set_0", name);
    assert_int_equal(mkdir(in_folder(path), 0700), 0);
    snprintf(path, sizeof path, "tests/%s/test_data_set_0/input_0.pb", name);
    write_pb(path, "image", IMAGES, images, IMAGES * PIXELS);
    snprintf(path, sizeof path, "tests/%s/test_data_set_0/output_0.pb", name);
    write_pb(path, "scores", IMAGES, scores, IMAGES * CLASSES);
}

/* The keys of a JSON text, in this order. */
static void check_keys(const char *path, const char *const *keys)
{
    char text[TEXT], quoted[64];
    read_text(path, text);
    const char *at = text;
    for (; *keys; keys++) {
        snprintf(quoted, sizeof quoted, "\"%s\": ", *keys);
        const char *found = strstr(at, quoted);
        if (!found)
            fail_msg("no %s after \"%s\"", quoted, at);
        at = found;
    }
    assert_string_equal(text + strlen(text) - 2, "}\n");
}

static void verify(void **state)
{
    static const char *const keys[] = {"tests",  "name",   "verdict",     "reason",
                                       "passed", "failed", "unsupported", NULL};
    float images[IMAGES * PIXELS], scores[IMAGES * CLASSES];
    (void)state;
    load_images(images, scores);
    assert_int_equal(mkdir(in_folder("tests"), 0700), 0);
    make_test("a_right", images, scores);
    WORKS("verify", in_folder("tests"));
    assert_string_equal(out, "pass a_right\n1 passed, 0 failed, 0 unsupported\n");
    WORKS("verify", in_folder("tests/a_right/"));
    assert_string_equal(out, "pass a_right\n1 passed, 0 failed, 0 unsupported\n");
    scores[17] += scores[17] * 0.01f + 0.01f;
    make_test("b_wrong", images, scores);
    make_test("c_damaged", images, scores);
    write_bytes(in_folder("tests/c_damaged/test_data_set_0/output_0.pb"), "\x0a\x01x\x10\x01\xff", 6);
    make_test("d_strings", images, scores);
    write_bytes(in_folder("tests/d_strings/test_data_set_0/output_0.pb"), "\x10\x08", 2);
    assert_int_equal(octet("verify", in_folder("tests"), NULL), 1);
    assert_non_null(
        strstr(out, "pass a_right\nfail b_wrong: output 0: 1 of 40 values differ; at 17: expected "));
    assert_non_null(strstr(out, "\nfail c_damaged: test_data_set_0/output_0.pb: not a TensorProto file"));
    assert_non_null(strstr(out, "\nunsupported d_strings: "));
    assert_non_null(strstr(out, "\n1 passed, 2 failed, 1 unsupported\n"));
    assert_string_equal(err, "");
    FAILS(1, "no model.onnx", "verify", DIGITS "/pictures");
    assert_int_equal(octet("verify", in_folder("tests"), "--quiet", "--json", in_folder("tests.json"), NULL),
                     1);
    assert_string_equal(out, "1 passed, 2 failed, 1 unsupported\n");
    check_keys(in_folder("tests.json"), keys);
    FAILS(1, "no such folder", "verify", "/no such folder");
}

/* A row for each launch of a run, the longest first, whose shares are 1 together. */
static void check_kernels(const char *path)
{
    static char text[TEXT];
    double ms, share, before = 1e9, sum = 0;
    int rows = 0, launches = 0;
    read_text(path, text);
    assert_non_null(strstr(out, "conv1"));
    for (const char *at = strstr(text, "\"median_ms\": "); (at = strstr(at, "\"median_ms\": "));
         at++, rows++) {
        assert_int_equal(sscanf(at, "\"median_ms\": %lf, \"share\": %lf}", &ms, &share), 2);
        assert_true(ms > 0 && ms <= before);
        before = ms;
        sum += share;
    }
    assert_int_equal(sscanf(strstr(text, "\"launches\": "), "\"launches\": %d", &launches), 1);
    assert_int_equal(rows, launches);
    assert_true(sum > 0.999 && sum < 1.001);
}

static void bench(void **state)
{
    static const char *const model_keys[] = {
        "latency_ms",   "median",         "min",       "p95",      "gops",  "ceiling_gops", "weight_bytes_up",
        "run_bytes_up", "run_bytes_down", "transfers", "launches", "waits", "load_ms",      "arena_bytes",
        "batch",        "device",         NULL};
    static const char *const gemm_keys[] = {"m",       "n", "k", "types", "median_ms", "gops", "ceiling_gops",
                                            "variant", NULL};
    (void)state;
    WORKS("bench", MODEL, "--seconds=0", "--json", in_folder("model.json"), "--shape", "2x1x8x8");
    check_keys(in_folder("model.json"), model_keys);
    static char text[TEXT];
    read_text(in_folder("model.json"), text);
    assert_non_null(strstr(text, "\"run_bytes_up\": 512, \"run_bytes_down\": 80,"));
    assert_null(strstr(out, "median ms"));
    assert_null(strstr(text, "kernels"));
    WORKS("bench", MODEL, "--seconds=0", "--kernels", "--json", in_folder("kernels.json"));
    check_kernels(in_folder("kernels.json"));
    WORKS("bench", "--gemm", "33x17x5:s8u8u8", "--seconds", "0", "--json", in_folder("gemm.json"));
    check_keys(in_folder("gemm.json"), gemm_keys);
    write_bytes(in_folder("shapes"), "# two\n1x1x1\n\n 8x8x8:u8s8f32 # the second\n", 42);
    WORKS("bench", "--shapes", in_folder("shapes"), "--seconds=0");
    assert_non_null(strstr(out, "8x8x8:u8s8f32"));
    write_bytes(in_folder("shapes"), "1x1x1\n7\n", 8);
    FAILS(1, "shapes:2", "bench", "--shapes", in_folder("shapes"));
    FAILS(1, "no_variant", "bench", "--gemm=8x8x8", "--variant=no_variant", "--json", in_folder("none.json"));
    assert_int_not_equal(access(in_folder("none.json"), F_OK), 0);
    FAILS(1, "no_such", "bench", in_folder("no_such"));
}

/* A cache of the test's own, for the length of one test. PoCL looks for its compiled kernels where
 * XDG_CACHE_HOME says, too: with an empty cache it compiles each anew, and its compiler leaks, which
 * LeakSanitizer puts down to the command. */
static int own_cache(void **state)
{
    static char path[4096];
    const char *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    *state = xdg != NULL ? strdup(xdg) : NULL;
    if (xdg != NULL || home != NULL) {
        snprintf(path, sizeof path, "%s%s/pocl/kcache", xdg ? xdg : home, xdg ? "" : "/.cache");
        setenv("POCL_CACHE_DIR", path, 0);
    }
    return setenv("XDG_CACHE_HOME", folder, 1);
}

static int usual_cache(void **state)
{
    if (*state == NULL)
        return unsetenv("XDG_CACHE_HOME");
    setenv("XDG_CACHE_HOME", *state, 1);
    free(*state);
    return 0;
}

static void tune(void **state)
{
    static const char *const keys[] = {"problem", "variant", "usual_variant", "dropped",
                                       "spread",  "seconds", "tried",         NULL};
    (void)state;
    FAILS(2, "one thing", "tune");
    FAILS(2, "one thing", "tune", MODEL, "--show");
    FAILS(1, "no_such", "tune", in_folder("no_such"));
    FAILS(2, "\"7\" is not MxNxK", "tune", "--gemm", "7");
    WORKS("tune", "--show");
    assert_non_null(strstr(out, "nothing is known of this device"));
    WORKS("tune", "--gemm", "2x3x5", "--seconds=0", "--json", in_folder("tune.json"));
    assert_int_equal(strncmp(out, "gemm 2x3x5 batch 1: gemm_s8_", 28), 0);
    check_keys(in_folder("tune.json"), keys);
    WORKS("tune", FLOAT_MODEL, "--seconds=0");
    assert_non_null(strstr(out, "there is no product or convolution in 8 bits"));
    WORKS("tune", "--show");
    assert_int_equal(strncmp(out, "gemm 2x3x5 batch 1: gemm_s8_", 28), 0);
    assert_non_null(strstr(out, "\nfile: "));
    WORKS("tune", "--reset");
    WORKS("tune", "--show", "--quiet");
    assert_non_null(strstr(out, "nothing is known"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(usage),           cmocka_unit_test(help),
        cmocka_unit_test(quantize),        cmocka_unit_test(devices),
        cmocka_unit_test(inspect),         cmocka_unit_test(fix),
        cmocka_unit_test(run_files),       cmocka_unit_test(run_mistakes),
        cmocka_unit_test(run_pictures),    cmocka_unit_test(verify),
        cmocka_unit_test(bench),           cmocka_unit_test_setup_teardown(tune, own_cache, usual_cache),
        cmocka_unit_test(several_devices), cmocka_unit_test(verbose),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
