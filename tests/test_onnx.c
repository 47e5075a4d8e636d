/* The ONNX reader and shape inference over the networks of tests/data (make_models.py says what each is
 * about), damaged copies of them, external data, and every network of libonnx-testdata where that is
 * installed. */
#include "dtype.h"
#include "onnx.h"

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define DATA OCTET_SOURCE_DIR "/tests/data/"

static char folder[64]; /* of files that tests write */

/* ---- helpers ----------------------------------------------------------------------------------------------
 */

static const char *status_word(octet_status s)
{
    static const char *const words[] = {"ok",           "invalid argument", "unsupported",
                                        "no device",    "out of memory",    "device error",
                                        "corrupt file", "internal"};
    return words[s];
}

/* Load and infer with every dynamic dimension 1; text receives the outputs, "name dtype dims; ...". */
static octet_status infer(const oct_graph *graph, char *text, size_t size)
{
    oct_graph g;
    octet_status status = oct_graph_clone(graph, &g);
    if (status != OCTET_OK)
        return status;
    for (int i = 0; i < g.input_count; i++) {
        oct_value *v = &g.values[g.inputs[i]];
        for (int d = 0; d < v->rank; d++)
            v->dims[d] = v->dims[d] < 0 ? 1 : v->dims[d];
    }
    status = oct_graph_infer(&g);
    size_t at = 0;
    text[0] = '\0';
    for (int i = 0; status == OCTET_OK && i < g.output_count; i++) {
        const oct_value *v = &g.values[g.outputs[i]];
        at += (size_t)snprintf(text + at, size - at, "%s%s %s ", i ? "; " : "", v->name,
                               oct_dtype_name(v->dtype));
        for (int d = 0; d < v->rank && at < size; d++)
            at += (size_t)snprintf(text + at, size - at, "%s%lld", d ? "," : "", (long long)v->dims[d]);
        at = at < size ? at : size - 1;
    }
    oct_graph_free(&g);
    return status;
}

/* What a hostile file may do: be read or be refused with a text, nothing else. */
static octet_status survive(const char *path)
{
    char text[4096];
    oct_onnx_model *m = NULL;
    octet_status status = oct_onnx_load(path, false, &m);
    if (status == OCTET_OK)
        status = infer(oct_onnx_graph(m), text, sizeof text);
    else
        assert_null(m);
    if (status != OCTET_OK)
        assert_true(oct_error_text()[0]);
    assert_true(status == OCTET_OK || status == OCTET_CORRUPT_FILE || status == OCTET_UNSUPPORTED ||
                status == OCTET_INVALID_ARGUMENT);
    oct_onnx_free(m);
    return status;
}

static unsigned char *read_file(const char *path, size_t *bytes)
{
    FILE *f = fopen(path, "rb");
    if (!f)
        fail_msg("%s cannot be opened", path);
    assert_int_equal(fseek(f, 0, SEEK_END), 0);
    *bytes = (size_t)ftell(f);
    rewind(f);
    unsigned char *data = malloc(*bytes + 1);
    assert_non_null(data);
    assert_int_equal(fread(data, 1, *bytes, f), *bytes);
    fclose(f);
    return data;
}

static void write_file(const char *name, const void *data, size_t bytes, char *path, size_t size)
{
    snprintf(path, size, "%s/%s", folder, name);
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(data, 1, bytes, f), bytes);
    assert_int_equal(fclose(f), 0);
}

/* ---- the table of models ----------------------------------------------------------------------------------
 */

typedef struct row {
    char file[64], stage[8], status[24], text[160];
} row;

static bool next_row(FILE *f, row *r)
{
    char line[512];
    while (fgets(line, sizeof line, f)) {
        if (line[0] == '#')
            continue;
        line[strcspn(line, "\n")] = '\0';
        memset(r, 0, sizeof *r);
        assert_true(sscanf(line, "%63[^|]|%7[^|]|%23[^|]|%159[^\n]", r->file, r->stage, r->status, r->text) >=
                    3);
        return true;
    }
    return false;
}

