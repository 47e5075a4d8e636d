"""A large 8-bit network that travels without its weights, which are drawn again where it runs, the same everywhere:
    drawn.py leave MODEL.onnx DIR    DIR/NAME.onnx, a few hundred KB, its weights in NAME.weights, and NAME.drawn, which
                                     tells how many bytes these are and their SHA-256 (wants the package onnx)
    drawn.py draw DIR NAME TO        TO/NAME.onnx and TO/NAME.weights (Python only)"""
import hashlib
import os
import pathlib
import random
import shutil
import statistics
import sys

PIECE = 1 << 20
# Trained weights, scaled so that the largest of a row is 127, are spread about like this.
SPREAD = statistics.NormalDist(0, 127 / 4)
WEIGHTS = bytes(max(-127, min(127, round(SPREAD.inv_cdf((i + 0.5) / 256)))) & 255 for i in range(256))


def draw(path, count):
    """Write them; their SHA-256."""
    source, whole = random.Random(16), hashlib.sha256()
    with path.open("wb") as file:
        while count:
            piece = source.randbytes(min(count, PIECE)).translate(WEIGHTS)
            file.write(piece)
            whole.update(piece)
            count -= len(piece)
    return whole.hexdigest()


def leave(model_path, folder):
    import onnx
    model, name, count = onnx.load(model_path), model_path.parent.name, 0
    for tensor in model.graph.initializer:
        if tensor.data_type != onnx.TensorProto.INT8 or len(tensor.dims) < 2:
            continue
        length = len(tensor.raw_data)
        tensor.ClearField("raw_data")
        tensor.data_location = onnx.TensorProto.EXTERNAL
        for key, value in ("location", f"{name}.weights"), ("offset", count), ("length", length):
            tensor.external_data.add(key=key, value=str(value))
        count += length
    (folder / f"{name}.onnx").write_bytes(model.SerializeToString())
    (folder / f"{name}.drawn").write_text(f"{count} {draw(pathlib.Path(os.devnull), count)}\n")


def make(folder, name, to):
    count, wanted = (folder / f"{name}.drawn").read_text().split()
    shutil.copy(folder / f"{name}.onnx", to)
    if draw(to / f"{name}.weights", int(count)) != wanted:
        raise SystemExit(f"drawn.py: this Python draws other weights for {name}: its bytes would not be comparable")


def main():
    verb, *names = sys.argv[1:] or [""]
    paths = [pathlib.Path(n) for n in names]
    if verb == "leave" and len(paths) == 2:
        leave(*paths)
    elif verb == "draw" and len(paths) == 3:
        make(paths[0], names[1], paths[2])
    else:
        raise SystemExit(__doc__)


main()
