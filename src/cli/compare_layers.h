/* octet compare --layers: every tensor that two networks have in common. */
#ifndef CLI_COMPARE_LAYERS_H
#define CLI_COMPARE_LAYERS_H

#include "cli.h"
#include "fixed_inputs.h"
#include "samples.h"

#include <stdio.h>

/* Run both on every sample; the table goes to standard output, and to json, as a member "layers", where that
 * is not NULL. 0, or EXIT_FAILED with the error told. */
int compare_layers(const cli_options *options, const fixed_inputs *fixed, octet_context *context,
                   const sample_set *set, FILE *json);

/* Signal to noise as JSON: a number, or null where two tensors are equal. */
void json_decibel(FILE *json, double db);

#endif
