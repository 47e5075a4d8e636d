/* Shape inference: the table of rules, the loop over nodes, and what rules share. */
#include "infer.h"
#include "branches.h"
#include "dtype.h"
#include "hash.h"
#include "moves.h"
#include "op_facts.h"
#include "shape_math.h"
#include "sizes.h"

#include <string.h>

static infer_fn *const rules[OCT_OP_COUNT] = {
#define COLUMN_SHAPE(rule)                          oct_infer_##rule
#define OCT_OP(op, file, arity, family, shape, ...) [OCT_OP_##op] = COLUMN_##shape,
#include "op_table.def"
#undef OCT_OP
};

const octet_dtype oct_infer_int8[] = {OCTET_U8, OCTET_S8, OCTET_DTYPE_NONE};
const octet_dtype oct_infer_int16[] = {OCTET_U8, OCTET_S8, OCTET_U16, OCTET_S16, OCTET_DTYPE_NONE};
const octet_dtype oct_infer_f32[] = {OCTET_F32, OCTET_DTYPE_NONE};

const oct_value *oct_infer_in(const infer_ctx *c, int i)
{
    if (i < 0 || i >= c->n->input_count || c->n->inputs[i] == OCT_NO_VALUE)
        return NULL;
    return &c->g->values[c->n->inputs[i]];
}

void oct_infer_out(infer_ctx *c, int i, octet_dtype dtype, int rank, const int64_t *dims)
{
    if (i >= c->n->output_count || c->n->outputs[i] == OCT_NO_VALUE)
        return;
    oct_value *v = &c->g->values[c->n->outputs[i]];
    v->dtype = dtype;
    v->rank = rank;
    memset(v->dims, 0, sizeof v->dims);
    if (rank > 0)
        memcpy(v->dims, dims, (size_t)rank * sizeof *dims);
}

octet_status oct_infer_require_input(const infer_ctx *c, int i)
{
    RETURN_IF(!oct_infer_in(c, i), OCTET_CORRUPT_FILE, "input %d is missing", i);
    return OCTET_OK;
}

octet_status oct_infer_require_dtype(const infer_ctx *c, int i, const octet_dtype *allowed)
{
    FORWARD(oct_infer_require_input(c, i));
    octet_dtype dtype = oct_infer_in(c, i)->dtype;
    for (; *allowed != OCTET_DTYPE_NONE; allowed++) {
        if (dtype == *allowed)
            return OCTET_OK;
    }
    return oct_fail(OCTET_UNSUPPORTED, "input %d ('%s') has dtype %s, which Octet does not take there", i,
                    oct_infer_in(c, i)->name, oct_dtype_name(dtype));
}

octet_status oct_infer_const_ints(const infer_ctx *c, int i, int64_t *out, int capacity, int *count)
{
    return oct_const_ints(c->g, c->n, i, out, capacity, count);
}

octet_status oct_infer_axis(const infer_ctx *c, int64_t otherwise, int rank, int64_t *axis)
{
    *axis = oct_node_int(c->n, "axis", otherwise);
    *axis += *axis < 0 ? rank : 0;
    RETURN_IF(*axis < 0 || *axis >= rank, OCTET_INVALID_ARGUMENT, "axis is out of range for rank %d", rank);
    return OCTET_OK;
}

octet_status oct_infer_axes(const int64_t *axes, int count, int rank, bool *is_axis)
{
    memset(is_axis, 0, OCTET_MAX_RANK * sizeof *is_axis);
    for (int i = 0; i < count; i++) {
        int64_t a = axes[i] < 0 ? axes[i] + rank : axes[i];
        RETURN_IF(a < 0 || a >= rank, OCTET_INVALID_ARGUMENT, "axis %lld is out of range for rank %d",
                  (long long)axes[i], rank);
        RETURN_IF(is_axis[a], OCTET_INVALID_ARGUMENT, "axis %lld is given twice", (long long)axes[i]);
        is_axis[a] = true;
    }
    return OCTET_OK;
}

static octet_status check_scale_values(const oct_value *v, int64_t elems)
{
    for (int64_t i = 0; v->data && i < elems; i++) {
        float s;
        memcpy(&s, (const char *)v->data + (size_t)i * sizeof s, sizeof s);
        RETURN_IF(!(s > 0.0f && s <= 3.402823466e38f), OCTET_INVALID_ARGUMENT,
                  "%s: scale[%lld] is %g; scales must be finite and > 0", v->name, (long long)i, (double)s);
    }
    return OCTET_OK;
}

