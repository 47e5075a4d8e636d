/* Quantization after training: a float ONNX network and samples of its input in, an int8 ONNX network out.
 *
 *     octet_quantizer_create(context, "float.onnx", NULL, &quantizer);
 *     octet_quantizer_add(quantizer, inputs, count);        as often as there are samples
 *     octet_quantizer_write(quantizer, "int8.onnx");
 *
 * The network runs in float on the context's device while samples are added, and its tensors are observed
 * there. The result has QuantizeLinear and DequantizeLinear pairs (QDQ) of operator set 13 or later, or
 * integer operators (QOperator), weights of 8 bits and biases as integers; ONNX Runtime and Octet read it.
 * docs/quantize.md tells how ranges are chosen, and where the methods come from. Conventions, threads and
 * versions as in octet.h. */
#ifndef OCTET_QUANTIZE_H
#define OCTET_QUANTIZE_H

#include <octet/octet.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum octet_observer {
    OCTET_OBSERVE_BEST = 0, /* the one of those below whose network is closest to float on the samples */
    OCTET_OBSERVE_MINMAX,   /* everything seen */
    OCTET_OBSERVE_AVERAGE,  /* the mean of the samples' extremes */
    OCTET_OBSERVE_PERCENTILE,
    OCTET_OBSERVE_ENTROPY, /* least Kullback-Leibler divergence of the magnitudes (Migacz, 2017) */
    OCTET_OBSERVE_MSE,     /* least mean squared error */
    OCTET_OBSERVER_COUNT
} octet_observer;

/* "best", "minmax", ...; NULL past the last. Static. */
OCTET_API const char *octet_observer_name(octet_observer observer);

typedef enum octet_quantize_format {
    OCTET_FORMAT_QDQ = 0,  /* float operators between QuantizeLinear and DequantizeLinear pairs */
    OCTET_FORMAT_QOPERATOR /* QLinearConv and its kin where there are such operators, pairs elsewhere */
} octet_quantize_format;

typedef enum octet_raise {
    OCTET_RAISE_FLOAT = 0, /* a layer that is kept higher stays float */
    OCTET_RAISE_16         /* it reads 16-bit activations, and makes them where no 8-bit layer reads them */
} octet_raise;

typedef struct octet_quantize_desc {
    size_t struct_size;
    octet_dtype activations; /* U8 (default), S8, or U16, S16: nearer to float, and slower */
    octet_observer observer;
    double percentile;          /* of OCTET_OBSERVE_PERCENTILE; 0: 99.99 */
    int per_tensor;             /* 1: one scale for all of a node's weights, not one a channel */
    int symmetric;              /* 1: activations have their zero point in the middle */
    int reduce_range;           /* 1: weights of 7 bits, for processors whose 8-bit products saturate */
    int no_bias_correction;     /* 1: biases do not take back the mean error (Nagel et al., 2019) */
    int equalize;               /* 1: cross-layer equalization of Conv, Relu, Conv (Nagel et al., 2019) */
    int integer_softmax;        /* 1: a Softmax that the network ends with is quantized too */
    const char *const *exclude; /* [exclude_count]: names of nodes, or operators, that stay float */
    size_t exclude_count;
    int auto_count; /* keep so many layers higher (`raise`), the ones whose quantization costs most */
    /* Called now and then on the thread of the call that works: "observe", "try mse", ... and how far it is;
     * `step` lives during the call only. NULL: silent. */
    void (*progress)(void *user, const char *step, size_t done, size_t total);
    void *progress_user;
    octet_quantize_format format; /* of the file; the network computes the same bytes in both */
    octet_raise raise;            /* how the auto_count layers are kept higher */
    const char *const *wide; /* [wide_count]: names of nodes, or operators, that read 16-bit activations */
    size_t wide_count;
    /* SmoothQuant after normalizations (Xiao et al., 2022): how much moves to the weights, 0 to 1, 0.5
     * typically; 0: none. */
    double smooth;
    /* Adaptive rounding of weights (GPTQ, Frantar et al., 2022), where that brings the outputs nearer. 0:
     * with 16-bit activations; 1: always; -1: never, each weight goes to the nearest number. */
    int adaptive;
    /* With 16-bit activations and adaptive rounding: the layers whose weights cost most become sums of two,
     * which hold 16 bits together, for so many percent of the network's multiply-adds more. 0: 15; negative:
     * none. */
    double split;
    /* Inputs with a value for good, which samples do not have. In the file it is their default: who runs it
     * may leave them out. [fixed_count], copied. */
    const octet_fixed_input *fixed;
    size_t fixed_count;
    /* Bytes that all samples together may take on the host, and a network on the device while it runs. 0:
     * octet_sample_memory_limit; what a session may hold where nobody says. */
    uint64_t memory_limit;
} octet_quantize_desc;

/* A quarter of the memory that this process can have: the machine's, or what its control group leaves it. */
OCTET_API uint64_t octet_sample_memory_limit(void);

/* A float network on its way to int8. Belongs to one thread at a time. */
typedef struct octet_quantizer octet_quantizer;

