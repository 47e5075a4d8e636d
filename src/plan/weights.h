/* Resident weights shared by the plans of one session. What a plan keeps resident is identified by how it
 * comes about: a constant by its bytes' address, the result of a load-list launch by the launch and its
 * inputs. A plan for another shape finds what earlier plans have packed and neither uploads nor packs it
 * again. Belongs to one thread at a time. */
#ifndef OCT_WEIGHTS_H
#define OCT_WEIGHTS_H

#include "device.h"
#include "recipe.h"

/* When a launch runs; the memory plan decides. */
typedef enum oct_phase {
    OCT_PHASE_LOAD,   /* once, when the plan is bound */
    OCT_PHASE_RUN,    /* in every run */
    OCT_PHASE_DROPPED /* its results are resident already, or nobody reads them */
} oct_phase;

typedef struct oct_resident {
    uint64_t identity[2]; /* two hashes of the same description */
    cl_mem buffer;
    size_t offset;
} oct_resident;

typedef struct oct_weights {
    oct_resident *entries;
    size_t count, capacity;
    cl_mem *buffers; /* each retained once */
    size_t buffer_count, buffer_capacity;
} oct_weights; /* {0} is empty */

typedef struct oct_identity {
    uint64_t hash[2]; /* both 0: none (changes from run to run, or written by several launches) */
} oct_identity;

/* Identities of every memory of a recipe; `out` has recipe->mem_count entries. phases: per launch, as the
 * memory plan has them. */
void oct_identify(const oct_recipe *recipe, const oct_phase *phases, oct_identity *out);

/* NULL if nothing of this identity is resident. */
const oct_resident *oct_weights_find(const oct_weights *w, const oct_identity *id);
/* Errors: OUT_OF_MEMORY (host). */
octet_status oct_weights_add_buffer(oct_weights *w, cl_mem buffer); /* retains it */
octet_status oct_weights_add(oct_weights *w, const oct_identity *id, cl_mem buffer, size_t offset);
void oct_weights_free(oct_weights *w);

#endif
