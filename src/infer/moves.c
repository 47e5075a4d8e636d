#include "moves.h"
#include "dtype.h"
#include "op_facts.h"
#include "sizes.h"

#include <string.h>

static bool has_input(const oct_node *n, int i)
{
    return i >= 0 && i < n->input_count && n->inputs[i] != OCT_NO_VALUE;
}

static int64_t int_at(const oct_value *v, int64_t i)
{
    const char *at = (const char *)v->data + (size_t)i * oct_dtype_bytes(v->dtype);
    int64_t wide;
    int32_t narrow;
    if (v->dtype == OCTET_S64)
        return memcpy(&wide, at, sizeof wide), wide;
    return memcpy(&narrow, at, sizeof narrow), narrow;
}

octet_status oct_const_in_range(const oct_graph *g, const oct_node *n, int i, int64_t low, int64_t high)
{
    const oct_value *v = has_input(n, i) ? &g->values[n->inputs[i]] : NULL;
    int64_t count = 0;
    if (!v || !v->data || !oct_shape_elems(v->dims, v->rank, &count))
        return OCTET_OK;
    for (int64_t k = 0; k < count; k++) {
        int64_t x = int_at(v, k);
        RETURN_IF(x < low || x > high, OCTET_INVALID_ARGUMENT,
                  "element %lld of '%s' is %lld; it must be from %lld to %lld", (long long)k, v->name,
                  (long long)x, (long long)low, (long long)high);
    }
    return OCTET_OK;
}

octet_status oct_const_ints(const oct_graph *g, const oct_node *n, int i, int64_t *out, int capacity,
                            int *count)
{
    const oct_value *v = &g->values[n->inputs[i]];
    int64_t elems;
    RETURN_IF(!v->data, OCTET_UNSUPPORTED,
              "input %d ('%s') must be a constant: shapes are planned before a run", i, v->name);
    RETURN_IF((v->dtype != OCTET_S64 && v->dtype != OCTET_S32) || v->rank > 1 ||
                  !oct_shape_elems(v->dims, v->rank, &elems) || elems > capacity,
              OCTET_INVALID_ARGUMENT, "input %d ('%s') must be at most %d integers in one dimension", i,
              v->name, capacity);
    *count = (int)elems;
    for (int k = 0; k < *count; k++)
        out[k] = int_at(v, k);
    return OCTET_OK;
}

/* Integers from constant input i (-1: the operator has none), else from the attribute; *given is false where
 * there are neither. */
static octet_status ints_of(const oct_graph *g, const oct_node *n, int i, const char *attribute, int64_t *out,
                            int capacity, int *count, bool *given)
{
    const oct_attr *a = oct_node_attr(n, attribute);
    *given = has_input(n, i) || a;
    *count = 0;
    if (has_input(n, i))
        return oct_const_ints(g, n, i, out, capacity, count);
    if (!a)
        return OCTET_OK;
    RETURN_IF(a->count > (size_t)capacity, OCTET_CORRUPT_FILE, "attribute %s must have at most %d integers",
              attribute, capacity);
    *count = (int)a->count;
    if (a->count)
        memcpy(out, a->ints, a->count * sizeof *out);
    return OCTET_OK;
}

static octet_status resolve_axis(int64_t axis, int rank, int *out)
{
    int64_t a = axis < 0 ? axis + rank : axis;
    RETURN_IF(a < 0 || a >= rank, OCTET_INVALID_ARGUMENT, "axis %lld is out of range for rank %d",
              (long long)axis, rank);
    *out = (int)a;
    return OCTET_OK;
}

static int64_t clamp(int64_t v, int64_t lo, int64_t hi)
{
    return v < lo ? lo : v > hi ? hi : v;
}

/* ONNX Slice along one dimension: negative positions count from the end, both are clamped. */
static octet_status slice_dim(int64_t size, int64_t start, int64_t end, int64_t step, oct_slice *s, int d)
{
    RETURN_IF(step == 0 || step < -INT32_MAX, OCTET_INVALID_ARGUMENT, "step %lld is out of range",
              (long long)step);
    start = start < 0 ? (start < -size ? -size : start) + size : start;
    end = end < 0 ? (end < -size ? -size - 1 : end) + size : end;
    int64_t span;
    if (step > 0) {
        start = clamp(start, 0, size);
        end = clamp(end, 0, size);
        span = end - start;
    } else {
        start = clamp(start, 0, size - 1);
        end = clamp(end, -1, size - 1);
        span = start - end;
    }
    int64_t stride = step > 0 ? step : -step;
    s->dims[d] = span <= 0 || size == 0 ? 0 : (span - 1) / stride + 1;
    s->start[d] = s->dims[d] ? start : 0;
    s->step[d] = step;
    return OCTET_OK;
}

