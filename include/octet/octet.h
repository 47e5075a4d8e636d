/* liboctet: exact int8 inference on any OpenCL device.
 *
 * This header is the stable interface. octet/quantize.h makes int8 networks, octet/compare.h compares them,
 * octet/opencl.h shares cl_* objects with Octet; octet/experimental.h measures Octet itself and may change
 * with any version. Nothing but octet/opencl.h needs OpenCL headers.
 *
 * Conventions
 *   Objects are created by *_create / *_load and released by *_destroy, which accepts NULL.
 *   A create function sets *object to NULL where it fails.
 *   An object keeps those that it was made of alive: the order of destruction is free.
 *   Descriptor and info structs start with `struct_size` (set it with OCTET_INIT); zero in every other field
 *   of a descriptor means the default.
 *   Pointers that go in are read during the call only and stay the caller's, unless it says otherwise.
 *   Pointers that come out belong to Octet; how long they live is said where they are.
 *   Shapes are in [brackets], outermost dimension first; units are in names (_bytes, _ns). Text is UTF-8.
 *
 * Errors
 *   Every function that can fail returns an octet_status; octet_last_error() then holds one line of text for
 *   this thread: what is wrong, where, and the mend. The library never exits or aborts, and prints only
 *   where the environment asks for it (OCTET_VERBOSE, docs/hardware.md).
 *   "Errors:" lists what a function returns and why. Not listed each time: INVALID_ARGUMENT where a pointer
 * is NULL that may not be, or a struct_size is not set; INTERNAL, a defect in Octet: please report it; and
 *   where DEVICE_ERROR stands, DEVICE_LOST.
 *
 * Threads
 *   Functions without an object may be called from any thread at any time. For an object the rule is at its
 *   type: contexts, models and inspections may be used from many threads at once; a session, a gemm and the
 *   others belong to one thread at a time (calls on the same one are the caller's to serialize), and any
 *   number of them may be at work at once.
 *
 * Versions
 *   Before 1.0 a minor version may change everything here, and the library's SONAME has the minor: a program
 *   runs with the minor it was built for or not at all. A patch version keeps every function; structs with a
 *   struct_size may get fields at their end, and enums values at theirs. Structs without one, and
 *   octet_value_info, which travels in arrays, do not change.
 *   What octet/experimental.h has, and fields that are called experimental, may change or go with any
 * version: build for the very version that runs.
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

/* Zero a descriptor or info struct and fill in its size: `octet_gemm_desc d; OCTET_INIT(d);` */
#define OCTET_INIT(desc) octet_init(&(desc), sizeof(desc))
/* What OCTET_INIT does: `size` zero bytes at desc, the first sizeof(size_t) of them the size. */
OCTET_API void octet_init(void *desc, size_t size);

typedef enum octet_status {
    OCTET_OK = 0,
    OCTET_INVALID_ARGUMENT, /* the caller's mistake: a NULL, a shape, a dtype, a name */
    OCTET_UNSUPPORTED,      /* well formed, but Octet cannot do it; the text names the node and the reason */
    OCTET_NO_DEVICE,        /* no OpenCL platform or device, or none that matches the selection */
    OCTET_OUT_OF_MEMORY,    /* host or device memory */
    OCTET_DEVICE_ERROR,     /* an OpenCL call failed; the text has its name and the error by name */
    OCTET_CORRUPT_FILE,     /* a file that cannot be read, is damaged, or lies about itself */
    OCTET_INTERNAL,         /* a defect in Octet */
    /* The device is gone: a driver that was reset, a server that does not answer. Every later call on its
     * context fails at once with the same; everything can be destroyed, and a new context opened. */
    OCTET_DEVICE_LOST
} octet_status;

/* "ok", "invalid argument", ...; "unknown status" past the last. Static; never NULL. */
OCTET_API const char *octet_status_name(octet_status status);
/* This thread's last error text, "" if none. Valid until the next Octet call on this thread; other threads
 * do not touch it. Success does not clear it. */
OCTET_API const char *octet_last_error(void);
/* "0.1.0": that of the library that runs, which OCTET_VERSION_* need not be. Static. */
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

/* Bytes an element; 0 for OCTET_DTYPE_NONE and what is unknown. */
OCTET_API size_t octet_dtype_bytes(octet_dtype dtype);
/* "u8", "f32", ...; "?" for OCTET_DTYPE_NONE and what is unknown. Static; never NULL. */
OCTET_API const char *octet_dtype_name(octet_dtype dtype);

