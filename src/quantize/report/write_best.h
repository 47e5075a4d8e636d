/* The best network of a search as a file. */
#ifndef OCT_WRITE_BEST_H
#define OCT_WRITE_BEST_H

#include "search.h"

/* In the format that the settings name. Errors: those of oct_onnx_write. */
octet_status oct_write_best(const oct_search *s, const char *path);

#endif
