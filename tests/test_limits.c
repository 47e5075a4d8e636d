/* What a small file or a long header may make Octet take: refused while it is planned, before anything is
 * allocated, by node and tensor, bytes, limit and how to raise it. The networks are a few dozen bytes and ask
 * for 4 GB (tests/data/make_models.py). */
#include "check.h"
#include "graph.h"
#include "recipe.h"

#include <octet/compare.h>
#include <octet/quantize.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define DATA   OCTET_SOURCE_DIR "/tests/data/"
#define DIGITS OCTET_SOURCE_DIR "/examples/digits/"
#define GIB    ((uint64_t)1 << 30)

static octet_context *context;

static octet_model *load(const char *file)
{
    octet_model *model;
    CHECK_OK(octet_model_load(context, file, NULL, &model));
    return model;
}

/* Kilobytes at most so far, of this process (RUSAGE_SELF) or those it has waited for. */
static long peak_of(int who)
{
    struct rusage used;
    assert_int_equal(getrusage(who, &used), 0);
    return used.ru_maxrss;
}

static const struct large {
    const char *file, *start;
} large[] = {
    {DATA "large_expand.onnx", "Expand (node 'n')"},
    {DATA "large_tile.onnx", "Tile (node 'n')"},
    {DATA "large_pad.onnx", "Pad (node 'n')"},
    {DATA "large_resize.onnx", "Resize (node 'n')"},
};

/* One float, and its operator makes 10^9 of it. */
static void one_node(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof large / sizeof *large; i++) {
        octet_model *model = load(large[i].file);
        octet_session *session;
        octet_session_desc desc;
        octet_session_info info;
        octet_counters counters;
        char expected[256];
        OCTET_INIT(desc);
        OCTET_INIT(info);
        OCTET_INIT(counters);
        desc.memory_limit = GIB;
        long before = peak_of(RUSAGE_SELF);
        octet_context_counters_reset(context);
        snprintf(expected, sizeof expected,
                 "%s: 'y' takes 4000000000 bytes; the memory limit is %llu: raise it (memory_limit, "
                 "--memory-limit) or take smaller shapes",
                 large[i].start, (unsigned long long)GIB);
        assert_int_equal(octet_session_create(model, &desc, &session), OCTET_OUT_OF_MEMORY);
        assert_string_equal(octet_last_error(), expected);
        CHECK_OK(octet_context_counters(context, &counters));
        assert_int_equal(counters.peak_device_bytes, 0);
        assert_true(peak_of(RUSAGE_SELF) - before < 16 << 10);
        /* Raised, it is planned, as far as the device has as much. */
        desc.memory_limit = 8 * GIB;
        octet_status status = octet_model_plan(model, &desc, &info);
        assert_true(status == OCTET_OK ? info.device_bytes >= 4000000000 : status == OCTET_OUT_OF_MEMORY);
        octet_model_destroy(model);
    }
}

/* Tensors of which each fits, and all do not. */
static void all_nodes(void **state)
{
    (void)state;
    octet_model *model = load(DATA "large_sum.onnx");
    octet_session_desc desc;
    octet_session_info info;
    OCTET_INIT(desc);
    OCTET_INIT(info);
    desc.memory_limit = GIB;
    CHECK_FAILS(octet_model_plan(model, &desc, &info), OCTET_OUT_OF_MEMORY,
                "the device memory limit is 1073741824 bytes; this network needs at least ");
    assert_non_null(strstr(octet_last_error(),
                           " at these shapes ('y' alone 800000000): raise it (memory_limit, "
                           "--memory-limit) or take smaller shapes"));
    octet_model_destroy(model);
}

/* Where nobody says, what the device shares with the host is taken by half. */
static void by_default(void **state)
{
    (void)state;
    octet_model *model = load(DIGITS "digits_int8.onnx");
    octet_device_info device;
    octet_session_info info;
    OCTET_INIT(device);
    OCTET_INIT(info);
    CHECK_OK(octet_context_device(context, &device));
    CHECK_OK(octet_model_plan(model, NULL, &info));
    uint64_t host = 2 * octet_sample_memory_limit(), all = device.global_bytes;
    if (device.unified_memory) /* host is rounded down by up to 2 bytes */
        assert_in_range(info.planned_limit, all / 2 < host ? all / 2 : host,
                        all / 2 < host + 2 ? all / 2 : host + 2);
    else
        assert_int_equal(info.planned_limit, all);
    octet_model_destroy(model);
    uint64_t machine = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);
    assert_in_range(octet_sample_memory_limit(), 1, machine / 4);
}

