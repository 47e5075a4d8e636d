/* liboctet: exact int8 inference on any OpenCL device.
 *
 * Conventions
 *   Objects are created by *_create / *_load and released by *_destroy, which accepts NULL.
 *   Descriptor structs start with `struct_size` (set it with OCTET_INIT); every other zero means the default.
 *   Every function that can fail returns an octet_status; octet_last_error() then holds one line of text for
 *   this thread: what is wrong, where, and the mend. The library never prints, exits or aborts.
 *   Nothing here needs OpenCL headers; octet/opencl.h has the functions that share cl_* objects.
 *
 * Threads
 *   A context may be used from many threads at once. A model is immutable after load. A session or a gemm
 *   belongs to one thread at a time (calls on the same one are the caller's to serialize); any number of them
 *   may run at once on the same context.
 */
#ifndef OCTET_H
#define OCTET_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(OCTET_STATIC)
#define OCTET_API
#elif defined(_WIN32)
#define OCTET_API __declspec(dllimport)
#elif defined(__GNUC__)
#define OCTET_API __attribute__((visibility("default")))
#else
#define OCTET_API
#endif

#define OCTET_VERSION_MAJOR 0
#define OCTET_VERSION_MINOR 1
#define OCTET_VERSION_PATCH 0

/* Zero a descriptor and fill in its size: `octet_gemm_desc d; OCTET_INIT(d);` */
#define OCTET_INIT(desc) octet_init(&(desc), sizeof(desc))
OCTET_API void octet_init(void *desc, size_t size);

typedef enum octet_status {
    OCTET_OK = 0,
    OCTET_INVALID_ARGUMENT, /* the caller's mistake: a NULL, a shape, a dtype, a name */
    OCTET_UNSUPPORTED,      /* well formed, but Octet cannot do it; the text names the node and the reason */
    OCTET_NO_DEVICE,        /* no OpenCL platform or device, or none that matches the selection */
    OCTET_OUT_OF_MEMORY,    /* host or device memory */
    OCTET_DEVICE_ERROR,     /* an OpenCL call failed; the text has its name and the error by name */
    OCTET_CORRUPT_FILE,     /* a file that cannot be read, is damaged, or lies about itself */
    OCTET_INTERNAL          /* a defect in Octet */
} octet_status;

/* "ok", "invalid argument", ... Static storage; never NULL. */
OCTET_API const char *octet_status_name(octet_status status);
/* This thread's last error text, "" if none. Valid until the next Octet call on this thread. */
OCTET_API const char *octet_last_error(void);
/* "0.1.0" */
OCTET_API const char *octet_version(void);

typedef enum octet_dtype {
    OCTET_DTYPE_NONE = 0,
    OCTET_F32,
    OCTET_U8,
    OCTET_S8,
    OCTET_U16,
    OCTET_S16,
    OCTET_S32,
    OCTET_S64,
    OCTET_BOOL, /* one byte, 0 or 1 */
    OCTET_F16,  /* f16, bf16, f64, u32 and u64 can be read and moved, not computed with */
    OCTET_BF16,
    OCTET_F64,
    OCTET_U32,
    OCTET_U64,
    OCTET_DTYPE_COUNT
} octet_dtype;

OCTET_API size_t octet_dtype_bytes(octet_dtype dtype);     /* bytes an element; 0 if unknown */
OCTET_API const char *octet_dtype_name(octet_dtype dtype); /* "u8", "f32", ... */

#define OCTET_MAX_RANK 8

/* A dense row-major host tensor in ONNX dimension order. Who owns `data` is said where one is used. */
typedef struct octet_tensor {
    octet_dtype dtype;
    int rank; /* 0 is a scalar */
    int64_t dims[OCTET_MAX_RANK];
    void *data;        /* octet_tensor_bytes() bytes; may be NULL when that is 0 */
    size_t data_bytes; /* size of the memory at data */
} octet_tensor;

