/* Where a bytes or packed field lies in the mapped file. Included ahead of the generated onnx.pb.h. */
#ifndef OCT_ONNX_WIRE_H
#define OCT_ONNX_WIRE_H

#include <stddef.h>
#include <stdint.h>

typedef struct oct_wire_range {
    const uint8_t *data; /* NULL: the field is absent */
    size_t bytes;
} oct_wire_range;

#endif
