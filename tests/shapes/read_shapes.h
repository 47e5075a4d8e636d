/* The lists of shapes in this folder, which tests, benchmarks and `octet tune --shapes` read. Convolutions: a
 * line each as oct_geometry_parse has it, "4 times" before it where it counts; # begins a comment.
 * (gpu_*.txt, products, are for the command: see octet bench --help.) */
#ifndef OCT_READ_SHAPES_H
#define OCT_READ_SHAPES_H

#include "geometry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_SHAPES = 64 };
typedef struct shape_list {
    struct {
        oct_geometry g;
        int times;
    } at[MOST_SHAPES];
    size_t count;
} shape_list;

/* file: a path, or a name in this folder. What cannot be read ends the program. */
static inline void read_shapes(const char *file, shape_list *list)
{
    char path[1024], line[256];
    int number = 0;
    snprintf(path, sizeof path, "%s%s", strchr(file, '/') ? "" : OCTET_SOURCE_DIR "/tests/shapes/", file);
    FILE *f = fopen(path, "r");
    bool ok = f != NULL;
    for (list->count = 0; ok && fgets(line, sizeof line, f); number++) {
        int times = 1, at = 0;
        line[strcspn(line, "\n")] = '\0';
        if (line[0] == '#' || line[0] == '\0')
            continue;
        if (sscanf(line, "%d times %n", &times, &at) != 1 || at == 0)
            times = 1, at = 0;
        ok = list->count < MOST_SHAPES && oct_geometry_parse(line + at, &list->at[list->count].g);
        list->at[list->count++].times = times;
    }
    if (f)
        fclose(f);
    if (!ok || list->count == 0) {
        fprintf(stderr, "%s: line %d: this is no list of convolutions\n", path, number);
        exit(1);
    }
}

#endif
