/* octet_session: a model's plans, and running them. Argument checks that need no model are the caller's.
 * Belongs to one thread at a time. */
#ifndef OCT_SESSION_H
#define OCT_SESSION_H

#include "model.h"

/* Retains the model. Plans now what is known now: the shapes of desc or of a model without dynamic
 * dimensions. */
octet_status oct_session_make(octet_model *model, const octet_session_desc *desc, octet_session **session);
void oct_session_free(octet_session *session); /* NULL is fine */

const octet_model *oct_session_model(const octet_session *session);
/* Is its device lost, and do others do its rows then? */
bool oct_session_is_left_out(const octet_session *session);
/* The plan in use, for what it is and has measured; NULL: none yet. Valid until the session is used again. */
const oct_plan *oct_session_plan(const octet_session *session);
uint64_t oct_session_device_bytes(const octet_session *session); /* held, of all its plans */
/* Kernel times of the last run, with profiling; node is an index into the plan's names. */
const oct_launch_time *oct_session_times(const octet_session *session, size_t *count);

/* Check inputs, as many as the model has, and have a plan for them in use. */
octet_status oct_session_prepare(octet_session *session, const octet_tensor *inputs);
/* octet_session_run and octet_session_enqueue, their counts checked. */
octet_status oct_session_run(octet_session *session, const octet_tensor *inputs, octet_tensor *outputs);
octet_status oct_session_enqueue(octet_session *session, const octet_value_info *shapes, const cl_mem *inputs,
                                 const cl_mem *outputs, cl_event *event);
octet_status oct_session_finish(octet_session *session);

#endif
