#include "plan.h"
#include "dtype.h"
#include "fuse.h"
#include "lower.h"
#include "passes.h"
#include "sizes.h"

#include <stdlib.h>
#include <string.h>

static octet_status no_memory(void)
{
    return oct_fail(OCTET_OUT_OF_MEMORY, "out of host memory while planning the network");
}

typedef struct borders {
    oct_border *inputs, *outputs; /* NULL: the border is the device's */
} borders;

static octet_status new_borders(const oct_graph *g, borders *b)
{
    b->inputs = calloc((size_t)g->input_count + 1, sizeof *b->inputs);
    b->outputs = calloc((size_t)g->output_count + 1, sizeof *b->outputs);
    return b->inputs && b->outputs ? OCTET_OK : no_memory();
}

static void free_borders(borders *b)
{
    free(b->inputs);
    free(b->outputs);
}

/* A private copy of the graph with these input shapes, inferred and rewritten. */
static octet_status specialize(const oct_graph *graph, const oct_value *shapes, bool host_border,
                               oct_graph *g, borders *b)
{
    FORWARD(oct_graph_clone(graph, g));
    for (int i = 0; i < g->input_count; i++) {
        oct_value *v = &g->values[g->inputs[i]];
        v->rank = shapes[i].rank;
        memcpy(v->dims, shapes[i].dims, sizeof v->dims);
    }
    FORWARD(oct_graph_infer(g));
    FORWARD(oct_graph_rewrite(g));
    if (host_border) {
        FORWARD(new_borders(g, b));
        FORWARD(oct_graph_move_border(g, b->inputs, b->outputs));
    }
    return oct_graph_lay_out(g);
}

static octet_status fill_port(oct_plan_port *port, const oct_value *v, const oct_border *border, oct_mem mem)
{
    int64_t elems = 0;
    RETURN_IF(!oct_shape_elems(v->dims, v->rank, &elems), OCTET_INVALID_ARGUMENT,
              "%s: its shape is too large", v->name);
    port->mem = mem;
    port->dtype = v->dtype;
    if (border && border->dtype) {
        port->border = *border;
        port->dtype = OCTET_F32;
        port->inside = malloc((size_t)elems + 1);
        if (!port->inside)
            return no_memory();
    }
    port->rank = v->rank;
    memcpy(port->dims, v->dims, sizeof port->dims);
    port->bytes = (size_t)elems * oct_dtype_bytes(port->dtype);
    return OCTET_OK;
}

static octet_status fill_ports(oct_plan *p, const oct_graph *g, const borders *b, const oct_mem *mem,
                               const oct_mem *output_mem)
{
    p->input_count = g->input_count;
    p->output_count = g->output_count;
    p->inputs = calloc((size_t)g->input_count + 1, sizeof *p->inputs);
    p->outputs = calloc((size_t)g->output_count + 1, sizeof *p->outputs);
    if (!p->inputs || !p->outputs)
        return no_memory();
    for (int i = 0; i < g->input_count; i++)
        FORWARD(fill_port(&p->inputs[i], &g->values[g->inputs[i]], b->inputs ? &b->inputs[i] : NULL,
                          mem[g->inputs[i]]));
    for (int i = 0; i < g->output_count; i++)
        FORWARD(fill_port(&p->outputs[i], &g->values[g->outputs[i]], b->outputs ? &b->outputs[i] : NULL,
                          output_mem[i]));
    return OCTET_OK;
}

static octet_status copy_names(oct_plan *p, const oct_graph *g)
{
    p->node_names = calloc((size_t)g->node_count + 1, sizeof *p->node_names);
    if (!p->node_names)
        return no_memory();
    for (p->node_count = 0; p->node_count < g->node_count; p->node_count++) {
        const char *name = g->nodes[p->node_count].name;
        size_t bytes = strlen(name) + 1;
        p->node_names[p->node_count] = malloc(bytes);
        if (!p->node_names[p->node_count])
            return no_memory();
        memcpy(p->node_names[p->node_count], name, bytes);
    }
    return OCTET_OK;
}

/* Pieces of products are not made smaller than this: a panel is never cut, so that helps no more. */
#define LEAST_PIECE ((size_t)1024)
/* Nor are slices of constants cut into crumbs: each is a transfer. */
#define LEAST_SLICE ((size_t)64 << 10)

/* Lower with products in pieces of at most this many bytes, and see what memory that takes. *least: what it
 * needs at least, 0 when the failure is another one. */
static octet_status lower_in_pieces(const oct_graph *g, oct_device *device, const oct_store *store,
                                    size_t piece, oct_recipe *recipe, oct_mem *mem, oct_plan_memory *takes,
                                    size_t *least)
{
    size_t slice = piece < OCT_SLICE_BYTES ? piece : OCT_SLICE_BYTES;
    slice = slice > LEAST_SLICE ? slice : LEAST_SLICE;
    *least = 0;
    oct_recipe_free(recipe);
    recipe->piece_bytes = piece;
    recipe->slice_bytes = slice < store->chunk ? slice : store->chunk;
    FORWARD(oct_lower(g, oct_device_caps(device), recipe, mem, mem + g->value_count));
    FORWARD(oct_recipe_fuse(recipe, oct_device_caps(device)));
    const oct_memory_limits limits = oct_store_limits(store);
    oct_memory_plan plan;
    FORWARD(oct_memory_plan_make(recipe, &store->weights, &limits, &plan, least));
    *takes = (oct_plan_memory){.arena_bytes = plan.arena_bytes,
                               .weight_bytes = plan.weights_bytes,
                               .device_bytes = plan.device_bytes,
                               .streamed_bytes = plan.streamed_bytes};
    for (int i = 0; i < recipe->launch_count; i++)
        takes->launches += (plan.phases[i] & OCT_IN_RUN) != 0;
    oct_memory_plan_free(&plan);
    return OCTET_OK;
}

