"""What the oracle scripts share: one-node ONNX models run by ONNX Runtime's CPU provider, and Octet's reference
operators (src/quant + src/ref) loaded through ctypes from a shared object that is built into the build folder.

Every script takes an optional number: cases per operator (default 200); the seed is printed and can be set with
OCT_SEED. Exit status 1 and the first mismatch with all parameters on any difference."""
import ctypes
import os
import subprocess
import sys

import numpy as np
import onnxruntime
from onnx import TensorProto, helper

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "bench", "nets"))
import exact  # noqa: E402

BUILD = os.environ.get("OCT_BUILD", os.path.join(TOP, "build"))
DTYPE = {np.dtype(np.float32): 1, np.dtype(np.uint8): 2, np.dtype(np.int8): 3, np.dtype(np.uint16): 4,
         np.dtype(np.int16): 5, np.dtype(np.int32): 6, np.dtype(np.int64): 7, np.dtype(np.bool_): 8}


def load():
    """The reference operators as a ctypes library, compiled as the project compiles them."""
    out = os.path.join(BUILD, "oracle")
    os.makedirs(out, exist_ok=True)
    path = os.path.join(out, "libref.so")
    sources = [os.path.join(TOP, "src", d, f) for d in ("base", "quant", "ref")
               for f in sorted(os.listdir(os.path.join(TOP, "src", d))) if f.endswith(".c")]
    include = [f"-I{os.path.join(TOP, d)}" for d in ("include", "src/base", "src/quant", "src/ref")]
    flags = ["-std=c11", "-O2", "-fPIC", "-shared", "-ffp-contract=off", "-D_POSIX_C_SOURCE=200809L"]
    subprocess.run(["cc", *flags, *include, *sources, "-o", path, "-lm"], check=True)
    return ctypes.CDLL(path)


class Struct(ctypes.Structure):
    """A parameter struct filled by keyword; arrays of 8 dims by list."""

    def __init__(self, **values):
        super().__init__()
        for key, value in values.items():
            field = getattr(self, key)
            if isinstance(field, ctypes.Array):
                for i, v in enumerate(value):
                    field[i] = int(v)
            else:
                setattr(self, key, value)


def fields(text):
    """'n h: i64; scale: f32' -> ctypes fields."""
    kinds = {"i64": ctypes.c_int64, "i32": ctypes.c_int32, "f32": ctypes.c_float, "bool": ctypes.c_bool,
             "ptr": ctypes.c_void_p, "dims": ctypes.c_int64 * 8}
    result = []
    for part in text.split(";"):
        names, kind = part.split(":")
        result += [(name, kinds[kind.strip()]) for name in names.split()]
    return result


def ptr(array):
    return array.ctypes.data if array is not None else None


def node_session(op, inputs, outputs=1, domain="", opset=21, constants=(), options=None,
                 attribute_opset=None, **attributes):
    """A session over one node. inputs: list of arrays or None (absent); those whose index is in `constants` become
    initializers. Returns run() -> list of outputs."""
    names = [f"i{i}" if a is not None else "" for i, a in enumerate(inputs)]
    while not names[-1]:
        names.pop()
    outs = [f"o{i}" for i in range(outputs)]
    if attribute_opset is not None:  # QLinearSoftmax has an attribute of that name
        attributes["opset"] = attribute_opset
    node = helper.make_node(op, names, outs, domain=domain, **attributes)
    onnx_type = {k: helper.np_dtype_to_tensor_dtype(k) for k in DTYPE}
    graph_inputs, initializers = [], []
    for i, (name, a) in enumerate(zip(names, inputs)):
        if a is None:
            continue
        if i in constants:
            initializers.append(helper.make_tensor(name, onnx_type[a.dtype], a.shape, a.tobytes(), raw=True))
        else:
            graph_inputs.append(helper.make_tensor_value_info(name, onnx_type[a.dtype], a.shape))
    graph_outputs = [helper.ValueInfoProto(name=o) for o in outs]
    graph = helper.make_graph([node], "g", graph_inputs, graph_outputs, initializers)
    model = helper.make_model(graph, ir_version=10, opset_imports=[
        helper.make_opsetid("", opset), helper.make_opsetid("com.microsoft", 1)])
    session = exact.session(model.SerializeToString(), (options or {}).items())

    def run(*replace):
        feed = {n: a for i, (n, a) in enumerate(zip(names, inputs)) if a is not None and i not in constants}
        for (key, _), value in zip(list(feed.items()), replace):
            feed[key] = value
        return session.run(None, feed)
    return run


class Check:
    """Counts comparisons and reports."""

    def __init__(self):
        self.seed = int(os.environ.get("OCT_SEED", "1"))
        self.cases = int(sys.argv[1]) if len(sys.argv) > 1 else 200
        self.rng = np.random.default_rng(self.seed)
        self.count = {}
        self.bad = 0

    def same(self, name, want, got, **parameters):
        cases, elems, wrong = self.count.get(name, (0, 0, 0))
        want, got = np.ascontiguousarray(want), np.ascontiguousarray(got)
        differ = want.view(np.uint8).reshape(-1) != got.view(np.uint8).reshape(-1)
        n = int(differ.sum())
        if n and wrong == 0:
            at = int(np.flatnonzero(differ)[0]) // want.itemsize
            print(f"{name}: {n} bytes of {want.size} elements differ, first at {at}: "
                  f"ONNX Runtime {want.reshape(-1)[at]!r}, Octet {got.reshape(-1)[at]!r}; {parameters}")
        self.count[name] = (cases + 1, elems + want.size, wrong + n)
        self.bad += n

    def finish(self):
        for name, (cases, elems, wrong) in self.count.items():
            print(f"{'FAIL' if wrong else 'ok  '} {name}: {cases} cases, {elems} elements, {wrong} bytes differ")
        print(f"ONNX Runtime {onnxruntime.__version__}, seed {self.seed}")
        sys.exit(1 if self.bad else 0)

    # Parameters that occur, and parameters that make ties.
    def scale(self):
        kind = self.rng.integers(0, 4)
        if kind == 0:
            return np.float32(2.0 ** self.rng.integers(-10, 4))
        if kind == 1:
            return np.float32(self.rng.integers(1, 256) / 256)
        return np.float32(np.exp(self.rng.uniform(-7, 2)))

    def zero(self, dtype):
        info = np.iinfo(dtype)
        edge = [info.min, 0, info.max, 1, 3] if info.min == 0 else [-128, 0, 127, 1, -1]
        value = edge[self.rng.integers(0, 5)] if self.rng.integers(0, 2) else self.rng.integers(info.min, info.max + 1)
        return np.asarray(value, dtype)

    def data(self, shape, dtype):
        info = np.iinfo(dtype)
        return self.rng.integers(info.min, info.max + 1, shape, dtype=np.int64).astype(dtype)
