/* How a program that runs under the OpenCL layer tells it what shall fail, and asks what it saw: found by
 * dlsym in the module that ocl-icd has loaded. */
#ifndef FAULT_LAYER_H
#define FAULT_LAYER_H

typedef enum fault_kind {
    FAULT_CALL,   /* a call returns an error and does nothing */
    FAULT_EVENT,  /* a command is enqueued, does nothing, and its event ends with a negative status */
    FAULT_BINARY, /* a call that makes or builds a program of a binary */
    FAULT_KINDS
} fault_kind;

/* The `at`-th call of this kind from now on fails with `code`; sticky: so do those after it. at 0: none. */
typedef struct fault_order {
    fault_kind kind;
    long at;
    int code, sticky;
} fault_order;

typedef struct fault_seen {
    long calls[FAULT_KINDS]; /* since the last order */
    long fired;              /* calls that failed on order since then */
    long live;               /* objects made and not released, since the start */
    const char *name;        /* of the call that failed first */
} fault_seen;

void fault_layer_order(const fault_order *order);
void fault_layer_look(fault_seen *seen);

#endif