octet_status oct_infer_check_quant(const infer_ctx *c, int scale, int zero, octet_dtype dtype,
                                   int64_t channels)
{
    const int at[2] = {scale, zero};
    const octet_dtype want[2] = {OCTET_F32, dtype};
    for (int k = 0; k < 2; k++) {
        const oct_value *v = oct_infer_in(c, at[k]);
        int64_t elems;
        if (!v)
            continue;
        RETURN_IF(v->dtype != want[k], k ? OCTET_INVALID_ARGUMENT : OCTET_UNSUPPORTED,
                  "%s '%s' has dtype %s; it must be %s", k ? "zero point" : "scale", v->name,
                  oct_dtype_name(v->dtype), oct_dtype_name(want[k]));
        RETURN_IF(!oct_shape_elems(v->dims, v->rank, &elems) || (elems != 1 && elems != channels),
                  OCTET_INVALID_ARGUMENT, "%s '%s' has %lld elements; it must have 1%s",
                  k ? "zero point" : "scale", v->name, (long long)elems,
                  channels == 1 ? "" : " or one per channel");
        if (k == 0)
            FORWARD(check_scale_values(v, elems));
    }
    return OCTET_OK;
}

octet_status oct_infer_check_scales(const infer_ctx *c, octet_dtype dtype)
{
    const oct_facts *f = oct_op_facts(c->n->op);
    for (int k = 0; k <= f->operand_count; k++) {
        oct_at at = k < f->operand_count ? f->operands[k] : f->result;
        if (at.scale >= 0)
            FORWARD(oct_infer_require_dtype(c, at.scale, oct_infer_f32));
        FORWARD(oct_infer_check_quant(c, at.scale, at.zero, dtype, 1));
    }
    return OCTET_OK;
}

octet_status oct_infer_like(infer_ctx *c, const octet_dtype *allowed)
{
    if (allowed)
        FORWARD(oct_infer_require_dtype(c, 0, allowed));
    const oct_value *x = oct_infer_in(c, 0);
    oct_infer_out(c, 0, x->dtype, x->rank, x->dims);
    return OCTET_OK;
}

octet_status oct_infer_product_operands(const infer_ctx *c)
{
    const oct_facts *f = oct_op_facts(c->n->op);
    bool quantized = f->result_kind == OCT_RESULT_GIVEN, is_float = f->operands[0].zero < 0;
    FORWARD(oct_infer_require_dtype(c, f->operands[0].value,
                                    is_float    ? oct_infer_f32
                                    : quantized ? oct_infer_int16
                                                : oct_infer_int8));
    return oct_infer_require_dtype(c, f->operands[1].value, is_float ? oct_infer_f32 : oct_infer_int8);
}

octet_status oct_infer_product_result(const infer_ctx *c, int64_t channels, octet_dtype *out)
{
    const oct_facts *f = oct_op_facts(c->n->op);
    bool given = f->result_kind == OCT_RESULT_GIVEN && !c->n->float_out;
    for (int i = 0; f->result_kind == OCT_RESULT_GIVEN && i < f->result.scale; i++)
        FORWARD(oct_infer_require_input(c, i));
    *out = c->n->float_out || f->operands[0].zero < 0 ? OCTET_F32 : OCTET_S32;
    if (given) {
        FORWARD(oct_infer_require_input(c, f->result.scale));
        FORWARD(oct_infer_require_dtype(c, f->result.zero, oct_infer_int16));
        *out = oct_infer_in(c, f->result.zero)->dtype;
    }
    for (int k = 0; k < 2; k++) {
        const oct_at *at = &f->operands[k];
        FORWARD(oct_infer_check_quant(c, at->scale, at->zero, oct_infer_in(c, at->value)->dtype,
                                      k ? channels : 1));
    }
    return oct_infer_check_quant(c, f->result.scale, f->result.zero, *out, 1);
}

octet_status oct_infer_require_spatial(const infer_ctx *c)
{
    const oct_value *x = oct_infer_in(c, 0);
    RETURN_IF(x->rank < 3, OCTET_INVALID_ARGUMENT, "input '%s' has rank %d; it must be [N, C, spatial...]",
              x->name, x->rank);
    return OCTET_OK;
}

int oct_infer_channel_axis(const infer_ctx *c, const oct_value *x)
{
    return c->n->channels_last ? x->rank - 1 : 1;
}

void oct_infer_spatial_out(infer_ctx *c, octet_dtype dtype, const oct_value *x, int64_t channels,
                           const oct_window *w)
{
    int64_t dims[OCTET_MAX_RANK] = {x->dims[0]};
    int first = c->n->channels_last ? 1 : 2;
    dims[oct_infer_channel_axis(c, x)] = channels;
    for (int i = 0; i < w->spatial; i++)
        dims[first + i] = w->out[i + 2 - w->spatial];
    oct_infer_out(c, 0, dtype, x->rank, dims);
}

octet_status oct_infer_broadcast(const infer_ctx *c, const oct_value *a, const oct_value *b, int *rank,
                                 int64_t *dims)
{
    (void)c;
    *rank = a->rank > b->rank ? a->rank : b->rank;
    for (int i = 0; i < *rank; i++) {
        int ia = i - (*rank - a->rank), ib = i - (*rank - b->rank);
        int64_t da = ia >= 0 ? a->dims[ia] : 1, db = ib >= 0 ? b->dims[ib] : 1;
        RETURN_IF(da != db && da != 1 && db != 1, OCTET_INVALID_ARGUMENT,
                  "shapes of '%s' and '%s' do not broadcast: %lld against %lld", a->name, b->name,
                  (long long)da, (long long)db);
        dims[i] = da == 1 ? db : da;
    }
    return OCTET_OK;
}

