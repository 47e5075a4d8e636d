/* ONNX files to graphs. A file is mapped if it is large; weights stay where they are and are never copied on
 * the host (small files and small tensors that are not aligned are). Knows files, not devices. Nothing a file
 * says is trusted. */
#ifndef OCT_ONNX_H
#define OCT_ONNX_H

#include "graph.h"

typedef struct oct_onnx_model oct_onnx_model;

/* Map, decode and check. The graph is sorted and its Constant nodes are folded; shapes are not inferred.
 * for_inspection: nodes that Octet does not know stay, as OCT_OP_Unknown with node->refusal, instead of
 * failing the load. Errors: CORRUPT_FILE, UNSUPPORTED (an operator by its name and its node's),
 * OUT_OF_MEMORY. */
octet_status oct_onnx_load(const char *path, bool for_inspection, oct_onnx_model **model);
const oct_graph *oct_onnx_graph(const oct_onnx_model *model);
/* oct_graph_fix_input on the model's graph, before anyone has a copy of it. */
octet_status oct_onnx_fix_input(oct_onnx_model *model, const char *name, const octet_tensor *value);
/* These bytes of a constant are on the device now: give their pages back. Bytes that are not the file's are
 * left alone. */
void oct_onnx_give_back(const oct_onnx_model *model, const void *data, size_t bytes);
/* Errors: CORRUPT_FILE (a file that is mapped, of the model or of its external data, was written to since).
 */
octet_status oct_onnx_check(const oct_onnx_model *model);
/* Whether what is at the path is one of its files. */
bool oct_onnx_reads(const oct_onnx_model *model, const char *path);
void oct_onnx_free(oct_onnx_model *model); /* NULL is fine */

/* A TensorProto file. tensor->data is allocated (free it with octet_tensor_free); name may be NULL. */
octet_status oct_onnx_read_tensor(const char *path, octet_tensor *tensor, char *name, size_t name_size);

#endif
