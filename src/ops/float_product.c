#include "float_product.h"
#include "move.h"
#include "sizes.h"

octet_status oct_float_matmul(oct_recipe *r, const oct_caps *caps, const oct_float_matmul_request *q)
{
    (void)caps;
    oct_launch *l = oct_recipe_launch(r, "float/product.cl", "matmul", "%s", "");
    oct_launch_in(l, q->a);
    oct_launch_in(l, q->b);
    oct_launch_in(l, q->beta != 0.0f ? q->c : OCT_MEM_NONE);
    oct_launch_out(l, q->y);
    const int64_t sizes[] = {q->m, q->n, q->k, q->a_stride, q->b_stride};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        oct_launch_i64(l, sizes[i]);
    oct_launch_f32(l, q->alpha);
    oct_launch_f32(l, q->beta);
    oct_launch_i64(l, q->c_row);
    oct_launch_i64(l, q->c_column);
    oct_launch_3d(
        l, (size_t[3]){oct_ceil_div((size_t)q->n, 16), oct_ceil_div((size_t)q->m, 4), (size_t)q->batch},
        NULL);
    return r->status;
}

/* Weights to [group][kh kw][ci][co], in which a kernel reads 16 output channels at once. */
static oct_mem arrange(oct_recipe *r, const oct_caps *caps, const oct_float_conv_request *q)
{
    int64_t taps = q->kh * q->kw, gci = q->c / q->group, gco = q->co / q->group;
    oct_operand to = q->weights;
    to.mem = oct_recipe_temp(r, (size_t)(q->group * taps * gci * gco) * sizeof(float));
    oct_box b = {.rank = 4, .dims = {q->group, taps, gci, gco}};
    const int64_t direct[4] = {gco * gci * taps, 1, taps, gci * taps},
                  transposed[4] = {gci * gco * taps, 1, gco * taps, taps};
    for (int i = 0; i < 4; i++)
        b.x_steps[i] = q->transposed ? transposed[i] : direct[i];
    oct_dense_steps(b.dims, 4, b.y_steps);
    (void)oct_move_box(r, caps, &q->weights, &to, &b);
    return to.mem;
}

octet_status oct_float_conv(oct_recipe *r, const oct_caps *caps, const oct_float_conv_request *q)
{
    const int64_t sizes[] = {q->h,          q->w,          q->c,       q->oh,       q->ow,
                             q->co,         q->kh,         q->kw,      q->stride_h, q->stride_w,
                             q->dilation_h, q->dilation_w, q->pad_top, q->pad_left, q->group};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        RETURN_IF(sizes[i] > INT32_MAX / 4 || sizes[i] < 0, OCTET_UNSUPPORTED,
                  "convolution: %lld is out of range for a size", (long long)sizes[i]);
    RETURN_IF(q->oh * q->ow > INT32_MAX, OCTET_UNSUPPORTED, "convolution: too many pixels of output");
    if (q->c == 0 || q->co == 0)
        return r->status;
    bool depthwise = !q->transposed && q->c == q->group && q->co == q->group;
    int64_t gco = depthwise ? q->c : q->co / q->group;
    /* For one channel a group, [group][taps] and [taps][group]: */
    oct_float_conv_request as = *q;
    if (depthwise) {
        as.group = 1;
        as.c = 1;
    }
    oct_mem weights = arrange(r, caps, &as);
    oct_launch *l = oct_recipe_launch(r, "float/product.cl", depthwise ? "depthwise" : "conv", "%s",
                                      q->transposed ? "-DTRANSPOSED" : "");
    oct_launch_in(l, q->x.mem);
    oct_launch_in(l, weights);
    oct_launch_in(l, q->bias);
    oct_launch_out(l, q->y.mem);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        oct_launch_i32(l, sizes[i]);
    oct_launch_i32(l, q->bias != OCT_MEM_NONE);
    oct_launch_3d(l,
                  (size_t[3]){oct_ceil_div((size_t)gco, 16), (size_t)(q->oh * q->ow),
                              (size_t)(q->n * (depthwise ? 1 : q->group))},
                  NULL);
    return r->status;
}
