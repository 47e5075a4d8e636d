#!/usr/bin/env python3
"""Pages of text as pictures, in the fonts of Debian's fonts-dejavu-core.

    draw.py page TEXT.txt OUT.png       the lines of a file; every eighth stands upside down
    draw.py samples COUNT FOLDER        pages of made-up words, to calibrate with
"""
import pathlib
import sys

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent.parent / "bench" / "quant"))
import data  # noqa: E402

FONTS = [f"/usr/share/fonts/truetype/dejavu/DejaVu{style}.ttf"
         for style in ("Sans", "Serif", "SansMono", "Sans-Bold", "Serif-Bold", "SansMono-Bold")]
WIDTH, MARGIN, SPACING, TURNED = 992, 48, 1.5, 8
LETTERS = list("abcdefghijklmnopqrstuvwxyz")
MARKS = list(".,;:!?-&%+/()'\"@")


def strip(text, rng):
    """A line on transparent ground, in a font and a size that fit it on the page."""
    path, size = FONTS[rng.integers(len(FONTS))], int(rng.integers(19, 31))
    while ImageFont.truetype(path, size).getlength(text) > WIDTH - 2 * MARGIN:
        size -= 1
    face = ImageFont.truetype(path, size)
    image = Image.new("RGBA", (int(face.getlength(text)) + 2, int(size * SPACING)))
    ImageDraw.Draw(image).text((1, size * (SPACING - 1) / 4), text, fill=data.dark(rng), font=face)
    return image


def page(lines, rng):
    strips = [strip(text, rng) for text in lines]
    paper = tuple(int(v) for v in rng.integers(225, 256, 3))
    image = Image.new("RGB", (WIDTH, sum(s.height for s in strips) + 2 * MARGIN), paper)
    y = MARGIN
    for index, one in enumerate(strips):
        x = MARGIN + int(rng.integers(0, WIDTH - 2 * MARGIN - one.width + 3))
        if index % TURNED == TURNED - 1:
            one = one.rotate(180)
        image.paste(one, (x, y), one)
        y += one.height
    return image.filter(ImageFilter.GaussianBlur(float(rng.random() * 0.5)))


def word(rng):
    kind = rng.random()
    if kind < 0.4:
        return str(rng.choice(data.WORDS))
    if kind < 0.6:
        return f"{rng.integers(10 ** int(rng.integers(1, 7)))}{rng.choice(['', '', '.5', '%', ':30', ',00'])}"
    made = "".join(rng.choice(LETTERS, rng.integers(1, 10)))
    made = (made, made.capitalize(), made.upper())[rng.choice(3, p=[0.5, 0.3, 0.2])]
    return made + (str(rng.choice(MARKS)) if rng.random() < 0.4 else "")


def made_up(rng, lines):
    return [" ".join(word(rng) for _ in range(rng.integers(2, 9))) for _ in range(lines)]


def main():
    if len(sys.argv) != 4 or sys.argv[1] not in ("page", "samples"):
        sys.exit(__doc__)
    if not pathlib.Path(FONTS[0]).exists():
        sys.exit(f"no {FONTS[0]}: it is in Debian's package fonts-dejavu-core")
    if sys.argv[1] == "page":
        page(pathlib.Path(sys.argv[2]).read_text().splitlines(), np.random.default_rng(1)).save(sys.argv[3])
        return
    folder = pathlib.Path(sys.argv[3])
    folder.mkdir(parents=True, exist_ok=True)
    for i in range(int(sys.argv[2])):
        rng = np.random.default_rng(1000 + i)
        page(made_up(rng, 18), rng).save(folder / f"{i}.png")


if __name__ == "__main__":
    main()
