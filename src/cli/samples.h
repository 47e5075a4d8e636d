/* Samples of a network's inputs, from files: what calibration and comparison run on. A sample has a tensor
 * for each input. */
#ifndef CLI_SAMPLES_H
#define CLI_SAMPLES_H

#include "cli.h"
#include "tensors.h"

typedef struct sample_stream {
    octet_value_info info; /* of the input */
    octet_tensor *items;
    size_t count, capacity;
} sample_stream;

typedef struct sample_set {
    sample_stream *streams; /* one per input */
    size_t inputs, count;   /* count: samples */
} sample_set;

/* Read what the texts name: a file or a folder, or NAME=FILE and NAME=FOLDER for one input. Files: .npy (an
 * array with one dimension more than a sample, or with a longer first dimension, is several samples), .npz
 * (an array for each input, by name), .pb (TensorProto), PNG and JPEG. Files of a folder come in the order of
 * their names. infos: of the inputs. 0, or EXIT_FAILED or EXIT_USAGE with the error told. */
int samples_read(const cli_options *options, const cli_list *texts, const octet_value_info *infos,
                 size_t inputs, sample_set *set);
void samples_free(sample_set *set);
/* Sample i as tensors, one an input, borrowed. */
void samples_get(const sample_set *set, size_t i, octet_tensor *inputs);

#endif
