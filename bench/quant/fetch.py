"""Networks out of wheels on PyPI, by pinned version."""
import pathlib
import subprocess
import sys
import zipfile

OCR = "rapidocr-onnxruntime==1.4.4"
OCR_NETWORKS = {"det": "rapidocr_onnxruntime/models/ch_PP-OCRv4_det_infer.onnx",
                "cls": "rapidocr_onnxruntime/models/ch_ppocr_mobile_v2.0_cls_infer.onnx",
                "rec": "rapidocr_onnxruntime/models/ch_PP-OCRv4_rec_infer.onnx"}
VAD = "silero-vad==6.2.3"


def fetch(package, member, folder):
    """A file out of a wheel; both stay in the folder."""
    target = folder / pathlib.Path(member).name
    if not target.exists():
        wheels = package.replace("-", "_").replace("==", "-") + "-*.whl"
        if not any(folder.glob(wheels)):
            subprocess.run([sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", str(folder), package], check=True)
        with zipfile.ZipFile(next(folder.glob(wheels))) as archive:
            target.write_bytes(archive.read(member))
    return target
