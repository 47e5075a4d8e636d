/* Where every memory of a recipe goes and when every launch runs: pure computation. Weights that
 * do not fit the limit are streamed: uploaded, and packed, in every run. */
#ifndef OCT_MEMORY_PLAN_H
#define OCT_MEMORY_PLAN_H

#include "recipe.h"
#include "weights.h"

#define OCT_MEM_ALIGN 64

/* Constants up to this size travel together in one transfer and stay resident. */
#define OCT_SMALL_CONST_BYTES 4096

typedef enum oct_region {
    OCT_REGION_NOWHERE, /* no launch touches it, or it has no bytes */
    OCT_REGION_ARENA,   /* activations and scratch of a run, streamed weights */
    OCT_REGION_SMALL,   /* small constants: the head of the weights, uploaded in one piece */
    OCT_REGION_WEIGHTS, /* resident: constants that runs read, results of the load list that runs read */
    OCT_REGION_SHARED,  /* resident already, from an earlier plan */
    OCT_REGION_STAGING  /* needed by the load list only */
} oct_region;

typedef struct oct_place {
    oct_region region;
    size_t offset; /* within its region; SMALL and WEIGHTS share one, ARENA and STAGING share the scratch */
    const oct_resident *shared; /* OCT_REGION_SHARED */
} oct_place;

/* A constant that is uploaded in every run: once the launches before `start` are done, and before `first`
 * reads it. */
typedef struct oct_stream {
    oct_mem mem;
    int start, first; /* indices into the recipe's launches */
} oct_stream;

/* What there is to place things in. Sizes in bytes. */
typedef struct oct_memory_limits {
    size_t chunk;   /* no memory crosses a multiple of it: the largest buffer */
    size_t limit;   /* of resident weights and scratch together; SIZE_MAX: none */
    size_t pad;     /* what each buffer takes besides */
    size_t held;    /* resident weights of earlier plans */
    size_t scratch; /* scratch of earlier plans: it does not shrink */
    bool can_stream;
} oct_memory_limits;

typedef struct oct_memory_plan {
    oct_arena arena;          /* of all arrays */
    oct_place *load, *run;    /* one per recipe memory: where the load list and where runs find it */
    oct_identity *identities; /* likewise */
    oct_phase *phases;        /* one per recipe launch */
    oct_stream *streams;      /* in the order of `first` */
    int stream_count;
    size_t arena_bytes, small_bytes, weights_bytes, staging_bytes; /* weights_bytes includes small_bytes */
    size_t device_bytes;   /* all of it, with what earlier plans hold */
    size_t streamed_bytes; /* a run */
} oct_memory_plan;

/* weights: what is resident already, NULL for nothing. *least (may be NULL): the least limit this recipe fits
 * in, 0 when it is not known. Errors: OUT_OF_MEMORY (host, the limit, a memory larger than a buffer may be;
 * also when the sizes add up past SIZE_MAX / 2). */
octet_status oct_memory_plan_make(const oct_recipe *recipe, const oct_weights *weights,
                                  const oct_memory_limits *limits, oct_memory_plan *plan, size_t *least);
void oct_memory_plan_free(oct_memory_plan *plan);

#endif
