/* What `octet quantize` says of its result: a table on the terminal, and a page with pictures. */
#ifndef CLI_QUANT_REPORT_H
#define CLI_QUANT_REPORT_H

#include "cli.h"

#include <octet/quantize.h>
#include <stdio.h>

int quant_report_print(const cli_options *options, const octet_quantizer *q);
/* 0, or EXIT_FAILED with the error told; whether it could be written is for who closes the page. */
int quant_report_html(const octet_quantizer *q, const char *model, FILE *page);

#endif
