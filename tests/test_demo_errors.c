/* Everything that can be wrong with the digits network and the calls that use it, seen from the public API:
 * each is refused with a status and one line of text, and what was there before goes on working. Runs under
 * the sanitizers too, so nothing leaks on any of these ways out.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <octet/octet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MODEL OCTET_SOURCE_DIR "/examples/digits/digits_int8.onnx"

enum { PIXELS = 64, CLASSES = 10, SIZE_MAX_BYTES = 1 << 20 };

static octet_context *context;
static octet_model *model;
static octet_session *session;
static unsigned char bytes[SIZE_MAX_BYTES]; /* of the model file */
static size_t size;
static char copy_path[] = "/tmp/octet-test-XXXXXX";
static int copy_fd = -1;

/* The status is a failure's (any, when `expected` is OCTET_OK), and the text is one line. */
static void refused(octet_status status, octet_status expected, const char *what)
{
    const char *text = octet_last_error();
    if (status == OCTET_OK || (expected != OCTET_OK && status != expected))
        fail_msg("%s: %s (%s), not %s", what, octet_status_name(status), text, octet_status_name(expected));
    if (status == OCTET_INTERNAL || !*text || strchr(text, '\n'))
        fail_msg("%s: %s: not one line of text: '%s'", what, octet_status_name(status), text);
}

static void overwrite(size_t offset, const void *data, size_t length)
{
    assert_int_equal(pwrite(copy_fd, data, length, (off_t)offset), length);
}

/* Whole again. */
static void restore(void)
{
    assert_int_equal(ftruncate(copy_fd, (off_t)size), 0);
    overwrite(0, bytes, size);
}

static void test_every_truncation(void **state)
{
    (void)state;
    size_t tried = 0;
    restore();
    for (size_t length = size; length-- > 0; tried++) {
        octet_model *damaged = NULL;
        char what[64];
        snprintf(what, sizeof what, "the first %zu of %zu bytes", length, size);
        assert_int_equal(ftruncate(copy_fd, (off_t)length), 0);
        octet_status status = octet_model_load(context, copy_path, NULL, &damaged);
        /* A cut between two fields leaves a well-formed file, with less in it: it may then be unsupported. */
        refused(status, OCTET_OK, what);
        assert_null(damaged);
    }
    assert_true(tried > 20000);
}

/* One bit in every byte: some of these files are sound, none does harm. */
static void test_a_bit_of_every_byte(void **state)
{
    (void)state;
    size_t loaded = 0, refusals = 0;
    restore();
    for (size_t i = 0; i < size; i++) {
        octet_model *changed = NULL;
        unsigned char flipped = bytes[i] ^ (unsigned char)(1u << (i * 5 % 8));
        overwrite(i, &flipped, 1);
        octet_status status = octet_model_load(context, copy_path, NULL, &changed);
        if (status == OCTET_OK) {
            loaded++;
            octet_inspection *nodes;
            assert_int_equal(octet_inspection_create(changed, NULL, &nodes), OCTET_OK);
            for (size_t n = 0; n < octet_inspection_node_count(nodes); n++) {
                octet_node_info info;
                OCTET_INIT(info);
                assert_int_equal(octet_inspection_node(nodes, n, &info), OCTET_OK);
            }
            octet_inspection_destroy(nodes);
        } else {
            refused(status, OCTET_OK, "one bit changed");
            refusals++;
        }
        octet_model_destroy(changed);
        overwrite(i, &bytes[i], 1);
    }
    print_message("of %zu files with one bit changed %zu load, %zu are refused\n", size, loaded, refusals);
    assert_true(loaded > 1000 && refusals > 1000); /* a changed weight is no damage; a changed length is */
}

