"""ONNX Runtime's CPU provider as an oracle: the same exact bytes on every processor.

On x86 without VNNI its products of u8 and s8 add pairs in 16 bits that saturate. There it is asked to turn such weights to
u8, whose products are exact (`session.x64quantprecision`). It then has no kernel for some products of s8 activations,
which are exact as they are: those sessions do without."""
import pathlib

import onnxruntime

PRECISE = "session.x64quantprecision"


def saturates():
    """Does this processor lack what makes the runtime's products exact?"""
    cpu = pathlib.Path("/proc/cpuinfo")
    flags = next((line for line in cpu.read_text().splitlines() if line.startswith("flags")), "") if cpu.exists() else ""
    return bool(flags) and not {"avx512_vnni", "avx_vnni"} & set(flags.split())


def session(model, config=(), threads=1, optimized=None, optimize=True, without=(), as_users_have_it=False):
    """model: a path or serialized bytes; config: pairs of session options; optimized: where to save the graph as it runs;
    without: optimizers by name; as_users_have_it: exact or not, to be timed."""

    def opened(more):
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

    if saturates() and not as_users_have_it:
        try:
            return opened([(PRECISE, "1")])
        except Exception as error:  # the binding has no public type for it
            if "NOT_IMPLEMENTED" not in str(error):
                raise
    return opened([])
