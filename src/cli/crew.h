/* The devices that --device names for one model: one, several by a list with commas, or "all" of the best
 * kind there is. With more than one a batch is divided evenly among them. For run and bench. */
#ifndef CLI_CREW_H
#define CLI_CREW_H

#include "tensors.h"

typedef struct crew {
    size_t count;
    struct crew_member {
        octet_context *context;
        octet_model *model;
        octet_session *session;
    } * members;
} crew; /* {0} is none */

/* All return 0 or the exit status with the error told. */
int crew_open(const cli_options *options, crew *c);
int crew_load(const cli_options *options, crew *c, const char *path);
/* A session on each, for these inputs as a whole. */
int crew_make_sessions(const cli_options *options, crew *c, const tensor_list *inputs);
int crew_run(const crew *c, const tensor_list *inputs, tensor_list *outputs);
/* Those of all devices together. */
int crew_counters(const crew *c, octet_counters *sum);
void crew_reset_counters(const crew *c);
int crew_info(const crew *c, octet_session_info *sum);
void crew_close(crew *c);

#endif
