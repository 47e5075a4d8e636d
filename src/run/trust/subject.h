/* A product apart from its network: operands with random data, dense, and what the reference makes of them.
 * For whoever tunes it or checks a kernel with it. */
#ifndef OCT_SUBJECT_H
#define OCT_SUBJECT_H

#include "conv.h"
#include "gemm.h"
#include "runner.h"

typedef struct oct_subject {
    const oct_family *family;
    const struct oct_subject_kind *kind; /* what a family has of its own here */
    union {                              /* without memories, nothing forced */
        oct_forced force;
        oct_gemm_request gemm;
        oct_conv_request conv;
    } q;
    bool b_const;
    char key[OCT_TUNING_KEY];
    int64_t rows; /* of the result, all batches together; pixels of a convolution */
    int64_t channels;
    int64_t row_macs;
    size_t a_bytes, b_bytes, row_bytes;
    unsigned char *a, *b;
    int32_t *bias; /* NULL: none */
    struct oct_subject_quant {
        float *scale;
        unsigned char *zero;
        int64_t scale_count, zero_count;
        octet_dtype dtype;
    } a_q, b_q, c_q;
    struct oct_subject_chain { /* what a convolution's results go through; NULL: nothing */
        unsigned char *table, *residual;
        struct oct_subject_quant own_q, residual_q, sum_q;
    } then;
    oct_arena arena;
} oct_subject;

typedef struct oct_subject_options {
    uint64_t seed;               /* of the data */
    const oct_variant *small_of; /* as small as two tiles of this variant; NULL: as large as it is */
    bool chained; /* with what a convolution's results go through: what costs the same whoever does it */
} oct_subject_options;

/* What is noted in the recipe. Errors: OUT_OF_MEMORY. */
octet_status oct_subject_make(oct_subject *s, const oct_recipe *recipe, const oct_noted *noted,
                              const oct_subject_options *options);
void oct_subject_free(oct_subject *s);

/* The recipe of one variant, and its memories. */
typedef struct oct_subject_mems {
    oct_mem a, b, c;
} oct_subject_mems;
octet_status oct_subject_recipe(const oct_subject *s, const oct_caps *caps, const char *variant,
                                int64_t spread, oct_recipe *r, oct_subject_mems *mems);
/* What the inputs of that are: b only where it is no constant. *count: 1 or 2. */
void oct_subject_inputs(const oct_subject *s, const oct_subject_mems *mems, oct_host_memory inputs[2],
                        size_t *count);
/* What row `row` of the result has to be. */
void oct_subject_reference(const oct_subject *s, int64_t row, void *out);

#endif