/* What costs the host memory, or launches, before there is a plan. */
static void on_the_host(void **state)
{
    (void)state;
    octet_model *model = load(DATA "large_reflect.onnx");
    octet_session_info info;
    OCTET_INIT(info);
    CHECK_FAILS(octet_model_plan(model, NULL, &info), OCTET_UNSUPPORTED,
                "Pad (node 'n'): its pads repeat dimension 0 of size 2 more than 4096 times");
    octet_model_destroy(model);
    oct_recipe r;
    oct_recipe_init(&r);
    for (int i = 0; i < OCT_MOST_LAUNCHES; i++)
        assert_non_null(oct_recipe_launch(&r, "f", "k", "%s", ""));
    assert_null(oct_recipe_launch(&r, "f", "k", "%s", ""));
    assert_int_equal(r.status, OCTET_UNSUPPORTED);
    oct_recipe_free(&r);
}

/* Constants that inference computes: of a file of a few kilobytes. */
static void shape_arithmetic(void **state)
{
    (void)state;
    static const int64_t count = 1 << 16;
    static const int64_t zero = 0;
    enum { FIT = 512 }; /* of 2^16 s64: 256 MiB */
    for (int nodes = FIT; nodes <= FIT + 1; nodes++) {
        oct_graph g = {0};
        const oct_value number = {.dtype = OCTET_S64, .data = &zero, .data_bytes = sizeof zero};
        const oct_attr value = {.name = "value", .kind = OCT_ATTR_TENSOR, .tensor = &number};
        int dims = oct_graph_add_value(&g, "dims");
        g.values[dims].dtype = OCTET_S64;
        g.values[dims].rank = 1;
        g.values[dims].dims[0] = 1;
        g.values[dims].data = &count;
        g.values[dims].data_bytes = sizeof count;
        for (int i = 0; i < nodes; i++) {
            char name[16];
            snprintf(name, sizeof name, "y%d", i);
            int y = oct_graph_add_value(&g, name);
            oct_node *n = oct_graph_add_node(&g, OCT_OP_ConstantOfShape, name, 1, 1);
            assert_true(y >= 0 && n);
            g.values[y].is_output = true;
            n->inputs[0] = dims;
            n->outputs[0] = y;
            n->attrs = &value;
            n->attr_count = 1;
        }
        octet_status status = oct_graph_infer(&g);
        assert_int_equal(status, nodes > FIT ? OCTET_UNSUPPORTED : OCTET_OK);
        if (nodes > FIT)
            assert_string_equal(
                oct_error_text(),
                "ConstantOfShape (node 'y512'): arithmetic on shapes and constants makes more "
                "than 268435456 bytes, 'y512' of 524288 among them");
        oct_graph_free(&g);
    }
}

/* ---- samples ------------------------------------------------------------------------------------------- */

static void samples_of_a_quantizer(void **state)
{
    (void)state;
    enum { BYTES = 64 * sizeof(float) + sizeof(octet_tensor) };
    static float pixels[64];
    octet_quantize_desc desc;
    octet_quantizer *q;
    octet_tensor t = {.dtype = OCTET_F32, .rank = 4, .dims = {1, 1, 8, 8}, .data = pixels, .data_bytes = 256};
    char expected[256];
    OCTET_INIT(desc);
    snprintf(expected, sizeof expected,
             "sample 1: with it samples take %d bytes of host memory; the limit is 100: give fewer, or raise "
             "it (memory_limit, --memory-limit)",
             (int)BYTES);
    desc.memory_limit = 100;
    CHECK_OK(octet_quantizer_create(context, DIGITS "digits_f32.onnx", &desc, &q));
    assert_int_equal(octet_quantizer_add(q, &t, 1), OCTET_OUT_OF_MEMORY);
    assert_string_equal(octet_last_error(), expected);
    octet_quantizer_destroy(q);
}

