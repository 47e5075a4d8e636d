/* .npy, the tensor file format of NumPy: versions 1 to 3, C order, little-endian. Files are not trusted. */
#ifndef CLI_NPY_H
#define CLI_NPY_H

#include "write_file.h"

#include <octet/octet.h>
#include <stdint.h>
#include <stdio.h>

/* Read `path` into *tensor (octet_tensor_free it). 0, or EXIT_FAILED with the error told and *tensor zeroed.
 */
int npy_read(const char *path, octet_tensor *tensor);
/* From what `file` still holds, `bytes` of it; `path` names it in errors. */
int npy_read_from(FILE *file, uint64_t bytes, const char *path, octet_tensor *tensor);

/* Every array of a .npz file, in the file's order: `take` gets its name (without ".npy") and the tensor,
 * which is its own from then on. 0, or EXIT_FAILED with the error told. */
typedef int npz_take_fn(void *user, const char *name, octet_tensor *tensor);
int npz_read(const char *path, npz_take_fn *take, void *user);

/* Write version 1.0. bf16, which NumPy has no name for, is written as u16. What fails oct_out_finish tells.
 */
void npy_write(oct_out_file *out, const octet_tensor *tensor);

#endif