#define OCTET_MAX_RANK 8

/* A dense row-major host tensor in ONNX dimension order: element [i0][i1]... of [dims[0]][dims[1]]... Who
 * owns `data` is said where one is used. */
typedef struct octet_tensor {
    octet_dtype dtype;
    int rank; /* 0 is a scalar, one element */
    int64_t dims[OCTET_MAX_RANK];
    void *data;        /* octet_tensor_bytes() bytes, aligned for the dtype; may be NULL when that is 0 */
    size_t data_bytes; /* size of the memory at data */
} octet_tensor;

/* Elements times element size; 0 also for NULL, a shape that overflows or has an unknown (negative)
 * dimension, and a rank out of range. */
OCTET_API size_t octet_tensor_bytes(const octet_tensor *tensor);
/* Allocate zeroed data for tensor->dtype and dims; what data was before is not looked at. Release it with
 * octet_tensor_free.
 * Errors: INVALID_ARGUMENT (an unknown dtype, a rank or dimension out of range, a shape whose size
 * overflows), OUT_OF_MEMORY. */
OCTET_API octet_status octet_tensor_alloc(octet_tensor *tensor);
/* Free data that Octet allocated (octet_tensor_alloc, octet_tensor_read_pb, outputs of a run), and zero
 * the struct. NULL does nothing. Never for data of the caller's own. */
OCTET_API void octet_tensor_free(octet_tensor *tensor);
/* Read an ONNX TensorProto file (.pb). What was in *tensor is overwritten; its data is allocated, and NULL
 * where the call fails. name: NULL, or receives the tensor's name, cut to name_size.
 * Errors: CORRUPT_FILE (it cannot be read, or is damaged), UNSUPPORTED (strings and other types that
 * octet_dtype has not), OUT_OF_MEMORY. */
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
    char matrix[32]; /* which int8 matrix unit Octet uses: "none", ...; both for people, there may be more */
    uint64_t global_bytes, max_alloc_bytes;
    uint64_t local_bytes; /* on GPUs, once a context has been made: with which a kernel has run */
    uint32_t compute_units, clock_mhz;
    uint32_t max_work_group;
    int local_is_dedicated; /* local memory is a memory of its own */
    int unified_memory;     /* the device shares the host's memory */
    int available; /* 0: the driver lists it but it cannot be used (no compiler, no memory, not little-endian)
                    */
    char extensions[4096];
    uint64_t local_said_bytes; /* local_bytes as the driver has it, where a kernel does not get as much */
    char distrusted[256]; /* kernel variants that were found not to be exact with this driver and are not used
                             there, with spaces between; "" for none known so far */
} octet_device_info;

/* Number of devices over all platforms; 0 (and OK) when there is none. A driver that cannot list its
 * devices has none. Index order is stable while the set of drivers is: platforms in the loader's order,
 * devices in the platform's.
 * Errors: none but INVALID_ARGUMENT for a NULL. */
OCTET_API octet_status octet_device_count(size_t *count);
/* What is known of device `index` of octet_device_count. Errors: INVALID_ARGUMENT (index out of range),
 * NO_DEVICE, OUT_OF_MEMORY or DEVICE_ERROR (the driver does not tell). */
OCTET_API octet_status octet_device_get(size_t index, octet_device_info *info);

/* ---- context ------------------------------------------------------------------------------------------- */

/* A device, its queue, its compiled kernels, its counters. May be used from many threads at once; what they
 * enqueue takes turns on the device. */
typedef struct octet_context octet_context;
/* One line of what Octet does, without a newline; `line` lives during the call only. Called on the thread of
 * the call that logs, so from several at once where several are at work. */
typedef void (*octet_log_fn)(void *user, const char *line);

typedef struct octet_context_desc {
    size_t struct_size;
    /* An index ("0"), or part of a device's, vendor's or platform's name without regard to case ("h100",
     * "portable"). NULL or "": the environment's OCTET_DEVICE, else the first GPU, accelerator, CPU. */
    const char *device;
    int profiling;         /* 1: record kernel times (octet/experimental.h) at some cost a launch */
    const char *cache_dir; /* NULL: the user's cache folder; "": no disk cache */
    octet_log_fn
        log; /* NULL: silent. Kept, with log_user, while anything that is made of the context lives. */
    void *log_user;
} octet_context_desc;

/* Open a device. desc: NULL is all defaults; its texts are copied. Errors: NO_DEVICE (there is none, none
 * that matches desc->device, or its driver has no compiler), OUT_OF_MEMORY, DEVICE_ERROR. */
