/* The graph as data (building, ordering, copying, the operator table) and the geometry of windows against
 * ONNX Runtime (tests/data/windows.txt, made by tests/oracle/window.py). */
#include "op_facts.h"
#include "window.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- windows ----------------------------------------------------------------------------------------------
 */

typedef struct window_case {
    char op[16], auto_pad[16];
    int in, kernel, stride, dilation, begin, end, ceil_mode, opset;
} window_case;

static octet_status resolve(const window_case *c, oct_window *w)
{
    const int64_t kernel = c->kernel, stride = c->stride, dilation = c->dilation,
                  pads[2] = {c->begin, c->end};
    const oct_attr attrs[] = {{.name = "auto_pad", .kind = OCT_ATTR_STRING, .s = c->auto_pad},
                              {.name = "kernel_shape", .kind = OCT_ATTR_INTS, .ints = &kernel, .count = 1},
                              {.name = "strides", .kind = OCT_ATTR_INTS, .ints = &stride, .count = 1},
                              {.name = "dilations", .kind = OCT_ATTR_INTS, .ints = &dilation, .count = 1},
                              {.name = "ceil_mode", .kind = OCT_ATTR_INT, .i = c->ceil_mode},
                              {.name = "pads", .kind = OCT_ATTR_INTS, .ints = pads, .count = 2}};
    bool is_pool = strcmp(c->op, "MaxPool") == 0;
    oct_node n = {.op = is_pool ? OCT_OP_MaxPool : OCT_OP_ConvInteger,
                  .opset = c->opset,
                  .attrs = attrs,
                  .attr_count = strcmp(c->auto_pad, "NOTSET") == 0 ? 6 : 5};
    oct_value x = {.rank = 3, .dims = {1, 1, c->in}};
    return oct_window_resolve(&n, &x, is_pool ? NULL : &kernel, is_pool, w);
}

/* The row's results from the resolved window, in the words of windows.txt. */
static void results(const window_case *c, const oct_window *w, char *text, size_t size)
{
    bool is_pool = strcmp(c->op, "MaxPool") == 0;
    size_t at = 0;
    text[0] = '\0';
    for (int64_t o = 0; o < w->out[1] && at + 24 < size; o++) {
        int64_t sum = 0, last = -1;
        for (int64_t k = 0; k < w->kernel[1]; k++) {
            int64_t i = o * w->stride[1] - w->pad_begin[1] + k * w->dilation[1];
            bool inside = i >= 0 && i < w->in[1];
            sum += inside ? i : 0;
            last = inside ? i : last;
        }
        at += (size_t)snprintf(text + at, size - at, o ? " " : "");
        if (is_pool && last < 0)
            at += (size_t)snprintf(text + at, size - at, "-");
        else
            at += (size_t)snprintf(text + at, size - at, "%lld", (long long)(is_pool ? last : sum));
    }
}

static void test_windows(void **state)
{
    (void)state;
    FILE *f = fopen(OCTET_SOURCE_DIR "/tests/data/windows.txt", "r");
    assert_non_null(f);
    char line[512], got[512];
    int rows = 0, wrong = 0;
    while (fgets(line, sizeof line, f)) {
        window_case c;
        oct_window w;
        int at = 0;
        if (line[0] == '#')
            continue;
        line[strcspn(line, "\n")] = '\0';
        assert_int_equal(sscanf(line, "%15s %15s %d %d %d %d %d %d %d %d : %n", c.op, c.auto_pad, &c.in,
                                &c.kernel, &c.stride, &c.dilation, &c.begin, &c.end, &c.ceil_mode, &c.opset,
                                &at),
                         10);
        octet_status status = resolve(&c, &w);
        if (status == OCTET_OK)
            results(&c, &w, got, sizeof got);
        else
            snprintf(got, sizeof got, "%s", oct_error_text());
        if (strcmp(got, line + at) != 0) {
            wrong++;
            print_error("%s\n  here: %s\n", line, got);
        }
        rows++;
    }
    fclose(f);
    assert_int_equal(wrong, 0);
    assert_true(rows >= 200);
}

