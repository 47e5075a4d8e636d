"""Float networks as ONNX graphs with seeded weights whose activations neither die nor explode.

A network is written as calls on a Net. Convolutions that are followed by a normalization get its statistics from one
pass over a few seeded pictures: finish() runs the graph once with every normalization computed from the batch itself,
then writes those means and variances into BatchNormalization nodes, or, for networks that have none (norm="fold"),
into the weights and the bias of the convolution. Not a training framework: nothing here learns anything."""
import math

import numpy as np
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

OPSET = 17
EPSILON = 1e-5
PICTURES = 4     # that the statistics come from
TEST = 3         # seed of the pictures that are compared on


def pictures(seed, count, size, first=0):
    """Pictures `first` and following, [count, 3, size, size] float32: patches of colour under noise, about mean 0 and
    deviation 1."""
    out = np.empty((count, 3, size, size), np.float32)
    for i in range(count):
        rng = np.random.default_rng([seed, first + i])
        patches = rng.standard_normal((3, -(-size // 8), -(-size // 8)), dtype=np.float32).repeat(8, 1).repeat(8, 2)
        noise = rng.standard_normal((3, size, size), dtype=np.float32)
        out[i] = np.float32(0.9) * patches[:, :size, :size] + np.float32(0.4) * noise
    return out


class Net:
    """A graph under construction. Tensors are names; what they hold is known by self.channels."""

    def __init__(self, name, size, seed, width=1.0, free=False):
        self.name, self.size, self.width = name, size, width
        self.dims = ["N", 3, "H", "W"] if free else ["N", 3, size, size]
        self.rng = np.random.default_rng(seed)
        self.nodes = []          # NodeProto, or the name of a normalization in self.norms
        self.weights = {}        # initializers
        self.norms = {}          # output name -> (input name, gamma, beta, weight to fold into or None)
        self.channels = {"input": 3}
        self.parameters = 0
        self.outputs = []

    # ---- plumbing ----
    def scaled(self, c):
        """c channels of the full network, in a narrower one a multiple of 8."""
        return c if self.width == 1.0 else max(8, int(c * self.width / 8 + 0.5) * 8)

    def node(self, op, inputs, channels=None, tag=None, **attributes):
        out = f"{tag or op.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, inputs, [out], out + "_node", **attributes))
        self.channels[out] = self.channels[inputs[0]] if channels is None else channels
        return out

    def constant(self, name, value):
        self.weights[name] = value
        return name

    def weight(self, tag, shape, deviation):
        name = f"{tag}_{len(self.nodes)}"
        self.parameters += math.prod(shape)
        return self.constant(name, self.rng.standard_normal(shape, dtype=np.float32) * np.float32(deviation))

    def norm(self, x, fold=None, gain=1.0):
        """A normalization of x; fold names the weight of the convolution that made x, or is None for a real node."""
        c, out = self.channels[x], f"norm_{len(self.nodes)}"
        gamma = self.rng.uniform(0.5, 1.5, c).astype(np.float32) * np.float32(gain)
        beta = self.rng.uniform(-0.3, 0.3, c).astype(np.float32) * np.float32(gain)
        self.norms[out] = (x, gamma, beta, fold)
        self.nodes.append(out)
        self.channels[out] = c
        self.parameters += c if fold else 2 * c
        return out

    # ---- layers ----
    def conv(self, x, c, k, stride=1, pad=None, groups=1, norm="bn", gain=1.0, bias=False):
        """k x k (or (kh, kw)) convolution to c channels, padded to keep the size unless pad says otherwise.
        norm: "bn", "fold" (a bias in place of the normalization), or None with bias or without."""
        kh, kw = (k, k) if isinstance(k, int) else k
        if pad is None:
            pad = (kh // 2, kw // 2)
        ph, pw = (pad, pad) if isinstance(pad, int) else pad
        fan = self.channels[x] // groups * kh * kw
        w = self.weight("w", (c, self.channels[x] // groups, kh, kw), math.sqrt(2 / fan))
        inputs = [x, w]
        if bias:
            inputs.append(self.weight("b", (c,), 0.1))
        y = self.node("Conv", inputs, c, kernel_shape=[kh, kw], strides=[stride] * 2, pads=[ph, pw, ph, pw],
                      group=groups)
        return y if norm is None else self.norm(y, w if norm == "fold" else None, gain)

    def conv_transpose(self, x, c, k=2):
        w = self.weight("w", (self.channels[x], c, k, k), math.sqrt(1 / self.channels[x]))
        return self.node("ConvTranspose", [x, w, self.weight("b", (c,), 0.1)], c, kernel_shape=[k, k], strides=[k, k])

    def gemm(self, x, n, gain=math.sqrt(2)):
        k = self.channels[x]
        w = self.weight("w", (n, k), gain / math.sqrt(k))
        return self.node("Gemm", [x, w, self.weight("b", (n,), 0.1)], n, transB=1)

    def relu(self, x):
        return self.node("Relu", [x])

    def relu6(self, x):
        return self.node("Clip", [x, self.constant("zero", np.float32(0)), self.constant("six", np.float32(6))])

    def sigmoid(self, x):
        return self.node("Sigmoid", [x])

    def swish(self, x):
        return self.mul(x, self.sigmoid(x))

    def hard_swish(self, x):
        return self.node("HardSwish", [x])

    def hard_sigmoid(self, x):
        return self.node("HardSigmoid", [x], alpha=1 / 6, beta=0.5)

    def leaky_relu(self, x, alpha=0.1):
        return self.node("LeakyRelu", [x], alpha=alpha)

    def add(self, a, b):
        return self.node("Add", [a, b])

    def mul(self, a, b):
        return self.node("Mul", [a, b])

    def concat(self, *parts):
        return self.node("Concat", list(parts), sum(self.channels[p] for p in parts), axis=1)

    def max_pool(self, x, k, stride, pad=0, ceil=False):
        return self.node("MaxPool", [x], kernel_shape=[k, k], strides=[stride] * 2, pads=[pad] * 4, ceil_mode=int(ceil))

    def average_pool(self, x, k, stride, pad=0):
        return self.node("AveragePool", [x], kernel_shape=[k, k], strides=[stride] * 2, pads=[pad] * 4,
                         count_include_pad=1)

    def global_pool(self, x):
        return self.node("GlobalAveragePool", [x])

    def flatten(self, x, spatial=1):
        return self.node("Flatten", [x], self.channels[x] * spatial, axis=1)

    def softmax(self, x):
        return self.node("Softmax", [x], axis=-1)

    def upsample(self, x):
        """Twice the height and width, each pixel repeated."""
        scales = self.constant("twice", np.array([1, 1, 2, 2], np.float32))
        return self.node("Resize", [x, "", scales], mode="nearest", nearest_mode="floor",
                         coordinate_transformation_mode="asymmetric")

    def output(self, x, name):
        """Call the tensor x by the name of a graph output."""
        for node in self.nodes:
            if not isinstance(node, str):
                for names in (node.input, node.output):
                    names[:] = [name if n == x else n for n in names]
        self.outputs.append(name)

    # ---- the model ----
    def model(self, nodes, outputs):
        used = {n for node in nodes for n in node.input}
        weights = [numpy_helper.from_array(np.asarray(v), k) for k, v in self.weights.items() if k in used]
        x = helper.make_tensor_value_info("input", TensorProto.FLOAT, self.dims)
        outputs = [helper.make_tensor_value_info(o, TensorProto.FLOAT, None) for o in outputs]
        graph = helper.make_graph(nodes, self.name, [x], outputs, weights)
        return helper.make_model(graph, ir_version=9, opset_imports=[helper.make_opsetid("", OPSET)])

    def measuring(self):
        """The nodes with every normalization computed from the batch, and the names of means and variances."""
        nodes, wanted = [], []
        for item in self.nodes:
            if not isinstance(item, str):
                nodes.append(item)
                continue
            x, gamma, beta, _ = self.norms[item]
            names = [f"{item}_{part}" for part in ("mean", "gap", "square", "var", "root", "unit", "scaled", "eps")]
            mean, gap, square, var, root, unit, scaled, eps = names
            self.weights.update({item + "_g": gamma.reshape(1, -1, 1, 1), item + "_b": beta.reshape(1, -1, 1, 1),
                                 eps: np.float32(EPSILON)})
            make = helper.make_node
            nodes += [make("ReduceMean", [x], [mean], axes=[0, 2, 3]), make("Sub", [x, mean], [gap]),
                      make("Mul", [gap, gap], [square]), make("ReduceMean", [square], [var], axes=[0, 2, 3]),
                      make("Add", [var, eps], [unit]), make("Sqrt", [unit], [root]), make("Div", [gap, root], [item + "_n"]),
                      make("Mul", [item + "_n", item + "_g"], [scaled]), make("Add", [scaled, item + "_b"], [item])]
            wanted += [mean, var]
        return nodes, wanted

    def settled(self, statistics):
        """The nodes with normalizations that hold the measured statistics, or folded away."""
        nodes, renamed = [], {}
        for item in self.nodes:
            if not isinstance(item, str):
                node = helper.NodeProto()
                node.CopyFrom(item)
                for i, name in enumerate(node.input):
                    node.input[i] = renamed.get(name, name)
                nodes.append(node)
                continue
            x, gamma, beta, fold = self.norms[item]
            mean, var = statistics[item + "_mean"].reshape(-1), statistics[item + "_var"].reshape(-1)
            if fold is None:
                names = [self.constant(f"{item}_{part}", value) for part, value in
                         (("gamma", gamma), ("beta", beta), ("mean", mean), ("var", var))]
                nodes.append(helper.make_node("BatchNormalization", [renamed.get(x, x), *names], [item], item + "_node",
                                              epsilon=EPSILON))
                continue
            factor = (gamma / np.sqrt(var + EPSILON)).astype(np.float32)
            self.weights[fold] = self.weights[fold] * factor.reshape(-1, 1, 1, 1)
            nodes[-1].input.append(self.constant(fold + "_bias", beta - mean * factor))
            renamed[item] = x
        return nodes

    def finish(self):
        """The float model."""
        statistics = {}
        if self.norms:
            nodes, wanted = self.measuring()
            session = onnxruntime.InferenceSession(self.model(nodes, wanted).SerializeToString(),
                                                   providers=["CPUExecutionProvider"])
            statistics = dict(zip(wanted, session.run(None, {"input": pictures(1, PICTURES, self.size)})))
        return self.model(self.settled(statistics), self.outputs)
