"""ONNX Runtime's CPU provider as an oracle: the same exact bytes on every processor.

On x86 without VNNI its products of u8 and s8 add pairs in 16 bits that saturate. There it is asked to turn such weights to
u8, whose products are exact (`session.x64quantprecision`). It then has no kernel for some products of s8 activations,
which are exact as they are: those sessions do without. And it fails where nodes share a zero point, as it makes
those do that have none: each gets its own."""
import math
import pathlib

import onnx
import onnxruntime

PRECISE = "session.x64quantprecision"


def saturates():
    """Does this processor lack what makes the runtime's products exact?"""
    cpu = pathlib.Path("/proc/cpuinfo")
    flags = next((line for line in cpu.read_text().splitlines() if line.startswith("flags")), "") if cpu.exists() else ""
    return bool(flags) and not {"avx512_vnni", "avx_vnni"} & set(flags.split())


def spelled_out(model):
    """The bytes of the model with constants of 8 bits of their own for every node that reads one, zero points too."""
    model = onnx.load_from_string(model) if isinstance(model, bytes) else onnx.load(str(model))
    constants = {c.name: c for c in model.graph.initializer if c.data_type in (onnx.TensorProto.INT8, onnx.TensorProto.UINT8)}
    scales = {c.name: list(c.dims) for c in model.graph.initializer}
    seen = set()
    for node in model.graph.node:
        if node.op_type == "DequantizeLinear" and len(node.input) == 2 and node.input[0] in constants:
            kind, dims = constants[node.input[0]].data_type, scales[node.input[1]]
            node.input.append(f"zero point of {node.output[0]}")
            zeros = bytes(math.prod(dims))
            model.graph.initializer.append(onnx.helper.make_tensor(node.input[2], kind, dims, zeros, raw=True))
        for i, name in enumerate(node.input):
            if name in constants and name in seen:
                node.input[i] = f"{name} of {node.name or node.output[0]} {i}"
                model.graph.initializer.add().CopyFrom(constants[name])
                model.graph.initializer[-1].name = node.input[i]
            seen.add(name)
    return model.SerializeToString()


def session(model, config=(), threads=1, optimized=None, optimize=True, without=(), as_users_have_it=False):
    """model: a path or serialized bytes; config: pairs of session options; optimized: where to save the graph as it runs;
    without: optimizers by name; as_users_have_it: exact or not, to be timed."""

    def opened(more, model=model):
        settings = onnxruntime.SessionOptions()
        settings.log_severity_level = 4
        settings.intra_op_num_threads = threads
        for key, value in (*config, *more):
            settings.add_session_config_entry(key, value)
        if not optimize:
            settings.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        if optimized is not None:
            settings.optimized_model_filepath = str(optimized)
        return onnxruntime.InferenceSession(model if isinstance(model, bytes) else str(model), settings,
                                            providers=["CPUExecutionProvider"], disabled_optimizers=list(without))

    attempts = [(model, []) if as_users_have_it or not saturates() else (model, [(PRECISE, "1")])]
    while True:
        which, more = attempts[-1]
        try:
            return opened(more, which)
        except Exception as error:  # the binding has no public type for these
            if more and len(attempts) == 1 and "replace the existing tensor" in str(error):
                attempts.append((spelled_out(model), more))
            elif more and "NOT_IMPLEMENTED" in str(error):
                attempts.append((model, []))
            else:
                raise
