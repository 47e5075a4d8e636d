"""Samples: pages and lines of words, drawn from a seed."""
import pathlib

import numpy as np
import onnxruntime
from PIL import Image, ImageDraw, ImageFilter, ImageFont

WORDS = ("the quick brown fox jumps over lazy dog Octet int8 OpenCL device 2026 network scale zero point 128 total 42.50 "
         "EUR invoice page table signal noise model Debian").split()
FONTS = sorted(pathlib.Path("/usr/share/fonts/truetype").glob("**/*.ttf"))


def font(rng, low, high):
    size = int(rng.integers(low, high))
    return ImageFont.truetype(str(FONTS[rng.integers(len(FONTS))]), size) if FONTS else ImageFont.load_default(size)


def dark(rng):
    return tuple(int(v) for v in rng.integers(0, 110, 3))


def page(rng, side=320):
    grey = int(rng.integers(180, 256))
    image = Image.new("RGB", (side, side), (grey, grey, int(np.clip(grey + rng.integers(-20, 20), 0, 255))))
    draw, y = ImageDraw.Draw(image), 8
    while y < side - 40:
        face = font(rng, 14, 34)
        words = " ".join(rng.choice(WORDS, rng.integers(1, 6)))
        draw.text((int(rng.integers(4, 60)), y), words, fill=dark(rng), font=face)
        y += int(face.size * 1.6)
    return np.asarray(image.filter(ImageFilter.GaussianBlur(float(rng.random() * 0.8))), np.float32)


def line(rng, width, turned=False):
    image = Image.new("RGB", (width, 48), (255, 255, 255))
    ImageDraw.Draw(image).text((4, 2), " ".join(rng.choice(WORDS, 5)), fill=dark(rng), font=font(rng, 22, 36))
    image = image.filter(ImageFilter.GaussianBlur(float(rng.random() * 0.6)))
    return np.asarray(image.rotate(180) if turned else image, np.float32)


def tensor(pixels, mean, std, bgr=True):
    """[1, 3, height, width]: (pixel / 255 - mean) / std."""
    x = pixels[:, :, ::-1] if bgr else pixels
    x = (x / 255 - np.asarray(mean, np.float32)) / np.asarray(std, np.float32)
    return np.ascontiguousarray(x.transpose(2, 0, 1)[None]).astype(np.float32)


def det(rng, index):
    return tensor(page(rng), (0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


def cls(rng, index):
    return tensor(line(rng, 192, turned=index % 2 == 1), (0.5,) * 3, (0.5,) * 3)


def rec(rng, index):
    return tensor(line(rng, 320), (0.5,) * 3, (0.5,) * 3)


def nude(rng, index):
    return tensor(page(rng), (0,) * 3, (1,) * 3, bgr=False)


def drawn(make):
    """Samples of a network with one input, for run.py: (network, count, seed) to a list of feeds."""
    def samples(source, count, seed):
        rng = np.random.default_rng(seed)
        name = onnxruntime.InferenceSession(str(source), providers=["CPUExecutionProvider"]).get_inputs()[0].name
        return [{name: make(rng, i)} for i in range(count)]
    return samples
