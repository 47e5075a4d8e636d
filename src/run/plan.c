#include "plan.h"
#include "dtype.h"
#include "fuse.h"
#include "lower.h"
#include "passes.h"
#include "quant.h"
#include "sizes.h"
#include "trust.h"
#include "variant.h"

#include <stdlib.h>
#include <string.h>

/* What planning works on: the request's graph at its shapes, launches, and where their memories go. */
typedef struct draft {
    oct_arena arena; /* of its arrays */
    const oct_plan_request *request;
    const oct_caps *caps;
    oct_graph graph;
    bool reused;
    oct_border *inputs, *outputs; /* NULL: the border is the device's */
    oct_recipe recipe;
    oct_mem *mems; /* by value, then by output */
    oct_memory_plan memory;
    size_t least; /* device bytes that it needs, 0 when they are not known */
} draft;

bool oct_shape_equal(int rank, const int64_t *dims, const oct_shape *shape)
{
    return rank == shape->rank && (rank <= 0 || memcmp(dims, shape->dims, (size_t)rank * sizeof *dims) == 0);
}

bool oct_plan_is_for(const oct_plan *p, const oct_shape *shapes, bool host_border)
{
    bool same = p->host_border == host_border;
    for (int i = 0; same && i < p->input_count; i++)
        same = oct_shape_equal(shapes[i].rank, shapes[i].dims, &p->inputs[i].shape);
    return same;
}

/* ---- from the graph to a recipe that fits -------------------------------------------------------------- */

static bool is_sized_so(const oct_graph *g, const oct_shape *shapes)
{
    for (int i = 0; i < g->input_count; i++) {
        const oct_value *v = &g->values[g->inputs[i]];
        if (!oct_shape_equal(v->rank, v->dims, &shapes[i]))
            return false;
    }
    return true;
}

static octet_status size_and_rewrite(oct_graph *g, const oct_shape *shapes)
{
    for (int i = 0; i < g->input_count; i++) {
        oct_value *v = &g->values[g->inputs[i]];
        v->rank = shapes[i].rank;
        memcpy(v->dims, shapes[i].dims, sizeof v->dims);
    }
    FORWARD(oct_graph_infer(g));
    return oct_graph_rewrite(g);
}

/* A private copy of the graph with these input shapes, inferred, rewritten and laid out. */
static octet_status specialize(draft *d)
{
    const oct_plan_request *q = d->request;
    oct_graph *g = &d->graph;
    d->reused = q->sized && is_sized_so(q->sized, q->shapes);
    FORWARD(oct_graph_clone(d->reused ? q->sized : q->graph, g));
    if (!d->reused)
        FORWARD(size_and_rewrite(g, q->shapes));
    if (q->host_border) {
        d->inputs = oct_arena_alloc(&d->arena, (size_t)g->input_count, sizeof *d->inputs);
        d->outputs = oct_arena_alloc(&d->arena, (size_t)g->output_count, sizeof *d->outputs);
        if (!d->inputs || !d->outputs)
            return oct_out_of_memory("the plan of a network");
        FORWARD(oct_graph_move_border(g, d->inputs, d->outputs));
    }
    FORWARD(oct_graph_lay_out(g));
    d->mems = oct_arena_alloc(&d->arena, (size_t)g->value_count + (size_t)g->output_count, sizeof *d->mems);
    return d->mems ? OCTET_OK : oct_out_of_memory("the plan of a network");
}

/* Pieces of products are not made smaller than this: a panel is never cut, so that helps no more. */
#define LEAST_PIECE ((size_t)1024)
/* Nor are slices of constants cut into crumbs: each is a transfer. */
#define LEAST_SLICE ((size_t)64 << 10)

/* Lower with products in pieces of at most this many bytes, and plan the memory that takes. */
static octet_status lower_in_pieces(draft *d, size_t piece)
{
    oct_store *store = d->request->store;
    oct_recipe *r = &d->recipe;
    size_t slice = piece < OCT_SLICE_BYTES ? piece : OCT_SLICE_BYTES;
    slice = slice > LEAST_SLICE ? slice : LEAST_SLICE;
    d->least = 0;
    oct_memory_plan_free(&d->memory);
    oct_recipe_free(r);
    r->piece_bytes = piece;
    r->memory_limit = store->limit;
    r->slice_bytes = slice < store->chunk ? slice : store->chunk;
    FORWARD(oct_lower(&d->graph, d->caps, r, d->mems, d->mems + d->graph.value_count));
    FORWARD(oct_recipe_fuse(r, d->caps));
    return oct_store_place(store, r, &d->memory, &d->least);
}

/* When everything fits, products are cut only where a buffer cannot hold their weights. Else weights are
 * streamed, and pieces of them, several of which must lie in memory at a time, are a small part of the limit:
 * the largest that do. */
