#!/usr/bin/env python3
"""What run_mutants --keep FOLDER has kept, by ONNX Runtime: integers must be equal, floats near.

    compare_mutants.py FOLDER

ONNX Runtime runs in a process of its own, which is started anew where a mutant ends it. What it refuses is counted, not
compared. Exit status 1 where outputs differ; each is named. differs_by_design() has what is left out, and why."""
import glob
import multiprocessing
import os
import re
import sys

import numpy as np
import onnx


def load(folder, number, what):
    paths = glob.glob(f"{folder}/{number}_{what}*.npy")
    paths.sort(key=lambda p: int(re.search(r"(\d+)\.npy$", p).group(1)))
    return [np.load(p) for p in paths]


def near(a, b):
    """Octet's and ONNX Runtime's: the same shape, integers equal, floats within a thousandth of the largest."""
    if a.shape != b.shape:
        return False
    if a.dtype.kind != "f" or b.dtype.kind != "f":
        return np.array_equal(a, b)
    a, b = a.astype(np.float64), b.astype(np.float64)
    with np.errstate(all="ignore"):
        finite = np.isfinite(a) & np.isfinite(b)
        same = (a == b) | (np.isnan(a) & np.isnan(b))
        most = np.abs(b[finite]).max(initial=0)
        return bool(np.all(same | (finite & (np.abs(a - b) <= 1e-3 * most + 1e-6))))


def differs_by_design(path, inputs):
    """Why ONNX Runtime's outputs say nothing of Octet's; None: they do."""
    model = onnx.load(path)
    constants = {i.name: onnx.numpy_helper.to_array(i) for i in model.graph.initializer}
    named = dict(zip((i.name for i in model.graph.input if i.name not in constants), inputs))
    for node in model.graph.node:
        attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
        if node.op_type in ("LSTM", "GRU") and len(node.input) > 4:
            lengths = named.get(node.input[4], constants.get(node.input[4]))
            if lengths is not None and not np.all(lengths > 0):
                return "a sequence of no steps: its last state is the initial one here, zeros there"
        # Its convolutions then begin inside the picture, by a formula that is neither ONNX's nor that of its pools.
        if "Conv" in node.op_type and attributes.get("auto_pad", b"").startswith(b"SAME_"):
            if max(attributes.get("strides", [1])) > 3:
                return "SAME_* with strides beyond the kernel: padding that would be negative is 0 here"
    return None


def work(folder, numbers, results):
    import onnxruntime as ort

    ort.set_default_logger_severity(4)
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    for number in numbers:
        results.send((number, "ended", ""))
        try:
            session = ort.InferenceSession(f"{folder}/{number}.onnx", options, providers=["CPUExecutionProvider"])
            inputs = load(folder, number, "in")
            names = [i.name for i in session.get_inputs()]
            if len(names) != len(inputs):
                results.send((number, "refused", "other inputs"))
                continue
            why = differs_by_design(f"{folder}/{number}.onnx", inputs)
            if why:
                results.send((number, "left out", why))
                continue
            wanted = session.run(None, dict(zip(names, inputs)))
        except Exception as error:  # whatever it raises: it does not take this model
            results.send((number, "refused", str(error).split("\n")[0]))
            continue
        got = load(folder, number, "out")
        bad = [i for i, (a, b) in enumerate(zip(got, wanted)) if not near(a, np.asarray(b))]
        if len(got) != len(wanted) or bad:
            results.send((number, "differs", f"outputs {bad} of {session.get_modelmeta().graph_name}"))
        else:
            results.send((number, "equal", ""))
    results.close()


def main(folder):
    left = sorted(int(os.path.basename(p)[:-5]) for p in glob.glob(f"{folder}/*.onnx"))
    verdicts = {}
    while left:
        mine, theirs = multiprocessing.Pipe(False)
        process = multiprocessing.Process(target=work, args=(folder, left, theirs), daemon=True)
        process.start()
        theirs.close()
        try:
            while mine.poll(60):
                number, verdict, why = mine.recv()
                verdicts[number] = (verdict, why)
        except EOFError:
            pass
        process.kill()
        process.join()
        left = [n for n in left if n not in verdicts]
    counts = {}
    for number, (verdict, why) in sorted(verdicts.items()):
        counts[verdict] = counts.get(verdict, 0) + 1
        if verdict == "differs":
            print(f"mutant {number} differs: {why}")
    print(", ".join(f"{v} {k}" for k, v in sorted(counts.items())), f"of {len(verdicts)} by ONNX Runtime")
    return 1 if counts.get("differs") else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