OCTET_API octet_status octet_context_create(const octet_context_desc *desc, octet_context **context);
/* Release it; NULL does nothing. Models, sessions, gemms and the others keep what they need of it alive. */
OCTET_API void octet_context_destroy(octet_context *context);
/* What the context runs on. Errors: none but INVALID_ARGUMENT. */
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
                                   sessions and products made; kernels were compiled before */
} octet_counters;

/* The counters as they are now; other threads may be counting. Errors: none but INVALID_ARGUMENT. */
OCTET_API octet_status octet_context_counters(octet_context *context, octet_counters *counters);
/* Set them to 0, but for device_bytes; peak_device_bytes becomes that. NULL does nothing. */
OCTET_API void octet_context_counters_reset(octet_context *context);

/* ---- GEMM ---------------------------------------------------------------------------------------------- */

typedef enum octet_output {
    OCTET_OUT_S32 = 0, /* int32: acc */
    OCTET_OUT_Q8,      /* requantized to s8 or u8, desc.c_dtype */
    OCTET_OUT_F32      /* float32: (float)acc * (a_scale * b_scale[n]) */
} octet_output;

/* C[batch][m][n] = A[batch][m][k] x B[k][n], or B[batch][k][n] as a run-time operand:
 *     acc = sum over k of (a - a_zero) * (b - b_zero[n]) + bias[n], exact in int32.
 * Requantization is that of ONNX's QLinearMatMul and QLinearConv: clamp(rint_half_even((float)acc * mult[n])
 * + c_zero, c_min, c_max) with mult[n] = (a_scale * b_scale[n]) / c_scale, all in float32. docs/numerics.md
 * has every step. Row i of matrix t of A starts at element (t * m + i) * lda, C likewise with ldc, run-time B
 * with k (or n, transposed) and ldb. */
typedef struct octet_gemm_desc {
    size_t struct_size;
    int64_t m, n, k; /* any, 0 and 1 included; k at most the bound of the types (docs/numerics.md) */
    int64_t batch;   /* 0 means 1; one resident B is for all of them */
    octet_dtype a_dtype, b_dtype; /* U8 or S8 */
    octet_output output;
    octet_dtype c_dtype;    /* U8 or S8 for OCTET_OUT_Q8; ignored otherwise */
    int64_t lda, ldb, ldc;  /* row strides in elements; 0: dense */
    int transpose_b;        /* 1: B is stored [n][k] */
    int b_is_runtime;       /* 1: B is given at each run; 0: resident, packed once at create */
    int32_t a_zero, c_zero; /* zero points */
    const int32_t *b_zeros; /* [1] or [n]; NULL: 0 */
    size_t b_zero_count;    /* 0, 1 or n */
    const float *a_scales;  /* [1], or [m] for OCTET_OUT_F32, one a row; NULL: 1 */
    size_t a_scale_count;   /* 0, 1 or m */
    const float *b_scales;  /* [1] or [n]; NULL: 1 */
    size_t b_scale_count;   /* 0, 1 or n */
    float c_scale;          /* 0 means 1 */
    const int32_t *bias;    /* [n] or NULL */
    int32_t c_min, c_max;   /* clamp for OCTET_OUT_Q8; both 0: the whole range of c_dtype */
    const char *variant;    /* experimental: force a kernel variant by name; NULL: chosen */
} octet_gemm_desc;

/* A matrix product that is ready to run. Belongs to one thread at a time. */
typedef struct octet_gemm octet_gemm;

/* Upload B and pack it, compile kernels.
 * b: [k][ldb] or, transposed, [n][ldb] of desc->b_dtype on the host; NULL when desc->b_is_runtime. desc
 * and its arrays are read during the call only.
 * Errors: INVALID_ARGUMENT (a field of desc, by name; b is NULL), UNSUPPORTED (k past the bound of the
 * types, a size past 2^31 - 4096, a variant that there is not), OUT_OF_MEMORY, DEVICE_ERROR (a kernel does
 * not compile, a call failed). */
OCTET_API octet_status octet_gemm_create(octet_context *context, const octet_gemm_desc *desc, const void *b,
                                         octet_gemm **gemm);
/* Run on host operands; returns when c is written.
 * a: [batch][m][lda] of a_dtype;
 * b: [batch][k][ldb] or, transposed, [batch][n][ldb] of b_dtype, when b_is_runtime, else not looked at; c:
 * [batch][m][ldc] of int32, c_dtype or float32. What lies between rows of c is left as it is. An operand
 * of no elements may be NULL.
 * Errors: INVALID_ARGUMENT (which operand is NULL), OUT_OF_MEMORY, DEVICE_ERROR; c may then be written in
 * part. */
