/* copies DEVICE-TEXT: what the bus and the memory of an OpenCL device give, as JSON on stdout: copies up and
 * down from ordinary and from pinned memory, and within the device (bytes read plus written), in GB/s;
 * medians. */
#define CL_TARGET_OPENCL_VERSION 120
#define CL_USE_DEPRECATED_OPENCL_1_2_APIS
#include <CL/cl.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ROUNDS = 9, MAX_DEVICES = 16 };

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static cl_device_id find(const char *part)
{
    cl_platform_id platforms[MAX_DEVICES];
    cl_uint platform_count = 0;
    clGetPlatformIDs(MAX_DEVICES, platforms, &platform_count);
    for (cl_uint p = 0; p < platform_count && p < MAX_DEVICES; p++) {
        cl_device_id ids[MAX_DEVICES];
        cl_uint count = 0;
        if (clGetDeviceIDs(platforms[p], CL_DEVICE_TYPE_ALL, MAX_DEVICES, ids, &count) != CL_SUCCESS)
            continue;
        for (cl_uint d = 0; d < count && d < MAX_DEVICES; d++) {
            char name[512] = "";
            clGetDeviceInfo(ids[d], CL_DEVICE_NAME, sizeof name - 1, name, NULL);
            if (strstr(name, part))
                return ids[d];
        }
    }
    return NULL;
}

typedef enum copy_kind { UP, DOWN, WITHIN } copy_kind;

static double rate(cl_command_queue q, copy_kind kind, cl_mem a, cl_mem b, void *host, size_t bytes)
{
    double times[ROUNDS];
    for (int i = -1; i < ROUNDS; i++) { /* one to warm up */
        double start = seconds();
        cl_int err = kind == UP     ? clEnqueueWriteBuffer(q, a, CL_FALSE, 0, bytes, host, 0, NULL, NULL)
                     : kind == DOWN ? clEnqueueReadBuffer(q, a, CL_FALSE, 0, bytes, host, 0, NULL, NULL)
                                    : clEnqueueCopyBuffer(q, a, b, 0, 0, bytes, 0, NULL, NULL);
        if (err != CL_SUCCESS || clFinish(q) != CL_SUCCESS)
            return 0.0;
        if (i >= 0)
            times[i] = seconds() - start;
    }
    qsort(times, ROUNDS, sizeof *times, compare);
    return (kind == WITHIN ? 2.0 : 1.0) * (double)bytes / times[ROUNDS / 2] * 1e-9;
}

int main(int argc, char **argv)
{
    cl_device_id id = find(argc > 1 ? argv[1] : "");
    cl_ulong largest = 0;
    cl_int err = CL_SUCCESS;
    if (!id) {
        fprintf(stderr, "copies: no device has '%s' in its name\n", argc > 1 ? argv[1] : "");
        return 1;
    }
    clGetDeviceInfo(id, CL_DEVICE_MAX_MEM_ALLOC_SIZE, sizeof largest, &largest, NULL);
    size_t bytes = (size_t)256 << 20;
    while (bytes > largest)
        bytes /= 2;
    cl_context c = clCreateContext(NULL, 1, &id, NULL, NULL, &err);
    cl_command_queue q = c ? clCreateCommandQueue(c, id, 0, &err) : NULL;
    cl_mem a = q ? clCreateBuffer(c, CL_MEM_READ_WRITE, bytes, NULL, &err) : NULL;
    cl_mem b = a ? clCreateBuffer(c, CL_MEM_READ_WRITE, bytes, NULL, &err) : NULL;
    cl_mem staging = b ? clCreateBuffer(c, CL_MEM_ALLOC_HOST_PTR, bytes, NULL, &err) : NULL;
    void *pinned = staging ? clEnqueueMapBuffer(q, staging, CL_TRUE, CL_MAP_READ | CL_MAP_WRITE, 0, bytes, 0,
                                                NULL, NULL, &err)
                           : NULL;
    unsigned char *plain = malloc(bytes);
    if (!pinned || !plain) {
        fprintf(stderr, "copies: OpenCL error %d\n", (int)err);
        return 1;
    }
    unsigned long long s = 88172645463325252u; /* random bytes: zeros may be faster */
    for (size_t i = 0; i < bytes; i += 8) {
        s ^= s << 13, s ^= s >> 7, s ^= s << 17;
        memcpy(plain + i, &s, 8);
    }
    memcpy(pinned, plain, bytes);
    printf("{\"bytes\": %zu, \"up\": %.2f", bytes, rate(q, UP, a, b, plain, bytes));
    printf(", \"up_pinned\": %.2f", rate(q, UP, a, b, pinned, bytes));
    printf(", \"down_pinned\": %.2f", rate(q, DOWN, a, b, pinned, bytes));
    printf(", \"within\": %.2f}\n", rate(q, WITHIN, a, b, NULL, bytes));
    return 0;
}
