"""A random input for a model with one: sample.py MODEL FILE.npy; prints the input's name."""
import sys

import numpy as np
import onnx


def main():
    model, path = sys.argv[1:]
    value = onnx.load(model).graph.input[0]
    shape = [d.dim_value or 1 for d in value.type.tensor_type.shape.dim]
    np.save(path, np.random.default_rng(1).standard_normal(shape, dtype=np.float32))
    print(value.name)


main()