/* Elements times element size; 0 also for a shape that overflows or has an unknown (negative) dimension. */
OCTET_API size_t octet_tensor_bytes(const octet_tensor *tensor);
/* Allocate zeroed data for tensor->dtype and dims. Errors: INVALID_ARGUMENT, OUT_OF_MEMORY. */
OCTET_API octet_status octet_tensor_alloc(octet_tensor *tensor);
/* Free data that octet_tensor_alloc or octet_tensor_read made, and zero the struct. */
OCTET_API void octet_tensor_free(octet_tensor *tensor);
/* Read an ONNX TensorProto file (.pb). `name` may be NULL; else receives the tensor's name, cut to name_size.
 * Errors: CORRUPT_FILE, UNSUPPORTED (strings, sequences), OUT_OF_MEMORY. */
OCTET_API octet_status octet_tensor_read_pb(const char *path, octet_tensor *tensor, char *name,
                                            size_t name_size);

/* ---- devices ------------------------------------------------------------------------------------------- */

typedef enum octet_device_type {
    OCTET_DEVICE_CPU = 1,
    OCTET_DEVICE_GPU,
    OCTET_DEVICE_ACCELERATOR
} octet_device_type;

/* Text fields are cut to fit and always terminated. */
typedef struct octet_device_info {
    size_t struct_size;
    octet_device_type type;
    char name[128], vendor[128], platform[128], driver[128], version[128];
    char dot4[32];   /* which 4-way 8-bit dot path Octet uses: "none", "khr", "nvidia", "x86-vnni", ... */
    char matrix[32]; /* which int8 matrix unit Octet uses: "none", ... */
    uint64_t global_bytes, max_alloc_bytes;
    uint64_t local_bytes; /* on GPUs, once a context has been made: with which a kernel has run */
    uint32_t compute_units, clock_mhz;
    uint32_t max_work_group;
    int local_is_dedicated; /* local memory is a memory of its own */
    int unified_memory;     /* the device shares the host's memory */
    int available; /* 0: the driver lists it but it cannot be used (no compiler, not little-endian) */
    char extensions[4096];
    uint64_t local_said_bytes; /* local_bytes as the driver has it, where a kernel does not get as much */
} octet_device_info;

/* Number of devices over all platforms; 0 (and OK) when there is none. Index order is stable while the set of
 * drivers is: platforms in the loader's order, devices in the platform's. */
OCTET_API octet_status octet_device_count(size_t *count);
/* info->struct_size must be set. Errors: INVALID_ARGUMENT (index out of range). */
OCTET_API octet_status octet_device_get(size_t index, octet_device_info *info);

/* ---- context ------------------------------------------------------------------------------------------- */

typedef struct octet_context octet_context;
typedef void (*octet_log_fn)(void *user, const char *line);

typedef struct octet_context_desc {
    size_t struct_size;
    /* An index ("0"), or part of a device's, vendor's or platform's name without regard to case ("h100",
     * "portable"). NULL or "": the environment's OCTET_DEVICE, else the first GPU, accelerator, CPU. */
    const char *device;
    int profiling;         /* 1: record kernel times (octet_profile_*) at some cost per launch */
    const char *cache_dir; /* NULL: the user's cache folder; "": no disk cache */
    octet_log_fn log;      /* NULL: silent. Called on the thread of the call that logs. */
    void *log_user;
} octet_context_desc;

/* desc may be NULL. Errors: NO_DEVICE, DEVICE_ERROR, OUT_OF_MEMORY. */
OCTET_API octet_status octet_context_create(const octet_context_desc *desc, octet_context **context);
/* Models, sessions and gemms keep their context alive: destroy order is free. */
OCTET_API void octet_context_destroy(octet_context *context);
/* What the context runs on. */
OCTET_API octet_status octet_context_device(const octet_context *context, octet_device_info *info);

