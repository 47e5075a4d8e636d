/* Attributes of files, by the table: each operator with each of its attributes in each of the kinds that ONNX
 * has, and with one that it does not have. The bytes of the files are written here. */
#include "onnx.h"
#include "op_facts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* ---- protobuf ------------------------------------------------------------------------------------------ */

typedef struct message {
    unsigned char bytes[1024];
    size_t used;
} message;

static void put_number(message *m, uint64_t v)
{
    for (; v > 127; v >>= 7)
        m->bytes[m->used++] = (unsigned char)(v | 128);
    m->bytes[m->used++] = (unsigned char)v;
}

static void put_int(message *m, int field, uint64_t v)
{
    put_number(m, (uint64_t)field << 3);
    put_number(m, v);
}

static void put_bytes(message *m, int field, const void *bytes, size_t count)
{
    put_number(m, (uint64_t)field << 3 | 2);
    put_number(m, count);
    memcpy(m->bytes + m->used, bytes, count);
    m->used += count;
}

static void put_text(message *m, int field, const char *text)
{
    put_bytes(m, field, text, strlen(text));
}

static void put_float(message *m, int field, float f)
{
    put_number(m, (uint64_t)field << 3 | 5);
    memcpy(m->bytes + m->used, &f, sizeof f);
    m->used += sizeof f;
}

/* ---- networks of one node ------------------------------------------------------------------------------ */

/* The kinds of AttributeProto.AttributeType, and the field that has each. */
static const struct kind {
    const char *name;
    int field;
} kinds[] = {{"UNDEFINED", 0},       {"FLOAT", 2},       {"INT", 3},         {"STRING", 4},
             {"TENSOR", 5},          {"GRAPH", 6},       {"FLOATS", 7},      {"INTS", 8},
             {"STRINGS", 9},         {"TENSORS", 10},    {"GRAPHS", 11},     {"SPARSE_TENSOR", 22},
             {"SPARSE_TENSORS", 23}, {"TYPE_PROTO", 14}, {"TYPE_PROTOS", 15}};
enum { KINDS = sizeof kinds / sizeof *kinds };

static int kind_of(oct_attr_kind kind)
{
    static const char *const names[] = {
        [OCT_ATTR_INT] = "INT",       [OCT_ATTR_FLOAT] = "FLOAT",          [OCT_ATTR_STRING] = "STRING",
        [OCT_ATTR_INTS] = "INTS",     [OCT_ATTR_FLOATS] = "FLOATS",        [OCT_ATTR_STRINGS] = "STRINGS",
        [OCT_ATTR_TENSOR] = "TENSOR", [OCT_ATTR_SPARSE] = "SPARSE_TENSOR", [OCT_ATTR_BRANCH] = "GRAPH"};
    int k = 1;
    while (strcmp(kinds[k].name, names[kind]) != 0)
        k++;
    return k;
}

/* Something in the field of this kind; `said`: the type that the attribute gives itself, 0 for none. */
static void put_attribute(message *node, const char *name, int kind, int said)
{
    static const unsigned char one_float[] = {8, 1, 16, 1, 34, 4, 0, 0, 0, 0}; /* dims 1, f32, float_data */
    message a = {.used = 0};
    put_text(&a, 1, name);
    const char *as = kinds[kind].name;
    if (strncmp(as, "FLOAT", 5) == 0)
        put_float(&a, kinds[kind].field, 1.0f);
    else if (strncmp(as, "INT", 3) == 0)
        put_int(&a, kinds[kind].field, 1);
    else if (strncmp(as, "STRING", 6) == 0)
        put_text(&a, kinds[kind].field, "s");
    else if (strcmp(as, "TENSOR") == 0)
        put_bytes(&a, kinds[kind].field, one_float, sizeof one_float);
    else if (kind)
        put_bytes(&a, kinds[kind].field, "", 0);
    if (said)
        put_int(&a, 20, (uint64_t)said);
    put_bytes(node, 5, a.bytes, a.used);
}

static message node_of(const oct_facts *f)
{
    message node = {.used = 0};
    for (int i = 0; i < f->min_in; i++)
        put_text(&node, 1, "x");
    for (int i = 0; i < f->min_out; i++) {
        char name[16];
        snprintf(name, sizeof name, "y%d", i);
        put_text(&node, 2, name);
    }
    put_text(&node, 3, "n");
    put_text(&node, 4, f->name);
    put_text(&node, 7, f->domain);
    return node;
}

