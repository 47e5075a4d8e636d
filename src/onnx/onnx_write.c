#include "onnx_write.h"
#include "dtype.h"
#include "names.h"
#include "onnx_tensor.h"
#include "op_facts.h"
#include "write_file.h"

#include <pb_encode.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct writer {
    const oct_graph *g;
    oct_arena arena;             /* everything the message points to */
    oct_names taken, node_names; /* names of values, and of nodes */
    const char **names;          /* by value */
    bool *used;                  /* by value: some node reads it, or it is an output */
} writer;

/* nanopb counts in 16 bits, as Debian builds it. */
#define MOST_ITEMS 65535

static void *items(writer *w, size_t count, size_t size)
{
    void *made = count > MOST_ITEMS ? NULL : oct_arena_alloc(&w->arena, count, size);
    if (!made && count > MOST_ITEMS)
        (void)oct_fail(OCTET_UNSUPPORTED, "%zu items in one list; %d can be written", count, MOST_ITEMS);
    else if (!made)
        (void)oct_out_of_memory("a model file");
    return made;
}

static octet_status failed(size_t count)
{
    return count > MOST_ITEMS ? OCTET_UNSUPPORTED : OCTET_OUT_OF_MEMORY;
}

#define NEW(w, pointer, count)                                                                               \
    do {                                                                                                     \
        size_t count_ = (size_t)(count);                                                                     \
        (pointer) = items((w), count_, sizeof *(pointer));                                                   \
        if (!(pointer))                                                                                      \
            return failed(count_);                                                                           \
    } while (0)

static octet_status text(writer *w, const char *from, char **to)
{
    *to = oct_arena_strdup(&w->arena, from);
    return *to ? OCTET_OK : oct_out_of_memory("a model file");
}

static octet_status number(writer *w, int64_t from, int64_t **to)
{
    NEW(w, *to, 1);
    **to = from;
    return OCTET_OK;
}

/* ---- names --------------------------------------------------------------------------------------------- */

/* `wanted`, or that with a number behind it where it is taken. */
static octet_status unique(writer *w, oct_names *taken, const char *wanted, int number, char **out)
{
    const char *name = wanted;
    char made[320];
    for (int i = 0; !*name || oct_names_find(taken, name) >= 0; i++) {
        snprintf(made, sizeof made, "%.280s_%d", *wanted ? wanted : "value", number + i);
        name = made;
    }
    FORWARD(text(w, name, out));
    return oct_names_add(taken, *out, number) ? OCTET_OK : oct_out_of_memory("a model file");
}

static octet_status take_name(writer *w, int v)
{
    if (w->names[v])
        return OCTET_OK;
    char *name;
    FORWARD(unique(w, &w->taken, w->g->values[v].name, v, &name));
    w->names[v] = name;
    return OCTET_OK;
}

/* What a caller names keeps its name: inputs, outputs and inputs that are fixed first. */
static octet_status take_names(writer *w)
{
    const oct_graph *g = w->g;
    w->names = oct_arena_alloc(&w->arena, (size_t)g->value_count + 1, sizeof *w->names);
    w->used = oct_arena_alloc(&w->arena, (size_t)g->value_count + 1, sizeof *w->used);
    if (!w->names || !w->used)
        return oct_out_of_memory("a model file");
    for (int i = 0; i < g->input_count; i++)
        FORWARD(take_name(w, g->inputs[i]));
    for (int i = 0; i < g->output_count; i++) {
        FORWARD(take_name(w, g->outputs[i]));
        w->used[g->outputs[i]] = true;
    }
    for (int v = 0; v < g->value_count; v++) {
        if (!g->values[v].fixed)
            continue;
        FORWARD(take_name(w, v));
        w->used[v] = true;
    }
    for (int i = 0; i < g->node_count; i++) {
        const oct_node *n = &g->nodes[i];
        for (int j = 0; j < n->input_count; j++) {
            if (n->inputs[j] == OCT_NO_VALUE)
                continue;
            w->used[n->inputs[j]] = true;
            FORWARD(take_name(w, n->inputs[j]));
        }
        for (int j = 0; j < n->output_count; j++) {
            if (n->outputs[j] != OCT_NO_VALUE)
                FORWARD(take_name(w, n->outputs[j]));
        }
    }
    return OCTET_OK;
}

/* ---- tensors, attributes, nodes ------------------------------------------------------------------------ */

static octet_status put_tensor(writer *w, const oct_value *v, const char *name, onnx_TensorProto *t)
{
    if (name)
        FORWARD(text(w, name, &t->name));
    t->dims_count = (pb_size_t)v->rank;
    NEW(w, t->dims, v->rank);
    if (v->rank)
        memcpy(t->dims, v->dims, (size_t)v->rank * sizeof *t->dims);
    NEW(w, t->data_type, 1);
    *t->data_type = oct_onnx_type(v->dtype);
    t->raw_data = (oct_wire_range){v->data, v->data_bytes};
    return OCTET_OK;
}

