/* The device layer as a user meets it: selection and its errors, a machine without drivers, the program cache
 * under damage and strangers, several processes at once, the caller's own OpenCL objects. */
#include "check.h"
#include "device.h"
#include "gemm.h"

#include <octet/opencl.h>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[] = "/tmp/octet-device-XXXXXX", cache[64];
static const char *self;

static octet_context *open_with(const char *device, const char *cache_dir)
{
    octet_context_desc desc;
    octet_context *context;
    OCTET_INIT(desc);
    desc.device = device;
    desc.cache_dir = cache_dir;
    CHECK_OK(octet_context_create(&desc, &context));
    return context;
}

/* A product of ones, checked; needs three programs' worth of kernels. */
static int multiply(octet_context *context)
{
    enum { N = 20 };
    unsigned char a[N * N], b[N * N];
    int32_t c[N * N];
    memset(a, 1, sizeof a);
    memset(b, 1, sizeof b);
    octet_gemm_desc d;
    OCTET_INIT(d);
    d.m = d.n = d.k = N;
    d.a_dtype = OCTET_U8;
    d.b_dtype = OCTET_S8;
    octet_gemm *g = NULL;
    octet_status status = octet_gemm_create(context, &d, b, &g);
    if (status == OCTET_OK)
        status = octet_gemm_run(g, a, NULL, c);
    octet_gemm_destroy(g);
    for (int i = 0; status == OCTET_OK && i < N * N; i++) {
        if (c[i] != N)
            return 1;
    }
    return status != OCTET_OK;
}

/* Programs compiled (not taken from the cache) by one product on a fresh context. */
static uint64_t builds_with(const char *cache_dir)
{
    octet_context *context = open_with(NULL, cache_dir);
    assert_int_equal(multiply(context), 0);
    octet_counters c;
    OCTET_INIT(c);
    CHECK_OK(octet_context_counters(context, &c));
    assert_true(c.programs_built + c.programs_cached > 0);
    octet_context_destroy(context);
    return c.programs_built;
}

static void devices_are_listed_and_selected(void **state)
{
    (void)state;
    size_t count;
    CHECK_OK(octet_device_count(&count));
    assert_true(count >= 1);
    for (size_t i = 0; i < count; i++) {
        octet_device_info info;
        OCTET_INIT(info);
        CHECK_OK(octet_device_get(i, &info));
        assert_true(info.name[0] && info.platform[0] && info.dot4[0] && info.matrix[0] && info.global_bytes);
        char index[24];
        snprintf(index, sizeof index, "%zu", i);
        octet_context *context = open_with(index, "");
        octet_device_info opened;
        OCTET_INIT(opened);
        CHECK_OK(octet_context_device(context, &opened));
        assert_string_equal(opened.name, info.name);
        octet_context_destroy(context);
        info.name[strlen(info.name) / 2 + 1] = '\0'; /* part of a name will do */
        octet_context_destroy(open_with(info.name, ""));
    }
    octet_device_info info;
    OCTET_INIT(info);
    assert_int_equal(octet_device_get(count, &info), OCTET_INVALID_ARGUMENT);
}

static void refuse_device(const char *name)
{
    octet_context_desc desc;
    octet_context *context;
    OCTET_INIT(desc);
    desc.device = name;
    assert_int_equal(octet_context_create(&desc, &context), OCTET_NO_DEVICE);
    assert_null(context);
    assert_non_null(strstr(octet_last_error(), name));
    assert_non_null(strstr(octet_last_error(), "0 '")); /* what there is */
    assert_null(strchr(octet_last_error(), '\n'));
}

static void unknown_devices_are_refused(void **state)
{
    (void)state;
    refuse_device("no such accelerator");
    refuse_device("4711");
    octet_context *context;
    char *before = getenv("OCTET_DEVICE");
    before = before ? strdup(before) : NULL;
    setenv("OCTET_DEVICE", "nobody has this", 1);
    assert_int_equal(octet_context_create(NULL, &context), OCTET_NO_DEVICE);
    if (before)
        setenv("OCTET_DEVICE", before, 1);
    else
        unsetenv("OCTET_DEVICE");
    free(before);
}

