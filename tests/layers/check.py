#!/usr/bin/env python3
"""The walls of the house, checked in a build folder: check.py BUILD SOURCE

Includes are held by the compiler (cmake/layers.cmake); this holds what the linker sees and what names say. For each layer:
every symbol that its objects want from another layer must be of one that it names; none of the layers without OpenCL may
want a symbol of OpenCL; what a layer shows to others begins with oct_ or octet_. File names of src/ and kernels/ are unique.
"""
import collections
import pathlib
import re
import subprocess
import sys

build, source = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
wrong = []


def layers():
    """name -> the layers it sees, in the order of cmake/layers.cmake."""
    return {line.split()[0]: line.split()[1:] for line in (build / "layers.txt").read_text().splitlines()}


def symbols(layer):
    """(defined, wanted) by the objects of a layer."""
    defined, wanted = set(), set()
    objects = sorted((build / "CMakeFiles" / f"octet_{layer}.dir").rglob("*.o"))
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


table = layers()
check_symbols(table)
check_names()
print("\n".join(wrong) or f"{len(table)} layers: no symbol goes up, none without OpenCL calls it, names are unique")
sys.exit(1 if wrong else 0)
