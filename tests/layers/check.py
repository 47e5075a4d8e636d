#!/usr/bin/env python3
"""The walls of the house, checked in a build folder: check.py BUILD SOURCE

Includes are held by the compiler (cmake/layers.cmake); this holds what the linker sees and what names say. For each layer:
every symbol that its objects want from another layer must be of one that it names; none of the layers without OpenCL may
want a symbol of OpenCL; what a layer shows to others begins with oct_ or octet_. File names of src/ and kernels/ are unique.
An operator's parts are where its row of src/graph/op_table.def says: family F has its shape rules in infer_F.c, its lowerings
and multiply-adds in lower_F.c, its arithmetic in ref_F.c, and those files hold no other family's.
"""
import collections
import os
import pathlib
import re
import subprocess
import sys

build, source = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
wrong = []


def layers():
    """name -> the layers it sees, in the order of cmake/layers.cmake."""
    return {line.split()[0]: line.split()[1:] for line in (build / "layers.txt").read_text().splitlines()}


def objects_of(layer):
    """The objects of a layer, without those that a source which is gone has left in the build folder."""
    root = build / "CMakeFiles" / f"octet_{layer}.dir"
    of = {path: path.relative_to(root).with_suffix("") for path in sorted(root.rglob("*.o"))}
    return [path for path, name in of.items() if name.parts[0] != "src" or (source / name).exists()]


def symbols(layer):
    """(defined, wanted) by the objects of a layer."""
    defined, wanted = set(), set()
    objects = objects_of(layer)
    if not objects:
        sys.exit(f"no objects of layer {layer} in {build}")
    text = subprocess.run(["nm", "-P", "-g", *objects], capture_output=True, text=True, check=True).stdout
    for line in text.splitlines():
        fields = line.split()
        if len(fields) >= 2 and len(fields[1]) == 1:
            (wanted if fields[1] in "Uwv" else defined).add(fields[0])
    return defined, wanted


def without_opencl():
    """Layers whose line has no OPENCL."""
    text = (source / "cmake" / "layers.cmake").read_text()
    return [m.group(1) for m in re.finditer(r"^octet_layer\((\w+)([^)]*)\)", text, re.M) if "OPENCL" not in m.group(2)]


def check_symbols(table):
    of = {layer: symbols(layer) for layer in table}
    owner = {s: layer for layer, (defined, _) in of.items() for s in defined}
    for layer, (defined, wanted) in of.items():
        for s in sorted(wanted - defined):
            if s in owner and owner[s] not in table[layer] and owner[s] != layer:
                wrong.append(f"{layer} wants {s}, which is {owner[s]}'s, a layer that it does not name")
            if re.match(r"cl[A-Z]", s) and layer in without_opencl():
                wrong.append(f"{layer} calls {s}, and is a layer without OpenCL")
        generated = re.compile(r"onnx_.*|google_protobuf.*|__(asan|odr_asan|tsan|ubsan|gcov).*|\.\w+.*")
        for s in sorted(defined):
            if not re.match(r"octe?t?_", s) and not generated.match(s):
                wrong.append(f"{layer} shows {s}: a symbol that others see begins with oct_ or octet_")


def check_names():
    seen = collections.defaultdict(list)
    for root in ("src", "kernels"):
        for path in sorted((source / root).rglob("*")):
            if path.is_file():
                seen[path.name].append(str(path.relative_to(source)))
    for name, paths in seen.items():
        if len(paths) > 1:
            wrong.append(f"several files are called {name}: {', '.join(paths)}")


# Functions that rows of every family name: of the operators that never run, or count nothing.
COMMON = {"oct_lower_none": "lower", "oct_macs_none": "lower"}


def rows():
    """(operator, family, functions that its row names), by the compiler's own reading of the table."""
    show = """#define COLUMN_FAMILY(f) f
#define COLUMN_SHAPE(f) oct_infer_##f
#define COLUMN_LOWER(f) oct_lower_##f
#define COLUMN_MACS(f) oct_macs_##f
#define OCT_OP(op, file, arity, family, shape, host, lower, macs, ...) row op COLUMN_##family COLUMN_##shape COLUMN_##lower COLUMN_##macs
#include "op_table.def"
"""
    command = [os.environ.get("CC", "cc"), "-E", "-P", "-I", source / "src" / "graph", "-"]
    text = subprocess.run(command, input=show, capture_output=True, text=True, check=True).stdout.split()
    starts = [i for i, word in enumerate(text) if word == "row"]
    return [(text[i + 1], text[i + 2], text[i + 3 : i + 6]) for i in starts]


def check_families():
    """The functions of each row are defined in the object of its family, which has no rule or lowering of another."""
    home = {}
    for layer in ("infer", "lower"):
        for path in objects_of(layer):
            text = subprocess.run(["nm", "-P", "-g", path], capture_output=True, text=True, check=True).stdout
            home.update({line.split()[0]: path.name.split(".")[0] for line in text.splitlines() if " T " in line})
    families = {family for _, family, _ in rows()}
    for op, family, functions in rows():
        for f in functions:
            layer = "infer" if f.startswith("oct_infer_") else "lower"
            if home.get(f) != COMMON.get(f, f"{layer}_{family}"):
                wrong.append(f"{op} is of family {family}, and {f} is in {home.get(f, 'no file')}.c")
    for layer in ("infer", "lower", "ref"):
        for path in (source / "src" / layer).glob(f"{layer}_*.c"):
            if path.stem[len(layer) + 1 :] not in families:
                wrong.append(f"src/{layer}/{path.name} is named for no family of src/graph/op_table.def")


table = layers()
check_symbols(table)
check_names()
check_families()
print("\n".join(wrong) or f"{len(table)} layers: no symbol goes up, none without OpenCL calls it, names are unique, operators are where their rows say")
sys.exit(1 if wrong else 0)
