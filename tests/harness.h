/* Run one operator on the default device: build a recipe around host tensors, execute it, fetch the result.
 */
#ifndef OCT_TEST_HARNESS_H
#define OCT_TEST_HARNESS_H

#include "check.h"
#include "dtype.h"
#include "executor.h"
#include "quant_args.h"
#include "runner.h"
#include "work_items.h"

static oct_device *device;

static inline int open_device(void **state)
{
    (void)state;
    octet_context_desc desc;
    OCTET_INIT(desc);
    if (oct_device_open(&desc, &device) == OCTET_OK)
        return 0;
    print_error("%s\n", oct_error_text());
    return 1;
}

static inline int close_device(void **state)
{
    (void)state;
    oct_device_release(device);
    return 0;
}

/* The device's capabilities; harness_lanes names the row of lane_variants.def that is forced. */
static const char *harness_lanes;

static inline const oct_caps *harness_caps(void)
{
    static oct_caps caps;
    caps = *oct_device_caps(device);
    caps.lanes = harness_lanes;
    if (harness_lanes)
        assert_true(caps.max_group >= OCT_GROUP_ITEMS);
    return &caps;
}

/* Run a test once with each row of lane_variants.def. */
static inline void harness_each_lanes(void (*test)(void))
{
    size_t rows = 0;
    for (const oct_lanes *v; (v = oct_lanes_variant(rows)); rows++) {
        harness_lanes = v->name;
        test();
    }
    harness_lanes = NULL;
    assert_int_equal(rows, 3);
}

/* `cases` for the portable row, half as many for the others, which differ in how work is spread only. */
static inline uint64_t harness_cases(uint64_t cases)
{
    return strcmp(harness_lanes, oct_lanes_variant(0)->name) == 0 ? cases : cases / 2;
}

/* Element sizes by memory of the recipe being built: caller-owned buffers are aligned to one element only. */
static size_t harness_elem[64];

static inline void harness_note(oct_mem mem, octet_dtype dtype)
{
    assert_in_range(mem, 0, sizeof harness_elem / sizeof harness_elem[0] - 1);
    harness_elem[mem] = oct_dtype_bytes(dtype);
}

/* An operand with these dims; runtime: written before the run, else a constant. */
static inline oct_operand harness_operand(oct_recipe *r, octet_dtype dtype, int rank, const int64_t *dims,
                                          const void *data, bool runtime)
{
    oct_operand t = {.dtype = dtype, .rank = rank};
    for (int i = 0; i < rank; i++)
        t.dims[i] = dims[i];
    size_t bytes = (size_t)oct_operand_elems(&t) * oct_dtype_bytes(dtype);
    t.mem = runtime ? oct_recipe_input(r, bytes) : oct_recipe_const(r, data, bytes);
    t.host = runtime ? NULL : data;
    harness_note(t.mem, dtype);
    return t;
}

static inline oct_operand harness_output(oct_recipe *r, octet_dtype dtype, int rank, const int64_t *dims)
{
    oct_operand t = {.dtype = dtype, .rank = rank};
    for (int i = 0; i < rank; i++)
        t.dims[i] = dims[i];
    t.mem = oct_recipe_output(r, (size_t)oct_operand_elems(&t) * oct_dtype_bytes(dtype));
    harness_note(t.mem, dtype);
    return t;
}

static inline oct_quant harness_quant(oct_recipe *r, octet_dtype dtype, const float *scale, int64_t scales,
                                      const void *zero, int64_t zeros)
{
    oct_quant q = {.scale = OCT_MEM_NONE, .zero = OCT_MEM_NONE, .zero_dtype = dtype};
    if (scales) {
        q.scale = oct_recipe_const(r, scale, (size_t)scales * sizeof *scale);
        q.scale_count = scales;
        q.host_scale = scale;
    }
    if (zeros) {
        q.zero = oct_recipe_const(r, zero, (size_t)zeros * oct_dtype_bytes(dtype));
        q.zero_count = zeros;
        q.host_zero = zero;
    }
    return q;
}

typedef struct harness_io {
    oct_mem mem;
    void *data;
} harness_io;

/* A tensor in a buffer of the caller's: guard bytes before it, and behind an output; an input is the end of
 * its buffer. */
typedef struct harness_buffer {
    cl_mem buffer;
    unsigned char *host;
    size_t offset, bytes, size;
} harness_buffer;

#define HARNESS_GUARD 64