/* Load it; the error's text, "" where there is none. */
static const char *load(const oct_facts *f, const message *node, octet_status *status)
{
    char path[] = "/tmp/octet_attributes_XXXXXX";
    message graph = {.used = 0}, opset = {.used = 0}, model = {.used = 0};
    put_bytes(&graph, 1, node->bytes, node->used);
    put_text(&opset, 1, f->domain);
    put_int(&opset, 2, (uint64_t)f->since);
    put_int(&model, 1, 8);
    put_bytes(&model, 7, graph.bytes, graph.used);
    put_bytes(&model, 8, opset.bytes, opset.used);
    int file = mkstemp(path);
    assert_true(file >= 0 && write(file, model.bytes, model.used) == (ssize_t)model.used);
    close(file);
    oct_onnx_model *m = NULL;
    *status = oct_onnx_load(path, false, &m);
    unlink(path);
    oct_onnx_free(m);
    return *status == OCTET_OK ? "" : oct_error_text();
}

/* ---- tests --------------------------------------------------------------------------------------------- */

#define ALL_ROWS(op) for (oct_op op = (oct_op)0; op < OCT_OP_COUNT; op = (oct_op)(op + 1))

static void check_kinds(const oct_facts *f, const oct_attr_row *a, bool with_type)
{
    const int wanted = kind_of(a->kind);
    for (int k = 1; k < KINDS; k++) {
        message node = node_of(f);
        char expected[128];
        octet_status status;
        put_attribute(&node, a->name, k, with_type ? k : 0);
        const char *text = load(f, &node, &status);
        snprintf(expected, sizeof expected, "%s (node 'n'): attribute '%s' is %s; it must be %s", f->name,
                 a->name, kinds[k].name, kinds[wanted].name);
        if (k == wanted ? strstr(text, "; it must be ") != NULL
                        : status != OCTET_CORRUPT_FILE || strcmp(text, expected) != 0)
            fail_msg("%s, attribute %s as %s: \"%s\"", f->name, a->name, kinds[k].name, text);
    }
}

static void every_kind(void **state)
{
    (void)state;
    int attributes = 0;
    ALL_ROWS(op)
    {
        const oct_facts *f = oct_op_facts(op);
        for (const oct_attr_row *a = f->attrs; f->domain && a->name; a++, attributes++) {
            check_kinds(f, a, true);
            check_kinds(f, a, false);
        }
    }
    print_message("%d attributes, in %d kinds each\n", attributes, KINDS - 1);
}

static void unknown_names(void **state)
{
    (void)state;
    ALL_ROWS(op)
    {
        const oct_facts *f = oct_op_facts(op);
        octet_status status;
        char expected[128];
        if (!f->domain)
            continue;
        message node = node_of(f);
        put_attribute(&node, "shape_of_things", 2, 2);
        snprintf(expected, sizeof expected,
                 "%s (node 'n'): attribute 'shape_of_things' is none that Octet knows of this operator",
                 f->name);
        assert_string_equal(load(f, &node, &status), expected);
        assert_int_equal(status, OCTET_UNSUPPORTED);
        node = node_of(f);
        put_attribute(&node, "__shape_of_things", 2, 2); /* a runtime's own */
        if (strstr(load(f, &node, &status), "attribute"))
            fail_msg("%s: %s", f->name, oct_error_text());
    }
}

/* Two fields at once, a type that is none, one that another field belies, one given twice, one without a
 * name. */
static void contradictions(void **state)
{
    (void)state;
    const oct_facts *f = oct_op_facts(OCT_OP_Concat);
    octet_status status;
    message node = node_of(f), attribute = {.used = 0};
    put_text(&attribute, 1, "axis");
    put_int(&attribute, 3, 1);
    put_int(&attribute, 8, 1);
    put_bytes(&node, 5, attribute.bytes, attribute.used);
    assert_string_equal(load(f, &node, &status),
                        "Concat (node 'n'): attribute 'axis' is INTS; it must be INT");
    node = node_of(f);
    put_attribute(&node, "axis", 2, 7);
    assert_string_equal(load(f, &node, &status),
                        "Concat (node 'n'): attribute 'axis' holds INT and says that it is INTS");
    node = node_of(f);
    put_attribute(&node, "axis", 2, 99);
    assert_string_equal(load(f, &node, &status),
                        "Concat (node 'n'): attribute 'axis' is of kind 99, which ONNX has not");
    node = node_of(f);
    put_attribute(&node, "axis", 2, 2);
    put_attribute(&node, "axis", 2, 2);
    assert_string_equal(load(f, &node, &status), "Concat (node 'n'): attribute 'axis' is given twice");
    node = node_of(f);
    put_attribute(&node, "", 2, 2);
    assert_string_equal(load(f, &node, &status), "Concat (node 'n'): attribute 0 has no name");
    assert_int_equal(status, OCTET_CORRUPT_FILE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_kind), cmocka_unit_test(unknown_names),
                                       cmocka_unit_test(contradictions)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
