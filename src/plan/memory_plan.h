/* Where every memory of a recipe goes and when every launch runs: pure computation, no OpenCL. */
#ifndef OCT_MEMORY_PLAN_H
#define OCT_MEMORY_PLAN_H

#include "recipe.h"
#include "weights.h"

#define OCT_MEM_ALIGN 64

/* Constants up to this size travel together in one transfer and stay resident. */
#define OCT_SMALL_CONST_BYTES 4096

typedef enum oct_region {
    OCT_REGION_NOWHERE, /* no launch touches it, or it has no bytes */
    OCT_REGION_ARENA,   /* activations and scratch of a run */
    OCT_REGION_SMALL,   /* small constants: the head of the weights buffer, uploaded in one piece */
    OCT_REGION_WEIGHTS, /* resident: constants that runs read, results of the load list that runs read */
    OCT_REGION_SHARED,  /* resident already, from an earlier plan */
    OCT_REGION_STAGING  /* needed by the load list only; freed when it is done */
} oct_region;

typedef struct oct_place {
    oct_region region;
    size_t offset; /* within its region; SMALL and WEIGHTS share one buffer and one offset space */
    int first_use; /* index into the recipe's launches; -1: none */
    const oct_resident *shared; /* OCT_REGION_SHARED */
} oct_place;

typedef struct oct_memory_plan {
    oct_place *places;                                             /* one per recipe memory */
    oct_identity *identities;                                      /* likewise */
    oct_phase *phases;                                             /* one per recipe launch */
    size_t arena_bytes, small_bytes, weights_bytes, staging_bytes; /* weights_bytes includes small_bytes */
} oct_memory_plan;

/* weights: what is resident already, NULL for nothing. Errors: OUT_OF_MEMORY (host), also when the sizes add
 * up past SIZE_MAX / 2. */
octet_status oct_memory_plan_make(const oct_recipe *recipe, const oct_weights *weights,
                                  oct_memory_plan *plan);
void oct_memory_plan_free(oct_memory_plan *plan);

#endif
