/* A product to tune, apart from its network: operands with random data, dense, and what the reference makes
 * of them. For tune.c only. */
#ifndef OCT_TUNE_SUBJECT_H
#define OCT_TUNE_SUBJECT_H

#include "conv.h"
#include "gemm.h"

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
    oct_arena arena;
} oct_subject;

/* What is noted in the recipe, with data of this seed. Errors: OUT_OF_MEMORY. */
octet_status oct_subject_make(oct_subject *s, const oct_recipe *recipe, const oct_noted *noted,
                              uint64_t seed);
void oct_subject_free(oct_subject *s);

/* The recipe of one variant. a, c and, where it is no constant, b are the memories to give it and to read. */
typedef struct oct_subject_mems {
    oct_mem a, b, c;
} oct_subject_mems;
octet_status oct_subject_recipe(const oct_subject *s, const oct_caps *caps, const char *variant,
                                int64_t spread, oct_recipe *r, oct_subject_mems *mems);
/* What row `row` of the result has to be. */
void oct_subject_reference(const oct_subject *s, int64_t row, void *out);

#endif
