#include "host_memory.h"

#include <stdio.h>
#include <unistd.h>

/* The first number of a file; UINT64_MAX where there is none ("max"). */
static uint64_t number_in(const char *path)
{
    unsigned long long number;
    FILE *f = fopen(path, "re");
    if (!f)
        return UINT64_MAX;
    int read = fscanf(f, "%20llu", &number);
    fclose(f);
    return read == 1 ? number : UINT64_MAX;
}

static uint64_t lesser(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

uint64_t oct_host_memory(void)
{
    long pages = sysconf(_SC_PHYS_PAGES), each = sysconf(_SC_PAGESIZE);
    uint64_t all = pages > 0 && each > 0 ? (uint64_t)pages * (uint64_t)each : UINT64_MAX;
    /* What a container sees of its own group, in versions 2 and 1. */
    all = lesser(all, number_in("/sys/fs/cgroup/memory.max"));
    return lesser(all, number_in("/sys/fs/cgroup/memory/memory.limit_in_bytes"));
}

uint64_t oct_sample_memory(void)
{
    return oct_host_memory() / 4;
}
