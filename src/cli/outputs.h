/* What `octet run` does with the outputs: .npy files, summaries, the highest values. */
#ifndef CLI_OUTPUTS_H
#define CLI_OUTPUTS_H

#include "cli.h"
#include "tensors.h"

/* As --output, --top and --labels ask. 0, or EXIT_FAILED with the error told. */
int outputs_show(const cli_options *options, const octet_model *model, const tensor_list *outputs);

#endif
