/* Memory for many things: a bump allocator for small objects that live and die together (a graph, a recipe),
 * and arrays that grow. Not thread-safe. */
#ifndef OCT_ARENA_H
#define OCT_ARENA_H

#include <stdbool.h>
#include <stddef.h>

typedef struct oct_arena_block oct_arena_block;
typedef struct oct_arena {
    oct_arena_block *blocks;
} oct_arena; /* {0} is an empty arena */

/* Zeroed memory of n * size bytes, aligned for any type; NULL when memory is short or n * size overflows.
 * A request of zero bytes gives a valid pointer. */
void *oct_arena_alloc(oct_arena *arena, size_t n, size_t size);
char *oct_arena_strdup(oct_arena *arena, const char *text);
char *oct_arena_strndup(oct_arena *arena, const char *text, size_t length);

/* Free everything; the arena is empty and usable afterwards. */
void oct_arena_free(oct_arena *arena);

/* Room for one more element behind `count` of them, in an array that is the caller's to free. false: memory
 * is short, and *array as it was. */
bool oct_grow(void **array, int count, int *capacity, size_t elem_bytes);

#endif
