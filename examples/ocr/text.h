/* Letters: the alphabet of the recognition network, its answer as a string, and how far two strings are
 * apart. UTF-8. */
#ifndef OCR_TEXT_H
#define OCR_TEXT_H

#include <stddef.h>

/* A file of at most 1 MiB, at least a byte, as a string that the caller frees; NULL with a line on stderr. */
char *read_text(const char *path);

typedef struct alphabet {
    char *bytes;    /* the file */
    char **letters; /* [count], each a string */
    size_t count;
} alphabet;

/* A file with a letter a line; *letters is the caller's to free with alphabet_free, also on failure. 0, or -1
 * with a line on stderr. */
int alphabet_read(const char *path, alphabet *letters);
void alphabet_free(alphabet *letters);

/* Greedy CTC: scores [steps][classes] with class 0 "no letter", then the alphabet, then the space. The best
 * class of each step, repetitions and "no letter" left out, and spaces at both ends. *certainty: the mean
 * score of the letters taken, 0 if none is. NULL when memory is short; else the caller frees. */
char *decode(const alphabet *letters, const float *scores, size_t steps, size_t classes, double *certainty);

/* The least number of letters to insert, remove or change that makes one string the other; -1 when memory is
 * short. *length, which may be NULL: the letters of b. */
long edit_distance(const char *a, const char *b, size_t *length);

#endif
