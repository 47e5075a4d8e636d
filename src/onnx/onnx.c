#include "onnx.h"
#include "onnx_build.h"
#include "onnx_scan.h"
#include "sizes.h"

#include <pb_decode.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Newest ai.onnx operator set whose definitions these readers follow. */
#define NEWEST_OPSET 28

struct oct_onnx_model {
    oct_map file;
    oct_onnx_external *external;
    oct_graph graph;
};

octet_status oct_build_initializers(oct_builder *b, oct_scope *scope, const onnx_GraphProto *g)
{
    RETURN_IF(g->sparse_initializer_count, OCTET_UNSUPPORTED, "sparse initializers are not supported");
    for (size_t i = 0; i < g->initializer_count; i++) {
        const onnx_TensorProto *t = &g->initializer[i];
        RETURN_IF(!t->name || !*t->name, OCTET_CORRUPT_FILE, "initializer %zu has no name", i);
        RETURN_IF(oct_names_find(&scope->names, t->name) >= 0, OCTET_CORRUPT_FILE,
                  "initializer '%s' is given twice", t->name);
        int v = oct_scope_new_value(b, scope, t->name);
        if (v < 0)
            return OCTET_OUT_OF_MEMORY;
        FORWARD(oct_onnx_tensor(&b->source, t, &b->graph->values[v]));
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
static octet_status read_inputs(oct_builder *b)
{
    const onnx_GraphProto *g = b->proto->graph;
    oct_graph *out = b->graph;
    out->inputs = calloc((size_t)g->input_count + 1, sizeof *out->inputs);
    if (!out->inputs)
        return oct_build_no_memory();
    for (size_t i = 0; i < g->input_count; i++) {
        const onnx_ValueInfoProto *info = &g->input[i];
        RETURN_IF(!info->name || !*info->name, OCTET_CORRUPT_FILE, "graph input %zu has no name", i);
        int v = oct_scope_value(b, &b->scope, info->name);
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

static octet_status read_outputs(oct_builder *b)
{
    const onnx_GraphProto *g = b->proto->graph;
    oct_graph *out = b->graph;
    out->outputs = calloc((size_t)g->output_count + 1, sizeof *out->outputs);
    if (!out->outputs)
        return oct_build_no_memory();
    RETURN_IF(!g->output_count, OCTET_CORRUPT_FILE, "the graph has no outputs");
    for (size_t i = 0; i < g->output_count; i++) {
        const onnx_ValueInfoProto *info = &g->output[i];
        RETURN_IF(!info->name || !*info->name, OCTET_CORRUPT_FILE, "graph output %zu has no name", i);
        int v = oct_scope_value(b, &b->scope, info->name);
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

static octet_status read_opsets(oct_builder *b)
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

static octet_status build_graph(oct_builder *b)
{
    RETURN_IF(!b->proto->graph, OCTET_CORRUPT_FILE, "the model holds no graph");
    FORWARD(read_opsets(b));
    FORWARD(oct_build_initializers(b, &b->scope, b->proto->graph));
    FORWARD(read_inputs(b));
    for (size_t i = 0; i < b->proto->graph->node_count; i++)
        FORWARD(oct_build_node(b, &b->scope, &b->proto->graph->node[i], i));
    FORWARD(read_outputs(b));
    FORWARD(oct_graph_sort(b->graph));
    FORWARD(oct_graph_fold_constants(b->graph));
    return oct_graph_sort(b->graph);
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
    oct_builder b = {.graph = &m->graph,
                     .proto = &proto,
                     .source = {path, &m->graph.arena, &m->external},
                     .for_inspection = for_inspection};
    octet_status status = OCTET_OK;
    if (!pb_decode(&stream, onnx_ModelProto_fields, &proto))
        status = decode_failed(PB_GET_ERROR(&stream));
    if (status == OCTET_OK)
        status = build_graph(&b);
    pb_release(onnx_ModelProto_fields, &proto);
    oct_scope_free(&b.scope);
    return status;
}

octet_status oct_onnx_load(const char *path, bool for_inspection, oct_onnx_model **model)
{
    *model = NULL;
    oct_onnx_model *m = calloc(1, sizeof *m);
    if (!m)
        return oct_build_no_memory();
    octet_status status = oct_map_file(path, &m->file);
    if (status == OCTET_OK && m->file.bytes == 0)
        status = oct_fail(OCTET_CORRUPT_FILE, "the file is empty");
    if (status == OCTET_OK)
        status = decode_and_build(m, path, for_inspection);
    if (status == OCTET_OK)
        status = oct_onnx_check(m);
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

octet_status oct_onnx_fix_input(oct_onnx_model *model, const char *name, const octet_tensor *value)
{
    return oct_graph_fix_input(&model->graph, name, value);
}

void oct_onnx_give_back(const oct_onnx_model *m, const void *data, size_t bytes)
{
    oct_map_give_back(&m->file, data, bytes);
    for (const oct_onnx_external *e = m->external; e; e = e->next)
        oct_map_give_back(&e->map, data, bytes);
}

octet_status oct_onnx_check(const oct_onnx_model *m)
{
    FORWARD(oct_map_check(&m->file));
    for (const oct_onnx_external *e = m->external; e; e = e->next)
        FORWARD(oct_map_check(&e->map));
    return OCTET_OK;
}

bool oct_onnx_reads(const oct_onnx_model *m, const char *path)
{
    bool is = oct_map_is(&m->file, path);
    for (const oct_onnx_external *e = m->external; e && !is; e = e->next)
        is = oct_map_is(&e->map, path);
    return is;
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
        status = oct_onnx_scan_tensor(file->data, file->bytes);
    if (status == OCTET_OK)
        status = oct_onnx_tensor(&source, &proto, &v);
    if (status == OCTET_OK) {
        tensor->dtype = v.dtype;
        tensor->rank = v.rank;
        memcpy(tensor->dims, v.dims, sizeof tensor->dims);
        tensor->data_bytes = v.data_bytes;
        tensor->data = malloc(v.data_bytes ? v.data_bytes : 1);
        if (!tensor->data)
            status = oct_build_no_memory();
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