static octet_status lower_to_fit(draft *d)
{
    const oct_store *store = d->request->store;
    octet_status status = lower_in_pieces(d, store->chunk);
    if (status == OCTET_OK ? !d->memory.streamed_bytes : !d->least)
        return status;
    size_t piece = store->limit / 16 < store->chunk ? store->limit / 16 : store->chunk;
    piece = piece > LEAST_PIECE ? piece : LEAST_PIECE;
    for (; piece >= LEAST_PIECE; piece /= 2) {
        status = lower_in_pieces(d, piece);
        if (status == OCTET_OK || !d->least)
            return status;
    }
    size_t bytes;
    const oct_value *largest = oct_lower_largest(&d->graph, &bytes);
    return oct_fail(status,
                    "the device memory limit is %zu bytes; this network needs at least %zu at these shapes "
                    "('%s' alone %zu): raise it (memory_limit, --memory-limit) or take smaller shapes",
                    store->limit, d->least, largest ? largest->name : "", bytes);
}

/* Until all that it uses is known to be right on this device: there are only so many variants. */
static octet_status lower_to_trust(draft *d)
{
    for (bool changed = true; changed;) {
        FORWARD(oct_trust(d->request->store->device, &d->recipe, &changed));
        if (changed)
            FORWARD(lower_to_fit(d));
    }
    return OCTET_OK;
}

/* A line for each choice, where somebody listens. */
static void tell_choices(const draft *d)
{
    oct_device *device = d->request->store->device;
    const oct_recipe *r = &d->recipe;
    const char *pass;
    if (!oct_device_logs(device))
        return;
    oct_device_log(device, "plan: %d nodes, %d launches%s", d->graph.node_count, r->launch_count,
                   d->reused ? ", rewritten when the model was loaded" : "");
    for (size_t i = 0; (pass = oct_pass_name(i)); i++) {
        if (d->graph.rewritten >> i & 1)
            oct_device_log(device, "pass '%s' changed the network", pass);
    }
    for (int i = 0; i < r->noted_count; i++) {
        const oct_noted *n = &r->noted[i];
        const oct_variant *v = oct_variant_select(n->family, d->caps, n->request, NULL);
        oct_device_log(device, "node '%s': %s, %s", n->node < 0 ? "" : d->graph.nodes[n->node].name,
                       v ? v->name : "", oct_variant_reason(n->family, d->caps, n->request));
    }
    if (d->memory.streamed_bytes)
        oct_device_log(device, "memory: %zu bytes of weights do not fit %zu and are streamed in every run",
                       d->memory.streamed_bytes, d->request->store->limit);
}

static octet_status open_draft(draft *d, const oct_plan_request *q)
{
    *d = (draft){.request = q, .caps = oct_device_caps(q->store->device)};
    oct_recipe_init(&d->recipe);
    FORWARD(specialize(d));
    return lower_to_fit(d);
}

static void close_draft(draft *d)
{
    oct_memory_plan_free(&d->memory);
    oct_recipe_free(&d->recipe);
    oct_graph_free(&d->graph);
    oct_arena_free(&d->arena);
}

octet_status oct_plan_visit(const oct_plan_request *request, oct_plan_visit_fn *visit, void *user,
                            oct_plan_memory *takes)
{
    draft d;
    octet_status status = open_draft(&d, request);
    if (status == OCTET_OK) {
        *takes = (oct_plan_memory){.arena_bytes = d.memory.arena_bytes,
                                   .weight_bytes = d.memory.weights_bytes,
                                   .device_bytes = d.memory.device_bytes,
                                   .streamed_bytes = d.memory.streamed_bytes,
                                   .memory_limit = request->store->limit};
        for (int i = 0; i < d.recipe.launch_count; i++)
            takes->launches += (d.memory.phases[i] & OCT_IN_RUN) != 0;
        status = visit ? visit(user, &d.recipe) : OCTET_OK;
    }
    close_draft(&d);
    return status;
}

/* ---- the plan ------------------------------------------------------------------------------------------ */

static octet_status fill_port(oct_plan *p, oct_plan_port *port, const oct_value *v, const oct_border *border)
{
    int64_t elems = 0;
    RETURN_IF(!oct_shape_elems(v->dims, v->rank, &elems), OCTET_INVALID_ARGUMENT,
              "%s: its shape is too large", v->name);
    port->dtype = v->dtype;
    if (border && border->dtype) {
        port->border = *border;
        port->dtype = OCTET_F32;
        port->inside = oct_arena_alloc(&p->arena, (size_t)elems, 1);
        if (!port->inside)
            return oct_out_of_memory("the plan of a network");
    }
    port->shape.rank = v->rank;
    memcpy(port->shape.dims, v->dims, sizeof port->shape.dims);
    port->bytes = (size_t)elems * oct_dtype_bytes(port->dtype);
    return OCTET_OK;
}