/* What has crossed between host and device and what was launched, since creation or the last reset. */
typedef struct octet_counters {
    size_t struct_size;
    uint64_t weight_bytes_up;   /* constants: weights, biases, scales, tables */
    uint64_t input_bytes_up;    /* run-time inputs */
    uint64_t output_bytes_down; /* outputs */
    uint64_t transfers;         /* enqueued copies between host and device, both ways, weights included */
    uint64_t launches;          /* kernels enqueued */
    uint64_t waits;             /* times the host waited for the device */
    uint64_t programs_built;    /* compiled from source */
    uint64_t programs_cached;   /* taken from the disk cache */
    uint64_t device_bytes;      /* buffers that Octet holds on the device now: not affected by a reset */
    uint64_t peak_device_bytes; /* the most of them at one time since creation or the last reset */
    uint64_t load_nanoseconds;  /* from the first constant to all of them on the device, packed, of all
                                   sessions  and products made; kernels were compiled before */
} octet_counters;

OCTET_API octet_status octet_context_counters(octet_context *context, octet_counters *counters);
OCTET_API void octet_context_counters_reset(octet_context *context);

/* Measured peak of 8-bit multiply-adds, in 10^9 operations per second (two per multiply-add): the ceiling of
 * what octet_gemm_time and a session can reach. Takes some tens of milliseconds the first time. Errors:
 * UNSUPPORTED where there is no dot path to measure, DEVICE_ERROR. */
OCTET_API octet_status octet_context_ceiling(octet_context *context, double *gops);

/* ---- GEMM ---------------------------------------------------------------------------------------------- */

typedef enum octet_output {
    OCTET_OUT_S32 = 0, /* exact int32 */
    OCTET_OUT_Q8,      /* requantized to s8 or u8, desc.c_dtype */
    OCTET_OUT_F32      /* (float)acc * scale, the product of a_scale and b_scale in float32, plus no bias */
} octet_output;

/* C[batch][m][n] = A[batch][m][k] x B[k][n], exact int32 accumulation of (a - a_zero)*(b - b_zero) + bias.
 * Requantization is ONNX's: clamp(rint_half_even((float)acc * mult[n]) + c_zero, c_min, c_max) with
 * mult[n] = (a_scale * b_scale[n]) / c_scale in float32 (docs/numerics.md). */
typedef struct octet_gemm_desc {
    size_t struct_size;
    int64_t m, n, k; /* any, 0 and 1 included; k at most the bound of the types (docs/numerics.md) */
    int64_t batch;   /* 0 means 1; A and C advance by m*lda and m*ldc; B too when it is a run-time operand */
    octet_dtype a_dtype, b_dtype; /* U8 or S8 */
    octet_output output;
    octet_dtype c_dtype;    /* U8 or S8 for OCTET_OUT_Q8; ignored otherwise */
    int64_t lda, ldb, ldc;  /* row strides in elements; 0: dense */
    int transpose_b;        /* 1: B is stored [n][k] */
    int b_is_runtime;       /* 1: B is given at each run; 0: resident, packed once at create */
    int32_t a_zero, c_zero; /* zero points */
    const int32_t *b_zeros; /* [1] or [n]; NULL: 0 */
    size_t b_zero_count;    /* 0, 1 or n */
    const float *a_scales;  /* [1] or [m] (f32 output only); NULL: 1 */
    size_t a_scale_count;   /* 0, 1 or m */
    const float *b_scales;  /* [1] or [n]; NULL: 1 */
    size_t b_scale_count;   /* 0, 1 or n */
    float c_scale;          /* 0 means 1 */
    const int32_t *bias;    /* [n] or NULL */
    int32_t c_min, c_max;   /* clamp for OCTET_OUT_Q8; both 0: the whole range of c_dtype */
    const char *variant;    /* force a kernel variant by name (tests, bench); NULL: chosen */
} octet_gemm_desc;

typedef struct octet_gemm octet_gemm;

/* b: host weights, read during the call only (NULL when b_is_runtime). Uploads and packs them.
 * Errors: INVALID_ARGUMENT, UNSUPPORTED (k past the bound), OUT_OF_MEMORY, DEVICE_ERROR. */
OCTET_API octet_status octet_gemm_create(octet_context *context, const octet_gemm_desc *desc, const void *b,
                                         octet_gemm **gemm);
