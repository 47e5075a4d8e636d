/* Attributes of nodes: of the kinds that the operator's row in op_table.def says, and no others. */
#include "onnx_build.h"
#include "op_facts.h"

#include <string.h>

/* ---- kinds --------------------------------------------------------------------------------------------- */

/* As ONNX numbers them. */
static const char *const kind_names[] = {
    "UNDEFINED", "FLOAT",   "INT",    "STRING",        "TENSOR",         "GRAPH",      "FLOATS",     "INTS",
    "STRINGS",   "TENSORS", "GRAPHS", "SPARSE_TENSOR", "SPARSE_TENSORS", "TYPE_PROTO", "TYPE_PROTOS"};
enum { KINDS = sizeof kind_names / sizeof *kind_names };

static int onnx_kind(oct_attr_kind kind)
{
    static const int kinds[] = {[OCT_ATTR_INT] = onnx_AttributeProto_AttributeType_INT,
                                [OCT_ATTR_FLOAT] = onnx_AttributeProto_AttributeType_FLOAT,
                                [OCT_ATTR_STRING] = onnx_AttributeProto_AttributeType_STRING,
                                [OCT_ATTR_INTS] = onnx_AttributeProto_AttributeType_INTS,
                                [OCT_ATTR_FLOATS] = onnx_AttributeProto_AttributeType_FLOATS,
                                [OCT_ATTR_STRINGS] = onnx_AttributeProto_AttributeType_STRINGS,
                                [OCT_ATTR_TENSOR] = onnx_AttributeProto_AttributeType_TENSOR,
                                [OCT_ATTR_SPARSE] = onnx_AttributeProto_AttributeType_SPARSE_TENSOR,
                                [OCT_ATTR_BRANCH] = onnx_AttributeProto_AttributeType_GRAPH};
    return kinds[kind];
}

/* Does the field of this kind hold anything? */
static bool holds(const onnx_AttributeProto *p, int kind)
{
    const bool full[KINDS] = {[onnx_AttributeProto_AttributeType_FLOAT] = p->f,
                              [onnx_AttributeProto_AttributeType_INT] = p->i,
                              [onnx_AttributeProto_AttributeType_STRING] = p->s,
                              [onnx_AttributeProto_AttributeType_TENSOR] = p->t,
                              [onnx_AttributeProto_AttributeType_GRAPH] = p->g,
                              [onnx_AttributeProto_AttributeType_FLOATS] = p->floats_count,
                              [onnx_AttributeProto_AttributeType_INTS] = p->ints_count,
                              [onnx_AttributeProto_AttributeType_STRINGS] = p->strings_count,
                              [onnx_AttributeProto_AttributeType_TENSORS] = p->tensors_count,
                              [onnx_AttributeProto_AttributeType_GRAPHS] = p->graphs_count,
                              [onnx_AttributeProto_AttributeType_SPARSE_TENSOR] = p->sparse_tensor,
                              [onnx_AttributeProto_AttributeType_SPARSE_TENSORS] = p->sparse_tensors_count,
                              [onnx_AttributeProto_AttributeType_TYPE_PROTO] = p->tp,
                              [onnx_AttributeProto_AttributeType_TYPE_PROTOS] = p->type_protos_count};
    return full[kind];
}

/* What `type` says (it is missing in old files), which the field that is set must agree with; where neither
 * tells, as an empty list of an old file, it is what is wanted. A field that has its type's zero may be
 * missing. */
static octet_status check_kind(const onnx_AttributeProto *p, int wanted)
{
    int said = p->type ? (int)*p->type : onnx_AttributeProto_AttributeType_UNDEFINED, kind = wanted;
    RETURN_IF(said < 0 || said >= KINDS, OCTET_CORRUPT_FILE,
              "attribute '%s' is of kind %d, which ONNX has not", p->name, said);
    if (said != onnx_AttributeProto_AttributeType_UNDEFINED)
        kind = said;
    for (int k = 1; k < KINDS; k++) {
        if (!holds(p, k))
            continue;
        RETURN_IF(said && k != said, OCTET_CORRUPT_FILE, "attribute '%s' holds %s and says that it is %s",
                  p->name, kind_names[k], kind_names[said]);
        kind = k != wanted ? k : kind;
    }
    RETURN_IF(kind != wanted, OCTET_CORRUPT_FILE, "attribute '%s' is %s; it must be %s", p->name,
              kind_names[kind], kind_names[wanted]);
    bool empty = wanted == onnx_AttributeProto_AttributeType_TENSOR && !p->t;
    RETURN_IF(empty, OCTET_CORRUPT_FILE, "attribute '%s' has no tensor", p->name);
    return OCTET_OK;
}

/* ---- names --------------------------------------------------------------------------------------------- */

/* Names that begin so are ONNX Runtime's own notes, which no operator set defines. */
static bool is_note(const onnx_AttributeProto *p)
{
    return p->name && strncmp(p->name, "__", 2) == 0;
}