static octet_status put_bytes(writer *w, const char *name, const char *from, pb_bytes_array_t **to)
{
    size_t length = strlen(from);
    RETURN_IF(length > MOST_ITEMS, OCTET_UNSUPPORTED, "attribute '%s' is too long to write", name);
    *to = oct_arena_alloc(&w->arena, PB_BYTES_ARRAY_T_ALLOCSIZE(length), 1);
    if (!*to)
        return oct_out_of_memory("a model file");
    (*to)->size = (pb_size_t)length;
    memcpy((*to)->bytes, from, length);
    return OCTET_OK;
}

static octet_status put_strings(writer *w, const oct_attr *from, onnx_AttributeProto *to)
{
    *to->type = onnx_AttributeProto_AttributeType_STRINGS;
    NEW(w, to->strings, from->count);
    to->strings_count = (pb_size_t)from->count;
    for (size_t i = 0; i < from->count; i++)
        FORWARD(put_bytes(w, from->name, from->strings[i], &to->strings[i]));
    return OCTET_OK;
}

static octet_status put_attribute(writer *w, const oct_attr *from, onnx_AttributeProto *to)
{
    FORWARD(text(w, from->name, &to->name));
    NEW(w, to->type, 1);
    switch (from->kind) {
    case OCT_ATTR_INT:
        *to->type = onnx_AttributeProto_AttributeType_INT;
        return number(w, from->i, &to->i);
    case OCT_ATTR_FLOAT:
        *to->type = onnx_AttributeProto_AttributeType_FLOAT;
        NEW(w, to->f, 1);
        *to->f = from->f;
        return OCTET_OK;
    case OCT_ATTR_STRING:
        *to->type = onnx_AttributeProto_AttributeType_STRING;
        return put_bytes(w, from->name, from->s, &to->s);
    case OCT_ATTR_INTS:
        *to->type = onnx_AttributeProto_AttributeType_INTS;
        NEW(w, to->ints, from->count);
        to->ints_count = (pb_size_t)from->count;
        if (from->count)
            memcpy(to->ints, from->ints, from->count * sizeof *to->ints);
        return OCTET_OK;
    case OCT_ATTR_FLOATS:
        *to->type = onnx_AttributeProto_AttributeType_FLOATS;
        NEW(w, to->floats, from->count);
        to->floats_count = (pb_size_t)from->count;
        if (from->count)
            memcpy(to->floats, from->floats, from->count * sizeof *to->floats);
        return OCTET_OK;
    case OCT_ATTR_STRINGS:
        return put_strings(w, from, to);
    case OCT_ATTR_BRANCH:
    case OCT_ATTR_SPARSE:
        return oct_fail(OCTET_INTERNAL, "attribute '%s' is a graph or sparse, which is not written",
                        from->name);
    case OCT_ATTR_TENSOR:
        break;
    }
    *to->type = onnx_AttributeProto_AttributeType_TENSOR;
    NEW(w, to->t, 1);
    return put_tensor(w, from->tensor, NULL, to->t);
}

static octet_status put_operands(writer *w, const int *values, int count, char ***out)
{
    NEW(w, *out, count);
    for (int i = 0; i < count; i++)
        FORWARD(text(w, values[i] == OCT_NO_VALUE ? "" : w->names[values[i]], &(*out)[i]));
    return OCTET_OK;
}

static octet_status put_node(writer *w, const oct_node *from, onnx_NodeProto *to)
{
    RETURN_IF(from->clamp.set || from->float_out || from->channels_last ||
                  oct_op_find(from->op_type, from->domain) != from->op,
              OCTET_UNSUPPORTED, "%s (node '%s') has no ONNX form", from->op_type, from->name);
    FORWARD(unique(w, &w->node_names, from->name, (int)(from - w->g->nodes), &to->name));
    FORWARD(text(w, from->op_type, &to->op_type));
    if (*from->domain)
        FORWARD(text(w, from->domain, &to->domain));
    to->input_count = (pb_size_t)from->input_count;
    to->output_count = (pb_size_t)from->output_count;
    FORWARD(put_operands(w, from->inputs, from->input_count, &to->input));
    FORWARD(put_operands(w, from->outputs, from->output_count, &to->output));
    NEW(w, to->attribute, from->attr_count);
    to->attribute_count = (pb_size_t)from->attr_count;
    for (size_t i = 0; i < from->attr_count; i++)
        FORWARD(put_attribute(w, &from->attrs[i], &to->attribute[i]));
    return OCTET_OK;
}

/* ---- the graph ----------------------------------------------------------------------------------------- */

static octet_status put_shape(writer *w, const oct_value *v, onnx_TypeProto_Tensor *type)
{
    NEW(w, type->shape, 1);
    NEW(w, type->shape->dim, v->rank);
    type->shape->dim_count = (pb_size_t)v->rank;
    for (int d = 0; d < v->rank; d++) {
        onnx_TensorShapeProto_Dimension *dim = &type->shape->dim[d];
        if (v->dims[d] < 0)
            continue; /* unknown */
        dim->which_value = onnx_TensorShapeProto_Dimension_dim_value_tag;
        FORWARD(number(w, v->dims[d], &dim->value.dim_value));
    }
    return OCTET_OK;
}

