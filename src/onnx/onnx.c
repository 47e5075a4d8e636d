#include "onnx.h"
#include "dtype.h"
#include "names.h"
#include "onnx_scan.h"
#include "onnx_tensor.h"
#include "sizes.h"

#include <pb_decode.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Newest ai.onnx operator set whose definitions these readers follow. */
#define NEWEST_OPSET 28
/* Whose QuantizeLinear and DequantizeLinear com.microsoft's are. */
#define CONTRIB_PAIR_OPSET 21

struct oct_onnx_model {
    oct_map file;
    oct_onnx_external *external;
    oct_graph graph;
};

/* While a graph is being built. */
typedef struct builder {
    oct_onnx_model *model;
    const onnx_ModelProto *proto;
    oct_onnx_source source;
    oct_names names;         /* texts are those of the values */
    int64_t opset, ms_opset; /* 0: not imported */
    bool for_inspection;
} builder;

static octet_status no_memory(void)
{
    return oct_fail(OCTET_OUT_OF_MEMORY, "out of host memory while reading the model");
}

/* The value of this name, made if it is new; -1 when memory is short. */
static int value_named(builder *b, const char *name)
{
    int v = oct_names_find(&b->names, name);
    if (v >= 0)
        return v;
    v = oct_graph_add_value(&b->model->graph, name);
    if (v >= 0 && !oct_names_add(&b->names, b->model->graph.values[v].name, v)) {
        (void)no_memory();
        return -1;
    }
    return v;
}

static octet_status read_initializers(builder *b)
{
    const onnx_GraphProto *g = b->proto->graph;
    RETURN_IF(g->sparse_initializer_count, OCTET_UNSUPPORTED, "sparse initializers are not supported");
    for (size_t i = 0; i < g->initializer_count; i++) {
        const onnx_TensorProto *t = &g->initializer[i];
        RETURN_IF(!t->name || !*t->name, OCTET_CORRUPT_FILE, "initializer %zu has no name", i);
        RETURN_IF(oct_names_find(&b->names, t->name) >= 0, OCTET_CORRUPT_FILE,
                  "initializer '%s' is given twice", t->name);
        int v = value_named(b, t->name);
        if (v < 0)
            return OCTET_OUT_OF_MEMORY;
        FORWARD(oct_onnx_tensor(&b->source, t, &b->model->graph.values[v]));
    }
    return OCTET_OK;
}

/* dtype and shape of a ValueInfoProto, where it states them. */
static octet_status read_type(const onnx_ValueInfoProto *info, oct_value *v)
{
    const char *name = info->name ? info->name : "";
    if (!info->type || !info->type->which_value)
        return OCTET_OK;
    RETURN_IF(info->type->which_value != onnx_TypeProto_tensor_type_tag, OCTET_UNSUPPORTED,
              "'%s' is not a tensor; sequences, maps and optionals are not supported", name);
    const onnx_TypeProto_Tensor *t = info->type->value.tensor_type;
    int32_t type = t->elem_type ? *t->elem_type : 0;
    v->dtype = oct_onnx_dtype(type);
    RETURN_IF(v->dtype == OCTET_DTYPE_NONE, OCTET_UNSUPPORTED,
              "'%s' has ONNX type %d, which is not supported", name, (int)type);
    if (!t->shape)
        return OCTET_OK;
    RETURN_IF(t->shape->dim_count > OCTET_MAX_RANK, OCTET_UNSUPPORTED,
              "'%s' has %d dimensions; at most %d are supported", name, (int)t->shape->dim_count,
              OCTET_MAX_RANK);
    v->rank = (int)t->shape->dim_count;
    for (int i = 0; i < v->rank; i++) {
        const onnx_TensorShapeProto_Dimension *d = &t->shape->dim[i];
        v->dims[i] = -1;
        if (d->which_value == onnx_TensorShapeProto_Dimension_dim_value_tag) {
            v->dims[i] = *d->value.dim_value;
            RETURN_IF(v->dims[i] < -1 || v->dims[i] > OCT_MAX_ELEMS, OCTET_CORRUPT_FILE,
                      "'%s': dimension %d is %lld", name, i, (long long)v->dims[i]);
        }
    }
    return OCTET_OK;
}

