#include "resize_op.h"
#include "dtype.h"
#include "sizes.h"

#include <stdio.h>

enum { TAP_BYTES = 16 };

/* Nearest only moves: an unsigned type of the element's size. */
static const char *element(const oct_resize_request *q)
{
    static const char *const by_bytes[] = {[1] = "uchar", [2] = "ushort", [4] = "int"};
    size_t bytes = oct_dtype_bytes(q->x.dtype);
    return q->linear ? oct_dtype_cl(q->x.dtype) : bytes <= 4 ? by_bytes[bytes] : NULL;
}

octet_status oct_resize_op(oct_recipe *r, const oct_caps *caps, const oct_resize_request *q)
{
    (void)caps;
    const int64_t sizes[] = {q->h, q->w, q->c, q->oh, q->ow};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        RETURN_IF(sizes[i] > INT32_MAX / 4, OCTET_UNSUPPORTED, "resize: a size is past 2^29");
    bool typed = !q->linear || q->x.dtype == OCTET_F32 || (q->quantized && oct_dtype_is_int8(q->x.dtype));
    RETURN_IF(!typed || !element(q), OCTET_UNSUPPORTED, "resize of %s is not supported",
              oct_dtype_name(q->x.dtype));
    char options[128];
    snprintf(options, sizeof options, "-DT=%s%s%s -DT_MIN=%d -DT_MAX=%d", element(q),
             q->linear ? " -DLINEAR" : "", q->quantized ? " -DQUANTIZED" : "",
             q->quantized ? oct_dtype_min(q->y.dtype) : 0, q->quantized ? oct_dtype_max(q->y.dtype) : 0);
    oct_mem rows = oct_recipe_const_copy(r, q->row_taps, (size_t)q->oh * TAP_BYTES);
    oct_mem columns = oct_recipe_const_copy(r, q->column_taps, (size_t)q->ow * TAP_BYTES);
    oct_launch *l = oct_recipe_launch(r, "resize/resize.cl", "resize", "%s", options);
    oct_launch_in(l, q->x.mem);
    oct_launch_in(l, rows);
    oct_launch_in(l, columns);
    oct_launch_out(l, q->y.mem);
    const oct_quant none = {.scale = OCT_MEM_NONE, .zero = OCT_MEM_NONE}, *quants[] = {&none, &none};
    if (q->quantized) {
        quants[0] = &q->x_q;
        quants[1] = &q->y_q;
    }
    for (int i = 0; i < 2; i++) {
        oct_launch_in(l, quants[i]->scale);
        oct_launch_in(l, quants[i]->zero);
    }
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        oct_launch_i32(l, sizes[i]);
    oct_launch_i32(l, quants[0]->zero_count);
    oct_launch_i32(l, quants[1]->zero_count);
    bool empty = q->c == 0 || q->ow == 0;
    oct_launch_2d(l, empty ? 0 : (size_t)q->oh, (size_t)q->n, 0, 0);
    return r->status;
}
