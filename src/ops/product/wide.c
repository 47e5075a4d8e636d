#include "wide.h"
#include "dtype.h"
#include "sizes.h"
#include "work_items.h"

#include "product/product_args.clh"

#include <stdio.h>

bool oct_is_wide(octet_dtype x, octet_dtype y)
{
    return oct_dtype_is_int16(x) || oct_dtype_is_int16(y);
}

static void split(oct_recipe *r, const oct_caps *caps, oct_mem x, octet_dtype dtype, int64_t elems,
                  oct_mem high, oct_mem low)
{
    bool is_signed = dtype == OCTET_S16;
    oct_launch *l = oct_recipe_launch(r, "product/wide.cl", "split", "-DX=%s -DH=%s", oct_dtype_cl(dtype),
                                      is_signed ? "char" : "uchar");
    OCT_ARGS(l, wide_split, .x = oct_whole(x), .high = oct_whole(high), .low = oct_whole(low), .n = elems,
             .chunk = oct_item_chunk(caps));
    oct_launch_1d(l, oct_item_count(caps, elems), 0);
}

octet_status oct_wide_halves(oct_recipe *r, const oct_caps *caps, oct_mem x, octet_dtype dtype, int64_t elems,
                             const oct_quant *q, int64_t sums, oct_wide *out)
{
    oct_quant plain = *q; /* its scale is for the join */
    plain.scale = OCT_MEM_NONE;
    plain.scale_count = 0;
    plain.host_scale = NULL;
    *out = (oct_wide){.count = oct_dtype_is_int16(dtype) ? 2 : 1};
    for (int i = 0; i < out->count; i++)
        out->parts[i] = (oct_wide_part){
            .x = x, .sums = oct_recipe_temp(r, (size_t)sums * sizeof(int32_t)), .dtype = dtype, .q = plain};
    if (out->count == 1)
        return r->status;
    oct_wide_part *high = &out->parts[0], *low = &out->parts[1];
    high->dtype = dtype == OCTET_S16 ? OCTET_S8 : OCTET_U8;
    low->dtype = OCTET_U8;
    for (int i = 0; i < 2; i++) {
        oct_wide_part *p = &out->parts[i];
        p->x = oct_recipe_temp(r, (size_t)elems + OCT_BUFFER_PAD);
        p->q.zero_dtype = p->dtype;
        p->q.host_zero = NULL;
        p->q.zero = q->zero_count ? oct_recipe_temp(r, 1) : OCT_MEM_NONE;
    }
    split(r, caps, x, dtype, elems, high->x, low->x);
    if (q->zero_count)
        split(r, caps, q->zero, dtype, 1, high->q.zero, low->q.zero);
    return r->status;
}

octet_status oct_wide_join(oct_recipe *r, const oct_caps *caps, const oct_wide *w, const oct_wide_result *q)
{
    if (q->rows == 0 || q->n == 0)
        return r->status;
    bool is_float = q->y_dtype == OCTET_F32;
    char options[64];
    snprintf(options, sizeof options, "-DOUT_T=%s%s", oct_dtype_cl(q->y_dtype),
             is_float ? " -DOUT_FLOAT" : "");
    oct_mem mult = oct_recipe_temp(r, (size_t)q->n * sizeof(float));
    oct_launch *l = oct_recipe_launch(r, "product/wide.cl", "multipliers", "%s", options);
    OCT_ARGS(l, wide_multipliers, .x_scale = oct_whole(q->x_q.scale), .w_scale = oct_whole(q->w_q.scale),
             .y_scale = oct_whole(q->y_q.scale), .mult = oct_whole(mult), .w_scales = q->w_q.scale_count);
    oct_launch_1d(l, (size_t)q->n, 0);
    l = oct_recipe_launch(r, "product/wide.cl", "join", "%s", options);
    int64_t rows_of_item = oct_item_chunk(caps) / q->n + 1;
    OCT_ARGS(l, wide_join, .high = oct_whole(w->count == 2 ? w->parts[0].sums : OCT_MEM_NONE),
             .low = oct_whole(w->parts[w->count - 1].sums), .bias = oct_whole(q->bias),
             .mult = oct_whole(mult), .zero = oct_whole(q->y_q.zero), .y = oct_whole(q->y), .rows = q->rows,
             .rows_of_item = rows_of_item, .n = q->n, .has_high = w->count == 2,
             .has_bias = q->bias != OCT_MEM_NONE, .zeros = q->y_q.zero_count, .clamp_min = q->clamp_min,
             .clamp_max = q->clamp_max);
    oct_launch_2d(l, oct_ceil_div((size_t)q->n, 16), oct_ceil_div((size_t)q->rows, (size_t)rows_of_item), 0,
                  0);
    return r->status;
}
