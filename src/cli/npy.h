/* .npy, the tensor file format of NumPy: versions 1 to 3, C order, little-endian. Files are not trusted. */
#ifndef CLI_NPY_H
#define CLI_NPY_H

#include <octet/octet.h>

/* Read `path` into *tensor (octet_tensor_free it). 0, or EXIT_FAILED with the error told and *tensor zeroed.
 */
int npy_read(const char *path, octet_tensor *tensor);

/* Write `path` as version 1.0. bf16, which NumPy has no name for, is written as u16. 0, or EXIT_FAILED with
 * the error told and nothing left at `path`. */
int npy_write(const char *path, const octet_tensor *tensor);

#endif