/* This program again as a child, in another environment. */
static int child(const char *environment, const char *mode)
{
    char command[512];
    snprintf(command, sizeof command, "%s '%s' %s '%s'", environment, self, mode, cache);
    int status = system(command);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void a_machine_without_drivers_is_an_error(void **state)
{
    (void)state;
    char environment[128];
    snprintf(environment, sizeof environment, "OCL_ICD_VENDORS='%s/none'", folder);
    assert_int_equal(child(environment, "expect-no-device"), 0);
}

static void programs_are_compiled_once(void **state)
{
    (void)state;
    uint64_t first = builds_with(cache);
    assert_true(first > 0);
    assert_int_equal(builds_with(cache), 0);
    assert_int_equal(builds_with(""), first);
}

typedef void damage(const char *path);

static void truncate_half(const char *path)
{
    struct stat s;
    assert_int_equal(stat(path, &s), 0);
    assert_int_equal(truncate(path, s.st_size / 2), 0);
}

static void empty(const char *path)
{
    assert_int_equal(truncate(path, 0), 0);
}

static void flip(const char *path, off_t at)
{
    unsigned char byte;
    int fd = open(path, O_RDWR);
    assert_true(fd >= 0);
    assert_int_equal(pread(fd, &byte, 1, at), 1);
    byte ^= 0x10;
    assert_int_equal(pwrite(fd, &byte, 1, at), 1);
    close(fd);
}

static void flip_head(const char *path)
{
    flip(path, 9);
}

static void flip_body(const char *path)
{
    struct stat s;
    assert_int_equal(stat(path, &s), 0);
    flip(path, s.st_size - 100);
}

static void let_others_write(const char *path)
{
    assert_int_equal(chmod(path, 0666), 0);
}

static void replace_by_link(const char *path)
{
    char moved[512];
    snprintf(moved, sizeof moved, "%s.moved", path);
    assert_int_equal(rename(path, moved), 0);
    assert_int_equal(symlink(moved, path), 0);
}

static void replace_by_folder(const char *path)
{
    assert_int_equal(remove(path), 0);
    assert_int_equal(mkdir(path, 0700), 0);
}

/* Entries of the cache; each is given to `harm` if that is not NULL. */
static uint64_t for_entries(damage *harm)
{
    char names[64][300];
    size_t count = 0;
    DIR *d = opendir(cache);
    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d)) && count < 64;) {
        size_t n = strlen(e->d_name);
        if (n > 4 && strcmp(e->d_name + n - 4, ".bin") == 0)
            snprintf(names[count++], sizeof names[0], "%s/%s", cache, e->d_name);
    }
    closedir(d);
    for (size_t i = 0; harm && i < count; i++)
        harm(names[i]);
    return count;
}

static void clear_cache(void)
{
    char command[256];
    snprintf(command, sizeof command, "rm -rf '%s' && mkdir -m 700 '%s'", cache, cache);
    assert_int_equal(system(command), 0);
}

static void damaged_and_foreign_entries_are_rebuilt(void **state)
{
    (void)state;
    static damage *const harms[] = {truncate_half,    empty,           flip_head,        flip_body,
                                    let_others_write, replace_by_link, replace_by_folder};
    for (size_t i = 0; i < sizeof harms / sizeof harms[0]; i++) {
        clear_cache();
        uint64_t first = builds_with(cache);
        assert_int_equal(for_entries(harms[i]), first);
        if (builds_with(cache) != first)
            fail_msg("harm %zu: a spoilt entry was used", i);
    }
    clear_cache();
}

static void folders_that_cannot_be_trusted_or_written_are_not_used(void **state)
{
    (void)state;
    uint64_t first = builds_with("");
    char open_folder[80];
    snprintf(open_folder, sizeof open_folder, "%s/open", folder);
    assert_int_equal(mkdir(open_folder, 0700), 0);
    assert_int_equal(chmod(open_folder, 0777), 0);
    assert_int_equal(builds_with(open_folder), first);
    assert_int_equal(builds_with(open_folder), first);
    assert_int_equal(builds_with("/proc/no/such/folder"), first);
}

