"""Make tests/golden_recurrent.h: ONNX Runtime's results of small recurrent operators, for inputs that
tests/test_recurrent.c makes again.

    recurrent.py          write the file
    recurrent.py --check  compare with the committed numbers, exit status 1 if one differs by more than 1e-6
"""
import os
import re
import sys

import numpy as np
import onnxruntime

from oracle import TOP, node_session

PATH = os.path.join(TOP, "tests", "golden_recurrent.h")
STEPS, BATCH, INPUTS, HIDDEN = 3, 2, 2, 3
USUAL = {"LSTM": [("Sigmoid",), ("Tanh",), ("Tanh",)], "GRU": [("Sigmoid",), ("Tanh",)]}
GATES = {"LSTM": 4, "GRU": 3}
rows = []


def data(seed, shape):
    """eighths() of tests/test_recurrent.c."""
    out = np.empty(int(np.prod(shape)), np.float32)
    for i in range(out.size):
        seed = (seed * 6364136223846793005 + 1442695040888963407) & ((1 << 64) - 1)
        out[i] = ((seed >> 32) % 17 - 8) / 8
    return out.reshape(shape)


def row(op, direction="forward", own=0, bias=True, state=True, lengths=False, clip=0.0, functions=None):
    d, gates, names = 2 if direction == "bidirectional" else 1, GATES[op] * HIDDEN, (functions or USUAL[op])
    inputs = [data(1, (STEPS, BATCH, INPUTS)), data(2, (d, gates, INPUTS)), data(3, (d, gates, HIDDEN)),
              data(4, (d, 2 * gates)) if bias else None, np.array([3, 1], np.int32) if lengths else None,
              data(5, (d, BATCH, HIDDEN)) if state else None]
    attributes = {"hidden_size": HIDDEN, "direction": direction}
    if own:
        attributes["input_forget" if op == "LSTM" else "linear_before_reset"] = 1
    if clip:
        attributes["clip"] = clip
    if functions:
        attributes["activations"] = [f[0] for f in names] * d
        attributes["activation_alpha"] = [f[1] for f in names if len(f) > 1] * d
        attributes["activation_beta"] = [f[2] for f in names if len(f) > 2] * d
    y, y_h = node_session(op, inputs, outputs=2, constants=(1, 2, 3), opset=14, **attributes)()[:2]
    sets = ", ".join('{"%s", %s, %s}' % (f + ("0", "0"))[:3] for f in names)
    numbers = ", ".join(f"{v:.8g}" for v in np.concatenate([y.ravel(), y_h.ravel()]))
    flags = [d, int(direction == "reverse"), own, int(bias), int(state), int(lengths)]
    rows.append(f'{{OCT_CELL_{op}, {", ".join(map(str, flags))}, {clip}, {{{sets}}}, {{{numbers}}}}},')


for op in ("LSTM", "GRU"):
    row(op)
    row(op, "bidirectional", bias=False, clip=0.5)
    row(op, "reverse", own=1, lengths=True)
    row(op, "bidirectional", own=1, state=False, lengths=True)
    row(op, own=1, clip=0.5)
    row(op, bias=True, state=False, functions=[("HardSigmoid", 0.25, 0.5), ("LeakyRelu", 0.125), ("Affine", 0.5, 0.25)][:len(USUAL[op])])
row("GRU", "reverse", own=1, functions=[("Softsign",), ("ScaledTanh", 0.75, 0.5)])


def results(text):
    return [float(v) for block in re.findall(r"\{([^{}\"]*)\}\}", text) for v in block.replace("\n", " ").split(",")]


text = (f"/* Made by tests/oracle/recurrent.py with ONNX Runtime {onnxruntime.__version__}; see test_recurrent.c. */\n" +
        "\n".join(rows) + "\n")
if "--check" in sys.argv:
    have, want = results(open(PATH).read()), results(text)
    same = len(have) == len(want) and np.allclose(have, want, rtol=0, atol=1e-6)
    print(f"{len(rows)} rows: {'the same' if same else 'DIFFERENT from ' + PATH}")
    sys.exit(0 if same else 1)
with open(PATH, "w") as file:
    file.write(text)
print(f"{len(rows)} rows written")
