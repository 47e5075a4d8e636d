/* kernels/div.clh on every OpenCL device of this machine against the host's model in src/quant: general
 * division over bit patterns (subnormals, zeros, infinities, NaN), the prepared quotient around ties in every
 * vector width, the softmax quotient. Plain OpenCL calls: this test needs no other layer. */
#include "quant.h"
#include "test_numbers.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define CL_TARGET_OPENCL_VERSION 120
#include <CL/cl.h>

#define N           (1 << 18)
#define MAX_DEVICES 8

static const char kernels[] =
    "__kernel void divide(__global const float *a, __global const float *b, __global float *y)\n"
    "{ size_t i = get_global_id(0); y[i] = oct_div_rn(a[i], b[i]); }\n"
    "__kernel void divide16(__global const float *a, __global const float *b, __global float *y)\n"
    "{ size_t i = get_global_id(0); vstore16(oct_div_rn16(vload16(i, a), vload16(i, b)), i, y); }\n"
    "__kernel void divide_by(__global const float *a, __global const float *b, __global float *y)\n"
    "{ size_t i = get_global_id(0); const float by = b[16 * i];\n"
    "  vstore16(oct_div_by16(vload16(i, a), by, oct_div_rn(1.0f, by)), i, y); }\n"
    "__kernel void quotient(__global const float *x, __global const float *s, __global float *y)\n"
    "{ size_t i = get_global_id(0); y[i] = oct_quotient(x[i], s[0], s[1]); }\n"
    "__kernel void quotient4(__global const float *x, __global const float *s, __global float *y)\n"
    "{ size_t i = get_global_id(0); vstore4(oct_quotient4(vload4(i, x), s[0], s[1]), i, y); }\n"
    "__kernel void quotient8(__global const float *x, __global const float *s, __global float *y)\n"
    "{ size_t i = get_global_id(0); vstore8(oct_quotient8(vload8(i, x), s[0], s[1]), i, y); }\n"
    "__kernel void quotient16(__global const float *x, __global const float *s, __global float *y)\n"
    "{ size_t i = get_global_id(0); vstore16(oct_quotient16(vload16(i, x), s[0], s[1]), i, y); }\n"
    "__kernel void muldiv(__global const float *e, __global const float *cs, __global int *y)\n"
    "{ size_t i = get_global_id(0); y[i] = oct_muldiv_rte(e[i], cs[2 * i], cs[2 * i + 1]); }\n";

typedef struct fixture {
    cl_device_id devices[MAX_DEVICES];
    cl_uint count;
    cl_context context;
    cl_command_queue queue;
    cl_program program;
    char name[128];
} fixture;

static fixture shared;
static float input_a[N], input_b[2 * N], output[N];

static char *read_kernel_file(const char *name)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/kernels/%s", OCTET_SOURCE_DIR, name);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    char *text = calloc(1, 1 << 16);
    assert_non_null(text);
    assert_true(fread(text, 1, (1 << 16) - 1, file) > 0);
    fclose(file);
    return text;
}

static void open_device(cl_device_id device)
{
    cl_int err = CL_SUCCESS;
    assert_int_equal(clGetDeviceInfo(device, CL_DEVICE_NAME, sizeof shared.name, shared.name, NULL),
                     CL_SUCCESS);
    shared.context = clCreateContext(NULL, 1, &device, NULL, NULL, &err);
    assert_int_equal(err, CL_SUCCESS);
    shared.queue = clCreateCommandQueue(shared.context, device, 0, &err);
    assert_int_equal(err, CL_SUCCESS);
    char *common = read_kernel_file("common.clh"), *div = read_kernel_file("div.clh");
    const char *sources[] = {common, div, kernels};
    shared.program = clCreateProgramWithSource(shared.context, 3, sources, NULL, &err);
    assert_int_equal(err, CL_SUCCESS);
    err = clBuildProgram(shared.program, 1, &device, "-cl-std=CL1.2", NULL, NULL);
    if (err != CL_SUCCESS) {
        char log[4096] = "";
        clGetProgramBuildInfo(shared.program, device, CL_PROGRAM_BUILD_LOG, sizeof log, log, NULL);
        fail_msg("%s: build failed: %s", shared.name, log);
    }
    free(common);
    free(div);
}

