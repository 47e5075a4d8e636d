#include "offsets.h"

#include <stdlib.h>

static int by_size_then_start(const void *x, const void *y)
{
    const oct_span *a = x, *b = y;
    if (a->bytes != b->bytes)
        return a->bytes < b->bytes ? 1 : -1;
    if (a->first != b->first)
        return a->first < b->first ? -1 : 1;
    return (a->mem > b->mem) - (a->mem < b->mem);
}

static int by_offset(const void *x, const void *y)
{
    const oct_span *a = *(oct_span *const *)x, *b = *(oct_span *const *)y;
    return (a->offset > b->offset) - (a->offset < b->offset);
}

void oct_sort_spans(oct_span *spans, int count)
{
    qsort(spans, (size_t)count, sizeof *spans, by_size_then_start);
}

/* The first place from `at` on where this many bytes do not cross a multiple of chunk. */
static size_t within_chunk(size_t at, size_t bytes, size_t chunk)
{
    bool crosses = bytes && at / chunk != (at + bytes - 1) / chunk;
    return crosses ? (at / chunk + (at % chunk != 0)) * chunk : at;
}

/* Largest first, each into the lowest gap between the already placed ones it meets (greedy by size; Pisarchyk
 * and Lee, "Efficient Memory Management for Deep Neural Net Inference", 2020). */
bool oct_assign_offsets(oct_span *spans, int count, size_t base, size_t chunk, size_t *end)
{
    oct_span **live = malloc((size_t)(count ? count : 1) * sizeof *live);
    if (!live)
        return false;
    oct_sort_spans(spans, count);
    *end = base;
    for (int i = 0; i < count; i++) {
        int live_count = 0;
        for (int j = 0; j < i; j++) {
            if (spans[j].first <= spans[i].last && spans[i].first <= spans[j].last)
                live[live_count++] = &spans[j];
        }
        qsort(live, (size_t)live_count, sizeof *live, by_offset);
        size_t at = within_chunk(base, spans[i].bytes, chunk);
        for (int j = 0; j < live_count; j++) {
            if (live[j]->offset >= at && live[j]->offset - at >= spans[i].bytes)
                break;
            size_t after = live[j]->offset + live[j]->bytes;
            if (after > at)
                at = within_chunk(after, spans[i].bytes, chunk);
        }
        spans[i].offset = at;
        if (at + spans[i].bytes > *end)
            *end = at + spans[i].bytes;
    }
    free(live);
    return true;
}
