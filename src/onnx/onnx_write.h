/* A graph as an ONNX file. What is written reads back as the same graph: names (made unique where passes gave
 * the same one twice), attributes, constants as raw bytes. Nodes that only passes make have no ONNX form and
 * are refused. */
#ifndef OCT_ONNX_WRITE_H
#define OCT_ONNX_WRITE_H

#include "graph.h"

/* Every node of ai.onnx is written as of operator set `opset`. The file appears whole or not at all. Errors:
 * CORRUPT_FILE (it cannot be written), UNSUPPORTED (what ONNX or the encoder has no form for), OUT_OF_MEMORY.
 */
octet_status oct_onnx_write(const oct_graph *graph, int opset, const char *path);

#endif
