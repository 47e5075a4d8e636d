/* One batch over several sessions, a thread for each. */
#ifndef OCT_BATCH_H
#define OCT_BATCH_H

#include "session.h"

/* octet_sessions_run with two sessions or more, which are different ones; inputs and outputs are as many as
 * the first one's model has. */
octet_status oct_batch_run(octet_session *const *sessions, size_t count, const double *shares,
                           const octet_tensor *inputs, octet_tensor *outputs);

#endif
