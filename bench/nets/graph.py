"""What the comparison needs to know of an ONNX graph: which tensors are 8-bit activations, who makes them and from what,
and which nodes compute in float."""
import onnx
from onnx import TensorProto, helper, numpy_helper

# The input that is the output's zero point, whose type the output has.
OUTPUT_ZERO = {"QuantizeLinear": 2, "QLinearConv": 7, "QLinearMatMul": 7, "QGemm": 8, "QLinearAdd": 7, "QLinearMul": 7,
               "QLinearSigmoid": 4, "QLinearLeakyRelu": 4, "QLinearAveragePool": 4, "QLinearGlobalAveragePool": 4,
               "QLinearConcat": 1, "QLinearSoftmax": 4, "QLinearWhere": 8}
# Operators whose result has the type of their data, their first input that is a tensor of the network.
MOVES = {"MaxPool", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Transpose", "Identity", "Slice", "Split", "Resize",
         "Pad", "Gather", "Expand", "Tile", "SpaceToDepth", "DepthToSpace", "Concat", "Relu", "Clip", "Upsample"}
INDICES = {"Shape", "ArgMax", "ArgMin", "Size"}
EIGHT = (TensorProto.UINT8, TensorProto.INT8)


class Graph:
    """A model with its tensors indexed; constants are initializers and the outputs of Constant nodes."""

    def __init__(self, path):
        self.model = onnx.load(path)
        graph = self.model.graph
        self.constants = {t.name: t for t in graph.initializer}
        for node in graph.node:
            if node.op_type == "Constant" and node.attribute[0].name == "value":
                self.constants[node.output[0]] = node.attribute[0].t
        self.maker = {o: n for n in graph.node for o in n.output if n.op_type != "Constant"}
        self.types = {i.name: i.type.tensor_type.elem_type for i in graph.input}
        for node in graph.node:
            for i, out in enumerate(node.output):
                self.types[out] = self.result(node) if i == 0 or node.op_type == "Split" else TensorProto.INT64

    def type_of(self, name):
        return self.constants[name].data_type if name in self.constants else self.types.get(name, 0)

    def result(self, node):
        """The type of a node's first output."""
        op, at = node.op_type, OUTPUT_ZERO.get(node.op_type)
        if at is not None and at < len(node.input) and node.input[at]:
            return self.type_of(node.input[at])
        if op == "QuantizeLinear":
            return TensorProto.UINT8
        if op in INDICES:
            return TensorProto.INT64
        if op == "Constant":
            return self.constants[node.output[0]].data_type if node.output[0] in self.constants else 0
        if op == "Cast":
            return next(a.i for a in node.attribute if a.name == "to")
        if op in MOVES:
            live = [i for i in node.input if i and i not in self.constants]
            return self.type_of((live or node.input)[0])
        return TensorProto.FLOAT

    def activations(self):
        """The 8-bit tensors that depend on an input, in the order in which nodes make them."""
        live, found = {i.name for i in self.model.graph.input} - set(self.constants), []
        for node in self.model.graph.node:
            if node.op_type not in ("Shape", "Constant") and live.intersection(node.input):
                live.update(node.output)
                found += [o for o in node.output if self.types[o] in EIGHT]
        return found

    def group(self, name, stops):
        """The nodes that make the tensor `name` from the tensors `stops`, first to last, and those of `stops` read."""
        nodes, read, seen = [], [], set()

        def visit(tensor, first):
            if tensor in stops and not first:
                if tensor not in read:
                    read.append(tensor)
                return
            node = self.maker.get(tensor)
            if node is None or node.output[0] in seen:
                return
            seen.add(node.output[0])
            for i in node.input:
                visit(i, False)
            nodes.append(node)
        visit(name, True)
        return nodes, read

    def float_nodes(self):
        """The nodes that compute in float: not those that only quantize, dequantize, or move data."""
        return [n for n in self.model.graph.node if self.is_float(n)]

    def is_float(self, node):
        if node.op_type in MOVES - {"Relu", "Clip", "Resize", "MaxPool"}:
            return False
        inputs = [i for i in node.input if i and i not in self.constants]
        return (node.op_type not in ("QuantizeLinear", "DequantizeLinear", "Constant", "Cast")
                and any(self.type_of(i) == TensorProto.FLOAT for i in inputs)
                and self.types[node.output[0]] == TensorProto.FLOAT)

    def step_of(self, output):
        """The quantization step of a float output that a DequantizeLinear makes, directly or through moves; or None."""
        node = self.maker.get(output)
        while node is not None and node.op_type in MOVES:
            node = self.maker.get(node.input[0])
        if node is None or node.op_type != "DequantizeLinear" or node.input[1] not in self.constants:
            return None
        scale = numpy_helper.to_array(self.constants[node.input[1]])
        return float(scale) if scale.size == 1 else None


def ops(nodes):
    """Conv+Relu: what a group computes."""
    hidden = ("QuantizeLinear", "DequantizeLinear", "Constant")
    return "+".join(n.op_type for n in nodes if n.op_type not in hidden) or "+".join(n.op_type for n in nodes[-1:])


def expose(model, names, types):
    """A copy of the model with these tensors as outputs."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    there = {o.name for o in copy.graph.output}
    copy.graph.output.extend(helper.make_tensor_value_info(n, types[n], None) for n in names if n not in there)
    return copy


def cut(model, values):
    """A copy in which every consumer of a tensor in `values` (name -> array) reads a new graph input NAME__in instead,
    and the tensors themselves are outputs: every group of nodes stands alone, with the inputs it is given."""
    types = {n: helper.np_dtype_to_tensor_dtype(v.dtype) for n, v in values.items()}
    copy = expose(model, values, types)
    for node in copy.graph.node:
        for i, name in enumerate(node.input):
            if name in values:
                node.input[i] = name + "__in"
    used = {i for n in copy.graph.node for i in n.input}
    copy.graph.input.extend(helper.make_tensor_value_info(n + "__in", types[n], v.shape) for n, v in values.items()
                            if n + "__in" in used)
    return copy