/* When everything fits, products are cut only where a buffer cannot hold their weights. Else weights are
 * streamed, and pieces of them, several of which must lie in memory at a time, are a small part of the limit:
 * the largest that do. */
static octet_status lower_to_fit(const oct_graph *g, oct_device *device, const oct_store *store,
                                 oct_recipe *recipe, oct_mem *mem, oct_plan_memory *takes)
{
    size_t least;
    octet_status status = lower_in_pieces(g, device, store, store->chunk, recipe, mem, takes, &least);
    if (status == OCTET_OK ? !takes->streamed_bytes : !least)
        return status;
    size_t piece = store->limit / 16 < store->chunk ? store->limit / 16 : store->chunk;
    piece = piece > LEAST_PIECE ? piece : LEAST_PIECE;
    for (; piece >= LEAST_PIECE; piece /= 2) {
        status = lower_in_pieces(g, device, store, piece, recipe, mem, takes, &least);
        if (status == OCTET_OK || !least)
            return status;
    }
    return oct_fail(status,
                    "the device memory limit is %zu bytes; this network needs at least %zu at these shapes",
                    store->limit, least);
}

static octet_status build(oct_plan *p, const oct_graph *g, const borders *b, oct_device *device,
                          oct_recipe *recipe, oct_store *store, oct_mem *mem)
{
    oct_mem *output_mem = mem + g->value_count;
    oct_plan_memory takes;
    FORWARD(lower_to_fit(g, device, store, recipe, mem, &takes));
    FORWARD(fill_ports(p, g, b, mem, output_mem));
    FORWARD(copy_names(p, g));
    for (int i = 0; i < g->node_count; i++) {
        int64_t macs = oct_node_macs(g, &g->nodes[i]);
        p->macs += macs > 0 ? macs : 0;
    }
    return oct_executor_create(device, recipe, store, &p->executor);
}

static oct_mem *new_mems(const oct_graph *g)
{
    oct_mem *mem = malloc(((size_t)g->value_count + (size_t)g->output_count + 1) * sizeof *mem);
    if (!mem)
        (void)no_memory();
    return mem;
}

octet_status oct_plan_visit(const oct_graph *graph, const oct_value *shapes, bool host_border,
                            oct_device *device, const oct_store *store, oct_plan_visit_fn *visit, void *user,
                            oct_plan_memory *takes)
{
    oct_graph g = {0};
    borders b = {0};
    oct_recipe recipe;
    oct_recipe_init(&recipe);
    octet_status status = specialize(graph, shapes, host_border, &g, &b);
    oct_mem *mem = status == OCTET_OK ? new_mems(&g) : NULL;
    if (status == OCTET_OK)
        status = mem ? lower_to_fit(&g, device, store, &recipe, mem, takes) : OCTET_OUT_OF_MEMORY;
    if (status == OCTET_OK && visit)
        status = visit(user, &recipe);
    free(mem);
    oct_recipe_free(&recipe);
    free_borders(&b);
    oct_graph_free(&g);
    return status;
}

octet_status oct_plan_measure(const oct_graph *graph, const oct_value *shapes, bool host_border,
                              oct_device *device, const oct_store *store, oct_plan_memory *takes)
{
    return oct_plan_visit(graph, shapes, host_border, device, store, NULL, NULL, takes);
}

octet_status oct_plan_make(const oct_graph *graph, const oct_value *shapes, bool host_border,
                           oct_device *device, oct_store *store, oct_plan **plan)
{
    *plan = NULL;
    oct_graph g = {0};
    borders b = {0};
    oct_recipe recipe;
    oct_recipe_init(&recipe);
    oct_mem *mem = NULL;
    oct_plan *p = calloc(1, sizeof *p);
    octet_status status = p ? specialize(graph, shapes, host_border, &g, &b) : no_memory();
    if (status == OCTET_OK) {
        mem = new_mems(&g);
        p->host_border = host_border;
        status = mem ? build(p, &g, &b, device, &recipe, store, mem) : OCTET_OUT_OF_MEMORY;
    }
    free(mem);
    oct_recipe_free(&recipe);
    free_borders(&b);
    oct_graph_free(&g);
    if (status != OCTET_OK) {
        oct_plan_destroy(p);
        return status;
    }
    *plan = p;
    return OCTET_OK;
}

void oct_plan_destroy(oct_plan *p)
{
    if (!p)
        return;
    oct_executor_destroy(p->executor);
    for (int i = 0; i < p->node_count; i++)
        free(p->node_names[i]);
    free(p->node_names);
    for (int i = 0; p->inputs && i < p->input_count; i++)
        free(p->inputs[i].inside);
    for (int i = 0; p->outputs && i < p->output_count; i++)
        free(p->outputs[i].inside);
    free(p->inputs);
    free(p->outputs);
    free(p);
}
