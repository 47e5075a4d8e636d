#include "plan_cache.h"

#include <string.h>

static void open_store(oct_plan_cache *c)
{
    oct_store_init(&c->store, c->device, c->memory_limit);
    c->store.can_stream = c->can_stream;
    c->store.uploaded = c->uploaded;
    c->store.user = c->user;
    c->limit = c->store.limit;
    c->less = 0;
}

void oct_plan_cache_open(oct_plan_cache *c)
{
    c->most = c->most ? c->most : OCT_MAX_PLANS;
    open_store(c);
}

void oct_plan_cache_close(oct_plan_cache *c)
{
    while (c->count)
        oct_plan_destroy(c->plans[--c->count]);
    oct_store_free(&c->store);
}

/* Nothing is held. */
static void start_over(oct_plan_cache *c)
{
    oct_plan_cache_close(c);
    open_store(c);
}

static oct_plan_request request_of(oct_plan_cache *c, const oct_shape *shapes, bool host_border)
{
    return (oct_plan_request){.graph = c->graph,
                              .sized = c->sized,
                              .shapes = shapes,
                              .host_border = host_border,
                              .store = &c->store};
}

octet_status oct_plan_cache_visit(oct_plan_cache *c, const oct_shape *shapes, bool host_border,
                                  oct_plan_visit_fn *visit, void *user, oct_plan_memory *takes)
{
    const oct_plan_request q = request_of(c, shapes, host_border);
    return oct_plan_visit(&q, visit, user, takes);
}

/* A plan within the limit did not fit, with nothing else in the way: the device has less memory than it says,
 * or others hold some of it. Plan for a little less than what was asked for, weights streamed if need be,
 * until it fits or cannot. */
static octet_status plan_for_less(oct_plan_cache *c, const oct_plan_request *q, oct_plan **plan)
{
    octet_status status = OCTET_OUT_OF_MEMORY;
    char first[OCT_ERROR_TEXT_BYTES]; /* what is told if it cannot */
    strcpy(first, oct_error_text());
    while (status == OCTET_OUT_OF_MEMORY) {
        oct_plan_memory takes;
        if (oct_plan_visit(q, NULL, NULL, &takes) != OCTET_OK)
            return oct_fail(status, "%s", first);
        start_over(c);
        c->less = c->store.limit = takes.device_bytes / 16 * 15;
        oct_device_log(c->device, "%s; planning for %zu bytes of device memory", first, c->less);
        status = oct_plan_make(q, plan);
    }
    return status;
}

/* Beside what other shapes hold, if that can be; within what the owner allows, if the device has it. */
static octet_status make_plan(oct_plan_cache *c, const oct_plan_request *q, oct_plan **plan)
{
    c->store.limit = c->limit;
    octet_status status = oct_plan_make(q, plan);
    if (status == OCTET_OUT_OF_MEMORY && c->count && c->less) {
        c->store.limit = c->less;
        status = oct_plan_make(q, plan);
    }
    if (status == OCTET_OUT_OF_MEMORY && c->count) {
        start_over(c);
        status = oct_plan_make(q, plan);
    }
    return status == OCTET_OUT_OF_MEMORY ? plan_for_less(c, q, plan) : status;
}

static void move_to_front(oct_plan_cache *c, int index)
{
    oct_plan *p = c->plans[index];
    memmove(&c->plans[1], &c->plans[0], (size_t)index * sizeof c->plans[0]);
    c->plans[0] = p;
}

octet_status oct_plan_cache_use(oct_plan_cache *c, const oct_shape *shapes, bool host_border)
{
    for (int i = 0; i < c->count; i++) {
        if (oct_plan_is_for(c->plans[i], shapes, host_border)) {
            move_to_front(c, i);
            return OCTET_OK;
        }
    }
    const oct_plan_request q = request_of(c, shapes, host_border);
    oct_plan *p;
    FORWARD(make_plan(c, &q, &p));
    if (c->count == c->most)
        oct_plan_destroy(c->plans[--c->count]);
    c->plans[c->count++] = p;
    move_to_front(c, c->count - 1);
    return OCTET_OK;
}
