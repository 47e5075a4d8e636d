/* What GEMM and convolution share on the host: the form of the operands a variant multiplies, packed B and
 * the prepare launch (kernels/product/). B comes in blocks: batches of a run-time B, or groups of a
 * convolution. */
#ifndef OCT_PRODUCT_H
#define OCT_PRODUCT_H

#include "quant_args.h"
#include "variant.h"

#include "product/product_args.clh"

/* A part of packed B: whole blocks, or columns of one block. blocks 0: before the first. */
typedef struct oct_part {
    int64_t block, blocks, col, cols;
} oct_part;

typedef struct oct_product {
    /* Set by the operator. */
    octet_dtype a_dtype, b_dtype, c_dtype; /* A and C also of 16 bits, where the form takes it */
    oct_quant a_q, b_q, c_q;
    oct_mem bias;
    int64_t n;      /* columns of a block */
    int64_t k;      /* terms of a sum */
    int64_t groups; /* k groups of packed B */
    int64_t blocks;
    bool channels_follow; /* blocks have channels of their own (convolution groups) */
    bool whole;           /* cannot be cut */
    /* By oct_product_pack_for. */
    int nb, kb; /* columns of a panel, terms of a k group */
    oct_form form;
    /* Set by oct_product_begin. */
    int64_t np, panels;
    int64_t packed_stride, prep_stride; /* bytes, 4-byte words; 0 with one block */
    int a_shift, b_shift, b_flip;
    bool b_signed, needs_rowsum;
    oct_mem packed, prep;
} oct_product;

/* Packed as this variant has it; a_dtype is set. */
void oct_product_pack_for(oct_product *p, const oct_variant *v, const oct_caps *caps);
/* Is A of 16 bits, to be multiplied as it is? */
bool oct_product_is_wide(const oct_product *p);
/* Terms of a k group, for a variant with groups of so many bytes. */
int oct_product_terms(octet_dtype a, int bytes);
/* Bytes of a k group of a panel. */
size_t oct_product_group_bytes(const oct_product *p);

/* The next part whose packed bytes are at most `limit`, or, where that is less, 64 columns of a block (or
 * more: a panel is never cut). false: there is no further one. */
bool oct_product_next_part(const oct_product *p, size_t limit, oct_part *part);
/* Are B and what there is one of for each channel constants? Only then can a product be cut into parts. */
bool oct_product_can_cut(const oct_recipe *r, const oct_product *p, oct_mem b);
/* The product of a part: fewer blocks and columns, its own bias, scales and zero points. */
oct_product oct_product_of_part(oct_recipe *r, const oct_product *p, const oct_part *part);
/* Where this part of packed B begins. */
size_t oct_product_packed_at(const oct_product *p, const oct_part *part);

/* Check k against the overflow bound, and the sizes. Errors: UNSUPPORTED, OUT_OF_MEMORY. */
octet_status oct_product_check(const oct_product *p);
/* Make the memories. Errors: OUT_OF_MEMORY. */
octet_status oct_product_begin(oct_recipe *r, oct_product *p);
/* A launch of kernels/product/prepare.cl, or prepare_wide.cl, with this product's options; after
 * oct_product_begin. */
oct_launch *oct_product_launch(oct_recipe *r, const oct_product *p, const char *entry);
/* Of those that pack: how B is stored, and its zero points from `column` of `p` on. */
stored_part oct_product_stored(const oct_product *p);
oct_ref oct_product_b_zero(const oct_product *p, int64_t column);
/* Corrections and multipliers from packed B. */
void oct_product_prepare(oct_recipe *r, const oct_product *p);
/* Options of a product kernel that follow from the product: OUT, A_SIGNED, B_SIGNED, ROWSUM, WIDE. At most 64
 * bytes. */
void oct_product_options(const oct_product *p, char text[64]);

/* The rows of a work-group to try for a kernel that makes `tile` of `rows` at a time. */
oct_spreads oct_product_block_choices(int64_t rows, int tile, int64_t own);

/* Rows a work-group of a one-work-item kernel takes: enough groups for all processors, blocks small enough
 * that A stays in the second-level cache while the panels of B pass. groups_per_block: work-groups for each
 * block of rows. */
int64_t oct_product_block_rows(int64_t rows, int tile, int64_t groups_per_block);

#endif