static int check_row(const row *r)
{
    char path[512], got[1024] = "";
    snprintf(path, sizeof path, DATA "%s", r->file);
    oct_onnx_model *m = NULL;
    const char *stage = "load";
    octet_status status = oct_onnx_load(path, false, &m);
    if (status == OCTET_OK) {
        stage = "infer";
        status = infer(oct_onnx_graph(m), got, sizeof got);
    }
    oct_onnx_free(m);
    const char *text = status == OCTET_OK ? got : oct_error_text();
    bool right = strcmp(r->stage, stage) == 0 && strcmp(r->status, status_word(status)) == 0 &&
                 (status == OCTET_OK ? strcmp(text, r->text) == 0 : strstr(text, r->text) != NULL);
    if (!right)
        print_error("%s: expected %s, %s, '%s'; got %s, %s, '%s'\n", r->file, r->stage, r->status, r->text,
                    stage, status_word(status), text);
    return right ? 0 : 1;
}

static void test_models(void **state)
{
    (void)state;
    FILE *f = fopen(DATA "models.txt", "r");
    assert_non_null(f);
    int wrong = 0, rows = 0;
    for (row r; next_row(f, &r); rows++)
        wrong += check_row(&r);
    fclose(f);
    assert_int_equal(wrong, 0);
    assert_true(rows >= 150);
}

/* ---- damage -----------------------------------------------------------------------------------------------
 */

static const char *const damaged[] = {
    "conv.onnx",  "typed_data.onnx", "bad_if.onnx",    "constant_identity.onnx", "concat.onnx",
    "qgemm.onnx", "bad_sparse.onnx", "if_nested.onnx", "lstm_functions.onnx"};

static void test_truncated(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof damaged / sizeof damaged[0]; i++) {
        char path[512];
        size_t bytes, refused = 0;
        snprintf(path, sizeof path, DATA "%s", damaged[i]);
        unsigned char *data = read_file(path, &bytes);
        for (size_t n = 0; n < bytes; n++) {
            write_file("cut.onnx", data, n, path, sizeof path);
            refused += survive(path) != OCTET_OK;
        }
        free(data);
        assert_true(refused + 64 >= bytes); /* only the tail after the graph (opset imports) may be cut */
    }
}

static void test_bit_flips(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof damaged / sizeof damaged[0]; i++) {
        char path[512];
        size_t bytes, refused = 0;
        snprintf(path, sizeof path, DATA "%s", damaged[i]);
        unsigned char *data = read_file(path, &bytes);
        for (size_t bit = 0; bit < 8 * bytes; bit++) {
            data[bit / 8] ^= (unsigned char)(1 << bit % 8);
            write_file("flip.onnx", data, bytes, path, sizeof path);
            refused += survive(path) != OCTET_OK;
            data[bit / 8] ^= (unsigned char)(1 << bit % 8);
        }
        free(data);
        assert_true(refused > bytes); /* most flips matter */
    }
}

static void test_unreadable(void **state)
{
    (void)state;
    char path[512];
    snprintf(path, sizeof path, "%s/nothing.onnx", folder);
    assert_int_equal(survive(path), OCTET_CORRUPT_FILE);
    assert_int_equal(survive(folder), OCTET_CORRUPT_FILE);
    snprintf(path, sizeof path, "%s/pipe", folder);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(survive(path), OCTET_CORRUPT_FILE);
    write_file("empty.onnx", "", 0, path, sizeof path);
    assert_int_equal(survive(path), OCTET_CORRUPT_FILE);
}

/* nanopb's counters have 16 bits: more is not corrupt, but refused, and nothing wraps. (A text, not a list:
 * lists grow one by one, which is quadratic under AddressSanitizer.) */
static void test_too_long(void **state)
{
    (void)state;
    enum { LENGTH = 70000, HEAD = 16 };
    /* graph, node, attribute, its text: field and length of each */
    static unsigned char model[HEAD + LENGTH] = {0x3a, 0xfc, 0xa2, 4, 0x0a, 0xf8, 0xa2, 4,
                                                 0x2a, 0xf4, 0xa2, 4, 0x22, 0xf0, 0xa2, 4};
    char path[512];
    memset(model + HEAD, 'x', LENGTH);
    write_file("cut.onnx", model, sizeof model, path, sizeof path);
    assert_int_equal(survive(path), OCTET_UNSUPPORTED);
    assert_non_null(strstr(oct_error_text(), "65535"));
}

/* ---- external data ----------------------------------------------------------------------------------------
 */

/* A field of protobuf, length-delimited; only for texts below 128 bytes. */
static size_t put(unsigned char *out, unsigned field, const void *data, size_t n)
{
    assert_true(n < 16384);
    size_t at = 0;
    out[at++] = (unsigned char)(field << 3 | 2);
    if (n >= 128)
        out[at++] = (unsigned char)(n & 127) | 128;
    out[at++] = (unsigned char)(n < 128 ? n : n >> 7);
    memcpy(out + at, data, n);
    return at + n;
}