OCTET_API octet_status octet_gemm_run(octet_gemm *gemm, const void *a, const void *b, void *c);
/* Release it; NULL does nothing. */
OCTET_API void octet_gemm_destroy(octet_gemm *gemm);

/* ---- models -------------------------------------------------------------------------------------------- */

/* An ONNX file, read and checked. Immutable: nothing changes a model after octet_model_load. What depends
 * on the shapes of its inputs is in objects that are made of it, sessions and inspections, each with its own
 * shapes. So one model may be used from many threads at once. */
typedef struct octet_model octet_model;

/* An input that is to be a constant: what a network decides by (the condition of an If) or computes shapes
 * from must be known before it is planned. */
typedef struct octet_fixed_input {
    const char *name;
    octet_tensor value; /* of the input's dtype, and a shape that it allows; copied */
} octet_fixed_input;

typedef struct octet_model_desc {
    size_t struct_size;
    const octet_fixed_input *fixed; /* [fixed_count]; no inputs of the model then: it has that many fewer */
    size_t fixed_count;
} octet_model_desc;

/* Read an ONNX file and check it. The file, and files beside it that hold its weights, are mapped where they
 * have more than 16 MiB, and must not be written to while the model lives then: a new plan says so
 * (CORRUPT_FILE), and pages that are cut off while they are read end the process. To rename another file over
 * one does no harm. context NULL: for inspection only; nodes that cannot run do not fail the load
 * then, octet_inspection_node tells of them. desc may be NULL.
 * Errors: CORRUPT_FILE (it cannot be read, what is damaged), UNSUPPORTED (operator and node by name),
 * INVALID_ARGUMENT (desc fixes an input that there is not, or to a value that does not fit it; shapes that
 * do not fit each other, the node named), OUT_OF_MEMORY. */
OCTET_API octet_status octet_model_load(octet_context *context, const char *path,
                                        const octet_model_desc *desc, octet_model **model);
/* Release it; NULL does nothing. Its sessions and inspections keep what they need of it alive. */
OCTET_API void octet_model_destroy(octet_model *model);

/* An input or output of a network. Dims of -1 are dynamic: each run may have its own. */
typedef struct octet_value_info {
    size_t struct_size;
    const char *name; /* lives as long as the object that gave it; not looked at where a caller gives dims */
    octet_dtype dtype;
    int rank;
    int64_t dims[OCTET_MAX_RANK];
} octet_value_info;

/* Inputs of the model, without those that are fixed; 0 for NULL. */
OCTET_API size_t octet_model_input_count(const octet_model *model);
/* Outputs of the model; 0 for NULL. */
OCTET_API size_t octet_model_output_count(const octet_model *model);
/* Input `index`, in the file's order, as the file has it. The name lives as long as the model. Errors:
 * INVALID_ARGUMENT (index out of range). */
OCTET_API octet_status octet_model_input(const octet_model *model, size_t index, octet_value_info *info);
/* Output `index`, likewise; what the file does not tell of it is as inferred with 1 for every dynamic
 * dimension. Errors: INVALID_ARGUMENT (index out of range). */
OCTET_API octet_status octet_model_output(const octet_model *model, size_t index, octet_value_info *info);

/* ---- sessions ------------------------------------------------------------------------------------------ */

/* A model that is ready to run: weights on the device, memory for activations, a plan for each set of input
 * shapes (the last few that were used). Belongs to one thread at a time. Several of one model run at once. */
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
    const octet_value_info *inputs; /* NULL, or one entry per model input: the dims to plan for now, no -1 */
    size_t input_count;             /* that of the model, with inputs */
    /* Device bytes the session may hold: weights, activations and all. Weights that do not fit are streamed:
     * uploaded piece by piece behind the computation, in every run. 0: the device's memory is the limit, half
     * of it where it is the host's too. */
    uint64_t memory_limit;
    /* Of octet_session_run; octet_session_enqueue takes and gives the model's own dtypes. */
    octet_border border;
    /* Of octet_sessions_run. 1: where the device of this session is lost, the other sessions do its rows. 0:
     * that is an error of the run. */
    int lost_to_others;
} octet_session_desc;