/* Graph inputs that are initializers too are constants: the initializer is their default value. */
static octet_status read_inputs(builder *b)
{
    const onnx_GraphProto *g = b->proto->graph;
    oct_graph *out = &b->model->graph;
    out->inputs = calloc((size_t)g->input_count + 1, sizeof *out->inputs);
    if (!out->inputs)
        return no_memory();
    for (size_t i = 0; i < g->input_count; i++) {
        const onnx_ValueInfoProto *info = &g->input[i];
        RETURN_IF(!info->name || !*info->name, OCTET_CORRUPT_FILE, "graph input %zu has no name", i);
        int v = value_named(b, info->name);
        if (v < 0)
            return OCTET_OUT_OF_MEMORY;
        if (out->values[v].data)
            continue;
        RETURN_IF(out->values[v].is_input, OCTET_CORRUPT_FILE, "graph input '%s' is given twice", info->name);
        out->values[v].is_input = true;
        FORWARD(read_type(info, &out->values[v]));
        RETURN_IF(out->values[v].dtype == OCTET_DTYPE_NONE, OCTET_CORRUPT_FILE,
                  "graph input '%s' has no type", info->name);
        out->inputs[out->input_count++] = v;
    }
    return OCTET_OK;
}

static octet_status read_outputs(builder *b)
{
    const onnx_GraphProto *g = b->proto->graph;
    oct_graph *out = &b->model->graph;
    out->outputs = calloc((size_t)g->output_count + 1, sizeof *out->outputs);
    if (!out->outputs)
        return no_memory();
    RETURN_IF(!g->output_count, OCTET_CORRUPT_FILE, "the graph has no outputs");
    for (size_t i = 0; i < g->output_count; i++) {
        const onnx_ValueInfoProto *info = &g->output[i];
        RETURN_IF(!info->name || !*info->name, OCTET_CORRUPT_FILE, "graph output %zu has no name", i);
        int v = value_named(b, info->name);
        if (v < 0)
            return OCTET_OUT_OF_MEMORY;
        RETURN_IF(out->values[v].is_output, OCTET_CORRUPT_FILE, "graph output '%s' is given twice",
                  info->name);
        if (!out->values[v].data && !out->values[v].is_input) {
            FORWARD(read_type(info, &out->values[v]));
            /* What the network computes counts, not what the file claims of the shape. */
            out->values[v].rank = out->values[v].dtype == OCTET_DTYPE_NONE ? -1 : out->values[v].rank;
        }
        out->values[v].is_output = true;
        out->outputs[out->output_count++] = v;
    }
    return OCTET_OK;
}

/* ---- nodes
 * --------------------------------------------------------------------------------------------------- */

static octet_status copy_numbers(oct_arena *arena, const void *from, size_t count, size_t size,
                                 const void **out)
{
    void *copy = oct_arena_alloc(arena, count, size);
    if (!copy)
        return no_memory();
    if (count)
        memcpy(copy, from, count * size);
    *out = copy;
    return OCTET_OK;
}

static octet_status read_attribute_tensor(builder *b, const onnx_TensorProto *t, oct_attr *a)
{
    oct_value *v = oct_arena_alloc(&b->model->graph.arena, 1, sizeof *v);
    if (!v)
        return no_memory();
    v->name = a->name;
    FORWARD(oct_onnx_tensor(&b->source, t, v));
    a->kind = OCT_ATTR_TENSOR;
    a->tensor = v;
    return OCTET_OK;
}