static void close_device(void)
{
    clReleaseProgram(shared.program);
    clReleaseCommandQueue(shared.queue);
    clReleaseContext(shared.context);
}

static cl_mem buffer(const void *data, size_t bytes)
{
    cl_int err = CL_SUCCESS;
    cl_mem mem = clCreateBuffer(shared.context, CL_MEM_READ_WRITE | (data ? CL_MEM_COPY_HOST_PTR : 0), bytes,
                                (void *)(uintptr_t)data, &err);
    assert_int_equal(err, CL_SUCCESS);
    return mem;
}

/* y = kernel(a, b) with `global` work-items; a and y hold N values. */
static void run(const char *name, const void *b, size_t b_bytes, size_t global)
{
    cl_int err = CL_SUCCESS;
    cl_kernel kernel = clCreateKernel(shared.program, name, &err);
    assert_int_equal(err, CL_SUCCESS);
    cl_mem mems[] = {buffer(input_a, sizeof input_a), buffer(b, b_bytes), buffer(NULL, sizeof output)};
    for (cl_uint i = 0; i < 3; i++)
        assert_int_equal(clSetKernelArg(kernel, i, sizeof(cl_mem), &mems[i]), CL_SUCCESS);
    assert_int_equal(clEnqueueNDRangeKernel(shared.queue, kernel, 1, NULL, &global, NULL, 0, NULL, NULL),
                     CL_SUCCESS);
    assert_int_equal(
        clEnqueueReadBuffer(shared.queue, mems[2], CL_TRUE, 0, sizeof output, output, 0, NULL, NULL),
        CL_SUCCESS);
    for (int i = 0; i < 3; i++)
        clReleaseMemObject(mems[i]);
    clReleaseKernel(kernel);
}

/* Exponents from -60 to 60, sixteen numbers running, as the vector form takes without a look at each; now and
 * then a zero, the significand whose reciprocal needs care, an exponent one further. */
static uint32_t ordinary(uint64_t *seed, size_t i)
{
    uint32_t bits = next_random(seed), exponent = 67 + next_random(seed) % 121;
    if (i % 1024 == 1000)
        exponent = i % 2048 < 1024 ? 66 : 188;
    if (bits % 37 == 0)
        bits |= 0x007fffffu;
    return (bits & 0x807fffffu) | exponent << 23;
}

static void make_divisions(void)
{
    static const uint32_t edges[] = {0,           0x80000000u, 1,           0x807fffffu,
                                     0x00800000u, 0x7f7fffffu, 0x7f800000u, 0xff800000u,
                                     0x7fc00000u, 0x3f800000u, 0x3fffffffu, 0xbf800001u};
    uint64_t seed = 77;
    for (size_t i = 0; i < N; i++) {
        uint32_t a = next_random(&seed), b = next_random(&seed);
        if (i < COUNT(edges) * COUNT(edges)) {
            a = edges[i / COUNT(edges)];
            b = edges[i % COUNT(edges)];
        } else if (i >= N / 2) {
            a = i % 29 ? ordinary(&seed, i) : (uint32_t)(i & 1) << 31;
            b = ordinary(&seed, i + 512);
        } else if (i % 2) {
            b = (b & 0x007fffffu) | (a & 0x7f800000u);
        }
        input_a[i] = from_bits(a);
        input_b[i] = from_bits(b);
    }
}

static void check_divide(const char *name, size_t width, bool one_divisor)
{
    make_divisions();
    run(name, input_b, N * sizeof(float), N / width);
    for (size_t i = 0; i < N; i++) {
        float by = input_b[one_divisor ? i / 16 * 16 : i], want = oct_div_rn(input_a[i], by);
        if (isnan(want) ? !isnan(output[i]) : bits_of(want) != bits_of(output[i]))
            fail_msg("%s: %s of %a / %a: want %a, got %a", shared.name, name, (double)input_a[i], (double)by,
                     (double)want, (double)output[i]);
    }
}

