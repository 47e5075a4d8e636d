/* A decoded TensorProto to a constant: types, sizes and payload checked, contents left where they are. */
#ifndef OCT_ONNX_TENSOR_H
#define OCT_ONNX_TENSOR_H

#include "files.h"
#include "graph.h"
#include "onnx_wire.h"

#include "onnx.pb.h"

/* The mapping that a decode in progress on this thread reads: contents must lie in it. */
void oct_onnx_decode_range(const unsigned char *data, size_t bytes);

/* A file of external data, mapped once for all tensors in it. */
typedef struct oct_onnx_external {
    char *location;
    oct_map map;
    struct oct_onnx_external *next;
} oct_onnx_external;

typedef struct oct_onnx_source {
    const char *path;             /* of the model; external data lies beneath its folder */
    oct_arena *arena;             /* for what has to be unpacked */
    oct_onnx_external **external; /* list owned by the model; NULL: external data is refused */
} oct_onnx_source;

/* ONNX TensorProto.DataType to ours; NONE if Octet does not know it. */
octet_dtype oct_onnx_dtype(int32_t onnx_type);
/* And back; 0 for NONE. */
int32_t oct_onnx_type(octet_dtype dtype);

/* Fill in dtype, rank, dims, data and data_bytes of `value`. Errors name the tensor. */
octet_status oct_onnx_tensor(const oct_onnx_source *source, const onnx_TensorProto *tensor, oct_value *value);

#endif
