"""The attributes of every operator in src/graph/op_table.def, names and kinds, beside the definitions of onnx.defs (all operator sets
that the row is read from) and of ONNX Runtime for com.microsoft's: none missing, none too many."""
import os
import subprocess
import sys

import onnx.defs
from onnxruntime.capi import onnxruntime_pybind11_state as runtime

GRAPH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "src", "graph")
COLUMNS = """
#define COLUMN_ONNX(n) onnx n
#define COLUMN_UPGRADED(n, f) onnx n
#define COLUMN_MICROSOFT(n) microsoft n
#define COLUMN_PASSES none 0
#define COLUMN_ATTRS(list) list
#define OCT_OP(op, file, arity, family, shape, host, lower, macs, runs, operands, result, weights, clamp, layout, \\
               pointwise, sinks, twin, place, rows, attrs) @row op COLUMN_##file COLUMN_##attrs
#include "op_table.def"
#define A(kind, name) name:kind
#define OCT_ATTRS(list, rows) @attributes list rows
#include "op_attrs.def"
"""
KINDS = {"GRAPH": "BRANCH", "SPARSE_TENSOR": "SPARSE"}  # as Octet calls them


def kind(attribute):
    name = str(attribute.type).split(".")[-1]
    return KINDS.get(name, name)


def octet():
    """(operator, domain, first operator set, {attribute: kind}) of each row."""
    text = subprocess.run(["cc", "-E", "-P", "-xc", f"-I{GRAPH}", "-"], input=COLUMNS, capture_output=True, text=True,
                          check=True).stdout
    parts = [part.split() for part in text.split("@")[1:]]
    lists = {p[1]: dict(a.split(":") for a in p[2:]) for p in parts if p[0] == "attributes"}
    return [(p[1], p[2], int(p[3]), lists[p[4]]) for p in parts if p[0] == "row"]


def defined(op, domain, since, schemas):
    """{attribute: kind} of all versions in force at operator set `since` or later."""
    history = sorted(schemas[domain, op], key=lambda s: s.since_version)
    newer = [s for i, s in enumerate(history) if i + 1 == len(history) or history[i + 1].since_version > since]
    return {name: kind(a) for s in newer for name, a in s.attributes.items()}


def main():
    schemas = {}
    for schema in onnx.defs.get_all_schemas_with_history():
        if schema.domain == "":
            schemas.setdefault(("onnx", schema.name), []).append(schema)
    for schema in runtime.get_all_operator_schema():
        if schema.domain == "com.microsoft":
            schemas.setdefault(("microsoft", schema.name), []).append(schema)
    wrong = rows = attributes = 0
    for op, domain, since, have in octet():
        if domain == "none":
            continue
        want = defined(op, domain, since, schemas)
        rows += 1
        attributes += len(want)
        if have != want:
            wrong += 1
            print(f"{op}: Octet has {sorted(have.items())}, its definition {sorted(want.items())}")
    print(f"{'FAIL' if wrong else 'ok  '} attributes: {rows} operators, {attributes} attributes, {wrong} rows differ")
    sys.exit(1 if wrong else 0)


main()