/* The kind of an attribute follows from the field that is set; `type` (missing in old files) must agree. */
static octet_status read_attribute(builder *b, const onnx_AttributeProto *p, oct_attr *a)
{
    oct_arena *arena = &b->model->graph.arena;
    const void *numbers = NULL;
    a->name = oct_arena_strdup(arena, p->name ? p->name : "");
    if (!a->name)
        return no_memory();
    RETURN_IF(p->g || p->graphs_count, OCTET_UNSUPPORTED,
              "attribute '%s' is a graph; control flow is not supported", a->name);
    RETURN_IF(p->sparse_tensor || p->sparse_tensors_count || p->tensors_count || p->strings_count || p->tp ||
                  p->type_protos_count || (p->ref_attr_name && *p->ref_attr_name),
              OCTET_UNSUPPORTED, "attribute '%s' is of a kind that is not supported", a->name);
    onnx_AttributeProto_AttributeType type = p->type ? *p->type : onnx_AttributeProto_AttributeType_UNDEFINED;
    if (p->t)
        return read_attribute_tensor(b, p->t, a);
    if (p->s) {
        a->kind = OCT_ATTR_STRING;
        a->s = oct_arena_strndup(arena, (const char *)p->s->bytes, p->s->size);
        return a->s ? OCTET_OK : no_memory();
    }
    if (p->ints_count || type == onnx_AttributeProto_AttributeType_INTS) {
        a->kind = OCT_ATTR_INTS;
        a->count = p->ints_count;
        FORWARD(copy_numbers(arena, p->ints, a->count, sizeof *p->ints, &numbers));
        a->ints = numbers;
        return OCTET_OK;
    }
    if (p->floats_count || type == onnx_AttributeProto_AttributeType_FLOATS) {
        a->kind = OCT_ATTR_FLOATS;
        a->count = p->floats_count;
        FORWARD(copy_numbers(arena, p->floats, a->count, sizeof *p->floats, &numbers));
        a->floats = numbers;
        return OCTET_OK;
    }
    if (p->f || type == onnx_AttributeProto_AttributeType_FLOAT) {
        a->kind = OCT_ATTR_FLOAT;
        a->f = p->f ? *p->f : 0.0f;
        return OCTET_OK;
    }
    a->kind = OCT_ATTR_INT;
    a->i = p->i ? *p->i : 0;
    return OCTET_OK;
}

static octet_status read_attributes(builder *b, const onnx_NodeProto *p, int node)
{
    oct_attr *attrs = oct_arena_alloc(&b->model->graph.arena, p->attribute_count, sizeof *attrs);
    if (!attrs)
        return no_memory();
    for (size_t i = 0; i < p->attribute_count; i++) {
        octet_status status = read_attribute(b, &p->attribute[i], &attrs[i]);
        if (status != OCTET_OK)
            return oct_fail_prefix(status, "%s (node '%s')", p->op_type, b->model->graph.nodes[node].name);
    }
    b->model->graph.nodes[node].attrs = attrs;
    b->model->graph.nodes[node].attr_count = p->attribute_count;
    return OCTET_OK;
}

static octet_status read_operands(builder *b, char **names, size_t count, int *out)
{
    for (size_t i = 0; i < count; i++) {
        if (!names[i] || !*names[i])
            continue; /* absent */
        out[i] = value_named(b, names[i]);
        if (out[i] < 0)
            return OCTET_OUT_OF_MEMORY;
    }
    return OCTET_OK;
}

/* Optional trailing operands may be given as empty names; they are as good as not there. */
static int without_trailing_empty(char **names, size_t count)
{
    while (count && (!names[count - 1] || !*names[count - 1]))
        count--;
    return (int)count;
}

/* Add the node; what is said of it is checked after. */
static octet_status add_node(builder *b, const onnx_NodeProto *p, size_t index)
{
    const char *op_type = p->op_type ? p->op_type : "", *domain = p->domain ? p->domain : "";
    char made[320];
    snprintf(made, sizeof made, "%.256s_%zu", op_type, index);
    const char *name = p->name && *p->name ? p->name : made;
    oct_op op = oct_op_find(op_type, domain);
    int inputs = without_trailing_empty(p->input, p->input_count);
    int outputs = without_trailing_empty(p->output, p->output_count);
    oct_graph *g = &b->model->graph;
    oct_node *n = oct_graph_add_node(g, op == OCT_OP_COUNT ? OCT_OP_Unknown : op, name, inputs, outputs);
    if (!n)
        return OCTET_OUT_OF_MEMORY;
    n->op_type = op == OCT_OP_COUNT ? oct_arena_strdup(&g->arena, op_type) : n->op_type;
    n->domain = oct_arena_strdup(&g->arena, domain);
    if (!n->domain || !n->op_type)
        return no_memory();
    n->opset = (int)(strcmp(domain, "com.microsoft") == 0 ? b->ms_opset : b->opset);
    if (n->opset && oct_op_is_contrib_pair(op_type, domain))
        n->opset = CONTRIB_PAIR_OPSET;
    FORWARD(read_operands(b, p->input, (size_t)inputs, n->inputs));
    return read_operands(b, p->output, (size_t)outputs, n->outputs);
}

