"""ONNX Runtime's quantize_static, with each of its calibrators."""
import logging
import pathlib

import onnx
from onnx import version_converter
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

METHODS = ("MinMax", "Percentile", "Entropy")


class Reader(CalibrationDataReader):
    def __init__(self, samples):
        self.items = iter(samples)

    def get_next(self):
        return next(self.items, None)


def quantize(source, folder, samples):
    """The files it makes, by method. Scales for each channel need operator set 13."""
    logging.disable(logging.WARNING)
    model = onnx.load(str(source))
    if model.opset_import[0].version < 13:
        model = version_converter.convert_version(model, 13)
    upgraded, prepared = folder / "rival_13.onnx", folder / "rival_prepared.onnx"
    onnx.save(model, str(upgraded))
    quant_pre_process(str(upgraded), str(prepared), skip_symbolic_shape=True)
    made = {}
    for method in METHODS:
        path = pathlib.Path(folder) / f"rival_{method.lower()}.onnx"
        quantize_static(str(prepared), str(path), Reader(samples), quant_format=QuantFormat.QDQ, per_channel=True,
                        activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8,
                        calibrate_method=getattr(CalibrationMethod, method))
        made[method] = path
    return made