static inline harness_buffer harness_bind(oct_executor *e, const oct_recipe *r, const harness_io *io,
                                          bool output)
{
    harness_buffer b = {.offset = HARNESS_GUARD + 3 * harness_elem[io->mem], .bytes = r->mems[io->mem].bytes};
    b.size = b.offset + b.bytes + (output ? HARNESS_GUARD : 0);
    b.host = malloc(b.size);
    assert_non_null(b.host);
    memset(b.host, GUARD, b.size);
    if (!output && b.bytes)
        memcpy(b.host + b.offset, io->data, b.bytes);
    cl_int error;
    b.buffer = clCreateBuffer(oct_device_context(device), CL_MEM_READ_WRITE | CL_MEM_COPY_HOST_PTR, b.size,
                              b.host, &error);
    assert_int_equal(error, CL_SUCCESS);
    assert_int_equal(oct_executor_set_buffer(e, io->mem, b.buffer, b.offset), OCTET_OK);
    return b;
}

/* Everything outside the tensor is as it was, and so is an input; an output is what the arena gave. */
static inline void harness_unbind(const harness_buffer *b, const harness_io *io, bool output,
                                  const char *what)
{
    unsigned char *now = malloc(b->size);
    assert_non_null(now);
    assert_int_equal(
        clEnqueueReadBuffer(oct_device_queue(device), b->buffer, CL_TRUE, 0, b->size, now, 0, NULL, NULL),
        CL_SUCCESS);
    for (size_t i = 0; i < b->size; i++) {
        bool inside = output && i >= b->offset && i < b->offset + b->bytes;
        if (!inside && now[i] != b->host[i])
            fail_msg("%s: byte %lld of %zu of memory %d was overwritten with %d", what,
                     (long long)i - (long long)b->offset, b->bytes, io->mem, now[i]);
    }
    if (output && b->bytes && memcmp(io->data, now + b->offset, b->bytes) != 0)
        fail_msg("%s: memory %d differs between the arena and a buffer of the caller's", what, io->mem);
    clReleaseMemObject(b->buffer);
    free(b->host);
    free(now);
}

/* Once more on buffers of the caller's. */
static inline octet_status harness_run_external(oct_executor *e, const oct_recipe *r,
                                                const harness_io *inputs, int input_count,
                                                const harness_io *outputs, int output_count, const char *what)
{
    harness_buffer in[8], out[8];
    assert_in_range(input_count, 0, 8);
    assert_in_range(output_count, 0, 8);
    for (int i = 0; i < input_count; i++)
        in[i] = harness_bind(e, r, &inputs[i], false);
    for (int i = 0; i < output_count; i++)
        out[i] = harness_bind(e, r, &outputs[i], true);
    octet_status status = oct_device_finish_after(device, oct_executor_run(e, NULL));
    for (int i = 0; i < input_count; i++)
        harness_unbind(&in[i], &inputs[i], false, what);
    for (int i = 0; i < output_count; i++)
        harness_unbind(&out[i], &outputs[i], true, what);
    return status;
}

/* Bind, run twice in the arena and once on guarded buffers aligned to one element (all must give the same),
 * fetch. `what` names the case in failures. Frees the recipe. */
static inline void harness_run(oct_recipe *r, octet_status built, const harness_io *inputs, int input_count,
                               const harness_io *outputs, int output_count, const char *what)
{
    oct_executor *e = NULL;
    octet_status status = built == OCTET_OK ? oct_executor_create(device, r, NULL, &e) : built;
    oct_host_memory memories[16];
    assert_in_range(input_count + output_count, 0, 16);
    for (int i = 0; i < input_count; i++)
        memories[i] = (oct_host_memory){.mem = inputs[i].mem, .from = inputs[i].data};
    for (int i = 0; i < output_count; i++)
        memories[input_count + i] = (oct_host_memory){.mem = outputs[i].mem, .to = outputs[i].data};
    for (int run = 0; status == OCTET_OK && run < 2; run++)
        status = oct_runner_run(e, memories, (size_t)(input_count + output_count));
    if (status == OCTET_OK)
        status = harness_run_external(e, r, inputs, input_count, outputs, output_count, what);
    oct_executor_destroy(e);
    oct_recipe_free(r);
    if (status != OCTET_OK)
        fail_msg("%s: %s", what, oct_error_text());
}

static inline void harness_compare(const void *got, const void *want, size_t bytes, const char *what)
{
    for (size_t i = 0; i < bytes; i++) {
        if (((const unsigned char *)got)[i] != ((const unsigned char *)want)[i])
            fail_msg("%s: byte %zu is %d, want %d", what, i, ((const unsigned char *)got)[i],
                     ((const unsigned char *)want)[i]);
    }
}

#endif