static void processes_share_the_cache(void **state)
{
    (void)state;
    clear_cache();
    enum { CHILDREN = 4 };
    pid_t children[CHILDREN];
    for (int i = 0; i < CHILDREN; i++) {
        children[i] = fork();
        if (children[i] == 0) {
            execl(self, self, "multiply", cache, (char *)NULL);
            _exit(99);
        }
    }
    for (int i = 0; i < CHILDREN; i++) {
        int status;
        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
    assert_int_equal(builds_with(cache), 0);
}

static void the_callers_objects_are_adopted(void **state)
{
    (void)state;
    octet_context *own = open_with(NULL, ""), *other = open_with(NULL, ""), *context = NULL;
    cl_context cl = octet_context_cl(own);
    cl_device_id device;
    assert_int_equal(clGetContextInfo(cl, CL_CONTEXT_DEVICES, sizeof device, &device, NULL), CL_SUCCESS);
    cl_command_queue queue = clCreateCommandQueue(cl, device, 0, NULL);
    assert_int_equal(octet_context_from_cl(octet_context_cl(other), queue, NULL, &context),
                     OCTET_INVALID_ARGUMENT);
    assert_int_equal(octet_context_from_cl(cl, NULL, NULL, &context), OCTET_INVALID_ARGUMENT);
    cl_command_queue unordered =
        clCreateCommandQueue(cl, device, CL_QUEUE_OUT_OF_ORDER_EXEC_MODE_ENABLE, NULL);
    if (unordered) {
        assert_int_equal(octet_context_from_cl(cl, unordered, NULL, &context), OCTET_INVALID_ARGUMENT);
        assert_non_null(strstr(octet_last_error(), "in-order"));
        clReleaseCommandQueue(unordered);
    }
    CHECK_OK(octet_context_from_cl(cl, queue, NULL, &context));
    assert_int_equal(multiply(context), 0);
    assert_ptr_equal(octet_context_queue(context), queue);

    octet_gemm_desc d;
    OCTET_INIT(d);
    d.m = d.n = 3;
    d.k = 4;
    d.a_dtype = OCTET_U8;
    d.b_dtype = OCTET_S8;
    const signed char b[12] = {1, 0, 0, 0, 1, 0, 0, 0, 1, 1, 1, 1};
    unsigned char a[2 + 12] = {99, 99, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
    const int32_t want[9] = {5, 6, 7, 13, 14, 15, 21, 22, 23};
    int32_t c[10];
    octet_gemm *g;
    CHECK_OK(octet_gemm_create(context, &d, b, &g));
    cl_mem ma = clCreateBuffer(cl, CL_MEM_COPY_HOST_PTR, sizeof a, a, NULL);
    cl_mem mc = clCreateBuffer(cl, CL_MEM_READ_WRITE, sizeof c, NULL, NULL);
    cl_mem foreign = clCreateBuffer(octet_context_cl(other), CL_MEM_READ_WRITE, 64, NULL, NULL);
    assert_int_equal(octet_gemm_enqueue(g, foreign, 0, NULL, 0, mc, 4, NULL), OCTET_INVALID_ARGUMENT);
    assert_int_equal(octet_gemm_enqueue(g, ma, 3, NULL, 0, mc, 4, NULL), OCTET_INVALID_ARGUMENT);
    cl_event event;
    CHECK_OK(octet_gemm_enqueue(g, ma, 2, NULL, 0, mc, 4, &event));
    assert_int_equal(clWaitForEvents(1, &event), CL_SUCCESS);
    clReleaseEvent(event);
    assert_int_equal(clEnqueueReadBuffer(queue, mc, CL_TRUE, 0, sizeof c, c, 0, NULL, NULL), CL_SUCCESS);
    assert_memory_equal(c + 1, want, sizeof want);
    octet_context_destroy(context); /* before what was made with it: order is free */
    octet_gemm_destroy(g);
    clReleaseMemObject(ma);
    clReleaseMemObject(mc);
    clReleaseMemObject(foreign);
    clReleaseCommandQueue(queue);
    octet_context_destroy(other);
    octet_context_destroy(own);
}

static void write_source(const char *name, const char *text)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

/* Files that the library does not hold, each included once, and names and options that are too long. */
static void sources_of_a_folder_are_used(void **state)
{
    (void)state;
    write_source("folder.cl", "#include \"one.clh\"\n#include \"two.clh\"\n#include \"one.clh\"\n"
                              "__kernel void sum(__global int *out) { out[0] = one() + two(); }\n");
    write_source("one.clh", "int one(void) { return 1; }\n");
    write_source("two.clh", "int two(void) { return 2; }\n");
    octet_context_desc desc;
    OCTET_INIT(desc);
    desc.cache_dir = "";
    oct_device *d;
    assert_int_equal(setenv("OCTET_KERNEL_DIR", folder, 1), 0);
    CHECK_OK(oct_device_open(&desc, &d));
    cl_kernel kernel;
    CHECK_OK(oct_device_kernel(d, "folder.cl", "sum", "", &kernel));
    clReleaseKernel(kernel);
    char options[700], file[700], include[800], long_folder[2000];
    memset(options, ' ', sizeof options);
    options[sizeof options - 1] = '\0';
    assert_int_equal(oct_device_kernel(d, "folder.cl", "sum", options, &kernel), OCTET_INTERNAL);
    options[511] = '\0';
    CHECK_OK(oct_device_kernel(d, "folder.cl", "sum", options, &kernel));
    clReleaseKernel(kernel);
    memset(file, 'f', sizeof file);
    file[sizeof file - 1] = '\0';
    assert_int_equal(oct_device_kernel(d, file, "sum", "", &kernel), OCTET_INTERNAL);
    snprintf(include, sizeof include, "#include \"%s\"\n", file);
    write_source("long.cl", include);
    assert_int_equal(oct_device_kernel(d, "long.cl", "sum", "", &kernel), OCTET_INTERNAL);
    memset(long_folder, '/', sizeof long_folder);
    long_folder[sizeof long_folder - 1] = '\0';
    assert_int_equal(setenv("OCTET_KERNEL_DIR", long_folder, 1), 0);
    oct_device_release(d);
    CHECK_OK(oct_device_open(&desc, &d));
    assert_int_equal(oct_device_kernel(d, "new.cl", "sum", "", &kernel), OCTET_INVALID_ARGUMENT);
    assert_int_equal(unsetenv("OCTET_KERNEL_DIR"), 0);
    oct_device_release(d);
}

static int set_up(void **state)
{
    (void)state;
    char none[64];
    if (!mkdtemp(folder))
        return 1;
    snprintf(cache, sizeof cache, "%s/cache", folder);
    snprintf(none, sizeof none, "%s/none", folder);
    return mkdir(cache, 0700) || mkdir(none, 0700);
}

static int tear_down(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

/* As a child: 0 if what was asked for happened. */
static int be_child(const char *mode, const char *cache_dir)
{
    octet_context_desc desc;
    octet_context *context = NULL;
    OCTET_INIT(desc);
    desc.cache_dir = cache_dir;
    octet_status status = octet_context_create(&desc, &context);
    if (strcmp(mode, "expect-no-device") == 0)
        return !(status == OCTET_NO_DEVICE && strstr(octet_last_error(), "pocl-opencl-icd"));
    int wrong = status != OCTET_OK || multiply(context);
    octet_context_destroy(context);
    return wrong;
}

int main(int argc, char **argv)
{
    if (argc == 3)
        return be_child(argv[1], argv[2]);
    self = argv[0];
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(devices_are_listed_and_selected),
        cmocka_unit_test(unknown_devices_are_refused),
        cmocka_unit_test(a_machine_without_drivers_is_an_error),
        cmocka_unit_test(programs_are_compiled_once),
        cmocka_unit_test(damaged_and_foreign_entries_are_rebuilt),
        cmocka_unit_test(folders_that_cannot_be_trusted_or_written_are_not_used),
        cmocka_unit_test(processes_share_the_cache),
        cmocka_unit_test(the_callers_objects_are_adopted),
        cmocka_unit_test(sources_of_a_folder_are_used),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
