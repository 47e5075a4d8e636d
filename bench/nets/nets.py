"""The networks of this folder by name, and the forms they are quantized to."""
from typing import NamedTuple

from arch import dense, densenet, efficientnet, inception, mobilenet, resnet, squeezenet, vgg


class Entry(NamedTuple):
    build: object            # draws the network on a builder.Net
    size: int                # height and width of its input
    parameters: int          # how many it must have: those of the published network; 0: nobody counted
    width: float = 1.0       # of all its channels


NETS = {
    "vgg16": Entry(vgg.vgg16, 224, 138357544),
    "resnet18": Entry(resnet.resnet18, 224, 11689512),
    "resnet50": Entry(resnet.resnet50, 224, 25557032),
    "mobilenetv2": Entry(mobilenet.mobilenetv2, 224, 3504872),
    "mobilenetv3": Entry(mobilenet.mobilenetv3, 224, 5483032),
    "squeezenet": Entry(squeezenet.squeezenet, 224, 1235496),
    "densenet121": Entry(densenet.densenet121, 224, 7978856),
    "efficientnet": Entry(efficientnet.efficientnet, 224, 5288548),
    "inception_v3": Entry(inception.inception_v3, 299, 23834568),
    "yolo": Entry(dense.yolo, 256, 0),
    "unet": Entry(dense.unet, 128, 0),
}

# For the everyday tests: the same graphs, small.
SMALL = {
    "squeezenet_small": Entry(squeezenet.squeezenet, 64, 0, 0.25),
    "mobilenetv2_small": Entry(mobilenet.mobilenetv2, 64, 0, 0.25),
    "mobilenetv3_small": Entry(mobilenet.mobilenetv3, 64, 0, 0.25),
    "resnet18_small": Entry(resnet.resnet18, 64, 0, 0.25),
}

ALL = {**NETS, **SMALL}

# qop: operators of their own (QLinearConv ...); qdq: QuantizeLinear and DequantizeLinear around float operators.
FORMS = [f"{layout}_{dtype}_{grain}" for layout in ("qop", "qdq") for dtype in ("u8", "s8")
         for grain in ("tensor", "channel")]
