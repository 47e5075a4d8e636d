#include "store.h"
#include "host_memory.h"

#include <stdlib.h>
#include <string.h>

/* Half of a memory that is the host's too; a device's own it can have whole. 0: not known. */
static uint64_t share_of(const octet_device_info *device)
{
    uint64_t host = oct_host_memory(), all = device->global_bytes;
    if (!device->unified_memory)
        return all;
    return (all && all < host ? all : host) / 2;
}

void oct_store_init(oct_store *s, oct_device *device, uint64_t memory_limit)
{
    const octet_device_info *info = &oct_device_caps(device)->info;
    uint64_t limit = memory_limit ? info->global_bytes : share_of(info);
    memset(s, 0, sizeof *s);
    s->device = device;
    s->chunk = oct_buffer_largest(device, OCT_MEM_ALIGN);
    s->chunk = s->chunk ? s->chunk : OCT_MEM_ALIGN; /* making buffers will fail */
    if (memory_limit && (memory_limit < limit || !limit))
        limit = memory_limit;
    s->limit = limit && limit < SIZE_MAX ? (size_t)limit : SIZE_MAX;
}

void oct_store_free(oct_store *s)
{
    for (int i = 0; i < s->resident_count; i++)
        oct_region_free(s, &s->resident[i]);
    free(s->resident);
    oct_region_free(s, &s->scratch);
    oct_weights_free(&s->weights);
    memset(s, 0, sizeof *s);
}

static size_t cost(const oct_store *s, size_t bytes)
{
    return bytes + (bytes / s->chunk + (bytes % s->chunk != 0)) * OCT_BUFFER_PAD;
}

oct_memory_limits oct_store_limits(const oct_store *s)
{
    return (oct_memory_limits){.chunk = s->chunk,
                               .limit = s->limit,
                               .pad = OCT_BUFFER_PAD,
                               .held = s->resident_bytes,
                               .scratch = s->scratch.bytes,
                               .can_stream = s->can_stream};
}

octet_status oct_store_place(oct_store *s, const oct_recipe *recipe, oct_memory_plan *plan, size_t *least)
{
    const oct_memory_limits limits = oct_store_limits(s);
    s->memory_plans++;
    return oct_memory_plan_make(recipe, &s->weights, &limits, plan, least);
}

octet_status oct_region_make(const oct_store *s, size_t bytes, oct_region_buffers *region)
{
    memset(region, 0, sizeof *region);
    if (!bytes)
        return OCTET_OK;
    size_t count = bytes / s->chunk + (bytes % s->chunk != 0);
    region->at = calloc(count, sizeof *region->at);
    RETURN_IF(!region->at, OCTET_OUT_OF_MEMORY, "out of host memory for %zu buffers", count);
    for (size_t left = bytes; left;) {
        size_t piece = left > s->chunk ? s->chunk : left;
        octet_status status = oct_buffer_create(s->device, piece, &region->at[region->count]);
        if (status != OCTET_OK) {
            oct_region_free(s, region);
            return status;
        }
        region->count++;
        left -= piece;
    }
    region->bytes = bytes;
    return OCTET_OK;
}

void oct_region_free(const oct_store *s, oct_region_buffers *region)
{
    for (size_t i = 0; i < region->count; i++)
        oct_buffer_release(s->device, region->at[i]);
    free(region->at);
    memset(region, 0, sizeof *region);
}

octet_status oct_store_reserve(oct_store *s, size_t bytes)
{
    /* Never empty: it also stands for operands that are absent. */
    bytes = bytes ? bytes : OCT_MEM_ALIGN;
    if (bytes <= s->scratch.bytes)
        return OCTET_OK;
    if (s->scratch.count) { /* give back before taking: both may not fit */
        FORWARD(oct_device_finish(s->device));
        oct_region_free(s, &s->scratch);
    }
    s->scratch_generation++;
    return oct_region_make(s, bytes, &s->scratch);
}

octet_status oct_store_keep(oct_store *s, oct_region_buffers *region)
{
    if (!region->count)
        return OCTET_OK;
    void *resident = s->resident;
    bool ok = oct_grow(&resident, s->resident_count, &s->resident_capacity, sizeof *s->resident);
    s->resident = resident;
    RETURN_IF(!ok, OCTET_OUT_OF_MEMORY, "out of host memory for resident weights");
    s->resident[s->resident_count++] = *region;
    s->resident_bytes += cost(s, region->bytes);
    memset(region, 0, sizeof *region);
    return OCTET_OK;
}
