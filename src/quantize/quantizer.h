/* The whole of quantization, as stages: each a struct that one file makes of those before it, read-only from
 * then on. The order of the steps is in quantizer.c alone; where a search goes back, it gets new stages.
 *
 *     settings, file, samples
 *     prepared    the float network as it is quantized               prepared.h
 *     placed      which nodes stay float, and so where pairs go      placed.h
 *     observed    what its tensors hold on the samples               observed.h
 *     search      the quantized network nearest to it                search.h
 *     report      what became of each tensor                         report.h
 */
#ifndef OCT_QUANTIZER_H
#define OCT_QUANTIZER_H

#include "onnx.h"
#include "report.h"

/* As it is, with channels scaled, with wide products. */
#define OCT_PREPARED_MOST 3

/* The public octet_quantizer. Owns all of this; a stage points to those before it, so it is freed before
 * them. */
struct octet_quantizer {
    oct_quantize_settings settings;
    oct_onnx_model *file; /* float; the graphs share its bytes */
    oct_samples samples;
    oct_prepared prepared[OCT_PREPARED_MOST]; /* each made of the one before it; the last one counts */
    int prepared_count;
    oct_placed placed; /* from here on of that last one, if there is one */
    oct_observed observed;
    oct_search search;
    oct_report report; /* report.of: the network is chosen */
    double *gains[2];  /* by octet_raise, by node; NULL: not measured */
};

/* Takes over the file, with its inputs fixed. desc: checked. */
octet_status oct_quantizer_open(oct_device *device, oct_onnx_model *file, const octet_quantize_desc *desc,
                                octet_quantizer **quantizer);
void oct_quantizer_close(octet_quantizer *q);
/* A sample, checked against the file's inputs. One that is refused leaves no trace. */
octet_status oct_quantizer_add(octet_quantizer *q, const octet_tensor *inputs);
/* All stages; there is a sample. After an error more samples may be added. */
octet_status oct_quantizer_choose(octet_quantizer *q);
/* Of the network that is chosen. */
octet_status oct_quantizer_find_gains(octet_quantizer *q);

#endif
