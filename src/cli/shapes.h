/* What the options say of a model before it runs: the shapes of its inputs, where the border lies, whether
 * everything has to be int8. For run, bench and inspect. */
#ifndef CLI_SHAPES_H
#define CLI_SHAPES_H

#include "cli.h"

#include <octet/octet.h>

/* Input `index`, with --shape and --batch applied; what they do not say stays -1. 0, EXIT_FAILED or
 * EXIT_USAGE with the error told. */
int shapes_input(const cli_options *options, const octet_model *model, size_t index, octet_value_info *info);
/* Input `name` of text "name=..." or the model's only input where text has no name; a name may hold '=', and
 * the longest one that is an input's counts. *rest: what follows. option: what the text was given to. */
int shapes_find_input(const octet_model *model, const char *option, const char *text, size_t *index,
                      const char **rest);

/* --border */
int shapes_border(const cli_options *options, octet_border *border);
/* With --strict-int8: the first node that would not run in int8 is an error. */
int shapes_check_strict(const cli_options *options, const octet_inspection *inspection);

#endif
