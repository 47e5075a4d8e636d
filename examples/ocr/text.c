/* See text.h. */
#include "text.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_BYTES_MAX = 1 << 20 };

char *read_text(const char *path)
{
    FILE *file = fopen(path, "rb");
    char *bytes = file ? malloc(TEXT_BYTES_MAX) : NULL;
    size_t got = bytes ? fread(bytes, 1, TEXT_BYTES_MAX, file) : 0;
    if (!file)
        fprintf(stderr, "ocr: %s: %s\n", path, strerror(errno));
    else if (!bytes || got == TEXT_BYTES_MAX)
        fprintf(stderr, "ocr: %s: too large\n", path);
    if (file)
        fclose(file);
    if (got == 0 || got == TEXT_BYTES_MAX) {
        free(bytes);
        return NULL;
    }
    bytes[got] = '\0';
    return bytes;
}

int alphabet_read(const char *path, alphabet *letters)
{
    *letters = (alphabet){.bytes = read_text(path)};
    if (!letters->bytes)
        return -1;
    size_t lines = 1;
    for (char *c = letters->bytes; *c; c++)
        lines += *c == '\n';
    letters->letters = malloc(lines * sizeof *letters->letters);
    if (!letters->letters) {
        fprintf(stderr, "ocr: out of memory\n");
        return -1;
    }
    for (char *line = letters->bytes; *line;) {
        char *end = line + strcspn(line, "\n");
        char *next = *end ? end + 1 : end;
        *end = '\0';
        letters->letters[letters->count++] = line;
        line = next;
    }
    return 0;
}

void alphabet_free(alphabet *letters)
{
    free(letters->bytes);
    free(letters->letters);
    *letters = (alphabet){0};
}

static size_t best_of(const float *scores, size_t classes)
{
    size_t best = 0;
    for (size_t i = 1; i < classes; i++) {
        if (scores[i] > scores[best])
            best = i;
    }
    return best;
}

char *decode(const alphabet *letters, const float *scores, size_t steps, size_t classes, double *certainty)
{
    size_t longest = 1, before = 0, taken = 0;
    for (size_t i = 0; i < letters->count; i++)
        longest = strlen(letters->letters[i]) > longest ? strlen(letters->letters[i]) : longest;
    char *text = malloc(steps * longest + 1), *end = text;
    double sum = 0;
    for (size_t step = 0; text && step < steps; step++) {
        size_t best = best_of(scores + step * classes, classes);
        if (best != 0 && best != before) {
            const char *letter = best <= letters->count ? letters->letters[best - 1] : " ";
            if (end == text && strcmp(letter, " ") == 0)
                letter = "";
            memcpy(end, letter, strlen(letter));
            end += strlen(letter);
            sum += (double)scores[step * classes + best];
            taken++;
        }
        before = best;
    }
    while (end > text && end[-1] == ' ')
        end--;
    if (text)
        *end = '\0';
    *certainty = taken ? sum / (double)taken : 0;
    return text;
}

/* Where the next letter begins. */
static const char *after(const char *letter)
{
    do {
        letter++;
    } while (((unsigned char)*letter & 0xC0) == 0x80);
    return letter;
}

static size_t letters_of(const char *text)
{
    size_t count = 0;
    for (; *text; text = after(text))
        count++;
    return count;
}

static long least(long a, long b, long c)
{
    long ab = a < b ? a : b;
    return ab < c ? ab : c;
}

/* Levenshtein's distance, a row of the table at a time. */
long edit_distance(const char *a, const char *b, size_t *length)
{
    size_t columns = letters_of(b);
    long *row = malloc((columns + 1) * sizeof *row);
    if (length)
        *length = columns;
    if (!row)
        return -1;
    for (size_t i = 0; i <= columns; i++)
        row[i] = (long)i;
    for (; *a; a = after(a)) {
        long diagonal = row[0]++;
        const char *other = b;
        for (size_t i = 1; i <= columns; i++, other = after(other)) {
            size_t bytes = (size_t)(after(a) - a);
            int equal = bytes == (size_t)(after(other) - other) && memcmp(a, other, bytes) == 0;
            long above = row[i];
            row[i] = least(above + 1, row[i - 1] + 1, diagonal + !equal);
            diagonal = above;
        }
    }
    long result = row[columns];
    free(row);
    return result;
}