static octet_status check_node(builder *b, const onnx_NodeProto *p, int node)
{
    const oct_node *n = &b->model->graph.nodes[node];
    const char *domain = *n->domain ? n->domain : "ai.onnx";
    RETURN_IF(n->op == OCT_OP_Unknown, OCTET_UNSUPPORTED,
              "operator %s (domain '%s', node '%s') is not supported", n->op_type, domain, n->name);
    RETURN_IF(n->opset == 0, OCTET_CORRUPT_FILE,
              "%s (node '%s'): the model imports no operator set of domain '%s'", n->op_type, n->name,
              domain);
    FORWARD(oct_node_check_arity(n));
    return read_attributes(b, p, node);
}

static octet_status read_node(builder *b, const onnx_NodeProto *p, size_t index)
{
    oct_graph *g = &b->model->graph;
    FORWARD(add_node(b, p, index));
    int node = g->node_count - 1;
    octet_status status = check_node(b, p, node);
    if (status != OCTET_UNSUPPORTED || !b->for_inspection || g->nodes[node].output_count == 0)
        return status;
    oct_node *n = &g->nodes[node];
    n->op = OCT_OP_Unknown;
    n->attr_count = 0;
    n->refusal = oct_arena_strdup(&g->arena, oct_error_text());
    oct_error_clear();
    return n->refusal ? OCTET_OK : no_memory();
}

static octet_status read_opsets(builder *b)
{
    for (size_t i = 0; i < b->proto->opset_import_count; i++) {
        const onnx_OperatorSetIdProto *o = &b->proto->opset_import[i];
        const char *domain = o->domain ? o->domain : "";
        int64_t version = o->version ? *o->version : 0;
        RETURN_IF(version < 1 || version > INT32_MAX, OCTET_CORRUPT_FILE,
                  "opset version %lld of domain '%s' is out of range", (long long)version, domain);
        if (!*domain || strcmp(domain, "ai.onnx") == 0)
            b->opset = version;
        else if (strcmp(domain, "com.microsoft") == 0)
            b->ms_opset = version;
    }
    RETURN_IF(b->opset > NEWEST_OPSET, OCTET_UNSUPPORTED,
              "the model uses opset %lld; Octet knows opsets up to %d", (long long)b->opset, NEWEST_OPSET);
    return OCTET_OK;
}

static octet_status build_graph(builder *b)
{
    RETURN_IF(!b->proto->graph, OCTET_CORRUPT_FILE, "the model holds no graph");
    FORWARD(read_opsets(b));
    FORWARD(read_initializers(b));
    FORWARD(read_inputs(b));
    for (size_t i = 0; i < b->proto->graph->node_count; i++)
        FORWARD(read_node(b, &b->proto->graph->node[i], i));
    FORWARD(read_outputs(b));
    FORWARD(oct_graph_sort(&b->model->graph));
    FORWARD(oct_graph_fold_constants(&b->model->graph));
    return oct_graph_sort(&b->model->graph);
}

/* nanopb counts in 16 bits, as Debian builds it: not a fault of the file. */
static octet_status decode_failed(const char *why)
{
    RETURN_IF(
        strcmp(why, "too many array entries") == 0 || strcmp(why, "bytes overflow") == 0, OCTET_UNSUPPORTED,
        "the model has a list (nodes, tensors, attribute values) or a text attribute longer than 65535");
    return oct_fail(OCTET_CORRUPT_FILE, "not an ONNX file, or it is damaged: %s", why);
}