static size_t put_entry(unsigned char *out, const char *key, const char *value)
{
    unsigned char entry[1024];
    if (!value)
        return 0;
    size_t n = put(entry, 1, key, strlen(key));
    n += put(entry + n, 2, value, strlen(value));
    return put(out, 13, entry, n); /* TensorProto.external_data */
}

/* A model whose only output is the u8 [4] initializer "w", kept in external data. */
static octet_status load_external(const char *location, const char *offset, const char *length,
                                  uint8_t *first)
{
    static const unsigned char head[] = {0x08, 4,   0x10, 2, 0x42,
                                         1,    'w', 0x70, 1};        /* dims, type, name, EXTERNAL */
    static const unsigned char type[] = {0x0a, 4, 0x08, 2, 0x12, 0}; /* tensor_type: u8 */
    unsigned char t[2048], info[64], graph[4096], model[8192];
    memcpy(t, head, sizeof head);
    size_t n = sizeof head;
    n += put_entry(t + n, "location", location);
    n += put_entry(t + n, "offset", offset);
    n += put_entry(t + n, "length", length);
    size_t g = put(graph, 5, t, n);
    size_t i = put(info, 1, "w", 1);
    i += put(info + i, 2, type, sizeof type);
    g += put(graph + g, 12, info, i);
    size_t bytes = put(model, 7, graph, g);
    bytes += put(model + bytes, 8, "\x10\x0d", 2); /* opset 13 */
    char path[512];
    write_file("external.onnx", model, bytes, path, sizeof path);
    oct_onnx_model *m;
    octet_status status = oct_onnx_load(path, false, &m);
    if (status == OCTET_OK && first) {
        const oct_graph *loaded = oct_onnx_graph(m);
        const oct_value *v = &loaded->values[loaded->outputs[0]];
        assert_int_equal(v->data_bytes, 4);
        *first = *(const uint8_t *)v->data;
    }
    oct_onnx_free(m);
    return status;
}

static void test_external_data(void **state)
{
    (void)state;
    char path[512];
    uint8_t first = 0;
    write_file("w.bin", "\1\2\3\4\5\6\7\10", 8, path, sizeof path);
    assert_int_equal(load_external("w.bin", NULL, NULL, &first), OCTET_OK);
    assert_int_equal(first, 1);
    assert_int_equal(load_external("w.bin", "4", "4", &first), OCTET_OK);
    assert_int_equal(first, 5);
    snprintf(path, sizeof path, "%s/sub", folder);
    assert_int_equal(mkdir(path, 0700), 0);
    write_file("sub/w.bin", "\11\2\3\4", 4, path, sizeof path);
    assert_int_equal(load_external("sub/w.bin", "0", "4", &first), OCTET_OK);
    assert_int_equal(first, 9);
}

/* Another program writes to a file while Octet has it. */
static void test_changed_files(void **state)
{
    (void)state;
    const size_t large = (size_t)17 << 20; /* more than is copied */
    char model[512], weights[512];
    oct_onnx_model *m;
    write_file("w.bin", "\1\2\3\4\5\6\7\10", 8, weights, sizeof weights);
    assert_int_equal(load_external("w.bin", NULL, NULL, NULL), OCTET_OK);
    snprintf(model, sizeof model, "%s/external.onnx", folder);
    assert_int_equal(oct_onnx_load(model, false, &m), OCTET_OK);
    assert_true(oct_onnx_reads(m, weights) && oct_onnx_reads(m, model) && !oct_onnx_reads(m, "/dev/null"));
    assert_int_equal(truncate(weights, 0), 0);
    assert_int_equal(truncate(model, 0), 0);
    const oct_graph *g = oct_onnx_graph(m); /* a small file is copied */
    assert_memory_equal(g->values[g->outputs[0]].data, "\1\2\3\4", 4);
    assert_int_equal(oct_onnx_check(m), OCTET_OK);
    oct_onnx_free(m);
    assert_int_equal(truncate(weights, (off_t)large), 0);
    assert_int_equal(load_external("w.bin", NULL, NULL, NULL), OCTET_OK);
    assert_int_equal(oct_onnx_load(model, false, &m), OCTET_OK);
    assert_int_equal(oct_onnx_check(m), OCTET_OK);
    assert_int_equal(truncate(weights, 4096), 0);
    assert_int_equal(oct_onnx_check(m), OCTET_CORRUPT_FILE);
    assert_non_null(strstr(oct_error_text(), "replace files by renaming"));
    oct_onnx_free(m);
    write_file("w.bin", "\1\2\3\4\5\6\7\10", 8, weights, sizeof weights);
}