/* Host operands; returns when c is written. b only when b_is_runtime. Errors: INVALID_ARGUMENT, DEVICE_ERROR.
 */
OCTET_API octet_status octet_gemm_run(octet_gemm *gemm, const void *a, const void *b, void *c);
/* Enqueue `count` runs on operands that stay on the device (those of the last octet_gemm_run) and wait; for
 * benchmarks: *seconds is the wall time of all of them. */
OCTET_API octet_status octet_gemm_time(octet_gemm *gemm, size_t count, double *seconds);
/* The kernel variant in use, for reports. */
OCTET_API const char *octet_gemm_variant(const octet_gemm *gemm);
OCTET_API void octet_gemm_destroy(octet_gemm *gemm);
/* Names of the GEMM variants this context's device can run, for tests and bench: NULL past the last. */
OCTET_API const char *octet_gemm_variant_name(octet_context *context, size_t index);

/* ---- models -------------------------------------------------------------------------------------------- */

typedef struct octet_model octet_model;

/* Map and check an ONNX file. The file must not change while the model lives. context NULL: for inspection
 * only; nodes that cannot run then do not fail the load, octet_model_node tells of them. Errors: CORRUPT_FILE
 * (what is damaged), UNSUPPORTED (operator and node by name), OUT_OF_MEMORY. */
OCTET_API octet_status octet_model_load(octet_context *context, const char *path, octet_model **model);
OCTET_API void octet_model_destroy(octet_model *model);

/* An input that is to be a constant: what a network decides by (the condition of an If) or computes shapes
 * from must be known before it is planned. */
typedef struct octet_fixed_input {
    const char *name;
    octet_tensor value; /* of the input's dtype, and a shape that it allows; copied */
} octet_fixed_input;

typedef struct octet_model_desc {
    size_t struct_size;
    const octet_fixed_input *fixed; /* they are no inputs of the model then: it has that many fewer */
    size_t fixed_count;
} octet_model_desc;

/* octet_model_load with a desc, which may be NULL. Errors: also INVALID_ARGUMENT (there is no such input, or
 * the value does not fit it). */
OCTET_API octet_status octet_model_load_with(octet_context *context, const char *path,
                                             const octet_model_desc *desc, octet_model **model);

/* dims of -1 are dynamic. Names live as long as the model. */
typedef struct octet_value_info {
    size_t struct_size;
    const char *name;
    octet_dtype dtype;
    int rank;
    int64_t dims[OCTET_MAX_RANK];
} octet_value_info;

OCTET_API size_t octet_model_input_count(const octet_model *model);
OCTET_API size_t octet_model_output_count(const octet_model *model);
OCTET_API octet_status octet_model_input(const octet_model *model, size_t index, octet_value_info *info);
OCTET_API octet_status octet_model_output(const octet_model *model, size_t index, octet_value_info *info);

typedef enum octet_node_path {
    OCTET_NODE_INT8 = 0, /* integer arithmetic on 8-bit data */
    OCTET_NODE_FLOAT,    /* float arithmetic on the device */
    OCTET_NODE_MOVE,     /* moves or renames data, no arithmetic */
    OCTET_NODE_REFUSED   /* not possible; the session cannot be created */
} octet_node_path;

typedef struct octet_node_info {
    size_t struct_size;
    const char *name, *op_type, *domain;
    octet_node_path path;
    const char *reason; /* of a refusal, "" otherwise */
    int64_t macs;       /* multiply-accumulates, with every dynamic dimension taken as 1; -1 unknown */
    uint64_t weight_bytes;
} octet_node_info;

/* What the functions above and below tell, and octet_model_plan takes where its desc gives no shapes, holds
 * for these input dims, one entry per model input, in place of 1 for every dynamic dimension. Not while
 * another thread uses the model; sessions are not affected. Errors: INVALID_ARGUMENT (which input), and those
 * of shape inference, the node named; the model is then as it was. */
OCTET_API octet_status octet_model_assume_shapes(octet_model *model, const octet_value_info *inputs,
                                                 size_t input_count);

