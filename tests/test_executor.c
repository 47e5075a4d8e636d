/* Device layer and executor together on the default device: constants are uploaded and packed once, runs only
 * move inputs and outputs, counters tell so, and the caller's buffers can take the place of Octet's. */
#include "executor.h"
#include "move/move_args.clh"
#include "runner.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const octet_context_desc defaults = {.struct_size = sizeof(octet_context_desc)};

/* y = x + 2 * w, bytes; "packing" doubles w. */
static oct_recipe make_recipe(const unsigned char *w, size_t n, oct_mem *x, oct_mem *y)
{
    oct_recipe r;
    oct_recipe_init(&r);
    *x = oct_recipe_input(&r, n);
    *y = oct_recipe_output(&r, n);
    oct_mem weights = oct_recipe_const(&r, w, n), packed = oct_recipe_temp(&r, n);
    oct_launch *l = oct_recipe_launch(&r, "move/self_test.cl", "add_bytes", "%s", "");
    OCT_ARGS(l, add_bytes, .a = oct_whole(weights), .b = oct_whole(weights), .c = oct_whole(packed),
             .n = (int64_t)n);
    oct_launch_1d(l, n, 0);
    l = oct_recipe_launch(&r, "move/self_test.cl", "add_bytes", "%s", "");
    OCT_ARGS(l, add_bytes, .a = oct_whole(*x), .b = oct_whole(packed), .c = oct_whole(*y), .n = (int64_t)n);
    oct_launch_1d(l, n, 0);
    return r;
}

static void runs_twice_and_uploads_weights_once(void **state)
{
    (void)state;
    enum { N = 5000 };
    static unsigned char w[N], x[N], y[N];
    for (int i = 0; i < N; i++) {
        w[i] = (unsigned char)(i * 7);
        x[i] = (unsigned char)(i * 13 + 1);
    }
    oct_device *d;
    assert_int_equal(oct_device_open(&defaults, &d), OCTET_OK);
    oct_mem mx, my;
    oct_recipe r = make_recipe(w, N, &mx, &my);
    oct_executor *e;
    octet_status status = oct_executor_create(d, &r, NULL, &e);
    if (status != OCTET_OK)
        fail_msg("%s", oct_error_text());
    oct_recipe_free(&r);
    octet_counters c;
    oct_device_counters(d, &c);
    assert_int_equal(c.weight_bytes_up, N);
    assert_int_equal(c.launches, 1);
    for (int run = 0; run < 2; run++) {
        oct_device_counters_reset(d);
        x[0] = (unsigned char)run;
        const oct_host_memory memories[] = {{.mem = mx, .from = x}, {.mem = my, .to = y}};
        assert_int_equal(oct_runner_run(e, memories, 2), OCTET_OK);
        for (int i = 0; i < N; i++)
            assert_int_equal(y[i], (unsigned char)(x[i] + 2 * w[i]));
        oct_device_counters(d, &c);
        assert_int_equal(c.weight_bytes_up, 0);
        assert_int_equal(c.input_bytes_up, N);
        assert_int_equal(c.output_bytes_down, N);
        assert_int_equal(c.transfers, 2);
        assert_int_equal(c.launches, 1);
        assert_int_equal(c.waits, 1);
    }
    oct_executor_destroy(e);
    oct_device_release(d);
}

static void callers_buffers_take_the_place_of_the_arena(void **state)
{
    (void)state;
    enum { N = 77 };
    unsigned char w[N], x[N + 5], y[N + 3];
    memset(w, 1, sizeof w);
    memset(x, 5, sizeof x);
    oct_device *d;
    assert_int_equal(oct_device_open(&defaults, &d), OCTET_OK);
    oct_mem mx, my;
    oct_recipe r = make_recipe(w, N, &mx, &my);
    oct_executor *e;
    assert_int_equal(oct_executor_create(d, &r, NULL, &e), OCTET_OK);
    oct_recipe_free(&r);
    cl_context context = oct_device_context(d);
    cl_mem in = clCreateBuffer(context, CL_MEM_COPY_HOST_PTR, sizeof x, x, NULL);
    memset(y, 0xA5, sizeof y);
    cl_mem out = clCreateBuffer(context, CL_MEM_COPY_HOST_PTR, sizeof y, y, NULL);
    assert_int_equal(oct_executor_set_buffer(e, mx, in, 5), OCTET_OK);
    assert_int_equal(oct_executor_set_buffer(e, my, out, 3), OCTET_OK);
    cl_event event;
    assert_int_equal(oct_executor_run(e, &event), OCTET_OK);
    assert_int_equal(clWaitForEvents(1, &event), CL_SUCCESS);
    clReleaseEvent(event);
    clEnqueueReadBuffer(oct_device_queue(d), out, CL_TRUE, 0, sizeof y, y, 0, NULL, NULL);
    for (int i = 0; i < N + 3; i++)
        assert_int_equal(y[i], i < 3 ? 0xA5 : 7);
    assert_int_equal(oct_buffer_check(d, in, 6, N, "in"), OCTET_INVALID_ARGUMENT);
    clReleaseMemObject(in);
    clReleaseMemObject(out);
    oct_executor_destroy(e);
    oct_device_release(d);
}

