/* A bump allocator: many small objects that live and die together (a graph, a recipe). Not thread-safe. */
#ifndef OCT_ARENA_H
#define OCT_ARENA_H

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

#endif
