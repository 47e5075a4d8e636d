/* liboctet with your own OpenCL objects. Link OpenCL yourself; nothing here changes who owns what: contexts
 * and queues are retained while Octet uses them, buffers stay yours. Conventions, threads and versions as in
 * octet.h. */
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

/* Make a context of the caller's cl_context and in-order queue; the queue's device is used. Both are
 * retained. desc may be NULL; its `device` is ignored, and profiling needs a queue that profiles. What
 * Octet enqueues takes its turn with what the caller enqueues.
 * Errors: INVALID_ARGUMENT (a NULL, a queue that is not valid, not of this context, or out of order),
 * OUT_OF_MEMORY, DEVICE_ERROR. */
OCTET_API octet_status octet_context_from_cl(cl_context context, cl_command_queue queue,
                                             const octet_context_desc *desc, octet_context **octet);

/* The cl_context that an octet_context runs on, borrowed: valid while the octet_context lives. NULL for
 * NULL. */
OCTET_API cl_context octet_context_cl(octet_context *octet);
/* Its queue, likewise. */
OCTET_API cl_command_queue octet_context_queue(octet_context *octet);

/* Enqueue a GEMM on buffers of the same cl_context; does not wait. Operands start at these byte offsets
 * and are laid out as octet_gemm_run says; b and b_offset are not looked at unless b_is_runtime. Buffers
 * must live until the work is done.
 * event: NULL, or receives an event that completes with the last kernel (NULL where there was nothing to
 * run); the caller releases it.
 * Errors: INVALID_ARGUMENT (an operand by name: its buffer is NULL, too small, or of another context),
 * OUT_OF_MEMORY, DEVICE_ERROR. */
OCTET_API octet_status octet_gemm_enqueue(octet_gemm *gemm, cl_mem a, size_t a_offset, cl_mem b,
                                          size_t b_offset, cl_mem c, size_t c_offset, cl_event *event);

/* Enqueue a run of a session on buffers of the same cl_context; does not wait, but plans a shape that is
 * new first, as octet_session_create does.
 * shapes: NULL for those that ran or were planned last, or [input_count] with the dims of each input, no -1.
 * inputs: [input_count] and outputs: [output_count], in model order: dense tensors in ONNX order, of the
 * model's own dtypes whatever the session's border, from byte 0 of each buffer. Buffers must live until the
 * work is done, and none may be input and output.
 * event: as for octet_gemm_enqueue.
 * Errors: INVALID_ARGUMENT (a count; a NULL array; shapes NULL before any shape is planned; dims that do
 * not fit the model, the input named; a buffer that is NULL, too small, or of another context, the input
 * or output named), UNSUPPORTED and OUT_OF_MEMORY (a new shape that cannot be planned, the node named, or
 * has no room), DEVICE_ERROR. Where it fails with DEVICE_ERROR a part may be enqueued: finish the queue
 * before buffers are released. */
OCTET_API octet_status octet_session_enqueue(octet_session *session, const octet_value_info *shapes,
                                             const cl_mem *inputs, size_t input_count, const cl_mem *outputs,
                                             size_t output_count, cl_event *event);

/* Wait until everything on the queue is done, and tell what runs that were enqueued found wrong in their
 * data: an index out of range, which takes the nearest row meanwhile. Of several it tells one; an
 * octet_session_run at the same shapes may be the first to tell. What was found at shapes whose plan has gone
 * since (a session keeps the last few) is not told.
 * Errors: INVALID_ARGUMENT (node, tensor, position, number, and what is in range), DEVICE_ERROR. */
OCTET_API octet_status octet_session_finish(octet_session *session);

#ifdef __cplusplus
}
#endif
#endif
