#!/usr/bin/env python3
"""Make every generated file of this folder, or check the committed ones.

    make_model.py            train, quantize, write the files
    make_model.py --check    compare the committed files with what can be recomputed exactly: the data split with
                             scikit-learn's, the expected bytes with ONNX Runtime's on the committed int8 model

Training is seeded but goes through the BLAS of the machine, so its last bits differ between machines; that is why
the check starts from the committed model. ONNX Runtime must run on a processor with VNNI instructions: without
them its u8 x s8 products saturate and the expected bytes are wrong.
"""
import argparse
import pathlib
import sys
import tempfile

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from PIL import Image
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

HERE = pathlib.Path(__file__).resolve().parent
SEED = 20
EPOCHS = 60
BATCH = 32
HELD_OUT = 360
CALIBRATION = 256  # so many training images are committed, for `octet quantize`
PICTURES = 6  # so many held-out images, of different digits, become PNG files
ZOOM = 24     # a PNG pixel block per image pixel


def data():
    """Training and held-out images as u8 [n,1,8,8], ink 0..16, and labels."""
    digits = load_digits()
    images = digits.images.astype(np.uint8)[:, None]
    split = train_test_split(images, digits.target.astype(np.uint8), test_size=HELD_OUT, random_state=SEED,
                             stratify=digits.target)
    return split  # train images, test images, train labels, test labels


def as_input(images):
    """What the network reads: ink from 0 to 1."""
    return (images.astype(np.float32) / np.float32(16)).astype(np.float32)


# ---- the network: layers over NHWC arrays, each with forward and backward ------------------------------------


class Conv3x3:
    def __init__(self, rng, c_in, c_out):
        self.w = rng.normal(0, np.sqrt(2 / (9 * c_in)), (9 * c_in, c_out)).astype(np.float32)  # [3*3*c_in][c_out]
        self.b = np.zeros(c_out, np.float32)

    @staticmethod
    def windows(x):
        n, h, w, c = x.shape
        padded = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
        taps = [padded[:, i:i + h, j:j + w] for i in range(3) for j in range(3)]
        return np.concatenate(taps, axis=3).reshape(n * h * w, 9 * c)

    def forward(self, x):
        self.shape, self.cols = x.shape, self.windows(x)
        return (self.cols @ self.w + self.b).reshape(*x.shape[:3], -1)

    def backward(self, dy):
        c_in, c_out = self.shape[3], dy.shape[3]
        flat = dy.reshape(-1, c_out)
        self.dw, self.db = self.cols.T @ flat, flat.sum(0)
        mirrored = self.w.reshape(9, c_in, c_out)[::-1].transpose(0, 2, 1).reshape(9 * c_out, c_in)
        return (self.windows(dy) @ mirrored).reshape(self.shape)


class Dense:
    def __init__(self, rng, c_in, c_out):
        self.w = rng.normal(0, np.sqrt(1 / c_in), (c_in, c_out)).astype(np.float32)
        self.b = np.zeros(c_out, np.float32)

    def forward(self, x):
        self.x = x
        return x @ self.w + self.b

    def backward(self, dy):
        self.dw, self.db = self.x.T @ dy, dy.sum(0)
        return dy @ self.w.T


class Relu:
    def forward(self, x):
        self.on = x > 0
        return x * self.on

    def backward(self, dy):
        return dy * self.on


