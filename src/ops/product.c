#include "product.h"
#include "dtype.h"
#include "gemm.h"
#include "sizes.h"

#include <stdio.h>
#include <string.h>

bool oct_product_runs_on(size_t capability, const oct_caps *caps)
{
    bool has;
    memcpy(&has, (const char *)caps + capability, sizeof has);
    return has;
}

int64_t oct_gemm_max_k(octet_dtype a, octet_dtype b, bool zero_points)
{
    /* Largest |(a - za)(b - zb)| times k must fit int32: 128 * 128, 255 * 128, 255 * 255. */
    if (zero_points || (a == OCTET_U8 && b == OCTET_U8))
        return 33025;
    return a == OCTET_S8 && b == OCTET_S8 ? 131071 : 65793;
}

static octet_status check(const oct_product *p)
{
    bool zeros = !oct_quant_zero_is_zero(&p->a_q) || !oct_quant_zero_is_zero(&p->b_q);
    int64_t bound = oct_gemm_max_k(p->a_dtype, p->b_dtype, zeros);
    RETURN_IF(
        p->k > bound, OCTET_UNSUPPORTED,
        "k is %lld; exact int32 sums of %s x %s%s hold up to k = %lld: split the product and add the parts",
        (long long)p->k, oct_dtype_name(p->a_dtype), oct_dtype_name(p->b_dtype),
        zeros ? " with zero points" : "", (long long)bound);
    RETURN_IF(p->n > INT32_MAX - 4096 || p->blocks > INT32_MAX, OCTET_UNSUPPORTED,
              "%lld columns or %lld blocks of B are past 2^31", (long long)p->n, (long long)p->blocks);
    return OCTET_OK;
}

/* Known on the host to be -shift everywhere, so that the shifted zero point is 0? */
static bool zero_cancels(const oct_quant *q, int shift)
{
    const unsigned char *bytes = q->host_zero;
    if (q->zero_count == 0)
        return shift == 0;
    if (!bytes)
        return false;
    for (int64_t i = 0; i < q->zero_count; i++) {
        int zero = q->zero_dtype == OCTET_S8 ? (int)(signed char)bytes[i] : (int)bytes[i];
        if (zero + shift != 0)
            return false;
    }
    return true;
}

octet_status oct_product_begin(oct_recipe *r, oct_product *p)
{
    FORWARD(check(p));
    p->np = (int64_t)oct_round_up((size_t)p->n, 64);
    p->panels = (int64_t)oct_ceil_div((size_t)p->n, (size_t)p->nb);
    p->b_signed = p->b_dtype == OCTET_S8;
    if (p->form == OCT_U8S8) {
        p->a_shift = p->a_dtype == OCTET_S8 ? 128 : 0;
        p->b_shift = p->b_dtype == OCTET_U8 ? -128 : 0;
        p->b_flip = p->b_shift ? 0x80 : 0;
        p->b_signed = true;
    }
    p->needs_rowsum = !zero_cancels(&p->b_q, p->b_shift);
    size_t packed, packed_all, prep = (size_t)(3 * p->np + 16), prep_all;
    bool fits = oct_size_mul((size_t)(p->panels * p->nb), (size_t)(p->groups * p->kb), &packed) &&
                oct_size_mul(packed, (size_t)p->blocks, &packed_all) &&
                oct_size_mul(prep, 4 * (size_t)p->blocks, &prep_all) && packed_all < SIZE_MAX / 4 &&
                prep_all < SIZE_MAX / 4;
    RETURN_IF(!fits, OCTET_OUT_OF_MEMORY, "packed weights exceed the address space");
    p->packed_stride = p->blocks > 1 ? (int64_t)packed : 0;
    p->prep_stride = p->blocks > 1 ? (int64_t)prep : 0;
    p->packed = oct_recipe_temp(r, packed_all);
    p->prep = oct_recipe_temp(r, prep_all);
    return r->status;
}

oct_launch *oct_product_launch(oct_recipe *r, const oct_product *p, const char *entry)
{
    return oct_recipe_launch(r, "product/prepare.cl", entry, "-DNB=%d -DKB=%d%s%s", p->nb, p->kb,
                             p->b_signed ? " -DB_SIGNED" : "", p->a_dtype == OCTET_S8 ? " -DA_SIGNED" : "");
}

void oct_product_prepare(oct_recipe *r, const oct_product *p)
{
    oct_launch *l = oct_product_launch(r, p, "prepare");
    oct_launch_in(l, p->packed);
    oct_launch_in(l, p->bias);
    const oct_quant *quants[] = {&p->a_q, &p->b_q, &p->c_q};
    for (int i = 0; i < 3; i++) {
        oct_launch_in(l, quants[i]->scale);
        oct_launch_in(l, quants[i]->zero);
    }
    oct_launch_out(l, p->prep);
    oct_launch_i32(l, p->n);
    oct_launch_i32(l, p->groups);
    oct_launch_i32(l, p->k);
    oct_launch_i64(l, p->packed_stride);
    oct_launch_i64(l, p->prep_stride);
    oct_launch_i32(l, p->channels_follow ? p->n : 0);
    oct_launch_i32(l, p->a_shift);
    oct_launch_i32(l, p->b_shift);
    oct_launch_i32(l, p->bias != OCT_MEM_NONE);
    for (int i = 0; i < 3; i++) {
        oct_launch_i32(l, quants[i]->scale_count);
        oct_launch_i32(l, quants[i]->zero_count);
    }
    oct_launch_i32(l,
                   (p->a_dtype == OCTET_S8) | (p->b_dtype == OCTET_S8) << 1 | (p->c_dtype == OCTET_S8) << 2);
    oct_launch_2d(l, (size_t)p->np / 16, (size_t)p->blocks, 0, 0);
}

void oct_product_options(const oct_product *p, char text[64])
{
    octet_dtype c = p->c_dtype;
    int out = c == OCTET_S32 ? 0 : c == OCTET_F32 ? 1 : c == OCTET_U8 ? 2 : 3; /* OUT_* of epilogue.clh */
    snprintf(text, 64, "-DOUT=%d%s%s%s", out, p->a_dtype == OCTET_S8 ? " -DA_SIGNED" : "",
             p->b_signed ? " -DB_SIGNED" : "", p->needs_rowsum ? " -DROWSUM" : "");
}

int64_t oct_product_block_rows(int64_t rows, int tile, int64_t groups_per_block)
{
    int64_t block = 96 / tile * tile;
    while (block > tile && groups_per_block * ((rows + block - 1) / block) < 8)
        block = (block / 2 + tile - 1) / tile * tile;
    return block;
}
