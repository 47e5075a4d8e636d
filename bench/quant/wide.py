"""What 16-bit activations gain: signal to noise of `octet quantize`'s networks of 8 and of 16 bits, on held-out samples."""
import pathlib
import sys
import time

import numpy as np
import onnx
from onnx import TensorProto, helper

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "nets"))
from runtimes import session  # noqa: E402

HEADER = ("| network | u8 dB | u16 dB | gain | ahead of the last Softmax or Sigmoid: u8 | u16 | gain | minutes u8 | u16 |\n"
          "|---|---|---|---|---|---|---|---|---|")


def judged(graph):
    """For each output, what the Softmax or Sigmoid that makes it reads."""
    makers = {name: node for node in graph.node for name in node.output}
    names = []
    for output in graph.output:
        node = makers[output.name]
        while node.op_type in ("QuantizeLinear", "DequantizeLinear", "Identity"):
            node = makers[node.input[0]]
        names.append(node.input[0] if node.op_type in ("Softmax", "Sigmoid") else output.name)
    return names


def results(path, samples):
    """The outputs, then what they are judged by. Without the runtime's optimizer, which quantizes activations of some
    products of a 16-bit network anew."""
    model = onnx.load(str(path))
    outputs = [o.name for o in model.graph.output]
    names = outputs + judged(model.graph)
    for name in set(names) - set(outputs):
        model.graph.output.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, None))
    runner = session(model.SerializeToString(), optimize=False)
    runs = [runner.run(names, sample) for sample in samples]
    whole = [np.concatenate(r) for r in zip(*runs)]
    return whole[:len(outputs)], whole[len(outputs):]


def compare(octet, folder, source, calibration, test, extra, decibel):
    """dB at the outputs and ahead of them, of 8 bits and of 16; minutes that quantization took."""
    wanted, row = results(source, test), []
    for bits in ("u8", "u16"):
        start, made = time.monotonic(), folder / f"{bits}.onnx"
        octet.call("quantize", str(source), "--calibrate", str(calibration), "-o", str(made), "--quiet",
                   "--activations", bits, *(extra if bits == "u16" else []), timeout=3600)
        minutes = (time.monotonic() - start) / 60
        row.append([decibel(a, b) for a, b in zip(wanted, results(made, test))] + [minutes])
    return np.array(row)


def line(name, rows):
    """rows: [seeds][8 and 16 bits][outputs, ahead of them, minutes]."""
    mean = np.mean(rows, axis=0)
    spread = (lambda bits, at: f" ± {np.std([r[bits][at] for r in rows], ddof=1):.1f}") if len(rows) > 1 else (lambda *_: "")
    cells = [f"{mean[0][at]:.1f}{spread(0, at)} | {mean[1][at]:.1f}{spread(1, at)} | {mean[1][at] - mean[0][at]:+.1f}"
             for at in (0, 1)]
    return f"| {name} | {cells[0]} | {cells[1]} | {mean[0][2]:.1f} | {mean[1][2]:.1f} |"