class MaxPool2x2:
    def forward(self, x):
        n, h, w, c = x.shape
        quads = x.reshape(n, h // 2, 2, w // 2, 2, c).transpose(0, 1, 3, 5, 2, 4).reshape(n, h // 2, w // 2, c, 4)
        self.best, self.shape = quads.argmax(-1), x.shape
        return quads.max(-1)

    def backward(self, dy):
        n, h, w, c = self.shape
        quads = (self.best[..., None] == np.arange(4)) * dy[..., None]
        return quads.reshape(n, h // 2, w // 2, c, 2, 2).transpose(0, 1, 4, 2, 5, 3).reshape(self.shape)


class GlobalAveragePool:
    def forward(self, x):
        self.shape = x.shape
        return x.mean((1, 2))

    def backward(self, dy):
        n, h, w, c = self.shape
        return np.broadcast_to(dy[:, None, None] / (h * w), self.shape)


def network(rng):
    return [Conv3x3(rng, 1, 16), Relu(), Conv3x3(rng, 16, 32), Relu(), MaxPool2x2(), Conv3x3(rng, 32, 64), Relu(),
            GlobalAveragePool(), Dense(rng, 64, 10)]


def forward(layers, images):
    x = as_input(images).transpose(0, 2, 3, 1)
    for layer in layers:
        x = layer.forward(x)
    return x


def train(images, labels):
    """Adam on the cross-entropy, the step size falling along a half cosine to zero."""
    rng = np.random.default_rng(SEED)
    layers = network(rng)
    learned = [layer for layer in layers if hasattr(layer, "w")]
    moments = {(i, p): [0.0, 0.0] for i in range(len(learned)) for p in "wb"}
    batches = len(images) // BATCH
    for step in range(EPOCHS * batches):
        if step % batches == 0:
            order = rng.permutation(len(images))
        pick = order[(step % batches) * BATCH:][:BATCH]
        logits = forward(layers, images[pick])
        grad = np.exp(logits - logits.max(1, keepdims=True))
        grad /= grad.sum(1, keepdims=True)
        grad[np.arange(len(pick)), labels[pick]] -= 1
        grad /= len(pick)
        for layer in reversed(layers):
            grad = layer.backward(grad)
        rate = 2e-3 * (1 + np.cos(np.pi * step / (EPOCHS * batches)))
        for (i, p), (m, v) in moments.items():
            g = getattr(learned[i], "d" + p)
            m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
            moments[i, p] = [m, v]
            m, v = m / (1 - 0.9 ** (step + 1)), v / (1 - 0.999 ** (step + 1))
            value = getattr(learned[i], p)
            setattr(learned[i], p, (value - rate * m / (np.sqrt(v) + 1e-8)).astype(np.float32))
    return layers


# ---- ONNX ----------------------------------------------------------------------------------------------------


def export(layers, path):
    """The float network as ONNX, opset 13, with a dynamic batch."""
    nodes, weights, x = [], [], "image"
    counts = {}

    def add(op, inputs, **attributes):
        nonlocal x
        counts[op] = counts.get(op, 0) + 1
        name = f"{op.lower()}{counts[op]}"
        nodes.append(helper.make_node(op, [x, *inputs], [name + "_out"], name=name, **attributes))
        x = name + "_out"

    def constant(name, array):
        weights.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    for i, layer in enumerate(layers):
        if isinstance(layer, Conv3x3):
            w = layer.w.reshape(3, 3, -1, layer.b.size).transpose(3, 2, 0, 1)
            add("Conv", [constant(f"w{i}", w), constant(f"b{i}", layer.b)], kernel_shape=[3, 3], pads=[1, 1, 1, 1])
        elif isinstance(layer, Dense):
            add("Gemm", [constant(f"w{i}", layer.w.T), constant(f"b{i}", layer.b)], transB=1)
        elif isinstance(layer, MaxPool2x2):
            add("MaxPool", [], kernel_shape=[2, 2], strides=[2, 2])
        elif isinstance(layer, GlobalAveragePool):
            add("GlobalAveragePool", [])
            add("Flatten", [], axis=1)
        else:
            add("Relu", [])
    nodes[-1].output[0] = "scores"
    graph = helper.make_graph(
        nodes, "digits", [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["batch", 1, 8, 8])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["batch", 10])], weights)
    model = helper.make_model(graph, producer_name="octet/examples/digits", ir_version=8,
                              opset_imports=[helper.make_opsetid("", 13)])
    onnx.checker.check_model(model)
    onnx.save(model, path)


class Calibration(CalibrationDataReader):
    def __init__(self, images):
        self.batches = iter(np.array_split(as_input(images), 8))

    def get_next(self):
        batch = next(self.batches, None)
        return None if batch is None else {"image": batch}


def quantize(float_path, int8_path, images):
    quantize_static(str(float_path), str(int8_path), Calibration(images), quant_format=QuantFormat.QOperator,
                    activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8, per_channel=True)
    model = onnx.load(str(int8_path))
    del model.metadata_props[:]  # the quantizer's note to itself; without it every cut of the file is a damaged file
    onnx.save(model, str(int8_path))