/* Map a float network, which must not change while the quantizer lives. The first sample prepares it:
 * BatchNormalization and constant factors and terms behind a product are folded into it, operators are
 * brought to operator set 13. desc may be NULL; its texts and tensors are copied, `progress` and its user
 * are kept.
 * Errors: those of octet_model_load; INVALID_ARGUMENT (an option out of range or two that exclude each
 * other, by name). */
OCTET_API octet_status octet_quantizer_create(octet_context *context, const char *path,
                                              const octet_quantize_desc *desc, octet_quantizer **quantizer);
/* Release it; NULL does nothing. */
OCTET_API void octet_quantizer_destroy(octet_quantizer *quantizer);
/* Inputs of the network, without those that are fixed; 0 for NULL. */
OCTET_API size_t octet_quantizer_input_count(const octet_quantizer *quantizer);
/* Input `index`, as octet_model_input; rank 0 also where the file does not tell it. The name lives as long
 * as the quantizer. Errors: INVALID_ARGUMENT (index out of range). */
OCTET_API octet_status octet_quantizer_input(const octet_quantizer *quantizer, size_t index,
                                             octet_value_info *info);

/* One sample: inputs[input_count], a tensor for each input of the network, copied. Runs it in float. The
 * first sample decides which branches are taken.
 * Errors: INVALID_ARGUMENT (a count, or which input does not fit; after octet_quantizer_write; an excluded
 * or wide name that no node has; a tensor of the network holds a NaN or an infinity: it is named; another
 * branch than the first sample's), UNSUPPORTED (nothing to quantize, or an operator that has no form in
 * operator set 13 here, by name; what octet_session_run refuses), OUT_OF_MEMORY, DEVICE_ERROR. */
OCTET_API octet_status octet_quantizer_add(octet_quantizer *quantizer, const octet_tensor *inputs,
                                           size_t input_count);

/* Choose ranges, quantize, write an ONNX file. Again, it writes the same network to another file; path NULL:
 * none yet. What is at the path is replaced by the whole file, or stays as it is: its mode is kept, a
 * symbolic link is followed, a device or a pipe is written to. Errors: INVALID_ARGUMENT (no sample was added;
 * a scale too small for float arithmetic, the tensor named; the path is of a file that the float network is
 * read from), CORRUPT_FILE (the file cannot be written), UNSUPPORTED, OUT_OF_MEMORY, DEVICE_ERROR (running
 * the candidates). */
OCTET_API octet_status octet_quantizer_write(octet_quantizer *quantizer, const char *path);

/* How the network came out: known after octet_quantizer_write. */
typedef struct octet_quantize_result {
    size_t struct_size;
    octet_observer observer; /* that was used */
    double snr_db;           /* of the outputs, signal to noise against float, over the samples */
    size_t samples, layers;  /* layers: nodes that are quantized */
    size_t kept;             /* and those that auto_count kept higher */
    double tried_db[8]; /* by observer: what they were compared by, before a last Softmax or Sigmoid; NaN: not
                           tried */
    int bias_correction; /* was it of use? */
    size_t smoothed;     /* normalizations whose channels are scaled */
    int adaptive;        /* was adaptive rounding tried and of use? */
    size_t split;        /* layers that have weights of 16 bits, in two */
} octet_quantize_result;
/* Fill that in. Errors: INVALID_ARGUMENT (nothing is written yet). */
OCTET_API octet_status octet_quantizer_result(const octet_quantizer *quantizer,
                                              octet_quantize_result *result);

/* One quantized tensor: the output of a node, or an input of the network. Names live as long as the
 * quantizer. */
typedef struct octet_quantized_info {
    size_t struct_size;
    const char *tensor, *node, *op_type; /* node and op_type of its producer, "" for an input */
    double seen_lo, seen_hi;             /* in the samples */
    float scale;
    int zero_point;
    octet_dtype dtype;
    double lo, hi;    /* what the 8 or 16 bits hold */
    double saturated; /* share of the elements outside of that */
    double snr_db;    /* against float, with everything before it quantized too */
    double gain_db;   /* of the outputs, if its node stayed float; NaN: not measured */
    size_t bins;      /* of the histogram */
    double bin_lo, bin_width;
    const uint64_t
        *histogram;   /* [bins], lives as long as the quantizer; elements that are exactly 0 are not in it */
    double gain16_db; /* of the outputs, if its node read 16 bits; NaN: not measured */
} octet_quantized_info;
/* Quantized tensors, in the order of the network; 0 before octet_quantizer_write and for NULL. */
OCTET_API size_t octet_quantizer_tensor_count(const octet_quantizer *quantizer);
/* Tensor `index` of them. Errors: INVALID_ARGUMENT (index out of range). */
OCTET_API octet_status octet_quantizer_tensor(const octet_quantizer *quantizer, size_t index,
                                              octet_quantized_info *info);
/* Measure gain_db and, in a network of 8 bits, gain16_db of every quantized node, on some of the samples:
 * two networks for each. Errors: INVALID_ARGUMENT (nothing is written yet), OUT_OF_MEMORY, DEVICE_ERROR. */
OCTET_API octet_status octet_quantizer_measure_gains(octet_quantizer *quantizer);

#ifdef __cplusplus
}
#endif
#endif
