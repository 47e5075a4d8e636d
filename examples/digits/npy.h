/* Reads .npy files (format versions 1 to 3) of little-endian f32 or u8 in row-major order: what this
 * example's data is stored in. Not a general reader.
 */
#ifndef DIGITS_NPY_H
#define DIGITS_NPY_H

#include <octet/octet.h>

/* Fill in *tensor; its data is the caller's to release with octet_tensor_free. 0, or -1 with a line on stderr
 * and *tensor zeroed. */
int npy_read(const char *path, octet_tensor *tensor);

#endif
