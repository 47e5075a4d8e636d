/* A map from text to a number, for the names of a network. Texts are not copied: they must outlive the map.
 */
#ifndef OCT_NAMES_H
#define OCT_NAMES_H

#include <stdbool.h>
#include <stddef.h>

typedef struct oct_names {
    struct oct_name_slot {
        const char *text; /* NULL: free */
        int number;
    } * slots;
    size_t capacity, count; /* capacity is 0 or a power of two */
} oct_names;                /* {0} is an empty map */

int oct_names_find(const oct_names *names, const char *text); /* -1: not there */
/* The text must not be there yet. false: out of memory. */
bool oct_names_add(oct_names *names, const char *text, int number);
void oct_names_free(oct_names *names);

#endif
