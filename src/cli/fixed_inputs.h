/* --fix NAME=VALUE: inputs that are constants. */
#ifndef CLI_FIXED_H
#define CLI_FIXED_H

#include "cli.h"

typedef struct fixed_inputs {
    octet_fixed_input *items;
    size_t count;
    char **names;
} fixed_inputs; /* {0} is none */

/* What the options fix of the inputs of a model: VALUE is a number, for all elements, or a file. All return
 * 0, or the exit status with the error told. */
int fixed_read(const cli_options *options, const char *path, fixed_inputs *fixed);
/* Of the inputs of one of two models, or both. */
int fixed_read_both(const cli_options *options, const char *a, const char *b, fixed_inputs *fixed);
void fixed_free(fixed_inputs *fixed);

/* octet_model_load with the inputs fixed that the options fix. */
int fixed_load(const cli_options *options, octet_context *context, const char *path, octet_model **model);
/* Likewise, of those inputs that this model has. */
int fixed_load_some(const cli_options *options, octet_context *context, const char *path,
                    octet_model **model);

#endif
