/* Two networks on the same samples, and how near each pair of corresponding tensors is (correspond.h). */
#ifndef OCT_COMPARISON_H
#define OCT_COMPARISON_H

#include "correspond.h"
#include "onnx.h"
#include "taps.h"

#include <octet/compare.h>

/* Sums over the elements of two tensors. */
typedef struct oct_agreement {
    double a2, b2, dot, noise, worst;
    uint64_t elements;
} oct_agreement;

/* The public octet_comparison. */
struct octet_comparison {
    oct_device *device; /* a reference of its own */
    oct_arena arena;    /* of paths and names */
    const char *paths[2];
    uint64_t memory_limit; /* as in oct_taps_make */
    oct_onnx_model *files[2];
    /* None of these until the first sample: */
    oct_graph graphs[2]; /* the files', with the branches that it takes */
    oct_pairs pairs;
    const char **names;  /* by pair */
    oct_agreement *sums; /* by pair */
    oct_taps *taps[2];
};

/* Takes over the two files, also where it fails. paths: theirs, for errors. */
octet_status oct_comparison_open(oct_device *device, oct_onnx_model *const files[2],
                                 const char *const paths[2], uint64_t memory_limit,
                                 octet_comparison **comparison);
void oct_comparison_close(octet_comparison *c);
/* A sample, checked against both files. The first one decides which tensors correspond. Errors: those of
 * running; INVALID_ARGUMENT (no tensors correspond, or the sample takes other branches or gives a tensor
 * different shapes). */
octet_status oct_comparison_add(octet_comparison *c, const octet_tensor *inputs);
/* Fills in all but struct_size. */
void oct_comparison_tensor(const octet_comparison *c, size_t index, octet_compared_info *info);

#endif
