/* What the two benches, of products and of models, share: random data, repeated timing, JSON. */
#ifndef CLI_BENCH_H
#define CLI_BENCH_H

#include "cli.h"
#include <stdio.h>

/* Whether every --gemm can be understood: EXIT_DONE, or EXIT_USAGE (EXIT_FAILED: no memory) with the error
 * told. */
int bench_check_gemms(const cli_options *options);
/* Each product of --gemm and --shapes, described as it is measured. fn: 0, or EXIT_FAILED with the error
 * told, which ends it. */
typedef int bench_product_fn(void *user, const octet_gemm_desc *desc);
int bench_each_product(const cli_options *options, bench_product_fn *fn, void *user);
int bench_gemms(const cli_options *options, octet_context *context, FILE *json);
int bench_model(const cli_options *options, FILE *json);

/* Fill `count` elements: the whole range of an 8- or 16-bit type, [-1, 1) for floats, 0 or 1 for what is more
 * likely an index or a flag. Same seed, same data. */
void bench_random(uint64_t *state, octet_dtype dtype, void *data, size_t count);

/* Sorts `times`. */
double bench_median(double *times, size_t count);
/* Nearest rank of times that are sorted. */
double bench_percentile(const double *sorted, size_t count, int percent);

/* The device's measured peak in 10^9 operations a second (two per multiply-add); 0 when unknown. */
double bench_ceiling(octet_context *context);

#endif