/* Make a session of a model that was loaded with a context. A shape is planned when it is first used, or
 * now where desc or the model gives all of it: kernels are chosen and compiled, weights uploaded and
 * packed, once for all shapes that pack them alike. desc may be NULL.
 * Errors: INVALID_ARGUMENT (the model has no context, the dims do not fit it, the input named; border is
 * none), UNSUPPORTED (operator and node by name), OUT_OF_MEMORY (where the memory limit is too small, the
 * text says what would do), CORRUPT_FILE (the model's file was written to), DEVICE_ERROR. */
OCTET_API octet_status octet_session_create(octet_model *model, const octet_session_desc *desc,
                                            octet_session **session);
/* Release it; NULL does nothing. What was enqueued with octet_session_enqueue must be done. */
OCTET_API void octet_session_destroy(octet_session *session);

/* Run once; returns when every output is written.
 * inputs: [input_count], inputs[i] belongs to model input i: dtype, rank and dims must match it; data is
 * read during the call only.
 * outputs: [output_count], outputs[i] belongs to model output i: with data NULL the library allocates
 * (octet_tensor_free it), else data_bytes must be large enough; dtype, rank and dims are filled in.
 * Errors: INVALID_ARGUMENT (a count, or which input or output: expected and given; an index in the data, of
 * a Gather, that is out of range: node, position, number), UNSUPPORTED, OUT_OF_MEMORY and CORRUPT_FILE (a
 * shape that is new is planned first, as by octet_session_create), DEVICE_ERROR. Then what was allocated of
 * outputs is freed and zeroed again; memory of the caller's may be written in part. */
OCTET_API octet_status octet_session_run(octet_session *session, const octet_tensor *inputs,
                                         size_t input_count, octet_tensor *outputs, size_t output_count);

/* Run one batch on several sessions at the same time: those of one network on several devices, each of a
 * model that was loaded with a context of its own. Inputs whose first dimension the model leaves open are
 * split along it, a run of rows for each session (fewer sessions where there are fewer rows); the others
 * go to all. Outputs are put together in order: the same bytes as those of one session, for networks that
 * treat each row by itself, and there is no way to see of every network that it does.
 * sessions: [session_count], no other thread may use them meanwhile; threads of this call's own run them,
 * the last of which ends before it returns.
 * shares: [session_count], how the rows are divided, in proportion; NULL: evenly. inputs and outputs as
 * for octet_session_run.
 * A session that was made with lost_to_others and whose device is lost takes no part: the batch is divided
 * among those that are left, in proportion, and done again if it had begun. DEVICE_LOST where there is no
 * session left that has a share.
 * Errors: those of octet_session_run, rows and device named; INVALID_ARGUMENT (no session, nothing to
 * split, batches of different sizes, a session twice, sessions of different networks, shares that are
 * negative or all 0), UNSUPPORTED (an output or a node that is known to mix rows). */
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

/* What a session has, of the shape that ran or was planned last; zeros before that. Errors: none but
 * INVALID_ARGUMENT. */
OCTET_API octet_status octet_session_get_info(const octet_session *session, octet_session_info *info);

/* ---- before a session exists --------------------------------------------------------------------------- */

/* What a session of desc (NULL: all defaults) would take on the model's device, dynamic dimensions taken
 * as 1 where desc gives none. Nothing is uploaded or compiled, and macs is not counted.
 * Errors: those of octet_session_create, but for DEVICE_ERROR. */
OCTET_API octet_status octet_model_plan(octet_model *model, const octet_session_desc *desc,
                                        octet_session_info *info);

/* The nodes that a session would run, at one set of input shapes: the file's, fused and rewritten (a
 * QuantizeLinear, Conv, DequantizeLinear group is one QLinearConv, by the name of the Conv), without what is
 * done once at load. Needs no device. Immutable: may be used from many threads at once. */
typedef struct octet_inspection octet_inspection;

/* Look at a model at the shapes of desc->inputs, the only field of desc that counts; desc or inputs NULL:
 * 1 for every dynamic dimension, and where these shapes do not go through the network, as a guess may not,
 * its nodes are those of the file. The model is as it was, and kept alive.
 * Errors: INVALID_ARGUMENT (a count, or which input does not fit, or shapes that do not fit each other,
 * the node named), UNSUPPORTED (operator and node by name; of a model without a context the node is
 * refused instead), CORRUPT_FILE (attributes that make no sense), OUT_OF_MEMORY. */
OCTET_API octet_status octet_inspection_create(octet_model *model, const octet_session_desc *desc,
                                               octet_inspection **inspection);