static void test_wrong_files(void **state)
{
    (void)state;
    octet_model *none = NULL;
    refused(octet_model_load(context, "/no/such/file.onnx", NULL, &none), OCTET_CORRUPT_FILE,
            "a missing file");
    refused(octet_model_load(context, "/tmp", NULL, &none), OCTET_CORRUPT_FILE, "a folder");
    refused(octet_model_load(context, "/dev/zero", NULL, &none), OCTET_CORRUPT_FILE, "a device file");
    refused(octet_model_load(context, OCTET_SOURCE_DIR "/README.md", NULL, &none), OCTET_CORRUPT_FILE,
            "a text file");
    refused(octet_model_load(context, NULL, NULL, &none), OCTET_INVALID_ARGUMENT, "no path");
    assert_null(none);
    octet_session *no_session;
    assert_int_equal(octet_model_load(NULL, MODEL, NULL, &none), OCTET_OK); /* for inspection only */
    refused(octet_session_create(none, NULL, &no_session), OCTET_INVALID_ARGUMENT, "no context");
    octet_model_destroy(none);
}

static void test_unknown_device(void **state)
{
    (void)state;
    static const char *const devices[] = {"99", "no such device", "-1"};
    for (size_t i = 0; i < sizeof devices / sizeof *devices; i++) {
        octet_context *none = NULL;
        octet_context_desc desc;
        OCTET_INIT(desc);
        desc.device = devices[i];
        refused(octet_context_create(&desc, &none), OCTET_NO_DEVICE, devices[i]);
        assert_null(none);
    }
}

/* A good run, to be spoiled by the tests below. */
typedef struct call {
    float pixels[2 * PIXELS], scores[2 * CLASSES];
    octet_tensor in, out;
    size_t in_count, out_count;
} call;

static call good_call(void)
{
    call c;
    memset(&c, 0, sizeof c);
    c.in = (octet_tensor){OCTET_F32, 4, {1, 1, 8, 8}, NULL, PIXELS * sizeof(float)};
    c.out = (octet_tensor){OCTET_F32, 2, {1, CLASSES}, NULL, CLASSES * sizeof(float)};
    c.in_count = c.out_count = 1;
    return c;
}

static octet_status run_call(call *c)
{
    if (c->in.data_bytes)
        c->in.data = c->pixels;
    if (c->out.data_bytes)
        c->out.data = c->scores;
    return octet_session_run(session, &c->in, c->in_count, &c->out, c->out_count);
}

static void spoil_in_count(call *c)
{
    c->in_count = 0;
}
static void spoil_out_count(call *c)
{
    c->out_count = 2;
}
static void spoil_dtype(call *c)
{
    c->in.dtype = OCTET_U8;
}
static void spoil_rank(call *c)
{
    c->in.rank = 3;
}
static void spoil_huge_rank(call *c)
{
    c->in.rank = 1000;
}
static void spoil_dim(call *c)
{
    c->in.dims[2] = 9;
}
static void spoil_negative(call *c)
{
    c->in.dims[0] = -1;
}
static void spoil_overflow(call *c)
{
    c->in.dims[0] = INT64_MAX / 8;
}
static void spoil_in_memory(call *c)
{
    c->in.data_bytes = 0;
}
static void spoil_short_input(call *c)
{
    c->in.data_bytes = PIXELS * sizeof(float) - 1;
}
static void spoil_short_output(call *c)
{
    c->out.data_bytes = CLASSES * sizeof(float) - 1;
}

static void test_wrong_calls(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        void (*spoil)(call *);
    } cases[] = {
        {"no input", spoil_in_count},
        {"two outputs", spoil_out_count},
        {"u8 input", spoil_dtype},
        {"rank 3", spoil_rank},
        {"rank 1000", spoil_huge_rank},
        {"nine rows", spoil_dim},
        {"a negative batch", spoil_negative},
        {"a batch past all memory", spoil_overflow},
        {"no memory for the input", spoil_in_memory},
        {"an input one byte short", spoil_short_input},
        {"an output one byte short", spoil_short_output},
    };
    call c = good_call();
    assert_int_equal(run_call(&c), OCTET_OK);
    float first[CLASSES];
    memcpy(first, c.scores, sizeof first);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        c = good_call();
        cases[i].spoil(&c);
        refused(run_call(&c), OCTET_INVALID_ARGUMENT, cases[i].what);
        c = good_call();
        assert_int_equal(run_call(&c), OCTET_OK);
        assert_memory_equal(c.scores, first, sizeof first);
    }
}

