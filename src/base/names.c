#include "names.h"
#include "hash.h"

#include <stdlib.h>
#include <string.h>

/* The slot that holds the text, or the free one where it would go. */
static struct oct_name_slot *slot_of(const oct_names *n, const char *text)
{
    size_t at = (size_t)oct_hash(OCT_HASH_START, text, strlen(text)) & (n->capacity - 1);
    while (n->slots[at].text && strcmp(n->slots[at].text, text) != 0)
        at = (at + 1) & (n->capacity - 1);
    return &n->slots[at];
}

int oct_names_find(const oct_names *n, const char *text)
{
    if (!n->capacity)
        return -1;
    const struct oct_name_slot *s = slot_of(n, text);
    return s->text ? s->number : -1;
}

static bool grow(oct_names *n)
{
    oct_names bigger = {.capacity = n->capacity ? n->capacity * 2 : 256, .count = n->count};
    bigger.slots = calloc(bigger.capacity, sizeof *bigger.slots);
    if (!bigger.slots)
        return false;
    for (size_t i = 0; i < n->capacity; i++) {
        if (n->slots[i].text)
            *slot_of(&bigger, n->slots[i].text) = n->slots[i];
    }
    free(n->slots);
    *n = bigger;
    return true;
}

bool oct_names_add(oct_names *n, const char *text, int number)
{
    if (2 * (n->count + 1) > n->capacity && !grow(n))
        return false;
    *slot_of(n, text) = (struct oct_name_slot){text, number};
    n->count++;
    return true;
}

void oct_names_free(oct_names *n)
{
    free(n->slots);
    memset(n, 0, sizeof *n);
}