octet_status oct_slice_resolve(const oct_graph *g, const oct_node *n, oct_slice *s)
{
    const oct_value *x = &g->values[n->inputs[0]];
    int64_t starts[OCTET_MAX_RANK], ends[OCTET_MAX_RANK], axes[OCTET_MAX_RANK], steps[OCTET_MAX_RANK];
    int count, end_count, axis_count, step_count;
    bool given, axes_given, steps_given;
    FORWARD(ints_of(g, n, 1, "starts", starts, OCTET_MAX_RANK, &count, &given));
    RETURN_IF(!given, OCTET_CORRUPT_FILE, "starts are missing");
    FORWARD(ints_of(g, n, 2, "ends", ends, OCTET_MAX_RANK, &end_count, &given));
    FORWARD(ints_of(g, n, 3, "axes", axes, OCTET_MAX_RANK, &axis_count, &axes_given));
    FORWARD(ints_of(g, n, 4, "steps", steps, OCTET_MAX_RANK, &step_count, &steps_given));
    RETURN_IF(end_count != count || (axes_given && axis_count != count) ||
                  (steps_given && step_count != count) || count > x->rank,
              OCTET_INVALID_ARGUMENT, "starts, ends, axes and steps must be equally many");
    for (int d = 0; d < x->rank; d++) {
        s->start[d] = 0;
        s->step[d] = 1;
        s->dims[d] = x->dims[d];
    }
    for (int i = 0; i < count; i++) {
        int d = i;
        if (axes_given)
            FORWARD(resolve_axis(axes[i], x->rank, &d));
        FORWARD(slice_dim(x->dims[d], starts[i], ends[i], steps_given ? steps[i] : 1, s, d));
    }
    return OCTET_OK;
}

void oct_shape_range(const oct_node *n, int rank, int64_t *from, int64_t *to)
{
    int64_t start = oct_node_int(n, "start", 0), end = oct_node_int(n, "end", rank);
    *from = clamp(start < 0 ? start + rank : start, 0, rank);
    *to = clamp(end < 0 ? end + rank : end, *from, rank);
}

octet_status oct_split_resolve(const oct_graph *g, const oct_node *n, oct_split *s)
{
    const oct_value *x = &g->values[n->inputs[0]];
    int count, outputs = n->output_count;
    bool given;
    RETURN_IF(outputs > OCT_MAX_SPLIT, OCTET_UNSUPPORTED, "%d outputs; at most %d are supported", outputs,
              OCT_MAX_SPLIT);
    FORWARD(resolve_axis(oct_node_int(n, "axis", 0), x->rank, &s->axis));
    FORWARD(ints_of(g, n, 1, "split", s->sizes, OCT_MAX_SPLIT, &count, &given));
    int64_t size = x->dims[s->axis], sum = 0;
    if (!given) { /* equal parts, the last one smaller where they do not divide */
        int64_t parts = oct_node_int(n, "num_outputs", outputs);
        RETURN_IF(parts != outputs, OCTET_INVALID_ARGUMENT, "num_outputs is %lld, the node has %d outputs",
                  (long long)parts, outputs);
        int64_t part = (size + outputs - 1) / outputs;
        for (int i = 0; i < outputs; i++, sum += part)
            s->sizes[i] = size - sum < part ? (size > sum ? size - sum : 0) : part;
        return OCTET_OK;
    }
    RETURN_IF(count != outputs, OCTET_INVALID_ARGUMENT, "%d sizes for %d outputs", count, outputs);
    for (int i = 0; i < outputs; i++) {
        RETURN_IF(s->sizes[i] < 0 || s->sizes[i] > size - sum, OCTET_INVALID_ARGUMENT,
                  "split sizes do not add up to %lld", (long long)size);
        sum += s->sizes[i];
    }
    RETURN_IF(sum != size, OCTET_INVALID_ARGUMENT, "split sizes add up to %lld, not %lld", (long long)sum,
              (long long)size);
    return OCTET_OK;
}