/* An output without memory gets some. */
static void test_allocated_output(void **state)
{
    (void)state;
    call c = good_call();
    assert_int_equal(run_call(&c), OCTET_OK);
    octet_tensor out;
    memset(&out, 0, sizeof out);
    assert_int_equal(octet_session_run(session, &c.in, 1, &out, 1), OCTET_OK);
    assert_int_equal(octet_tensor_bytes(&out), CLASSES * sizeof(float));
    assert_memory_equal(out.data, c.scores, CLASSES * sizeof(float));
    octet_tensor_free(&out);
}

static void test_destroy_takes_null(void **state)
{
    (void)state;
    octet_session_destroy(NULL);
    octet_gemm_destroy(NULL);
    octet_model_destroy(NULL);
    octet_context_destroy(NULL);
}

static int setup(void **state)
{
    (void)state;
    FILE *file = fopen(MODEL, "rb");
    size = file ? fread(bytes, 1, sizeof bytes, file) : 0;
    if (file)
        fclose(file);
    copy_fd = mkstemp(copy_path);
    if (size == 0 || copy_fd < 0)
        return -1;
    if (octet_context_create(NULL, &context) || octet_model_load(context, MODEL, NULL, &model) ||
        octet_session_create(model, NULL, &session)) {
        print_error("%s\n", octet_last_error());
        return -1;
    }
    return 0;
}

/* Parents first: children keep them alive. */
static int teardown(void **state)
{
    (void)state;
    octet_context_destroy(context);
    octet_model_destroy(model);
    octet_session_destroy(session);
    close(copy_fd);
    unlink(copy_path);
    return 0;
}

/* A file that is too large to be copied, and that another program writes into: what needs it again says so,
 * what is on the device goes on. */
static void test_changed_file(void **state)
{
    (void)state;
    static const unsigned char field[] = {0xc2, 0x3e, 0x80,
                                          0x80, 0x80, 0x08}; /* number 1000, 16 MiB: skipped */
    static float input[2 * PIXELS], scores[2 * CLASSES];
    octet_model *large;
    octet_session *made, *late = NULL;
    octet_tensor in = {OCTET_F32, 4, {1, 1, 8, 8}, input, sizeof input};
    octet_tensor out = {.data = scores, .data_bytes = sizeof scores};
    restore();
    overwrite(size, field, sizeof field);
    assert_int_equal(ftruncate(copy_fd, (off_t)(size + sizeof field + ((size_t)16 << 20))), 0);
    assert_int_equal(octet_model_load(context, copy_path, NULL, &large), OCTET_OK);
    assert_int_equal(octet_session_create(large, NULL, &made), OCTET_OK);
    assert_int_equal(octet_session_run(made, &in, 1, &out, 1), OCTET_OK);
    overwrite(size + 100, "x", 1);
    assert_int_equal(octet_session_run(made, &in, 1, &out, 1), OCTET_OK);
    in.dims[0] = 2; /* a plan that is not made yet */
    refused(octet_session_run(made, &in, 1, &out, 1), OCTET_CORRUPT_FILE, "a changed file, a new shape");
    octet_session_desc desc;
    octet_value_info shape;
    OCTET_INIT(desc);
    OCTET_INIT(shape);
    assert_int_equal(octet_model_input(large, 0, &shape), OCTET_OK);
    shape.dims[0] = 2;
    desc.inputs = &shape;
    desc.input_count = 1;
    refused(octet_session_create(large, &desc, &late), OCTET_CORRUPT_FILE, "a changed file, a new session");
    assert_null(late);
    octet_session_destroy(made);
    octet_model_destroy(large);
    restore();
    assert_int_equal(octet_model_load(context, copy_path, NULL, &large), OCTET_OK);
    octet_model_destroy(large);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_truncation),   cmocka_unit_test(test_a_bit_of_every_byte),
        cmocka_unit_test(test_wrong_files),        cmocka_unit_test(test_unknown_device),
        cmocka_unit_test(test_wrong_calls),        cmocka_unit_test(test_allocated_output),
        cmocka_unit_test(test_destroy_takes_null), cmocka_unit_test(test_changed_file),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