static octet_status check_inputs_known(const infer_ctx *c)
{
    for (int i = 0; i < c->n->input_count; i++) {
        const oct_value *v = oct_infer_in(c, i);
        RETURN_IF(v && (v->rank < 0 || v->dtype == OCTET_DTYPE_NONE), OCTET_INVALID_ARGUMENT,
                  "the shape of '%s' is not known", v->name);
    }
    return OCTET_OK;
}

/* Attributes that say yes or no. Another number means yes to one runtime and no to another: nobody can know
 * what the file's writer saw. */
static const char *const flags[] = {"allowzero",
                                    "antialias",
                                    "ceil_mode",
                                    "channels_last",
                                    "count_include_pad",
                                    "input_forget",
                                    "keepdims",
                                    "linear_before_reset",
                                    "noop_with_empty_axes",
                                    "layout",
                                    "select_last_index",
                                    "storage_order",
                                    "training_mode",
                                    "transA",
                                    "transB"};

static octet_status check_flags(const infer_ctx *c)
{
    for (size_t i = 0; i < c->n->attr_count; i++) {
        const oct_attr *a = &c->n->attrs[i];
        for (size_t f = 0; f < sizeof flags / sizeof flags[0]; f++) {
            RETURN_IF(a->kind == OCT_ATTR_INT && (a->i < 0 || a->i > 1) && strcmp(a->name, flags[f]) == 0,
                      OCTET_INVALID_ARGUMENT, "attribute %s is %lld; it must be 0 or 1", a->name,
                      (long long)a->i);
        }
    }
    return OCTET_OK;
}

/* The file may state a graph output's type: it must be what the network computes. */
static octet_status check_outputs(const infer_ctx *c, const oct_value *declared)
{
    for (int i = 0; i < c->n->output_count; i++) {
        if (c->n->outputs[i] == OCT_NO_VALUE)
            continue;
        const oct_value *v = &c->g->values[c->n->outputs[i]];
        int64_t elems;
        RETURN_IF(!oct_shape_elems(v->dims, v->rank, &elems), OCTET_INVALID_ARGUMENT,
                  "the output '%s' is too large", v->name);
        RETURN_IF(i == 0 && declared->dtype != OCTET_DTYPE_NONE && declared->dtype != v->dtype,
                  OCTET_INVALID_ARGUMENT, "output '%s' is declared as %s but computed as %s", v->name,
                  oct_dtype_name(declared->dtype), oct_dtype_name(v->dtype));
    }
    return OCTET_OK;
}

/* *known: the output's data is known too; only where that is asked for. */
static octet_status infer_node(oct_graph *g, int node, bool *known)
{
    infer_ctx c = {g, &g->nodes[node]};
    oct_value declared = g->values[c.n->outputs[0]];
    octet_status status = check_inputs_known(&c);
    if (status == OCTET_OK)
        status = check_flags(&c);
    if (status == OCTET_OK)
        status = known && oct_shape_math_can(&c) ? oct_shape_math_do(&c, rules[c.n->op], known)
                                                 : rules[c.n->op](&c);
    if (status == OCTET_OK)
        status = check_outputs(&c, &declared);
    return status == OCTET_OK ? status : oct_fail_prefix(status, "%s (node '%s')", c.n->op_type, c.n->name);
}

static octet_status infer_appended(oct_walk *w, const oct_node *n)
{
    oct_graph *g = w->g;
    bool known = false;
    FORWARD(oct_graph_append(g, n));
    g->failed_node = g->node_count - 1;
    FORWARD(infer_node(g, g->failed_node, &known));
    g->node_count -= known;
    w->changed = w->changed || known;
    return OCTET_OK;
}

octet_status oct_graph_infer(oct_graph *g)
{
    oct_walk w = {.g = g, .known = g, .each = infer_appended};
    g->branches = OCT_HASH_START;
    g->made_bytes = 0;
    FORWARD(oct_walk_graph(&w));
    return w.changed || w.taken ? oct_graph_sort(g) : OCTET_OK;
}

octet_status oct_graph_verify(oct_graph *g)
{
    for (int i = 0; i < g->node_count; i++) {
        int v = g->nodes[i].outputs[0];
        oct_value was = g->values[v];
        FORWARD(infer_node(g, i, NULL));
        const oct_value *is = &g->values[v];
        bool same = is->dtype == was.dtype && is->rank == was.rank;
        for (int d = 0; same && d < is->rank; d++)
            same = is->dims[d] == was.dims[d];
        RETURN_IF(!same, OCTET_INTERNAL, "%s (node '%s') changed its output; this is a defect in Octet",
                  g->nodes[i].op_type, g->nodes[i].name);
    }
    return OCTET_OK;
}
