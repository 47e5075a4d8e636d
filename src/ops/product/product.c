#include "product.h"
#include "dtype.h"
#include "gemm.h"
#include "sizes.h"
#include "tile.h"

#include <stdio.h>

int64_t oct_gemm_max_k(octet_dtype a, octet_dtype b, bool zero_points)
{
    /* Largest |(a - za)(b - zb)| times k must fit int32: 128 * 128, 255 * 128, 255 * 255. */
    if (zero_points || (a == OCTET_U8 && b == OCTET_U8))
        return 33025;
    return a == OCTET_S8 && b == OCTET_S8 ? 131071 : 65793;
}

bool oct_product_is_wide(const oct_product *p)
{
    return oct_dtype_is_int16(p->a_dtype);
}

int oct_product_terms(octet_dtype a, int bytes)
{
    return oct_dtype_is_int16(a) ? bytes / 2 : bytes;
}

void oct_product_pack_for(oct_product *p, const oct_variant *v, const oct_caps *caps)
{
    p->nb = v->nb;
    p->kb = oct_product_terms(p->a_dtype, v->kb);
    p->form = v->form == OCT_DOT4 ? oct_tile_form(caps) : v->form;
}

size_t oct_product_group_bytes(const oct_product *p)
{
    return (size_t)(p->nb * p->kb) * (oct_product_is_wide(p) ? 2 : 1);
}

octet_status oct_product_check(const oct_product *p)
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
    size_t packed;
    size_t column_bytes = (size_t)p->groups * oct_product_group_bytes(p) / (size_t)p->nb;
    RETURN_IF(!oct_size_mul(oct_round_up((size_t)p->n, 64), column_bytes, &packed) ||
                  !oct_size_mul(packed, (size_t)p->blocks, &packed) || packed > SIZE_MAX / 4,
              OCTET_OUT_OF_MEMORY, "packed weights exceed the address space");
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

static int64_t panel_bytes(const oct_product *p)
{
    return p->groups * (int64_t)oct_product_group_bytes(p);
}

static int64_t block_panels(const oct_product *p)
{
    return (int64_t)oct_ceil_div((size_t)p->n, (size_t)p->nb);
}

bool oct_product_next_part(const oct_product *p, size_t limit, oct_part *part)
{
    int64_t most = limit > INT64_MAX ? INT64_MAX : (int64_t)limit, panel = panel_bytes(p);
    int64_t block = block_panels(p) * panel, blocks = block ? most / block : p->blocks;
    bool first = part->blocks == 0;
    if (blocks > 0 || p->whole) { /* whole blocks */
        part->block = first ? 0 : part->block + part->blocks;
        int64_t left = p->blocks - part->block;
        part->blocks = p->whole || blocks > left ? left : blocks;
        part->col = 0;
        part->cols = p->n;
        return left > 0;
    }
    if (!first)
        part->col += part->cols;
    if (!first && part->col == p->n) {
        part->block++;
        part->col = 0;
    }
    const int64_t unit = 64 % p->nb ? 4 * p->nb : 64; /* whole panels */
    int64_t columns = most / panel * p->nb / unit * unit;
    columns = columns < unit ? unit : columns;
    part->blocks = 1;
    part->cols = columns < p->n - part->col ? columns : p->n - part->col;
    return part->block < p->blocks;
}

size_t oct_product_packed_at(const oct_product *p, const oct_part *part)
{
    return (size_t)((part->block * block_panels(p) + part->col / p->nb) * panel_bytes(p));
}

bool oct_product_can_cut(const oct_recipe *r, const oct_product *p, oct_mem b)
{
    const struct {
        oct_mem mem;
        bool many;
    } operands[] = {{b, true},
                    {p->bias, p->bias != OCT_MEM_NONE},
                    {p->b_q.scale, p->b_q.scale_count > 1},
                    {p->b_q.zero, p->b_q.zero_count > 1}};
    for (size_t i = 0; i < sizeof operands / sizeof operands[0]; i++) {
        if (operands[i].many && !oct_recipe_is_const(r, operands[i].mem))
            return false;
    }
    return true;
}

/* Elements [first, first + count) of what there is one of for each channel; anything else is for all. */
static oct_mem part_of(oct_recipe *r, oct_mem mem, int64_t has, int64_t first, int64_t count, size_t elem)
{
    if (has <= 1 || has == count || mem == OCT_MEM_NONE)
        return mem;
    return oct_recipe_const_part(r, mem, (size_t)first * elem, 1, (size_t)count * elem, (size_t)count * elem);
}

static void take_part(oct_recipe *r, oct_quant *q, int64_t first, int64_t count)
{
    q->scale = part_of(r, q->scale, q->scale_count, first, count, sizeof(float));
    q->zero = part_of(r, q->zero, q->zero_count, first, count, 1);
    if (q->scale_count > 1) {
        q->scale_count = count;
        q->host_scale = q->host_scale ? q->host_scale + first : NULL;
    }
    if (q->zero_count > 1) {
        q->zero_count = count;
        q->host_zero = q->host_zero ? (const char *)q->host_zero + first : NULL;
    }
}

oct_product oct_product_of_part(oct_recipe *r, const oct_product *p, const oct_part *part)
{
    oct_product out = *p;
    out.blocks = part->blocks;
    out.n = part->cols;
    bool own = p->channels_follow;
    int64_t first = (own ? part->block * p->n : 0) + part->col;
    int64_t channels = own ? p->blocks * p->n : p->n, count = own ? part->blocks * part->cols : part->cols;
    out.bias = part_of(r, p->bias, channels, first, count, sizeof(int32_t));
    take_part(r, &out.b_q, first, count);
    return out;
}