static void test_window_bounds(void **state)
{
    (void)state;
    static const window_case huge[] = {
        {"MaxPool", "NOTSET", 5, 2147483647, 1, 2147483647, 0, 0, 0, 12},
        {"MaxPool", "NOTSET", 5, 3, 0, 1, 0, 0, 0, 12},
        {"MaxPool", "NOTSET", 5, 3, 1, -1, 0, 0, 0, 12},
        {"MaxPool", "NOTSET", 5, 0, 1, 1, 0, 0, 0, 12},
        {"MaxPool", "NOTSET", 5, 3, 1, 1, -1, 0, 0, 12},
        {"ConvInteger", "NOTSET", 5, 6, 1, 1, 0, 0, 0, 10},
    };
    for (size_t i = 0; i < sizeof huge / sizeof huge[0]; i++) {
        oct_window w;
        assert_int_not_equal(resolve(&huge[i], &w), OCTET_OK);
    }
}

/* Layout, 2-D: the same node in both layouts has the same window. */
static void test_window_layout(void **state)
{
    (void)state;
    const int64_t kernel[] = {3, 2}, strides[] = {2, 1}, pads[] = {1, 0, 2, 1};
    const oct_attr attrs[] = {{.name = "kernel_shape", .kind = OCT_ATTR_INTS, .ints = kernel, .count = 2},
                              {.name = "strides", .kind = OCT_ATTR_INTS, .ints = strides, .count = 2},
                              {.name = "pads", .kind = OCT_ATTR_INTS, .ints = pads, .count = 4}};
    oct_node n = {.op = OCT_OP_MaxPool, .opset = 12, .attrs = attrs, .attr_count = 3};
    oct_value nchw = {.rank = 4, .dims = {2, 5, 7, 6}}, nhwc = {.rank = 4, .dims = {2, 7, 6, 5}};
    oct_window a, b;
    assert_int_equal(oct_window_resolve(&n, &nchw, NULL, true, &a), OCTET_OK);
    n.channels_last = true;
    assert_int_equal(oct_window_resolve(&n, &nhwc, NULL, true, &b), OCTET_OK);
    assert_memory_equal(&a, &b, sizeof a);
    assert_int_equal(a.out[0], 4);
    assert_int_equal(a.out[1], 6);
    assert_int_equal(a.pad_begin[0], 1);
    assert_int_equal(a.pad_begin[1], 0);
    assert_int_equal(a.pad_end[0], 2);
    assert_int_equal(a.pad_end[1], 1);
}

/* ---- order ------------------------------------------------------------------------------------------------
 */

static void identity(oct_graph *g, int from, int to)
{
    char name[32];
    snprintf(name, sizeof name, "n%d", g->node_count);
    oct_node *n = oct_graph_add_node(g, OCT_OP_Identity, name, 1, 1);
    assert_non_null(n);
    n->opset = 13;
    n->inputs[0] = from;
    n->outputs[0] = to;
}

/* count + 1 values, the first a u8 [2] input, the last the output. */
static void start(oct_graph *g, int count)
{
    memset(g, 0, sizeof *g);
    for (int i = 0; i <= count; i++)
        assert_int_equal(oct_graph_add_value(g, "v"), i);
    g->inputs = calloc(1, sizeof *g->inputs);
    g->outputs = calloc(1, sizeof *g->outputs);
    assert_true(g->inputs && g->outputs);
    g->input_count = g->output_count = 1;
    g->outputs[0] = count;
    g->values[count].is_output = true;
    g->values[0] =
        (oct_value){.name = "x", .dtype = OCTET_U8, .rank = 1, .dims = {2}, .producer = -1, .is_input = true};
}

/* A chain far longer than a recursion would bear, given backwards. */
static void test_sort_chain(void **state)
{
    (void)state;
    enum { LENGTH = 200000 };
    oct_graph g;
    start(&g, LENGTH);
    for (int i = LENGTH - 1; i >= 0; i--)
        identity(&g, i, i + 1);
    assert_int_equal(oct_graph_sort(&g), OCTET_OK);
    assert_int_equal(g.node_count, LENGTH);
    for (int i = 0; i < LENGTH; i++) {
        assert_int_equal(g.nodes[i].inputs[0], i);
        assert_int_equal(g.values[i + 1].producer, i);
    }
    assert_int_equal(oct_graph_infer(&g), OCTET_OK);
    assert_int_equal(g.values[LENGTH].dims[0], 2);
    oct_graph_free(&g);
}

static void test_sort_dead(void **state)
{
    (void)state;
    oct_graph g;
    start(&g, 2);
    int dead = oct_graph_add_value(&g, "dead");
    identity(&g, 0, dead);
    identity(&g, 0, 1);
    identity(&g, 1, 2);
    assert_int_equal(oct_graph_sort(&g), OCTET_OK);
    assert_int_equal(g.node_count, 2);
    assert_int_equal(g.values[dead].producer, -1);
    oct_graph_free(&g);
}

