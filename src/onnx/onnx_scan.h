/* nanopb decodes nested messages by recursion without a limit, and text to C strings. This walk, made first,
 * finds how deep a file nests, and text with NUL bytes in it. */
#ifndef OCT_ONNX_SCAN_H
#define OCT_ONNX_SCAN_H

#include "error.h"
#include <stddef.h>

/* Messages within messages that Octet accepts; a graph within a node counts three. */
#define OCT_ONNX_MAX_DEPTH 40

/* Errors: CORRUPT_FILE (not a protobuf message of ModelProto's form; a NUL byte in a name or other text),
 * UNSUPPORTED (nested too deeply). */
octet_status oct_onnx_scan(const unsigned char *data, size_t bytes);
/* The same of a TensorProto. */
octet_status oct_onnx_scan_tensor(const unsigned char *data, size_t bytes);

#endif
