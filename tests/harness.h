/* Run one operator on the default device: build a recipe around host tensors, execute it, fetch the result.
 */
#ifndef OCT_TEST_HARNESS_H
#define OCT_TEST_HARNESS_H

#include "check.h"
#include "dtype.h"
#include "executor.h"
#include "quant_args.h"

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
    return t;
}

static inline oct_operand harness_output(oct_recipe *r, octet_dtype dtype, int rank, const int64_t *dims)
{
    oct_operand t = {.dtype = dtype, .rank = rank};
    for (int i = 0; i < rank; i++)
        t.dims[i] = dims[i];
    t.mem = oct_recipe_output(r, (size_t)oct_operand_elems(&t) * oct_dtype_bytes(dtype));
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

/* Bind, run twice (a second run must give the same), fetch. `what` names the case in failures. Frees the
 * recipe. */
static inline void harness_run(oct_recipe *r, octet_status built, const harness_io *inputs, int input_count,
                               const harness_io *outputs, int output_count, const char *what)
{
    oct_executor *e = NULL;
    octet_status status = built == OCTET_OK ? oct_executor_create(device, r, NULL, &e) : built;
    for (int run = 0; status == OCTET_OK && run < 2; run++) {
        for (int i = 0; status == OCTET_OK && i < input_count; i++)
            status = oct_executor_upload(e, inputs[i].mem, inputs[i].data);
        if (status == OCTET_OK)
            status = oct_executor_run(e, NULL);
        for (int i = 0; status == OCTET_OK && i < output_count; i++)
            status = oct_executor_download(e, outputs[i].mem, outputs[i].data);
        status = oct_device_settle(device, status);
    }
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
