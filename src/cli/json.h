/* JSON files that --json asks for: opened early, so that a bad path fails before long work, and left behind
 * only when they are whole.
 */
#ifndef CLI_JSON_H
#define CLI_JSON_H

#include "cli.h"
#include <stdio.h>

/* *json is NULL without --json. 0, or EXIT_FAILED with the error told. */
int json_open(const cli_options *options, FILE **json);
/* Close; after a run that failed the file that was there before is as it was. `status`, or EXIT_FAILED with
 * the error told. json may be NULL. */
int json_close(const cli_options *options, FILE *json, int status);

/* A JSON number, or null when it is 0 for "unknown"; a JSON string, quoted. */
void json_known(FILE *json, double value);
void json_string(FILE *json, const char *text);

#endif
