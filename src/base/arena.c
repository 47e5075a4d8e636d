#include "arena.h"
#include "sizes.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_BYTES 16384

struct oct_arena_block {
    oct_arena_block *next;
    size_t used, size;
    max_align_t data[];
};

void *oct_arena_alloc(oct_arena *arena, size_t n, size_t size)
{
    size_t bytes;
    if (!oct_size_mul(n, size, &bytes) || bytes > SIZE_MAX / 2)
        return NULL;
    bytes = oct_round_up(bytes ? bytes : 1, sizeof(max_align_t));
    oct_arena_block *b = arena->blocks;
    if (!b || b->size - b->used < bytes) {
        size_t capacity = bytes > BLOCK_BYTES ? bytes : BLOCK_BYTES;
        b = calloc(1, sizeof *b + capacity);
        if (!b)
            return NULL;
        b->size = capacity;
        b->next = arena->blocks;
        arena->blocks = b;
    }
    void *p = (char *)b->data + b->used;
    b->used += bytes;
    return p;
}

char *oct_arena_strndup(oct_arena *arena, const char *text, size_t length)
{
    char *copy = length < SIZE_MAX ? oct_arena_alloc(arena, length + 1, 1) : NULL;
    if (copy && length)
        memcpy(copy, text, length);
    return copy;
}

char *oct_arena_strdup(oct_arena *arena, const char *text)
{
    return oct_arena_strndup(arena, text, strlen(text));
}

void oct_arena_free(oct_arena *arena)
{
    while (arena->blocks) {
        oct_arena_block *next = arena->blocks->next;
        free(arena->blocks);
        arena->blocks = next;
    }
}

bool oct_grow(void **array, int count, int *capacity, size_t elem_bytes)
{
    if (count < *capacity)
        return true;
    if (*capacity > INT_MAX / 2)
        return false;
    int wanted = *capacity ? *capacity * 2 : 64;
    void *bigger = realloc(*array, (size_t)wanted * elem_bytes);
    if (!bigger)
        return false;
    *array = bigger;
    *capacity = wanted;
    return true;
}
