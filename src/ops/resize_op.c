#include "resize_op.h"
#include "dtype.h"
#include "resize/resize_args.clh"
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
    const oct_quant none = {.scale = OCT_MEM_NONE, .zero = OCT_MEM_NONE};
    const oct_quant *x_q = q->quantized ? &q->x_q : &none, *y_q = q->quantized ? &q->y_q : &none;
    OCT_ARGS(l, resize, .x = oct_whole(q->x.mem), .rows = oct_whole(rows), .columns = oct_whole(columns),
             .y = oct_whole(q->y.mem), .x_scale = oct_whole(x_q->scale), .x_zero = oct_whole(x_q->zero),
             .y_scale = oct_whole(y_q->scale), .y_zero = oct_whole(y_q->zero), .h = q->h, .w = q->w,
             .c = q->c, .oh = q->oh, .ow = q->ow, .x_zeros = x_q->zero_count, .y_zeros = y_q->zero_count);
    bool empty = q->c == 0 || q->ow == 0;
    oct_launch_2d(l, empty ? 0 : (size_t)q->oh, (size_t)q->n, 0, 0);
    return r->status;
}