static octet_status put_port(writer *w, int v, onnx_ValueInfoProto *to)
{
    const oct_value *value = &w->g->values[v];
    FORWARD(text(w, w->names[v], &to->name));
    RETURN_IF(value->dtype == OCTET_DTYPE_NONE, OCTET_INTERNAL, "'%s' has no type", value->name);
    NEW(w, to->type, 1);
    to->type->which_value = onnx_TypeProto_tensor_type_tag;
    NEW(w, to->type->value.tensor_type, 1);
    NEW(w, to->type->value.tensor_type->elem_type, 1);
    *to->type->value.tensor_type->elem_type = oct_onnx_type(value->dtype);
    return value->rank < 0 ? OCTET_OK : put_shape(w, value, to->type->value.tensor_type);
}

static octet_status put_graph(writer *w, onnx_GraphProto *to)
{
    const oct_graph *g = w->g;
    FORWARD(text(w, "octet", &to->name));
    NEW(w, to->node, g->node_count);
    for (int i = 0; i < g->node_count; i++)
        FORWARD(put_node(w, &g->nodes[i], &to->node[to->node_count++]));
    int fixed = 0;
    for (int v = 0; v < g->value_count; v++)
        fixed += g->values[v].fixed;
    NEW(w, to->input, g->input_count + fixed);
    for (int i = 0; i < g->input_count; i++)
        FORWARD(put_port(w, g->inputs[i], &to->input[to->input_count++]));
    for (int v = 0; v < g->value_count; v++) { /* with their initializers as defaults */
        if (g->values[v].fixed)
            FORWARD(put_port(w, v, &to->input[to->input_count++]));
    }
    NEW(w, to->output, g->output_count);
    for (int i = 0; i < g->output_count; i++)
        FORWARD(put_port(w, g->outputs[i], &to->output[to->output_count++]));
    size_t constants = 0;
    for (int v = 0; v < g->value_count; v++)
        constants += g->values[v].data && w->used[v];
    NEW(w, to->initializer, constants);
    for (int v = 0; v < g->value_count; v++) {
        if (g->values[v].data && w->used[v])
            FORWARD(put_tensor(w, &g->values[v], w->names[v], &to->initializer[to->initializer_count++]));
    }
    return OCTET_OK;
}

/* The IR version that came with an operator set (ONNX, docs/Versioning.md): readers may refuse newer ones. */
static int64_t ir_version(int opset)
{
    static const struct {
        int opset;
        int64_t ir;
    } table[] = {{14, 7}, {18, 8}, {20, 9}, {22, 10}, {24, 11}};
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if (opset <= table[i].opset)
            return table[i].ir;
    }
    return 12;
}

static octet_status put_opset(writer *w, const char *domain, int64_t version, onnx_OperatorSetIdProto *to)
{
    FORWARD(text(w, domain, &to->domain));
    return number(w, version, &to->version);
}

static octet_status put_model(writer *w, int opset, onnx_ModelProto *m)
{
    FORWARD(take_names(w));
    FORWARD(number(w, ir_version(opset), &m->ir_version));
    FORWARD(text(w, "octet", &m->producer_name));
    FORWARD(text(w, octet_version(), &m->producer_version));
    NEW(w, m->opset_import, 2);
    FORWARD(put_opset(w, "", opset, &m->opset_import[m->opset_import_count++]));
    for (int i = 0; i < w->g->node_count && m->opset_import_count == 1; i++) {
        if (strcmp(w->g->nodes[i].domain, "com.microsoft") == 0)
            FORWARD(put_opset(w, "com.microsoft", 1, &m->opset_import[m->opset_import_count++]));
    }
    NEW(w, m->graph, 1);
    return put_graph(w, m->graph);
}

/* ---- the file ------------------------------------------------------------------------------------------ */

static bool write_bytes(pb_ostream_t *stream, const pb_byte_t *bytes, size_t count)
{
    return oct_out_write(stream->state, bytes, count);
}

static octet_status encode(const onnx_ModelProto *m, const char *path)
{
    oct_out_file out;
    size_t failed;
    const char *why = oct_out_open(path, &out);
    pb_ostream_t stream = {.callback = write_bytes, .state = &out, .max_size = SIZE_MAX};
    bool encoded = !why && pb_encode(&stream, onnx_ModelProto_fields, m);
    if (!why)
        why = oct_out_finish(&out);
    if (!why && !encoded)
        why = PB_GET_ERROR(&stream);
    if (!why)
        why = oct_out_commit(&out, 1, &failed);
    oct_out_abandon(&out);
    return why ? oct_fail(OCTET_CORRUPT_FILE, "%s: it cannot be written: %s", path, why) : OCTET_OK;
}

octet_status oct_onnx_write(const oct_graph *graph, int opset, const char *path)
{
    writer w = {.g = graph};
    onnx_ModelProto model;
    memset(&model, 0, sizeof model);
    octet_status status = put_model(&w, opset, &model);
    if (status == OCTET_OK)
        status = encode(&model, path);
    oct_names_free(&w.taken);
    oct_names_free(&w.node_names);
    oct_arena_free(&w.arena);
    return status;
}
