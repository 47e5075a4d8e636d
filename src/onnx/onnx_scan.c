#include "onnx_scan.h"

#include <pb_decode.h>
#include <string.h>

/* The messages through which onnx.proto can nest, those that hold text which is read, and which field leads
 * to which. Field numbers are those of onnx.proto; everything else is skipped without a look inside. */
typedef enum kind {
    MODEL,
    GRAPH,
    NODE,
    ATTRIBUTE,
    VALUE_INFO,
    TYPE,
    SEQUENCE,
    MAP,
    TRAINING,
    FUNCTION,
    TENSOR, /* from here on: what nests nothing that could nest again */
    ENTRY,
    OPERATOR_SET
} kind;

static const struct {
    kind from;
    uint32_t field;
    kind to;
} edges[] = {
    {MODEL, 7, GRAPH},         {MODEL, 8, OPERATOR_SET},   {MODEL, 20, TRAINING},
    {MODEL, 25, FUNCTION},     {GRAPH, 1, NODE},           {GRAPH, 5, TENSOR},
    {GRAPH, 11, VALUE_INFO},   {GRAPH, 12, VALUE_INFO},    {GRAPH, 13, VALUE_INFO},
    {NODE, 5, ATTRIBUTE},      {ATTRIBUTE, 5, TENSOR},     {ATTRIBUTE, 6, GRAPH},
    {ATTRIBUTE, 11, GRAPH},    {ATTRIBUTE, 14, TYPE},      {ATTRIBUTE, 15, TYPE},
    {VALUE_INFO, 2, TYPE},     {TYPE, 4, SEQUENCE},        {TYPE, 5, MAP},
    {TYPE, 9, SEQUENCE},       {SEQUENCE, 1, TYPE},        {MAP, 2, TYPE},
    {TRAINING, 1, GRAPH},      {TRAINING, 2, GRAPH},       {FUNCTION, 7, NODE},
    {FUNCTION, 11, ATTRIBUTE}, {FUNCTION, 12, VALUE_INFO}, {TENSOR, 13, ENTRY},
};

/* nanopb makes C strings of these, which would end at a NUL byte: two names of the file could be one. */
static const struct {
    kind of;
    uint32_t field;
    const char *what;
} texts[] = {
    {NODE, 1, "an input of a node"},
    {NODE, 2, "an output of a node"},
    {NODE, 3, "the name of a node"},
    {NODE, 4, "the operator of a node"},
    {NODE, 7, "the domain of a node"},
    {ATTRIBUTE, 1, "the name of an attribute"},
    {ATTRIBUTE, 4, "the text of an attribute"},
    {ATTRIBUTE, 9, "the text of an attribute"},
    {ATTRIBUTE, 21, "the name of an attribute"},
    {VALUE_INFO, 1, "the name of a tensor"},
    {TENSOR, 8, "the name of a tensor"},
    {ENTRY, 1, "where external data lies"},
    {ENTRY, 2, "where external data lies"},
    {OPERATOR_SET, 1, "the domain of an operator set"},
};

static bool follow(kind from, uint32_t field, kind *to)
{
    for (size_t i = 0; i < sizeof edges / sizeof edges[0]; i++) {
        if (edges[i].from == from && edges[i].field == field) {
            *to = edges[i].to;
            return true;
        }
    }
    return false;
}

static octet_status damaged(const pb_istream_t *s)
{
    return oct_fail(OCTET_CORRUPT_FILE, "not an ONNX file, or it is damaged: %s", PB_GET_ERROR(s));
}

/* A field that is not looked into, unless it is text. */
static octet_status skip(pb_istream_t *s, pb_wire_type_t wire, kind of, uint32_t field)
{
    const char *what = NULL;
    for (size_t i = 0; wire == PB_WT_STRING && i < sizeof texts / sizeof texts[0]; i++)
        what = texts[i].of == of && texts[i].field == field ? texts[i].what : what;
    if (!what)
        return pb_skip_field(s, wire) ? OCTET_OK : damaged(s);
    pb_istream_t text;
    if (!pb_make_string_substream(s, &text))
        return damaged(s);
    const char *start = text.state; /* of a buffer's stream: the bytes */
    RETURN_IF(text.bytes_left && memchr(start, '\0', text.bytes_left), OCTET_CORRUPT_FILE,
              "%s, '%s', goes on behind a NUL byte; text must not hold any", what, start);
    return pb_close_string_substream(s, &text) ? OCTET_OK : damaged(s);
}

enum { LEAVES = 2 }; /* messages that may be within the innermost that counts */

static octet_status scan(kind start, const unsigned char *data, size_t bytes)
{
    struct {
        kind kind;
        pb_istream_t stream;
    } stack[OCT_ONNX_MAX_DEPTH + LEAVES];
    int depth = 0;
    stack[0].kind = start;
    stack[0].stream = pb_istream_from_buffer(data, bytes);
    while (depth >= 0) {
        pb_istream_t *s = &stack[depth].stream;
        pb_wire_type_t wire;
        uint32_t field;
        bool eof, ok = pb_decode_tag(s, &wire, &field, &eof);
        if (!ok && eof) {
            depth--;
            if (depth >= 0)
                ok = pb_close_string_substream(&stack[depth].stream, &stack[depth + 1].stream);
            RETURN_IF(depth >= 0 && !ok, OCTET_CORRUPT_FILE, "the file is damaged: a message ends early");
            continue;
        }
        if (!ok)
            return damaged(s);
        kind to;
        if (wire == PB_WT_STRING && follow(stack[depth].kind, field, &to)) {
            RETURN_IF(depth + 1 >= OCT_ONNX_MAX_DEPTH && to < TENSOR, OCTET_UNSUPPORTED,
                      "messages are nested more than %d deep", OCT_ONNX_MAX_DEPTH);
            if (!pb_make_string_substream(s, &stack[depth + 1].stream))
                return damaged(s);
            stack[++depth].kind = to;
            continue;
        }
        FORWARD(skip(s, wire, stack[depth].kind, field));
    }
    return OCTET_OK;
}

octet_status oct_onnx_scan(const unsigned char *data, size_t bytes)
{
    return scan(MODEL, data, bytes);
}

octet_status oct_onnx_scan_tensor(const unsigned char *data, size_t bytes)
{
    return scan(TENSOR, data, bytes);
}
