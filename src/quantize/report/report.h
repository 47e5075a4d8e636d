/* Last stage: what became of each tensor, and of the whole. */
#ifndef OCT_REPORT_H
#define OCT_REPORT_H

#include "search.h"

typedef struct oct_tensor_report {
    int value; /* of the float graph */
    double signal, noise;
} oct_tensor_report;

typedef struct oct_report {
    const oct_search *of; /* outlives it; NULL: there is no report yet */
    oct_tensor_report *tensors;
    size_t tensor_count;
    size_t kept; /* layers that were kept higher for what they gain */
} oct_report;

/* The noise of every pair, on some of the samples. */
octet_status oct_report_make(const oct_search *of, size_t kept, oct_report *report);
void oct_report_free(oct_report *report);

/* The structs of the public interface, but for struct_size. gains: by octet_raise, by node; NULL: not
 * measured. */
void oct_report_result(const oct_report *report, octet_quantize_result *result);
void oct_report_tensor(const oct_report *report, size_t index, double *const gains[2],
                       octet_quantized_info *info);

#endif