/* Text that ends in a NUL byte, or has one within, in every place where it is read. */
static void test_nul_bytes(void **state)
{
    (void)state;
    static const struct {
        const char *file, *text, *what;
    } rows[] = {
        {"conv_same_upper.onnx", "x_scale", "an input of a node, 'x_scal'"},
        {"conv_same_upper.onnx", "QLinearConv", "the operator of a node, 'QLinearCon'"},
        {"conv_same_upper.onnx", "auto_pad", "the name of an attribute, 'auto_pa'"},
        {"conv_same_upper.onnx", "SAME_UPPER", "the text of an attribute, 'SAME_UPPE'"},
        {"conv_same_upper.onnx", "conv", "the name of a node, 'con'"},
        {"lstm_functions.onnx", "HardSigmoid", "the text of an attribute, 'HardSigmoi'"},
        {"qgemm.onnx", "com.microsoft", "the domain of a node, 'com.microsof'"},
        {"conv_same_upper.onnx", "com.microsoft", "the domain of an operator set, 'com.microsof'"},
        {"input_has_default.onnx",
         "\x42\x01"
         "c",
         "the name of a tensor, ''"},
        {NULL, "w.bin", "where external data lies, 'w.bi'"},
    };
    char path[512], from[512];
    assert_int_equal(load_external("w.bin", NULL, NULL, NULL), OCTET_OK);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t bytes, at = 0;
        snprintf(from, sizeof from, "%s%s", rows[i].file ? DATA : folder,
                 rows[i].file ? rows[i].file : "/external.onnx");
        unsigned char *data = read_file(from, &bytes);
        const char *text = rows[i].text;
        size_t n = strlen(text);
        while (at + n <= bytes && memcmp(data + at, text, n) != 0)
            at++;
        if (at + n > bytes)
            fail_msg("%s has no \"%s\"", from, text);
        data[at + n - 1] = 0;
        write_file("t.pb", data, bytes, path, sizeof path);
        free(data);
        assert_int_equal(survive(path), OCTET_CORRUPT_FILE);
        if (!strstr(oct_error_text(), rows[i].what) || !strstr(oct_error_text(), "NUL"))
            fail_msg("row %zu: %s", i, oct_error_text());
    }
    write_file("t.pb", "\x08\x03\x10\x03\x42\x03x\0z\x4a\x03\x01\xff\x80", 14, path, sizeof path);
    octet_tensor t;
    assert_int_equal(oct_onnx_read_tensor(path, &t, NULL, 0), OCTET_CORRUPT_FILE);
    assert_non_null(strstr(oct_error_text(), "the name of a tensor, 'x', goes on behind a NUL"));
}

static void test_external_offsets(void **state)
{
    (void)state;
    /* CVE-2026-34445: negative and overflowing offsets */
    static const char *const bad[][2] = {
        {"5", "4"},  {"-1", "4"}, {"4", "5"},  {"4", "3"},  {"0", "-4"}, {"18446744073709551615", "4"},
        {"", "4"},   {"4", ""},   {"4x", "4"}, {" 4", "4"}, {"+4", "4"}, {"99999999999999999999999999", "4"},
        {"0x4", "4"}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (load_external("w.bin", bad[i][0], bad[i][1], NULL) != OCTET_CORRUPT_FILE)
            fail_msg("offset '%s', length '%s' was not refused", bad[i][0], bad[i][1]);
    }
}

static void test_external_paths(void **state)
{
    (void)state;
    char path[512], target[512];
    snprintf(target, sizeof target, "%s/w.bin", folder);
    snprintf(path, sizeof path, "%s/link.bin", folder);
    assert_int_equal(symlink(target, path), 0); /* CVE-2026-27489 */
    snprintf(path, sizeof path, "%s/linked", folder);
    assert_int_equal(symlink("sub", path), 0);
    write_file("two.bin", "\1\2\3\4", 4, target, sizeof target);
    snprintf(path, sizeof path, "%s/hard.bin", folder);
    assert_int_equal(link(target, path), 0);
    snprintf(target, sizeof target, "%s/w.bin", folder);
    const char *bad[] = {"../w.bin",
                         "sub/../../w.bin",
                         "sub/../w.bin",
                         "..", /* CVE-2022-25882, CVE-2024-27318 */
                         target,
                         "/etc/passwd", /* absolute */
                         "link.bin",
                         "linked/w.bin", /* symbolic links */
                         "hard.bin",
                         "two.bin", /* hard links */
                         "sub",
                         "pipe",
                         "nothing.bin",
                         "w.bin/",
                         "",
                         "./w.bin",
                         "sub//w.bin",
                         "."};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (load_external(bad[i], NULL, NULL, NULL) != OCTET_CORRUPT_FILE)
            fail_msg("external data at '%s' was not refused", bad[i]);
    }
    assert_int_equal(load_external(NULL, NULL, NULL, NULL), OCTET_CORRUPT_FILE);
}