static void check_quotient(const char *name, size_t width)
{
    static const float scales[] = {0.1f, 0.003921569f, 0x1p-60f, 0x1p60f, 1.0f};
    for (size_t s = 0; s < COUNT(scales); s++) {
        const float prepared[2] = {scales[s], oct_div_rn(1.0f, scales[s])};
        for (int i = 0; i < N; i++)
            input_a[i] = neighbour((float)(i - N / 2) * 0.5f * scales[s], i % 3 - 1);
        run(name, prepared, sizeof prepared, N / width);
        for (size_t i = 0; i < N; i++) {
            float want = oct_quotient(input_a[i], prepared[0], prepared[1]);
            bool same = fabsf(want) < 0.25f ? fabsf(output[i]) < 0.5f : want == output[i];
            if (!same)
                fail_msg("%s: %s of %a by %a: want %a, got %a", shared.name, name, (double)input_a[i],
                         (double)scales[s], (double)want, (double)output[i]);
        }
    }
}

static void check_muldiv(void)
{
    uint64_t seed = 5;
    for (size_t i = 0; i < N; i++) {
        float c = (float)(1 + (next_random(&seed) >> (8 + i % 24)));
        float s = from_bits(0x3f800000u + (next_random(&seed) >> 4));
        float target = (float)(next_random(&seed) % 520) * 0.5f;
        input_a[i] = i % 97 == 0 ? 0.0f : neighbour(target * s / c, (int)(next_random(&seed) % 5) - 2);
        input_b[2 * i] = c;
        input_b[2 * i + 1] = s;
    }
    run("muldiv", input_b, sizeof input_b, N);
    for (size_t i = 0; i < N; i++) {
        int32_t want = oct_muldiv_rte(input_a[i], input_b[2 * i], input_b[2 * i + 1]), got;
        memcpy(&got, &output[i], sizeof got);
        if (want != got)
            fail_msg("%s: %a * %a / %a: want %d, got %d", shared.name, (double)input_a[i],
                     (double)input_b[2 * i], (double)input_b[2 * i + 1], want, got);
    }
}

static void every_device(void **state)
{
    (void)state;
    if (shared.count == 0)
        skip();
    for (cl_uint i = 0; i < shared.count; i++) {
        open_device(shared.devices[i]);
        check_divide("divide", 1, false);
        check_divide("divide16", 16, false);
        check_divide("divide_by", 16, true);
        check_quotient("quotient", 1);
        check_quotient("quotient4", 4);
        check_quotient("quotient8", 8);
        check_quotient("quotient16", 16);
        check_muldiv();
        print_message("%s: exact\n", shared.name);
        close_device();
    }
}

static int find_devices(void **state)
{
    (void)state;
    setenv("RUSTICL_ENABLE", "llvmpipe", 0);
    cl_platform_id platforms[MAX_DEVICES];
    cl_uint platform_count = 0;
    if (clGetPlatformIDs(MAX_DEVICES, platforms, &platform_count) != CL_SUCCESS)
        return 0;
    platform_count = platform_count > MAX_DEVICES ? MAX_DEVICES : platform_count;
    for (cl_uint i = 0; i < platform_count; i++) {
        cl_uint found = 0;
        if (shared.count < MAX_DEVICES &&
            clGetDeviceIDs(platforms[i], CL_DEVICE_TYPE_ALL, MAX_DEVICES - shared.count,
                           shared.devices + shared.count, &found) == CL_SUCCESS)
            shared.count += found > MAX_DEVICES - shared.count ? MAX_DEVICES - shared.count : found;
    }
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_device)};
    return cmocka_run_group_tests(tests, find_devices, NULL);
}