octet_status oct_product_begin(oct_recipe *r, oct_product *p)
{
    p->np = (int64_t)oct_round_up((size_t)p->n, 64);
    p->panels = (int64_t)oct_ceil_div((size_t)p->n, (size_t)p->nb);
    p->b_signed = p->b_dtype == OCTET_S8;
    if (oct_product_is_wide(p)) {
        p->a_shift = p->a_dtype == OCTET_U16 ? -32768 : 0;
    } else if (p->form != OCT_AS_IS) {
        bool is_signed = p->a_dtype == OCTET_S8, wants_signed = p->form == OCT_S8S8;
        p->a_shift = is_signed == wants_signed ? 0 : wants_signed ? -128 : 128;
        p->b_shift = p->b_dtype == OCTET_U8 ? -128 : 0;
        p->b_flip = p->b_shift ? 0x80 : 0;
        p->b_signed = true;
    }
    p->needs_rowsum = !oct_product_is_wide(p) && !zero_cancels(&p->b_q, p->b_shift);
    size_t packed, packed_all, prep = (size_t)(3 * p->np + 16), prep_all;
    bool fits = oct_size_mul((size_t)(p->panels * p->groups), oct_product_group_bytes(p), &packed) &&
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
    if (oct_product_is_wide(p))
        return oct_recipe_launch(r, "product/prepare_wide.cl", entry, "-DNB=%d", p->nb);
    return oct_recipe_launch(r, "product/prepare.cl", entry, "-DNB=%d -DKB=%d%s", p->nb, p->kb,
                             p->b_signed ? " -DB_SIGNED" : "");
}

stored_part oct_product_stored(const oct_product *p)
{
    bool many = p->b_q.zero_count > 1;
    return (stored_part){.flip = p->b_flip,
                         .zeros = p->b_q.zero_count,
                         .block_zeros = many && p->channels_follow ? p->n : 0,
                         .is_signed = p->b_dtype == OCTET_S8};
}

oct_ref oct_product_b_zero(const oct_product *p, int64_t column)
{
    if (!oct_product_is_wide(p))
        return oct_whole(OCT_MEM_NONE);
    return oct_from(p->b_q.zero, p->b_q.zero_count > 1 ? (size_t)column : 0);
}

/* Scales and zero points, and signs of those, are arguments in the order a, b, c. */
static int signs_of(const oct_product *p)
{
    const octet_dtype dtypes[] = {p->a_dtype, p->b_dtype, p->c_dtype};
    int signs = 0;
    for (int i = 0; i < 3; i++)
        signs |= (dtypes[i] == OCTET_S8 || dtypes[i] == OCTET_S16) << i;
    return signs;
}

void oct_product_prepare(oct_recipe *r, const oct_product *p)
{
    oct_launch *l = oct_product_launch(r, p, "prepare");
    OCT_ARGS(l, prepare, .packed = oct_whole(p->packed), .bias = oct_whole(p->bias),
             .a_scale = oct_whole(p->a_q.scale), .a_zero = oct_whole(p->a_q.zero),
             .b_scale = oct_whole(p->b_q.scale), .b_zero = oct_whole(p->b_q.zero),
             .c_scale = oct_whole(p->c_q.scale), .c_zero = oct_whole(p->c_q.zero), .prep = oct_whole(p->prep),
             .n = p->n, .groups = p->groups, .k = p->k, .packed_stride = p->packed_stride,
             .prep_stride = p->prep_stride, .channel_step = p->channels_follow ? p->n : 0,
             .a_shift = p->a_shift, .b_shift = p->b_shift, .has_bias = p->bias != OCT_MEM_NONE,
             .a_scales = p->a_q.scale_count, .a_zeros = p->a_q.zero_count, .b_scales = p->b_q.scale_count,
             .b_zeros = p->b_q.zero_count, .c_scales = p->c_q.scale_count, .c_zeros = p->c_q.zero_count,
             .c_bytes = (int64_t)oct_dtype_bytes(p->c_dtype), .signs = signs_of(p));
    oct_launch_2d(l, (size_t)p->np / 16, (size_t)p->blocks, 0, 0);
}

void oct_product_options(const oct_product *p, char text[64])
{
    static const octet_dtype outs[] = {OCTET_S32, OCTET_F32, OCTET_U8,
                                       OCTET_S8,  OCTET_U16, OCTET_S16}; /* OUT_* of epilogue.clh */
    int out = 0;
    while (outs[out] != p->c_dtype)
        out++;
    snprintf(text, 64, "-DOUT=%d%s%s%s%s", out, signs_of(p) & 1 ? " -DA_SIGNED" : "",
             p->b_signed ? " -DB_SIGNED" : "", p->needs_rowsum ? " -DROWSUM" : "",
             oct_product_is_wide(p) ? " -DWIDE" : "");
}

int64_t oct_product_block_rows(int64_t rows, int tile, int64_t groups_per_block)
{
    int64_t block = 96 / tile * tile;
    while (block > tile && groups_per_block * ((rows + block - 1) / block) < 8)
        block = (block / 2 + tile - 1) / tile * tile;
    return block;
}

oct_spreads oct_product_block_choices(int64_t rows, int tile, int64_t own)
{
    oct_spreads s = {.count = 0};
    const int64_t most = (int64_t)oct_round_up((size_t)rows, (size_t)tile);
    for (int64_t wanted = 12; wanted <= 192; wanted *= 2) {
        int64_t whole = (int64_t)oct_round_up((size_t)wanted, (size_t)tile);
        if (whole <= most)
            oct_spreads_add(&s, own, whole);
    }
    return s;
}
