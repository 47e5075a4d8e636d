/* What the commands need of tensors beyond octet.h: elements as numbers, shapes as text, files by their name.
 */
#ifndef CLI_TENSORS_H
#define CLI_TENSORS_H

#include "cli.h"

#include <octet/octet.h>
#include <stdbool.h>

int64_t tensor_elements(const octet_tensor *tensor);
bool dtype_is_float(octet_dtype dtype);
/* Element `index` as a double; a 64-bit integer may lose its low bits. */
double tensor_value(const octet_tensor *tensor, int64_t index);
/* "f32 [1, 1, 8, 8]"; "?" for a dynamic dimension. Returns `buffer`. */
const char *shape_text(char *buffer, size_t size, octet_dtype dtype, int rank, const int64_t *dims);

/* Read a .npy file, or an ONNX TensorProto when the name ends in .pb. 0, or EXIT_FAILED with the error told.
 */
int tensor_read(const char *path, octet_tensor *tensor);

/* Everything a session run needs. */
typedef struct tensor_list {
    octet_tensor *items;
    size_t count;
} tensor_list;
/* `count` zeroed tensors. 0, or EXIT_FAILED with the error told. */
int tensor_list_make(tensor_list *list, size_t count);
void tensor_list_free(tensor_list *list);

/* A session for these inputs as the options want it; `whole`: planned for exactly them, else for a part of
 * their batch when it comes. 0, or the exit status with the error told. */
int session_create_for(const cli_options *options, octet_model *model, const tensor_list *inputs, bool whole,
                       octet_session **session);

#endif