static void a_kernel_that_does_not_build_is_one_error(void **state)
{
    (void)state;
    oct_device *d;
    assert_int_equal(oct_device_open(&defaults, &d), OCTET_OK);
    cl_kernel k;
    assert_int_equal(oct_device_kernel(d, "move/self_test.cl", "add_bytes", "-Dsize_t=@", &k),
                     OCTET_DEVICE_ERROR);
    assert_non_null(strstr(oct_error_text(), "CL_BUILD_PROGRAM_FAILURE"));
    assert_null(strchr(oct_error_text(), '\n'));
    assert_int_equal(oct_device_kernel(d, "move/self_test.cl", "no_such_kernel", "", &k), OCTET_DEVICE_ERROR);
    oct_device_release(d);
}

/* A record that is not the kernel's: another number of arguments, and as many of other types. */
#define ONE_MORE_ARGS(ARG)                                                                                   \
    ADD_BYTES_ARGS(ARG)                                                                                      \
    ARG(IN_OPT, more)
RECORD(one_more, ONE_MORE_ARGS)
#define OTHER_NUMBERS_ARGS(ARG) ADD_BYTES_ARGS(ARG)
RECORD(other_numbers, OTHER_NUMBERS_ARGS)

static bool tells_types(oct_device *d)
{
    cl_kernel k;
    size_t bytes;
    assert_int_equal(oct_device_kernel(d, "move/self_test.cl", "add_bytes", "", &k), OCTET_OK);
    cl_int err = clGetKernelArgInfo(k, 6, CL_KERNEL_ARG_TYPE_NAME, 0, NULL, &bytes);
    assert_int_equal(clReleaseKernel(k), CL_SUCCESS);
    return err == CL_SUCCESS;
}

static void refuses_records_of_other_kernels(void **state)
{
    (void)state;
    oct_device *d;
    assert_int_equal(oct_device_open(&defaults, &d), OCTET_OK);
    for (int i = 0; i < 4; i++) {
        oct_recipe r;
        oct_recipe_init(&r);
        const oct_ref x = oct_whole(oct_recipe_input(&r, 4)), y = oct_whole(oct_recipe_output(&r, 4));
        oct_launch *l = oct_recipe_launch(&r, "move/self_test.cl", "add_bytes", "%s", "");
        if (i == 0)
            OCT_ARGS(l, add_bytes, .a = x, .b = x, .c = y, .n = 4);
        else if (i == 1)
            OCT_ARGS(l, one_more, .a = x, .b = x, .c = y, .n = 4);
        else if (i == 2)
            OCT_ARGS(l, other_numbers, .a = x, .b = x, .c = y, .n = 4);
        else {
            oct_launch_in(l, x.mem);
            oct_launch_out(l, y.mem);
        }
        oct_launch_1d(l, 4, 0);
        oct_executor *e;
        octet_status status = oct_executor_create(d, &r, NULL, &e);
        oct_executor_destroy(e);
        oct_recipe_free(&r);
        if (i == 2 && !tells_types(d)) {
            print_message("this driver does not tell the types of arguments\n");
            continue;
        }
        assert_int_equal(status, i ? OCTET_INTERNAL : OCTET_OK);
        const char *says[] = {
            "", "takes 7 arguments and is given 9 (one_more_numbers)",
            "argument 6, its numbers, is of type add_bytes_numbers there and other_numbers_numbers",
            "is given no record"};
        if (i && !(strstr(oct_error_text(), "kernel add_bytes of move/self_test.cl") &&
                   strstr(oct_error_text(), says[i])))
            fail_msg("'%s' does not say '%s'", oct_error_text(), says[i]);
    }
    oct_device_release(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(runs_twice_and_uploads_weights_once),
        cmocka_unit_test(callers_buffers_take_the_place_of_the_arena),
        cmocka_unit_test(a_kernel_that_does_not_build_is_one_error),
        cmocka_unit_test(refuses_records_of_other_kernels),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
