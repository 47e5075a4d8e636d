"""The networks of this folder and the forms they are quantized to, by name."""
from typing import NamedTuple

from arch import dense, densenet, efficientnet, inception, mobilenet, resnet, squeezenet, vgg


class Form(NamedTuple):
    layout: str              # qop: operators of their own (QLinearConv ...); qdq: pairs around float operators
    activations: str         # u8, s8
    per_channel: bool        # scales of weights
    weights: str = "s8"
    symmetric: bool = False  # activations with the zero point in the middle


class Entry(NamedTuple):
    build: object            # draws the network on a builder.Net
    size: int                # height and width of its input
    parameters: int          # how many it must have: those of the published network; 0: nobody counted
    width: float = 1.0       # of all its channels
    free: bool = False       # height and width are dynamic


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
    "yolo": Entry(dense.yolo, 256, 0, free=True),
    "unet": Entry(dense.unet, 128, 0, free=True),
}

# For the everyday tests: the same graphs, small.
SMALL = {
    "squeezenet_small": Entry(squeezenet.squeezenet, 64, 0, 0.25),
    "mobilenetv2_small": Entry(mobilenet.mobilenetv2, 64, 0, 0.25),
    "mobilenetv3_small": Entry(mobilenet.mobilenetv3, 64, 0, 0.25),
    "resnet18_small": Entry(resnet.resnet18, 64, 0, 0.25),
    "yolo_small": Entry(dense.yolo, 64, 0, 0.25, free=True),
    "unet_small": Entry(dense.unet, 32, 0, 0.25, free=True),
}

ALL = {**NETS, **SMALL}

FORMS = {f"{layout}_{dtype}_{grain}": Form(layout, dtype, grain == "channel")
         for layout in ("qop", "qdq") for dtype in ("u8", "s8") for grain in ("tensor", "channel")}

# Others that people make: not in the reports unless asked for by name.
EXTRA_FORMS = {
    "qdq_s8sym_channel": Form("qdq", "s8", True, symmetric=True),
    "qop_s8sym_tensor": Form("qop", "s8", False, symmetric=True),
    "qdq_u8u8_tensor": Form("qdq", "u8", False, weights="u8"),
    "qop_u8u8_channel": Form("qop", "u8", True, weights="u8"),
}
ALL_FORMS = {**FORMS, **EXTRA_FORMS}