static octet_status check_attribute(const oct_node *n, const onnx_AttributeProto *all, size_t i)
{
    const onnx_AttributeProto *p = &all[i];
    RETURN_IF(!p->name || !*p->name, OCTET_CORRUPT_FILE, "attribute %zu has no name", i);
    const oct_attr_row *row = oct_op_attr(n->op, p->name);
    RETURN_IF(!row, OCTET_UNSUPPORTED, "attribute '%.80s' is none that Octet knows of this operator",
              p->name);
    for (size_t k = 0; k < i; k++)
        RETURN_IF(all[k].name && strcmp(all[k].name, p->name) == 0, OCTET_CORRUPT_FILE,
                  "attribute '%s' is given twice", p->name);
    RETURN_IF(p->ref_attr_name && *p->ref_attr_name, OCTET_UNSUPPORTED,
              "attribute '%s' refers to one of a function; functions are not supported", p->name);
    FORWARD(check_kind(p, onnx_kind(row->kind)));
    RETURN_IF(row->kind == OCT_ATTR_SPARSE, OCTET_UNSUPPORTED,
              "attribute '%s' is of a kind that is not supported", p->name);
    return OCTET_OK;
}

octet_status oct_check_attributes(const oct_node *n, const onnx_NodeProto *p)
{
    for (size_t i = 0; i < p->attribute_count; i++) {
        octet_status status = is_note(&p->attribute[i]) ? OCTET_OK : check_attribute(n, p->attribute, i);
        if (status != OCTET_OK)
            return oct_fail_prefix(status, "%s (node '%s')", n->op_type, n->name);
    }
    return OCTET_OK;
}

/* ---- values -------------------------------------------------------------------------------------------- */

static octet_status copy_numbers(oct_arena *arena, const void *from, size_t count, size_t size,
                                 const void **out)
{
    void *copy = oct_arena_alloc(arena, count, size);
    if (!copy)
        return oct_build_no_memory();
    if (count)
        memcpy(copy, from, count * size);
    *out = copy;
    return OCTET_OK;
}

static octet_status read_tensor(oct_builder *b, const onnx_TensorProto *t, oct_attr *a)
{
    oct_value *v = oct_arena_alloc(&b->graph->arena, 1, sizeof *v);
    if (!v)
        return oct_build_no_memory();
    v->name = a->name;
    FORWARD(oct_onnx_tensor(&b->source, t, v));
    a->tensor = v;
    return OCTET_OK;
}

static const char *copy_text(oct_arena *arena, const pb_bytes_array_t *from)
{
    return from ? oct_arena_strndup(arena, (const char *)from->bytes, from->size) : "";
}

static octet_status read_strings(oct_builder *b, const onnx_AttributeProto *p, oct_attr *a)
{
    const char **texts = oct_arena_alloc(&b->graph->arena, p->strings_count, sizeof *texts);
    for (size_t i = 0; texts && i < p->strings_count; i++) {
        texts[i] = copy_text(&b->graph->arena, p->strings[i]);
        if (!texts[i])
            texts = NULL;
    }
    if (!texts)
        return oct_build_no_memory();
    a->strings = texts;
    a->count = p->strings_count;
    return OCTET_OK;
}

/* Of a kind that is checked. */
static octet_status read_attribute(oct_builder *b, const onnx_AttributeProto *p, oct_attr_kind kind,
                                   oct_attr *a)
{
    oct_arena *arena = &b->graph->arena;
    const void *numbers = NULL;
    a->name = oct_arena_strdup(arena, p->name);
    if (!a->name)
        return oct_build_no_memory();
    a->kind = kind;
    switch (kind) {
    case OCT_ATTR_INT:
        a->i = p->i ? *p->i : 0;
        return OCTET_OK;
    case OCT_ATTR_FLOAT:
        a->f = p->f ? *p->f : 0.0f;
        return OCTET_OK;
    case OCT_ATTR_STRING:
        a->s = copy_text(arena, p->s);
        return a->s ? OCTET_OK : oct_build_no_memory();
    case OCT_ATTR_INTS:
        a->count = p->ints_count;
        FORWARD(copy_numbers(arena, p->ints, a->count, sizeof *p->ints, &numbers));
        a->ints = numbers;
        return OCTET_OK;
    case OCT_ATTR_FLOATS:
        a->count = p->floats_count;
        FORWARD(copy_numbers(arena, p->floats, a->count, sizeof *p->floats, &numbers));
        a->floats = numbers;
        return OCTET_OK;
    case OCT_ATTR_STRINGS:
        return read_strings(b, p, a);
    case OCT_ATTR_TENSOR:
        return read_tensor(b, p->t, a);
    case OCT_ATTR_SPARSE:
    case OCT_ATTR_BRANCH:
        break;
    }
    return oct_fail(OCTET_INTERNAL, "attribute '%s' was not refused; this is a defect in Octet", a->name);
}

octet_status oct_build_attributes(oct_builder *b, const onnx_NodeProto *p, int node)
{
    oct_node *n = &b->graph->nodes[node];
    oct_attr *attrs = oct_arena_alloc(&b->graph->arena, p->attribute_count, sizeof *attrs);
    if (!attrs)
        return oct_build_no_memory();
    n->attrs = attrs;
    for (size_t i = 0; i < p->attribute_count; i++) {
        const onnx_AttributeProto *from = &p->attribute[i];
        if (is_note(from))
            continue;
        octet_status status =
            read_attribute(b, from, oct_op_attr(n->op, from->name)->kind, &attrs[n->attr_count]);
        if (status != OCTET_OK)
            return oct_fail_prefix(status, "%s (node '%s')", n->op_type, n->name);
        n->attr_count++;
    }
    return OCTET_OK;
}