def run_ort(path, images):
    """Scores of ONNX Runtime's CPU provider with its default optimizations; alone must equal in the batch."""
    session = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    together = session.run(None, {"image": as_input(images)})[0]
    alone = np.concatenate([session.run(None, {"image": as_input(images[i:i + 1])})[0] for i in range(len(images))])
    if together.tobytes() != alone.tobytes():
        sys.exit("make_model.py: ONNX Runtime gives other bytes for a batch than for single images")
    return together


# ---- files ---------------------------------------------------------------------------------------------------


def accuracy(scores, labels):
    return float((scores.argmax(1) == labels).mean())


def vnni():
    info = pathlib.Path("/proc/cpuinfo")
    return info.exists() and any(flag in info.read_text() for flag in ("avx512_vnni", "avx_vnni"))


def write_pictures(folder, images, labels, scores):
    """The first image of a digit that is read rightly. White ink on black, each image pixel a square block: shrinking
    by averages gives the image back."""
    folder.mkdir(exist_ok=True)
    seen = {}
    for image, label, read in zip(images, labels, scores.argmax(1)):
        if read == label:
            seen.setdefault(int(label), image[0])
    for label in sorted(seen, key=lambda d: (d * 7) % 10)[:PICTURES]:
        # Halves go down: the int8 input of 8/16 is 127 (its scale is a little above 1/255), so the picture's bytes
        # are those of the image.
        grey = np.ceil(seen[label] * (255 / 16) - 0.5).astype(np.uint8)
        Image.fromarray(grey.repeat(ZOOM, 0).repeat(ZOOM, 1)).save(folder / f"digit_{label}.png", optimize=True)


def generate():
    train_x, test_x, train_y, test_y = data()
    layers = train(train_x, train_y)
    export(layers, HERE / "digits_f32.onnx")
    quantize(HERE / "digits_f32.onnx", HERE / "digits_int8.onnx", train_x)
    scores = run_ort(HERE / "digits_int8.onnx", test_x)
    np.save(HERE / "calibration_images.npy", train_x[:CALIBRATION])
    np.save(HERE / "test_images.npy", test_x)
    np.save(HERE / "test_labels.npy", test_y)
    np.save(HERE / "expected_scores.npy", scores)
    write_pictures(HERE / "pictures", test_x, test_y, scores)
    print(f"held-out accuracy: float {accuracy(run_ort(HERE / 'digits_f32.onnx', test_x), test_y):.4f}, "
          f"int8 {accuracy(scores, test_y):.4f}")


def check():
    """True when the committed files agree with the data set and with ONNX Runtime."""
    train_x, test_x, _, test_y = data()
    results = {
        "calibration_images.npy is of scikit-learn's split": np.array_equal(
            np.load(HERE / "calibration_images.npy"), train_x[:CALIBRATION]),
        "test_images.npy is scikit-learn's split": np.array_equal(np.load(HERE / "test_images.npy"), test_x),
        "test_labels.npy is scikit-learn's split": np.array_equal(np.load(HERE / "test_labels.npy"), test_y),
    }
    expected = np.load(HERE / "expected_scores.npy")
    scores = run_ort(HERE / "digits_int8.onnx", test_x)
    results["expected_scores.npy equals ONNX Runtime's bytes"] = scores.tobytes() == expected.tobytes()
    results["int8 accuracy is at least 0.97"] = accuracy(scores, test_y) >= 0.97
    results["float accuracy is at least 0.97"] = accuracy(run_ort(HERE / "digits_f32.onnx", test_x), test_y) >= 0.97
    with tempfile.TemporaryDirectory() as folder:
        write_pictures(pathlib.Path(folder) / "pictures", test_x, test_y, scores)
        for made in sorted(pathlib.Path(folder, "pictures").iterdir()):
            committed = HERE / "pictures" / made.name
            same = committed.exists() and np.array_equal(np.asarray(Image.open(made)), np.asarray(Image.open(committed)))
            results[f"pictures/{made.name} has the right pixels"] = same
    for what, good in results.items():
        print("ok  " if good else "FAIL", what)
    return all(results.values())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    arguments = parser.parse_args()
    if not vnni():
        sys.exit("make_model.py: this processor has no VNNI; ONNX Runtime's u8 x s8 saturates on it, so expected "
                 "bytes cannot be made or checked here")
    if arguments.check:
        sys.exit(0 if check() else 1)
    generate()


if __name__ == "__main__":
    main()