/* The nodes of a run: the file's, fused and rewritten (a QuantizeLinear, Conv, DequantizeLinear group is one
 * QLinearConv, by the name of the Conv), without what is done once at load. Where shapes cannot be inferred,
 * those of the file. */
OCTET_API size_t octet_model_node_count(const octet_model *model);
OCTET_API octet_status octet_model_node(const octet_model *model, size_t index, octet_node_info *info);

/* ---- sessions ------------------------------------------------------------------------------------------ */

typedef struct octet_session octet_session;

/* Who quantizes a float input and dequantizes a float output, where the network begins with QuantizeLinear or
 * ends with DequantizeLinear (per tensor). The bytes are the same. */
typedef enum octet_border {
    OCTET_BORDER_AUTO = 0, /* the host for devices with memory of their own: a quarter of the bytes to move */
    OCTET_BORDER_HOST,
    OCTET_BORDER_DEVICE
} octet_border;

typedef struct octet_session_desc {
    size_t struct_size;
    const octet_value_info *inputs; /* NULL, or one entry per model input: the dims to plan for now */
    size_t input_count;
    /* Device bytes the session may hold: weights, activations and all. Weights that do not fit are streamed:
     * uploaded piece by piece behind the computation, in every run. 0: the device's memory is the limit. */
    uint64_t memory_limit;
    /* Of octet_session_run. octet_session_enqueue takes and gives the model's own dtypes. */
    octet_border border;
} octet_session_desc;

/* Uploads and packs the weights, once. A shape is planned when it is first used (or now, when desc or the
 * model gives all of it). desc may be NULL. Errors: UNSUPPORTED, INVALID_ARGUMENT, OUT_OF_MEMORY (where the
 * memory limit is too small, the text says what would do), DEVICE_ERROR. */
OCTET_API octet_status octet_session_create(octet_model *model, const octet_session_desc *desc,
                                            octet_session **session);
OCTET_API void octet_session_destroy(octet_session *session);

/* Run once. inputs[i] belongs to model input i: dtype, rank and dims must match it; data is read during the
 * call. outputs[i] belongs to model output i: with data NULL the library allocates (octet_tensor_free it),
 * else data_bytes must be large enough; dtype and dims are filled in. Returns when every output is written.
 * Errors: INVALID_ARGUMENT (which input, expected and given), DEVICE_ERROR, OUT_OF_MEMORY. */
OCTET_API octet_status octet_session_run(octet_session *session, const octet_tensor *inputs,
                                         size_t input_count, octet_tensor *outputs, size_t output_count);

/* Run one batch on several sessions at the same time: those of one network on several devices, each of a
 * model that was loaded with a context of its own. Inputs whose first dimension the model leaves open are
 * split along it, a run of rows for each session (fewer sessions where there are fewer rows); the others go
 * to all. Outputs are put together in order: the same bytes as those of one session, for networks that treat
 * each row by itself, and there is no way to see of every network that it does. shares: how the rows are
 * divided, in proportion; NULL: evenly. Outputs as for octet_session_run. No other thread may use these
 * sessions meanwhile; threads of this call's own run them, the last of which ends before it returns. Errors:
 * those of octet_session_run, the session named; INVALID_ARGUMENT (nothing to split, a session twice,
 * sessions of different networks, shares that are negative or all 0), UNSUPPORTED (an output or a node that
 * is known to mix rows). */
OCTET_API octet_status octet_sessions_run(octet_session *const *sessions, size_t session_count,
                                          const double *shares, const octet_tensor *inputs,
                                          size_t input_count, octet_tensor *outputs, size_t output_count);

typedef struct octet_session_info {
    size_t struct_size;
    uint64_t arena_bytes;    /* activations and scratch */
    uint64_t weight_bytes;   /* resident constants and packed weights */
    uint64_t launches;       /* kernels per run */
    int64_t macs;            /* multiply-accumulates per run */
    uint64_t streamed_bytes; /* weights uploaded in each run, for want of device memory */
    uint64_t device_bytes;   /* what the session holds on the device, for all its shapes so far */
    uint64_t planned_limit; /* device bytes that this shape was planned for: fewer than the memory limit where
                               the device did not have as many; 0: without a limit */
} octet_session_info;

