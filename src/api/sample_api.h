/* What quantization and comparison ask of a sample. */
#ifndef OCT_SAMPLE_API_H
#define OCT_SAMPLE_API_H

#include "api.h"
#include "graph.h"

/* A tensor for each input of g: types, shapes and bytes fit. Error: INVALID_ARGUMENT, the input named. */
octet_status oct_api_check_sample(const oct_graph *g, const octet_tensor *inputs, size_t count);

#endif
