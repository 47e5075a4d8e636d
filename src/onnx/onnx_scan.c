#include "onnx_scan.h"

#include <pb_decode.h>

/* The messages through which onnx.proto can nest, and which field leads to which. Field numbers are those of
 * onnx.proto; everything else is skipped without a look inside. */
typedef enum kind { MODEL, GRAPH, NODE, ATTRIBUTE, VALUE_INFO, TYPE, SEQUENCE, MAP, TRAINING, FUNCTION } kind;

static const struct {
    kind from;
    uint32_t field;
    kind to;
} edges[] = {
    {MODEL, 7, GRAPH},         {MODEL, 20, TRAINING},      {MODEL, 25, FUNCTION},
    {GRAPH, 1, NODE},          {GRAPH, 11, VALUE_INFO},    {GRAPH, 12, VALUE_INFO},
    {GRAPH, 13, VALUE_INFO},   {NODE, 5, ATTRIBUTE},       {ATTRIBUTE, 6, GRAPH},
    {ATTRIBUTE, 11, GRAPH},    {ATTRIBUTE, 14, TYPE},      {ATTRIBUTE, 15, TYPE},
    {VALUE_INFO, 2, TYPE},     {TYPE, 4, SEQUENCE},        {TYPE, 5, MAP},
    {TYPE, 9, SEQUENCE},       {SEQUENCE, 1, TYPE},        {MAP, 2, TYPE},
    {TRAINING, 1, GRAPH},      {TRAINING, 2, GRAPH},       {FUNCTION, 7, NODE},
    {FUNCTION, 11, ATTRIBUTE}, {FUNCTION, 12, VALUE_INFO},
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

octet_status oct_onnx_scan(const unsigned char *data, size_t bytes)
{
    struct {
        kind kind;
        pb_istream_t stream;
    } stack[OCT_ONNX_MAX_DEPTH];
    int depth = 0;
    stack[0].kind = MODEL;
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
        RETURN_IF(!ok, OCTET_CORRUPT_FILE, "not an ONNX file, or it is damaged: %s", PB_GET_ERROR(s));
        kind to;
        if (wire == PB_WT_STRING && follow(stack[depth].kind, field, &to)) {
            RETURN_IF(depth + 1 == OCT_ONNX_MAX_DEPTH, OCTET_UNSUPPORTED,
                      "messages are nested more than %d deep", OCT_ONNX_MAX_DEPTH);
            RETURN_IF(!pb_make_string_substream(s, &stack[depth + 1].stream), OCTET_CORRUPT_FILE,
                      "not an ONNX file, or it is damaged: %s", PB_GET_ERROR(s));
            stack[++depth].kind = to;
            continue;
        }
        RETURN_IF(!pb_skip_field(s, wire), OCTET_CORRUPT_FILE, "not an ONNX file, or it is damaged: %s",
                  PB_GET_ERROR(s));
    }
    return OCTET_OK;
}
