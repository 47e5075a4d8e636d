/* liboctet with your own OpenCL objects. Link OpenCL yourself; nothing here changes who owns what: contexts
 * and queues are retained while Octet uses them, buffers stay yours. */
#ifndef OCTET_OPENCL_H
#define OCTET_OPENCL_H

#include <octet/octet.h>

#ifndef CL_TARGET_OPENCL_VERSION
#define CL_TARGET_OPENCL_VERSION 300
#endif
#ifdef __APPLE__
#include <OpenCL/cl.h>
#else
#include <CL/cl.h>
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Run on the caller's context and in-order queue (its device is used). desc may be NULL; its `device` is
 * ignored. Errors: INVALID_ARGUMENT (NULL, the queue is not of this context, or is out of order),
 * DEVICE_ERROR. */
OCTET_API octet_status octet_context_from_cl(cl_context context, cl_command_queue queue,
                                             const octet_context_desc *desc, octet_context **octet);

/* What an octet_context runs on, borrowed: valid while the octet_context lives. */
OCTET_API cl_context octet_context_cl(octet_context *octet);
OCTET_API cl_command_queue octet_context_queue(octet_context *octet);

/* A GEMM on buffers of the same context, enqueued on the context's queue; does not wait. Operands start at
 * the given byte offsets and are read or written in the layout of the descriptor. b and b_offset are ignored
 * unless b_is_runtime. `event` (may be NULL) receives an event that completes with the last kernel; release
 * it. Errors: INVALID_ARGUMENT (a buffer too small or of another context), DEVICE_ERROR. */
OCTET_API octet_status octet_gemm_enqueue(octet_gemm *gemm, cl_mem a, size_t a_offset, cl_mem b,
                                          size_t b_offset, cl_mem c, size_t c_offset, cl_event *event);

/* A session run whose tensors are buffers of the same context, dense, ONNX order, in model order; dims from
 * `shapes` (NULL: those of the last run or plan). Enqueues and does not wait. */
OCTET_API octet_status octet_session_enqueue(octet_session *session, const octet_value_info *shapes,
                                             const cl_mem *inputs, size_t input_count, const cl_mem *outputs,
                                             size_t output_count, cl_event *event);

#ifdef __cplusplus
}
#endif
#endif