/* What a session would take on the model's device, dynamic dimensions taken as 1 where desc gives none:
 * nothing is uploaded or compiled, and macs is not counted. Errors: those of octet_session_create. */
OCTET_API octet_status octet_model_plan(octet_model *model, const octet_session_desc *desc,
                                        octet_session_info *info);

/* Of the shape that ran or was planned last. */
OCTET_API octet_status octet_session_get_info(const octet_session *session, octet_session_info *info);

/* Kernel times of the last run, when the context was created with profiling. */
typedef struct octet_kernel_time {
    size_t struct_size;
    const char *node; /* ONNX node name or "" */
    const char *kernel;
    uint64_t start_ns, end_ns; /* device clock */
} octet_kernel_time;
OCTET_API size_t octet_session_kernel_count(const octet_session *session);
OCTET_API octet_status octet_session_kernel_time(const octet_session *session, size_t index,
                                                 octet_kernel_time *time);

/* ---- tuning -------------------------------------------------------------------------------------------- */

/* Which kernel variant is fastest for a product or convolution of one size is estimated; tuning measures it.
 * Variants that may serve run on random data; those whose result is not the reference's, byte for byte, are
 * dropped, the rest is timed. What is found goes to a text file in the user's cache folder, for this device,
 * driver and version, and is used by contexts that are made afterwards. Results of a network are the same
 * bytes with any variant. */
typedef struct octet_tune_result {
    size_t struct_size;
    const char *problem;           /* "gemm 1x4096x4096 batch 1" */
    const char *variant;           /* the fastest */
    int64_t spread;                /* parts of k, or rows of a work-group; 0: the variant's own way */
    const char *usual_variant;     /* what is taken without tuning */
    double seconds, usual_seconds; /* medians of one run; usual 0: its result was wrong */
    size_t tried;                  /* variants and ways to spread their work */
    const char *dropped;           /* "" or variants with a wrong result or none, "NAME (why), NAME (why)" */
    size_t index, count;           /* this is problem `index` of `count` */
} octet_tune_result;

/* Texts live during the call only. Anything but 0 ends the work; what was told is kept. */
typedef int octet_tune_fn(void *user, const octet_tune_result *result);

typedef struct octet_tune_desc {
    size_t struct_size;
    double seconds; /* that the best few of a problem are timed against each other; 0: the fewest runs */
    uint64_t seed;  /* of the data */
    octet_tune_fn *found; /* told of each problem; may be NULL */
    void *user;
} octet_tune_desc;

/* Tune one product (B itself is not needed: data is random, zero points are those given), or every product
 * and convolution of a model at the shapes of `session` (NULL: dynamic dimensions are 1). desc may be NULL.
 * Nothing else should run on the device meanwhile. Errors: those of octet_gemm_create or octet_model_plan;
 * INVALID_ARGUMENT (no cache folder, or `found` ended it), CORRUPT_FILE (the file cannot be written),
 * DEVICE_ERROR. */
OCTET_API octet_status octet_tune_gemm(octet_context *context, const octet_gemm_desc *gemm,
                                       const octet_tune_desc *desc);
OCTET_API octet_status octet_tune_model(octet_model *model, const octet_session_desc *session,
                                        const octet_tune_desc *desc);
/* What the file holds now; seconds, usual_variant and tried are 0 or "". A file that is damaged, or not of
 * this device, driver and version, holds nothing. */
OCTET_API octet_status octet_tuning_list(octet_context *context, octet_tune_fn *row, void *user);
/* Forget it. */
OCTET_API octet_status octet_tuning_reset(octet_context *context);
/* Its path, "" where there is no cache folder. Cut to size. */
OCTET_API octet_status octet_tuning_file(const octet_context *context, char *path, size_t size);

#ifdef __cplusplus
}
#endif
#endif