/* ---- libonnx-testdata -------------------------------------------------------------------------------------
 */

static void test_testdata(void **state)
{
    (void)state;
    static const char root[] = "/usr/share/libonnx-testdata/data";
    int seen = 0, taken = 0;
    DIR *groups = opendir(root);
    if (!groups) {
        print_message("libonnx-testdata is not installed\n");
        skip();
    }
    for (struct dirent *g; (g = readdir(groups));) {
        char path[1024];
        snprintf(path, sizeof path, "%s/%s", root, g->d_name);
        DIR *tests = g->d_name[0] != '.' ? opendir(path) : NULL;
        for (struct dirent *t; tests && (t = readdir(tests));) {
            snprintf(path, sizeof path, "%s/%s/%s/model.onnx", root, g->d_name, t->d_name);
            if (t->d_name[0] == '.' || access(path, R_OK) != 0)
                continue;
            seen++;
            taken += survive(path) == OCTET_OK;
        }
        if (tests)
            closedir(tests);
    }
    closedir(groups);
    print_message("%d networks of libonnx-testdata, %d taken\n", seen, taken);
    assert_true(seen >= 1000);
    assert_true(taken >= 50);
}

static void test_tensor_file(void **state)
{
    (void)state;
    char path[512], name[3];
    octet_tensor t;
    write_file("t.pb", "\x08\x03\x10\x03\x42\x03xyz\x4a\x03\x01\xff\x80", 14, path, sizeof path);
    assert_int_equal(oct_onnx_read_tensor(path, &t, name, sizeof name), OCTET_OK);
    assert_string_equal(name, "xy");
    assert_int_equal(t.dtype, OCTET_S8);
    assert_int_equal(t.rank, 1);
    assert_int_equal(t.dims[0], 3);
    assert_memory_equal(t.data, "\x01\xff\x80", 3);
    free(t.data);
    for (size_t n = 0; n < 14; n++) {
        write_file("t.pb", "\x08\x03\x10\x03\x42\x03xyz\x4a\x03\x01\xff\x80", n, path, sizeof path);
        assert_int_not_equal(oct_onnx_read_tensor(path, &t, NULL, 0), OCTET_OK);
        assert_null(t.data);
    }
    write_file("t.pb", "\x08\x01\x10\x08\x32\x01x", 7, path, sizeof path); /* a string */
    assert_int_equal(oct_onnx_read_tensor(path, &t, NULL, 0), OCTET_UNSUPPORTED);
    write_file("t.pb", "\x10\x03\x70\x01", 4, path, sizeof path); /* external data has no place here */
    assert_int_equal(oct_onnx_read_tensor(path, &t, NULL, 0), OCTET_UNSUPPORTED);
}

static int make_folder(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/octet_onnx_XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    static const char *const left[] = {"cut.onnx",      "flip.onnx", "pipe",      "empty.onnx",
                                       "external.onnx", "w.bin",     "sub/w.bin", "link.bin",
                                       "linked",        "two.bin",   "hard.bin",  "t.pb"};
    for (size_t i = 0; i < sizeof left / sizeof left[0]; i++) {
        char path[512];
        snprintf(path, sizeof path, "%s/%s", folder, left[i]);
        unlink(path);
    }
    char sub[512];
    snprintf(sub, sizeof sub, "%s/sub", folder);
    rmdir(sub);
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_models),           cmocka_unit_test(test_too_long),
        cmocka_unit_test(test_truncated),        cmocka_unit_test(test_bit_flips),
        cmocka_unit_test(test_unreadable),       cmocka_unit_test(test_external_data),
        cmocka_unit_test(test_external_offsets), cmocka_unit_test(test_external_paths),
        cmocka_unit_test(test_tensor_file),      cmocka_unit_test(test_testdata),
        cmocka_unit_test(test_changed_files),    cmocka_unit_test(test_nul_bytes),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