static octet_status fill_ports(oct_plan *p, const draft *d)
{
    const oct_graph *g = &d->graph;
    p->inputs = oct_arena_alloc(&p->arena, (size_t)g->input_count, sizeof *p->inputs);
    p->outputs = oct_arena_alloc(&p->arena, (size_t)g->output_count, sizeof *p->outputs);
    p->memories = oct_arena_alloc(&p->arena, (size_t)(g->input_count + g->output_count), sizeof *p->memories);
    if (!p->inputs || !p->outputs || !p->memories)
        return oct_out_of_memory("the plan of a network");
    p->input_count = g->input_count;
    p->output_count = g->output_count;
    for (int i = 0; i < g->input_count; i++) {
        p->memories[i].mem = d->mems[g->inputs[i]];
        FORWARD(fill_port(p, &p->inputs[i], &g->values[g->inputs[i]], d->inputs ? &d->inputs[i] : NULL));
    }
    for (int i = 0; i < g->output_count; i++) {
        p->memories[g->input_count + i].mem = d->mems[g->value_count + i];
        FORWARD(fill_port(p, &p->outputs[i], &g->values[g->outputs[i]], d->outputs ? &d->outputs[i] : NULL));
    }
    return OCTET_OK;
}

static octet_status copy_names(oct_plan *p, const oct_graph *g)
{
    p->node_names = oct_arena_alloc(&p->arena, (size_t)g->node_count, sizeof *p->node_names);
    if (!p->node_names)
        return oct_out_of_memory("the plan of a network");
    for (p->node_count = 0; p->node_count < g->node_count; p->node_count++) {
        p->node_names[p->node_count] = oct_arena_strdup(&p->arena, g->nodes[p->node_count].name);
        if (!p->node_names[p->node_count])
            return oct_out_of_memory("the plan of a network");
    }
    return OCTET_OK;
}

static octet_status build(oct_plan *p, const draft *d)
{
    const oct_graph *g = &d->graph;
    oct_store *store = d->request->store;
    p->host_border = d->request->host_border;
    p->reused = d->reused;
    p->memory_limit = store->limit;
    tell_choices(d);
    FORWARD(fill_ports(p, d));
    FORWARD(copy_names(p, g));
    for (int i = 0; i < g->node_count; i++) {
        int64_t macs = oct_node_macs(g, &g->nodes[i]);
        p->macs += macs > 0 ? macs : 0;
    }
    return oct_executor_create_placed(store->device, &d->recipe, &d->memory, store, &p->executor);
}

octet_status oct_plan_make(const oct_plan_request *request, oct_plan **plan)
{
    *plan = NULL;
    oct_plan *p = calloc(1, sizeof *p);
    if (!p)
        return oct_out_of_memory("the plan of a network");
    draft d;
    octet_status status = open_draft(&d, request);
    if (status == OCTET_OK)
        status = lower_to_trust(&d);
    if (status == OCTET_OK)
        status = build(p, &d);
    close_draft(&d);
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
    oct_arena_free(&p->arena);
    free(p);
}

/* ---- running ------------------------------------------------------------------------------------------- */

octet_status oct_port_prepare(const oct_plan_port *port, const char *name, octet_tensor *t)
{
    t->dtype = port->dtype;
    t->rank = port->shape.rank;
    memcpy(t->dims, port->shape.dims, sizeof t->dims);
    if (!t->data)
        return octet_tensor_alloc(t);
    RETURN_IF(t->data_bytes < port->bytes, OCTET_INVALID_ARGUMENT, "output '%s': %zu bytes given; it has %zu",
              name, t->data_bytes, port->bytes);
    return OCTET_OK;
}

/* What the device gets of an input. */
static const void *bring_in(const oct_plan_port *port, const octet_tensor *t)
{
    const oct_border *b = &port->border;
    if (!port->inside)
        return t->data;
    oct_quantize_row(t->data, port->bytes / sizeof(float), b->scale, b->zero, b->dtype, port->inside);
    return port->inside;
}

static void bring_out(const oct_plan_port *port, const octet_tensor *t)
{
    const oct_border *b = &port->border;
    if (port->inside)
        oct_dequantize_row(port->inside, port->bytes / sizeof(float), b->scale, b->zero, b->dtype, t->data);
}

octet_status oct_plan_run(oct_plan *p, const octet_tensor *inputs, const octet_tensor *outputs)
{
    oct_host_memory *in = p->memories, *out = p->memories + p->input_count;
    for (int i = 0; i < p->input_count; i++)
        in[i].from = bring_in(&p->inputs[i], &inputs[i]);
    for (int i = 0; i < p->output_count; i++)
        out[i].to = p->outputs[i].inside ? p->outputs[i].inside : outputs[i].data;
    FORWARD(oct_runner_run(p->executor, p->memories, (size_t)(p->input_count + p->output_count)));
    for (int i = 0; i < p->output_count; i++)
        bring_out(&p->outputs[i], &outputs[i]);
    return OCTET_OK;
}