octet_status oct_pad_resolve(const oct_graph *g, const oct_node *n, oct_pad *p)
{
    static const char *const modes[] = {"constant", "edge", "reflect", "wrap"};
    const oct_value *x = &g->values[n->inputs[0]];
    int64_t pads[2 * OCTET_MAX_RANK], axes[OCTET_MAX_RANK];
    int count, axis_count, mode = 0;
    bool given, axes_given;
    memset(p, 0, sizeof *p);
    const char *name = oct_node_string(n, "mode", "constant");
    while (mode < 4 && strcmp(name, modes[mode]) != 0)
        mode++;
    RETURN_IF(mode == 4, OCTET_CORRUPT_FILE, "attribute mode is '%s'", name);
    p->mode = (oct_pad_mode)mode;
    FORWARD(ints_of(g, n, 1, "pads", pads, 2 * OCTET_MAX_RANK, &count, &given));
    FORWARD(ints_of(g, n, 3, "", axes, OCTET_MAX_RANK, &axis_count, &axes_given));
    int dims = axes_given ? axis_count : x->rank;
    RETURN_IF(!given || count != 2 * dims, OCTET_INVALID_ARGUMENT, "pads must have %d values", 2 * dims);
    for (int i = 0; i < dims; i++) {
        int d = i;
        if (axes_given)
            FORWARD(resolve_axis(axes[i], x->rank, &d));
        p->begin[d] = pads[i];
        p->end[d] = pads[i + dims];
        const int64_t most = INT32_MAX;
        RETURN_IF(pads[i] > most || pads[i + dims] > most || pads[i] < -x->dims[d] ||
                      pads[i + dims] < -x->dims[d],
                  OCTET_INVALID_ARGUMENT, "pads of dimension %d are out of range", d);
        /* edge and wrap repeat what is there; reflect does not repeat the edge itself */
        int64_t reach = pads[i] > pads[i + dims] ? pads[i] : pads[i + dims];
        RETURN_IF(mode && reach > 0 && x->dims[d] < (mode == OCT_PAD_REFLECT ? 2 : 1), OCTET_INVALID_ARGUMENT,
                  "dimension %d of size %lld cannot be padded with mode %s", d, (long long)x->dims[d],
                  modes[mode]);
    }
    return OCTET_OK;
}

bool oct_pads_with_zero(const oct_graph *g, const oct_node *n)
{
    if (strcmp(oct_node_string(n, "mode", "constant"), "constant") != 0)
        return true;
    int v = n->input_count > 2 ? n->inputs[2] : OCT_NO_VALUE;
    if (v == OCT_NO_VALUE)
        return oct_node_float(n, "value", 0.0f) == 0.0f;
    const oct_value *value = &g->values[v];
    float f;
    if (!value->data || value->dtype != OCTET_F32 || value->data_bytes != sizeof f)
        return false;
    memcpy(&f, value->data, sizeof f);
    return f == 0.0f;
}

octet_status oct_reduced_axes(const oct_graph *g, const oct_node *n, bool reduced[OCTET_MAX_RANK])
{
    int rank = g->values[n->inputs[0]].rank, count;
    int64_t axes[OCTET_MAX_RANK];
    bool given;
    bool quantized = oct_op_facts(n->op)->result_kind == OCT_RESULT_GIVEN;
    FORWARD(ints_of(g, n, quantized ? -1 : 1, "axes", axes, OCTET_MAX_RANK, &count, &given));
    bool all = count == 0 && oct_node_int(n, "noop_with_empty_axes", 0) == 0;
    for (int d = 0; d < OCTET_MAX_RANK; d++)
        reduced[d] = all && d < rank;
    for (int i = 0; i < count; i++) {
        int d = 0;
        FORWARD(resolve_axis(axes[i], rank, &d));
        RETURN_IF(reduced[d], OCTET_INVALID_ARGUMENT, "axis %lld is given twice", (long long)axes[i]);
        reduced[d] = true;
    }
    return OCTET_OK;
}
