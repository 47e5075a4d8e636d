/* When an output is right: same type, same shape, integers equal, floats near. */
#ifndef CLI_COMPARE_H
#define CLI_COMPARE_H

#include <octet/octet.h>
#include <stdbool.h>
#include <stddef.h>

/* False with `what` telling the first difference. Floats: |given - expected| <= 1e-7 + 1e-3 |expected|, NaN
 * equals NaN. */
bool tensors_match(const octet_tensor *expected, const octet_tensor *given, char *what, size_t what_size);

#endif
