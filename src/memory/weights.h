/* The index of resident weights that the plans of one session share. What a plan keeps resident is identified
 * by how it comes about: a constant by its bytes' address, the result of load-list launches by these and
 * their inputs. A plan for another shape finds what earlier plans have packed and neither uploads nor packs
 * it again. The buffers belong to the store (store.h). Belongs to one thread at a time. */
#ifndef OCT_WEIGHTS_H
#define OCT_WEIGHTS_H

#include "recipe.h"

/* When a launch runs; the memory plan decides. 0: never, its results are resident already or nobody reads
 * them. */
typedef unsigned char oct_phase;
enum {
    OCT_IN_LOAD = 1, /* once, when the plan is bound */
    OCT_IN_RUN = 2   /* in every run; with OCT_IN_LOAD: it packs streamed weights */
};

typedef struct oct_resident {
    uint64_t identity[2]; /* two hashes of the same description */
    void *buffer;         /* of the store: its own handle, not looked into here */
    size_t offset;
} oct_resident;

typedef struct oct_weights {
    oct_resident *entries;
    int count, capacity;
} oct_weights; /* {0} is empty */

typedef struct oct_identity {
    uint64_t hash[2]; /* hash[0] is 0: none, it changes from run to run */
} oct_identity;

/* Identities of every memory of a recipe; `out` has recipe->mem_count entries. phases: per launch, as the
 * memory plan has them. */
void oct_identify(const oct_recipe *recipe, const oct_phase *phases, oct_identity *out);

/* NULL if nothing of this identity is resident. */
const oct_resident *oct_weights_find(const oct_weights *w, const oct_identity *id);
/* Errors: OUT_OF_MEMORY (host). */
octet_status oct_weights_add(oct_weights *w, const oct_identity *id, void *buffer, size_t offset);
void oct_weights_free(oct_weights *w);

#endif