/* The network itself keeps to the limit too, and its first sample is none then. */
static void networks_of_a_quantizer(void **state)
{
    (void)state;
    static float one = 1;
    const octet_tensor t = {.dtype = OCTET_F32, .rank = 1, .dims = {1}, .data = &one, .data_bytes = 4};
    octet_comparison_desc compare;
    octet_comparison *c;
    OCTET_INIT(compare);
    compare.memory_limit = GIB;
    long before = peak_of(RUSAGE_SELF);
    CHECK_OK(
        octet_comparison_create(context, DATA "large_expand.onnx", DATA "large_expand.onnx", &compare, &c));
    CHECK_FAILS(octet_comparison_add(c, &t, 1), OCTET_OUT_OF_MEMORY, "'y' takes 4000000000 bytes");
    octet_comparison_destroy(c);
    assert_true(peak_of(RUSAGE_SELF) - before < 16 << 10);
}

static char told[4096];

/* Exit status of a command line; `told` holds what it said. */
static int command(const char *line)
{
    char whole[1024];
    snprintf(whole, sizeof whole, "%s 2>&1", line);
    FILE *f = popen(whole, "r");
    assert_non_null(f);
    size_t used = fread(told, 1, sizeof told - 1, f);
    told[used] = '\0';
    int status = pclose(f);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void write_npy(const char *path, const char *type, const char *shape, size_t bytes)
{
    char head[128];
    unsigned char prefix[10] = "\x93NUMPY\1\0";
    int length =
        snprintf(head, sizeof head, "{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", type, shape);
    memset(head + length, ' ', sizeof head - (size_t)length);
    head[117] = '\n';
    prefix[8] = 118;
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(prefix, 1, 10, f), 10);
    assert_int_equal(fwrite(head, 1, 118, f), 118);
    for (size_t i = 0; i < bytes; i++)
        fputc((int)(i & 127), f);
    assert_int_equal(fclose(f), 0);
}

static void samples_of_files(void **state)
{
    (void)state;
    char folder[] = "/tmp/octet_limits_XXXXXX", empty[64], many[64], line[512];
    assert_non_null(mkdtemp(folder));
    snprintf(empty, sizeof empty, "%s/empty.npy", folder);
    snprintf(many, sizeof many, "%s/many.npy", folder);
    write_npy(empty, "<f4", "100000000, 0, 1, 8, 8", 0);
    write_npy(many, "|u1", "5000, 1, 8, 8", (size_t)5000 * 64);
    const char *start = OCTET_COMMAND " quantize " DIGITS "digits_f32.onnx --quiet";
    snprintf(line, sizeof line, "%s --calibrate %s -o %s/q.onnx", start, empty, folder);
    assert_int_equal(command(line), 1);
    assert_non_null(strstr(told, "empty.npy: its samples for input \""));
    assert_non_null(strstr(told, "hold nothing, or too much"));
    snprintf(line, sizeof line, "%s --calibrate %s -o %s/q.onnx --memory-limit 1M", start, many, folder);
    assert_int_equal(command(line), 1);
    assert_non_null(strstr(told,
                           "many.npy: 5000 samples of 432 bytes; with these samples take more than 1048576 "
                           "bytes of memory: give fewer (--samples N), or raise --memory-limit"));
    snprintf(line, sizeof line, "%s --samples 20 --calibrate %s -o %s/q.onnx --memory-limit 16M", start, many,
             folder);
    if (command(line) != 0)
        fail_msg("%s", told);
    snprintf(line, sizeof line,
             OCTET_COMMAND " compare " DIGITS "digits_f32.onnx %s/q.onnx --quiet --inputs %s "
                           "--memory-limit 1M",
             folder, many);
    assert_int_equal(command(line), 1);
    assert_non_null(strstr(told, "raise --memory-limit"));
    assert_true(peak_of(RUSAGE_CHILDREN) < 1 << 20); /* a gigabyte */
    snprintf(line, sizeof line, "%s/q.onnx", folder);
    unlink(line);
    unlink(empty);
    unlink(many);
    rmdir(folder);
}

static int open_context(void **state)
{
    (void)state;
    return octet_context_create(NULL, &context) != OCTET_OK;
}

static int close_context(void **state)
{
    (void)state;
    octet_context_destroy(context);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_node),
        cmocka_unit_test(all_nodes),
        cmocka_unit_test(by_default),
        cmocka_unit_test(networks_of_a_quantizer),
        cmocka_unit_test(samples_of_a_quantizer),
        cmocka_unit_test(samples_of_files),
        cmocka_unit_test(on_the_host),
        cmocka_unit_test(shape_arithmetic),
    };
    return cmocka_run_group_tests(tests, open_context, close_context);
}