static void test_sort_cycle(void **state)
{
    (void)state;
    oct_graph g;
    start(&g, 3);
    identity(&g, 0, 3);
    identity(&g, 1, 2); /* dead, but damaged all the same */
    identity(&g, 2, 1);
    assert_int_equal(oct_graph_sort(&g), OCTET_CORRUPT_FILE);
    assert_non_null(strstr(oct_error_text(), "cycle"));
    assert_int_equal(g.node_count, 3);
    oct_graph_free(&g);
}

/* A pass may change a copy without touching the original. */
static void test_clone(void **state)
{
    (void)state;
    oct_graph g, copy;
    start(&g, 2);
    identity(&g, 0, 1);
    identity(&g, 1, 2);
    assert_int_equal(oct_graph_sort(&g), OCTET_OK);
    assert_int_equal(oct_graph_clone(&g, &copy), OCTET_OK);
    copy.nodes[0].inputs[0] = OCT_NO_VALUE;
    copy.values[0].rank = 5;
    for (int i = 0; i < 100; i++) {
        int v = oct_graph_add_value(&copy, "more");
        assert_true(v >= 3);
        identity(&copy, 0, v);
    }
    assert_int_equal(g.nodes[0].inputs[0], 0);
    assert_int_equal(g.values[0].rank, 1);
    assert_int_equal(g.node_count, 2);
    assert_int_equal(g.value_count, 3);
    oct_graph_free(&copy);
    oct_graph_free(&g);
    oct_graph_free(&g); /* twice, and when empty */
}

static void test_operator_table(void **state)
{
    (void)state;
    for (int op = 0; op < OCT_OP_COUNT; op++) {
        const char *name = oct_op_name((oct_op)op);
        oct_op plain = oct_op_find(name, ""), onnx = oct_op_find(name, "ai.onnx"),
               ms = oct_op_find(name, "com.microsoft");
        assert_int_equal(plain, onnx);
        bool by_pass = op == OCT_OP_QLinearSub || op == OCT_OP_QLinearReduceSum || op == OCT_OP_Table ||
                       op == OCT_OP_QLinearResize || op == OCT_OP_Unknown; /* no file can name them */
        bool both = op == OCT_OP_QuantizeLinear || op == OCT_OP_DequantizeLinear;
        assert_int_equal((plain == (oct_op)op) + (ms == (oct_op)op), by_pass ? 0 : both ? 2 : 1);
        assert_int_equal(oct_op_is_contrib_pair(name, "com.microsoft"), both);
        assert_false(oct_op_is_contrib_pair(name, ""));
        assert_int_equal(oct_op_find(name, "ms"), OCT_OP_COUNT);
        assert_int_equal(oct_op_find(name, "-"), OCT_OP_COUNT);
    }
    assert_int_equal(oct_op_find("", ""), OCT_OP_COUNT);
    assert_int_equal(oct_op_find("qlinearconv", ""), OCT_OP_COUNT);
    assert_int_equal(oct_op_find("QLinearConv", "com.microsoft"), OCT_OP_COUNT);
}

static void test_attributes(void **state)
{
    (void)state;
    const oct_attr attrs[] = {{.name = "i", .kind = OCT_ATTR_INT, .i = -3},
                              {.name = "f", .kind = OCT_ATTR_FLOAT, .f = 0.5f},
                              {.name = "s", .kind = OCT_ATTR_STRING, .s = "text"}};
    oct_node n = {.attrs = attrs, .attr_count = 3};
    assert_int_equal(oct_node_int(&n, "i", 9), -3);
    assert_true(oct_node_float(&n, "f", 2) == 0.5f);
    assert_true(oct_node_float(&n, "none", 2) == 2);
    assert_string_equal(oct_node_string(&n, "s", ""), "text");
    assert_string_equal(oct_node_string(&n, "none", "other"), "other");
    assert_int_equal(oct_node_int(&n, "none", 9), 9);
    assert_null(oct_node_attr(&n, "none"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_windows),       cmocka_unit_test(test_window_bounds),
        cmocka_unit_test(test_window_layout), cmocka_unit_test(test_sort_chain),
        cmocka_unit_test(test_sort_dead),     cmocka_unit_test(test_sort_cycle),
        cmocka_unit_test(test_clone),         cmocka_unit_test(test_operator_table),
        cmocka_unit_test(test_attributes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
