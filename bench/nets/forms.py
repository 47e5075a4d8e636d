"""Quantize the networks into every form with ONNX Runtime's own quantizer, into build/nets/NAME/FORM.onnx.

The float model and its calibration are made once per network; a form that is there already is kept as long as the
scripts that made it are unchanged."""
import hashlib
import inspect
import logging
import pathlib
import zlib

import onnx
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

import builder
import nets

HERE = pathlib.Path(__file__).resolve().parent
CALIBRATION = 8  # pictures
TYPES = {"u8": QuantType.QUInt8, "s8": QuantType.QInt8}


class Reader(CalibrationDataReader):
    def __init__(self, size):
        self.left = [{"input": builder.pictures(2, 1, size, i)} for i in range(CALIBRATION)]

    def get_next(self):
        return self.left.pop() if self.left else None


def stamp(entry):
    """What a network's files depend on."""
    digest = hashlib.sha256(repr(entry[1:]).encode() + entry.build.__name__.encode())
    for path in ("builder.py", "forms.py", "requirements.txt", inspect.getsourcefile(entry.build)):
        digest.update((HERE / path).read_bytes())
    return digest.hexdigest()


def float_model(name, folder):
    """float.onnx, as the quantizer wants it: normalizations folded into convolutions where that can be, shapes known."""
    path = folder / "float.onnx"
    if path.exists():
        return path
    entry = nets.ALL[name]
    net = builder.Net(name, entry.size, zlib.crc32(name.encode()), entry.width, entry.free)
    entry.build(net)
    if entry.parameters not in (0, net.parameters):
        raise ValueError(f"{name} has {net.parameters} parameters, the published network {entry.parameters}")
    raw, part = folder / "raw.part", folder / "float.part"
    onnx.save(net.finish(), str(raw))  # given as a path: the quantizer loses small constants of models in memory
    quant_pre_process(str(raw), str(part), skip_symbolic_shape=True)
    raw.unlink()
    part.rename(path)
    return path


def make(name, form, root, say=print):
    """The path of one form of one network, made now if need be."""
    folder = root / name
    folder.mkdir(parents=True, exist_ok=True)
    mark, path = folder / "stamp", folder / f"{form}.onnx"
    want = stamp(nets.ALL[name])
    if not mark.exists() or mark.read_text() != want:
        for old in folder.iterdir():
            old.unlink()
        mark.write_text(want)
    if not path.exists():
        say(f"making {name}/{form}.onnx")
        f = nets.ALL_FORMS[form]
        source = float_model(name, folder)
        part = folder / f"{form}.part"
        logging.disable(logging.WARNING)
        quantize_static(str(source), str(part), Reader(nets.ALL[name].size),
                        quant_format={"qop": QuantFormat.QOperator, "qdq": QuantFormat.QDQ}[f.layout],
                        per_channel=f.per_channel, weight_type=TYPES[f.weights], activation_type=TYPES[f.activations],
                        extra_options={"ActivationSymmetric": f.symmetric}, calibration_cache_path=folder / "ranges.json")
        part.rename(path)
    return path
