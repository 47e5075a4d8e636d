/* The search behind `octet tune`: for each product of a recipe (recipe->noted) the variants that may serve it
 * run on random data. Those whose result is not the reference's, byte for byte, are dropped; the others are
 * timed, the best few in turns, and the one with the least median is the row to keep. */
#ifndef OCT_TUNE_H
#define OCT_TUNE_H

#include "device.h"
#include "recipe.h"
#include "tuning_file.h"

typedef struct oct_tune_result {
    oct_tuning_row row;
    const char *usual;             /* the variant that is taken without a row */
    double seconds, usual_seconds; /* medians of one run */
    int tried;                     /* variants and ways to spread them */
    const char *dropped;           /* variants with a wrong result or none, and why: "" mostly */
    int index, count;              /* of the problems */
} oct_tune_result;

typedef struct oct_tune_options {
    double seconds; /* about what the turns of a problem take; 0: the fewest */
    uint64_t seed;
    /* After each problem, whose row is in the file by then; a failure ends the search. */
    octet_status (*found)(void *user, const oct_tune_result *result);
    void *user;
} oct_tune_options;

/* The host bytes of the recipe's quantization parameters are read. Rows go to the file of the device. Errors:
 * those of oct_tuning_store; DEVICE_ERROR or OUT_OF_MEMORY where no variant serves a problem. */
octet_status oct_tune(oct_device *device, const oct_recipe *recipe, const oct_tune_options *options);

#endif
