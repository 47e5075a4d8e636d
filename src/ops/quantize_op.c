#include "quantize_op.h"
#include "dtype.h"
#include "fuse.h"
#include "quantize/quantize_args.clh"
#include "sizes.h"
#include "work_items.h"

#include <stdio.h>

/* Build options that name an 8- or 16-bit (or s32) type and its range. */
static void q_options(octet_dtype q, octet_dtype x, char text[96])
{
    snprintf(text, 96, "-DQ=%s -DQ_MIN=%d -DQ_MAX=%d -DX=%s", oct_dtype_cl(q),
             q == OCTET_S32 ? 0 : (int)oct_dtype_min(q), (int)oct_dtype_max(q), oct_dtype_cl(x));
}

static octet_status convert(oct_recipe *r, const oct_caps *caps, const char *entry, octet_dtype q_dtype,
                            octet_dtype x_dtype, const oct_operand *x, const oct_quant *q, int axis,
                            const oct_operand *y)
{
    int64_t outer = 1, channels = 1, inner = oct_operand_elems(x);
    if (q->scale_count > 1) {
        inner = 1;
        for (int i = 0; i < x->rank; i++)
            *(i < axis ? &outer : i == axis ? &channels : &inner) *= x->dims[i];
    }
    char options[96];
    const oct_lanes *v = oct_lanes_select(caps, inner, channels * outer, sizeof(float));
    q_options(q_dtype, x_dtype, options);
    oct_launch *l =
        oct_recipe_launch(r, "quantize/quantize.cl", entry, "%s%s", options, oct_lanes_options(v));
    OCT_ARGS(l, quantize, .x = oct_whole(x->mem), .scale = oct_whole(q->scale), .zero = oct_whole(q->zero),
             .y = oct_whole(y->mem), .channels = channels, .inner = inner, .chunk = oct_lanes_chunk(v, caps),
             .scales = q->scale_count, .zeros = q->zero_count);
    oct_lanes_launch(l, caps, v, inner, channels, outer);
    bool narrow = oct_dtype_is_int8(q_dtype) || oct_dtype_is_int16(q_dtype);
    if (narrow && x_dtype == OCTET_F32 && q->scale_count <= 1 && q->zero_count <= 1)
        oct_elementwise_mark(r, l,
                             &(oct_elementwise){.call = entry, .count = 1, .in = {*x}, .y = *y, .q = *q});
    return r->status;
}

octet_status oct_quantize_op(oct_recipe *r, const oct_caps *caps, const oct_operand *x, const oct_quant *q,
                             int axis, const oct_operand *y)
{
    return convert(r, caps, "quantize", y->dtype, x->dtype, x, q, axis, y);
}

octet_status oct_dequantize_op(oct_recipe *r, const oct_caps *caps, const oct_operand *x, const oct_quant *q,
                               int axis, const oct_operand *y)
{
    return convert(r, caps, "dequantize", x->dtype, OCTET_F32, x, q, axis, y);
}

/* Shares that the range is taken over; one float pair each. */
#define RANGE_PARTS 64

/* The ranges of shares of x: how many there are. */
static int64_t ranges_of(oct_recipe *r, const oct_caps *caps, const oct_operand *x, oct_mem ranges)
{
    int64_t n = oct_operand_elems(x);
    const oct_lanes *v = oct_lanes_select(caps, n, 1, sizeof(float));
    /* Of a work-item, or on GPUs of a work-group's first round. */
    int64_t chunk = v->coalesced ? (int64_t)OCT_GROUP_ITEMS * 4
                                 : (int64_t)oct_round_up(oct_ceil_div((size_t)n, RANGE_PARTS), 16);
    int64_t parts = chunk ? (int64_t)oct_ceil_div((size_t)n, (size_t)chunk) : 0;
    parts = parts < RANGE_PARTS ? parts : RANGE_PARTS;
    char options[96];
    q_options(OCTET_U8, OCTET_F32, options);
    oct_launch *l = v->coalesced
                        ? oct_recipe_launch(r, "quantize/quantize.cl", "range_of_groups",
                                            "%s -DCOALESCED -DGROUP=%d", options, OCT_GROUP_ITEMS)
                        : oct_recipe_launch(r, "quantize/quantize.cl", "range_of_parts", "%s", options);
    OCT_ARGS(l, range, .x = oct_whole(x->mem), .parts = oct_whole(ranges), .n = n, .chunk = chunk);
    if (v->coalesced)
        oct_launch_1d(l, (size_t)parts * OCT_GROUP_ITEMS, OCT_GROUP_ITEMS);
    else
        oct_launch_1d(l, (size_t)parts, 0);
    return parts;
}

octet_status oct_dynamic_quantize_op(oct_recipe *r, const oct_caps *caps, const oct_operand *x,
                                     const oct_operand *y, const oct_operand *scale, const oct_operand *zero)
{
    char options[96];
    q_options(OCTET_U8, OCTET_F32, options);
    oct_mem ranges = oct_recipe_temp(r, RANGE_PARTS * 2 * sizeof(float));
    int64_t parts = ranges_of(r, caps, x, ranges);
    oct_launch *l = oct_recipe_launch(r, "quantize/quantize.cl", "dynamic_parameters", "%s", options);
    OCT_ARGS(l, dynamic_parameters, .parts = oct_whole(ranges), .scale = oct_whole(scale->mem),
             .zero = oct_whole(zero->mem), .count = parts);
    oct_launch_1d(l, 1, 1);
    oct_quant q = {
        .scale = scale->mem, .zero = zero->mem, .scale_count = 1, .zero_count = 1, .zero_dtype = OCTET_U8};
    return oct_quantize_op(r, caps, x, &q, 0, y);
}
