"""What 16-bit activations cost: each network quantized to u8 and to u16, timed by `octet bench` in turns."""
import json
import pathlib
import statistics
import sys

import numpy as np

import data
from fetch import OCR, OCR_NETWORKS, fetch

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "nets"))
import forms  # noqa: E402
from runtimes import session  # noqa: E402

SAMPLES = {name: data.drawn(make) for name, make in (("det", data.det), ("cls", data.cls), ("rec", data.rec))}
NETWORKS = [*SAMPLES, "resnet18"]


def source_of(network, folder):
    """The float network and a few samples."""
    if network in SAMPLES:
        source = fetch(OCR, OCR_NETWORKS[network], folder)
        return source, np.concatenate([x for sample in SAMPLES[network](source, 4, 1) for x in sample.values()])
    rng = np.random.default_rng(1)
    return forms.float_model(network, folder), rng.normal(size=(4, 3, 224, 224)).astype(np.float32)


def quantized(network, octet, folder, extra):
    """Paths by type of activations, the shape of the input, and its name."""
    folder.mkdir(parents=True, exist_ok=True)
    source, samples = source_of(network, folder)
    np.save(folder / "timed.npy", samples)
    paths = {a: folder / f"timed_{a}.onnx" for a in ("u8", "u16")}
    for activations, path in paths.items():
        octet.call("quantize", str(source), "--calibrate", str(folder / "timed.npy"), "-o", str(path), "--quiet",
                   "--no-bias-correction", "--observer", "minmax", "--activations", activations,
                   *(extra if activations == "u16" else []), timeout=3600)
    return paths, (1, *samples.shape[1:]), session(source).get_inputs()[0].name


def once(octet, path, name, shape, seconds):
    report = path.with_suffix(".json")
    octet.call("bench", str(path), "--shape", f"{name}={'x'.join(map(str, shape))}", "--seconds", str(seconds), "--json",
               str(report), "--quiet")
    return json.loads(report.read_text())


def row(network, octet, folder, extra, rounds, seconds):
    paths, shape, name = quantized(network, octet, folder / network, extra)
    turns = [{a: once(octet, p, name, shape, seconds) for a, p in paths.items()} for _ in range(rounds)]
    ms = {a: statistics.median(t[a]["latency_ms"]["median"] for t in turns) for a in paths}
    ratios = [t["u16"]["latency_ms"]["median"] / t["u8"]["latency_ms"]["median"] for t in turns]
    launches = [turns[0][a]["launches"] for a in paths]
    return (f"| {network} | {ms['u8']:.2f} | {ms['u16']:.2f} | {statistics.median(ratios):.2f} | {min(ratios):.2f} to "
            f"{max(ratios):.2f} | {launches[0]} | {launches[1]} |")


def table(networks, octet, folder, extra, rounds, seconds=1):
    """Rows of Markdown, printed as they come. The ratio is the median of those of the turns."""
    lines = ["| network | u8 ms | u16 ms | ratio | of the turns | launches of u8 | of u16 |", "|---|---|---|---|---|---|---|"]
    print("\n".join(lines), flush=True)
    for network in networks:
        lines.append(row(network, octet, folder, extra, rounds, seconds))
        print(lines[-1], flush=True)
    return lines