static octet_status decode_and_build(oct_onnx_model *m, const char *path, bool for_inspection)
{
    FORWARD(oct_onnx_scan(m->file.data, m->file.bytes));
    onnx_ModelProto proto;
    memset(&proto, 0, sizeof proto);
    pb_istream_t stream = pb_istream_from_buffer(m->file.data, m->file.bytes);
    oct_onnx_decode_range(m->file.data, m->file.bytes);
    builder b = {.model = m,
                 .proto = &proto,
                 .source = {path, &m->graph.arena, &m->external},
                 .for_inspection = for_inspection};
    octet_status status = OCTET_OK;
    if (!pb_decode(&stream, onnx_ModelProto_fields, &proto))
        status = decode_failed(PB_GET_ERROR(&stream));
    if (status == OCTET_OK)
        status = build_graph(&b);
    pb_release(onnx_ModelProto_fields, &proto);
    oct_names_free(&b.names);
    return status;
}

octet_status oct_onnx_load(const char *path, bool for_inspection, oct_onnx_model **model)
{
    *model = NULL;
    oct_onnx_model *m = calloc(1, sizeof *m);
    if (!m)
        return no_memory();
    octet_status status = oct_map_file(path, &m->file);
    if (status == OCTET_OK && m->file.bytes == 0)
        status = oct_fail(OCTET_CORRUPT_FILE, "the file is empty");
    if (status == OCTET_OK)
        status = decode_and_build(m, path, for_inspection);
    if (status != OCTET_OK) {
        oct_onnx_free(m);
        return status;
    }
    *model = m;
    return OCTET_OK;
}

const oct_graph *oct_onnx_graph(const oct_onnx_model *model)
{
    return &model->graph;
}

void oct_onnx_give_back(const oct_onnx_model *m, const void *data, size_t bytes)
{
    oct_map_give_back(&m->file, data, bytes);
    for (const oct_onnx_external *e = m->external; e; e = e->next)
        oct_map_give_back(&e->map, data, bytes);
}

void oct_onnx_free(oct_onnx_model *m)
{
    if (!m)
        return;
    for (oct_onnx_external *e = m->external; e; e = e->next)
        oct_unmap(&e->map);
    oct_graph_free(&m->graph);
    oct_unmap(&m->file);
    free(m);
}

static octet_status decode_tensor(const oct_map *file, const char *path, octet_tensor *tensor, char *name,
                                  size_t name_size)
{
    oct_arena arena = {0};
    onnx_TensorProto proto;
    memset(&proto, 0, sizeof proto);
    pb_istream_t stream = pb_istream_from_buffer(file->data, file->bytes);
    oct_onnx_decode_range(file->data, file->bytes);
    oct_value v = {.name = ""};
    octet_status status = OCTET_OK;
    if (!pb_decode(&stream, onnx_TensorProto_fields, &proto))
        status = oct_fail(OCTET_CORRUPT_FILE, "not a TensorProto file, or it is damaged: %s",
                          PB_GET_ERROR(&stream));
    oct_onnx_source source = {path, &arena, NULL};
    if (status == OCTET_OK)
        status = oct_onnx_tensor(&source, &proto, &v);
    if (status == OCTET_OK) {
        tensor->dtype = v.dtype;
        tensor->rank = v.rank;
        memcpy(tensor->dims, v.dims, sizeof tensor->dims);
        tensor->data_bytes = v.data_bytes;
        tensor->data = malloc(v.data_bytes ? v.data_bytes : 1);
        if (!tensor->data)
            status = no_memory();
        else if (v.data_bytes)
            memcpy(tensor->data, v.data, v.data_bytes);
    }
    if (name && name_size)
        snprintf(name, name_size, "%s", proto.name ? proto.name : "");
    pb_release(onnx_TensorProto_fields, &proto);
    oct_arena_free(&arena);
    return status;
}

octet_status oct_onnx_read_tensor(const char *path, octet_tensor *tensor, char *name, size_t name_size)
{
    memset(tensor, 0, sizeof *tensor);
    oct_map file;
    octet_status status = oct_map_file(path, &file);
    if (status == OCTET_OK)
        status = decode_tensor(&file, path, tensor, name, name_size);
    oct_unmap(&file);
    return status == OCTET_OK ? status : oct_fail_prefix(status, "%s", path);
}
