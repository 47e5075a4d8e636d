/* Two networks on the same samples, tensor by tensor: a float network and what was quantized from it, or two
 * quantizations of one.
 *
 *     octet_comparison_create(context, "float.onnx", "int8.onnx", NULL, &comparison);
 *     octet_comparison_add(comparison, inputs, count);       as often as there are samples
 *     octet_comparison_tensor(comparison, i, &info);         for each tensor
 *
 * Tensors are matched by name and shape. In a quantized network what a DequantizeLinear makes of a tensor
 * stands for it, or its 8 or 16 bits: those that octet_quantizer_write names NAME_q, or that are dequantized.
 */
#ifndef OCTET_COMPARE_H
#define OCTET_COMPARE_H

#include <octet/octet.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Two networks and how far apart their tensors were so far. Belongs to one thread at a time. */
typedef struct octet_comparison octet_comparison;

typedef struct octet_comparison_desc {
    size_t struct_size;
    const octet_fixed_input *fixed; /* [fixed_count], copied: inputs of either network; not in samples */
    size_t fixed_count;
    uint64_t memory_limit; /* device bytes of a network while it runs; 0: as for a session */
} octet_comparison_desc;

/* Map two ONNX files, which must not change while the comparison lives. Tensors are compared on the
 * context's device. desc may be NULL.
 * Errors: those of octet_model_load, the file named; INVALID_ARGUMENT (neither network has an input that
 * desc fixes, or the value does not fit it). */
OCTET_API octet_status octet_comparison_create(octet_context *context, const char *a, const char *b,
                                               const octet_comparison_desc *desc,
                                               octet_comparison **comparison);
/* Release it; NULL does nothing. */
OCTET_API void octet_comparison_destroy(octet_comparison *comparison);

/* One sample: inputs[input_count], a tensor for each input of the networks, which have the same; read
 * during the call only. Runs both networks, with every tensor observable. The first sample decides what is
 * compared, and which branches are taken.
 * Errors: INVALID_ARGUMENT (a count, or which input does not fit, the file named; no tensor has a
 * counterpart; another branch than the first sample's), UNSUPPORTED, OUT_OF_MEMORY, DEVICE_ERROR as for
 * octet_session_run. A sample that fails may be counted in some tensors. */
OCTET_API octet_status octet_comparison_add(octet_comparison *comparison, const octet_tensor *inputs,
                                            size_t input_count);

/* One tensor over all samples so far. Names live as long as the comparison. */
typedef struct octet_compared_info {
    size_t struct_size;
    const char *tensor;         /* its name in the float network */
    const char *node, *op_type; /* what makes it in the first network, "" for an input */
    double snr_db;    /* 10 log10(sum a^2 / sum (a-b)^2), a of the first; infinite where they are equal */
    double cosine;    /* sum ab / sqrt(sum a^2 * sum b^2); 1 where one is all zeros */
    double max_error; /* the largest |a-b| */
    uint64_t elements;
} octet_compared_info;
/* Tensors that are compared, in the order of the first network: known after the first sample, 0 before and
 * for NULL. */
OCTET_API size_t octet_comparison_tensor_count(const octet_comparison *comparison);
/* Tensor `index` of them. Errors: INVALID_ARGUMENT (index out of range). */
OCTET_API octet_status octet_comparison_tensor(const octet_comparison *comparison, size_t index,
                                               octet_compared_info *info);

#ifdef __cplusplus
}
#endif
#endif
