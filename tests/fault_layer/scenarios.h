/* What runs under faults: uses of the library, and the command from its first line to its last. */
#ifndef SCENARIOS_H
#define SCENARIOS_H

#include <stddef.h>
#include <stdint.h>

enum { SCENARIO_TEXT = 4096 };

typedef struct outcome {
    int failed;               /* 0: done; 1: an error, told in `text`; 2: told wrongly, see `text` */
    uint64_t hash;            /* of the results, where it is done */
    char text[SCENARIO_TEXT]; /* of the error: one line */
} outcome;

typedef struct scenario {
    const char *name;
    const char *variable, *value; /* of the environment while it runs; NULL: none */
    void (*run)(const struct scenario *scenario, outcome *out);
    const char
        *arguments; /* of the command, separated by blanks; @ stands for the folder, % for examples/digits */
} scenario;

extern const scenario scenarios[];
extern const size_t scenario_count;

/* Run one in clean folders; begin and end are called next to it: faults are on between them. */
void scenario_run(const scenario *scenario, void (*begin)(void), void (*end)(void), outcome *out);

/* scenario_files.c */
#define SCENARIO_MODEL OCTET_SOURCE_DIR "/examples/digits/digits_int8.onnx"
enum { SCENARIO_ROWS = 4, SCENARIO_PIXELS = 64 };
extern float scenario_pixels[SCENARIO_ROWS * SCENARIO_PIXELS]; /* pictures for that */
void scenario_make_files(const char *folder);
void scenario_empty(const char *path);
uint64_t scenario_hash_files(const char *path); /* of a folder */

/* Make the files that scenarios read in `folder`. */
void scenarios_prepare(const char *folder);

#endif