/* Release it; NULL does nothing. */
OCTET_API void octet_inspection_destroy(octet_inspection *inspection);

typedef enum octet_node_path {
    OCTET_NODE_INT8 = 0, /* integer arithmetic on 8-bit data */
    OCTET_NODE_FLOAT,    /* float arithmetic on the device */
    OCTET_NODE_MOVE,     /* moves or renames data, no arithmetic */
    OCTET_NODE_REFUSED   /* not possible; the session cannot be created */
} octet_node_path;

typedef struct octet_node_info {
    size_t struct_size;
    const char *name, *op_type, *domain; /* these and reason live as long as the inspection */
    octet_node_path path;
    const char *reason; /* of a refusal, "" otherwise */
    int64_t macs;       /* multiply-accumulates at these shapes; -1 unknown */
    uint64_t weight_bytes;
} octet_node_info;

/* How many nodes there are; 0 for NULL. */
OCTET_API size_t octet_inspection_node_count(const octet_inspection *inspection);
/* Node `index`, in the order of a run. Errors: INVALID_ARGUMENT (index out of range). */
OCTET_API octet_status octet_inspection_node(const octet_inspection *inspection, size_t index,
                                             octet_node_info *info);
/* Output `index` of the model as it is at these shapes, as far as they go through the network. The name
 * lives as long as the inspection. Errors: INVALID_ARGUMENT (index out of range). */
OCTET_API octet_status octet_inspection_output(const octet_inspection *inspection, size_t index,
                                               octet_value_info *info);

/* ---- tuning -------------------------------------------------------------------------------------------- */

/* Which kernel variant is fastest for a product or convolution of one size is estimated; tuning measures it.
 * Variants that may serve run on random data; those whose result is not the reference's, byte for byte, are
 * dropped, the rest is timed. What is found goes to a text file in the user's cache folder, for this device,
 * driver and version, and is used by contexts that are made afterwards. Results of a network are the same
 * bytes with any variant. */
typedef struct octet_tune_result {
    size_t struct_size;
    const char *problem; /* "gemm 1x4096x4096 batch 1" */
    const char *variant; /* experimental: the name of the fastest */
    int64_t spread;      /* experimental: parts of k, or rows of a work-group; 0: the variant's own way */
    const char *usual_variant;     /* experimental: what is taken without tuning */
    double seconds, usual_seconds; /* medians of one run; usual 0: its result was wrong */
    size_t tried;                  /* variants and ways to spread their work */
    const char *dropped;           /* "" or variants with a wrong result or none, "NAME (why), NAME (why)" */
    size_t index, count;           /* this is problem `index` of `count` */
} octet_tune_result;

/* Told of a result, on the thread that tunes; its texts live during the call only. 0 goes on, anything else
 * ends the work; what was told is kept. */
typedef int octet_tune_fn(void *user, const octet_tune_result *result);

typedef struct octet_tune_desc {
    size_t struct_size;
    double seconds; /* up to 3600 that the best few of a problem are timed in turns; 0: the fewest runs */
    uint64_t seed;  /* of the data */
    octet_tune_fn *found; /* told of each problem; may be NULL */
    void *user;
} octet_tune_desc;

/* Tune one product. B itself is not needed: data is random, zero points and scales are those given. desc
 * may be NULL. Nothing else should run on the device meanwhile.
 * Errors: those of octet_gemm_create; INVALID_ARGUMENT (no cache folder, seconds out of range, or `found`
 * ended it), CORRUPT_FILE (the file cannot be written), DEVICE_ERROR (also: no variant gives the right
 * result). */
OCTET_API octet_status octet_tune_gemm(octet_context *context, const octet_gemm_desc *gemm,
                                       const octet_tune_desc *desc);
/* Tune every product and convolution of a model as a session of desc `session` would run them (NULL:
 * dynamic dimensions are 1). desc may be NULL.
 * Errors: those of octet_model_plan; INVALID_ARGUMENT, CORRUPT_FILE and DEVICE_ERROR as for
 * octet_tune_gemm. */
OCTET_API octet_status octet_tune_model(octet_model *model, const octet_session_desc *session,
                                        const octet_tune_desc *desc);
/* Forget what was found for the context's device; contexts that live go on with what they know. Errors:
 * INVALID_ARGUMENT (no cache folder), CORRUPT_FILE (the file cannot be removed). */
OCTET_API octet_status octet_tuning_reset(octet_context *context);

#ifdef __cplusplus
}
#endif
#endif
