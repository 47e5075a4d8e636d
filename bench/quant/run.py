#!/usr/bin/env python3
"""`octet quantize` beside ONNX Runtime's quantize_static, on trained networks: see README.md."""
import argparse
import contextlib
import io
import pathlib
import subprocess
import sys

import numpy as np
import onnx
import onnxruntime

import data
import rival
from fetch import OCR, OCR_NETWORKS, fetch

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parent.parent
sys.path.insert(0, str(HERE.parent / "nets"))
import wide  # noqa: E402
from runtimes import Failed, Octet, Refused, session  # noqa: E402

MODELS = {  # package, path in it, samples, how many to calibrate and to measure on
    "det": (OCR, OCR_NETWORKS["det"], data.det, 12, 8),
    "cls": (OCR, OCR_NETWORKS["cls"], data.cls, 64, 256),
    "rec": (OCR, OCR_NETWORKS["rec"], data.rec, 24, 16),
    "nude": ("nudenet==3.4.2", "nudenet/320n.onnx", data.nude, 12, 8),
    "vad": ("silero-vad==6.2.3", "silero_vad/data/silero_vad_16k_sequence.onnx", None, 0, 0),
}


def with_shape(source, shape, target):
    """The network at one input shape, what it computes of shapes folded."""
    model = onnx.load(str(source))
    dims = model.graph.input[0].type.tensor_type.shape.dim
    for dim, size in zip(dims, shape):
        dim.Clear()
        dim.dim_value = size
    settings = onnxruntime.SessionOptions()
    settings.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    settings.optimized_model_filepath = str(target)
    settings.log_severity_level = 3
    onnxruntime.InferenceSession(model.SerializeToString(), settings, providers=["CPUExecutionProvider"])
    return target


def outputs_of(path, name, samples):
    runner = session(path)
    runs = [runner.run(None, {name: samples[i:i + 1]}) for i in range(len(samples))]
    return [np.concatenate([r[k] for r in runs]) for k in range(len(runs[0]))]


def decibel(wanted, given):
    """The mean over outputs of signal to noise."""
    ratios = [10 * np.log10(np.square(a, dtype=np.float64).sum() / max(np.square(a - b, dtype=np.float64).sum(), 1e-30))
              for a, b in zip(wanted, given) if a.dtype == np.float32]
    return float(np.mean(ratios))


def top(wanted, given):
    a, b = wanted[0], given[0]
    return float((a.argmax(-1) == b.argmax(-1)).mean()) if a.shape[-1] > 1 else float("nan")


def same_bytes(octet, path, name, samples):
    """On one sample: "identical", or how far apart."""
    runner = session(path)
    names = [o.name for o in runner.get_outputs()]
    wanted = runner.run(None, {name: samples[:1]})
    given = octet.run(path, {name: samples[:1]}, names)
    worst = max(float(np.abs(a - given[n]).max()) for a, n in zip(wanted, names))
    return "identical" if all(a.tobytes() == given[n].tobytes() for a, n in zip(wanted, names)) else f"within {worst:.1g}"


def prepare(model, folder, seed):
    """Source, samples to calibrate on (in calibration.npy too) and to measure on: those of each seed are others."""
    package, member, make, calibration, held_out = MODELS[model]
    folder.mkdir(parents=True, exist_ok=True)
    source = fetch(package, member, folder)
    if make is None:
        return source, None, None
    cal, test = data.samples(make, calibration, 2 * seed + 1), data.samples(make, held_out, 2 * seed + 2)
    np.save(folder / "calibration.npy", cal)
    return source, cal, test


def quantize(octet, folder, source, cal, extra):
    """The file that was quantized to int8.onnx, with the shape of the samples where it is refused as it is."""
    command = ["--calibrate", str(folder / "calibration.npy"), "-o", str(folder / "int8.onnx"), "--quiet", *extra]
    try:
        octet.call("quantize", str(source), *command)
    except (Refused, Failed):
        source = with_shape(source, (1, *cal.shape[1:]), folder / "fixed.onnx")
        octet.call("quantize", str(source), *command)
    return source


def compare(model, octet, folder, extra, seed):
    """One row."""
    folder = folder / model
    whole, cal, test = prepare(model, folder, seed)
    if cal is None:
        try:
            octet.call("inspect", str(whole))
            octet.call("bench", str(whole))
        except (Refused, Failed) as refusal:
            return {"model": model, "note": str(refusal)}
    source = quantize(octet, folder, whole, cal, extra)
    note = "" if source == whole else "shape fixed"
    name = session(source).get_inputs()[0].name
    wanted = outputs_of(source, name, test)
    ours = outputs_of(folder / "int8.onnx", name, test)
    with contextlib.redirect_stdout(io.StringIO()):
        theirs = {m: outputs_of(p, name, test) for m, p in rival.quantize(source, folder, name, cal).items()}
    best = max(theirs, key=lambda m: decibel(wanted, theirs[m]))
    return {"model": model, "octet_db": decibel(wanted, ours), "rival_db": decibel(wanted, theirs[best]), "method": best,
            "octet_top": top(wanted, ours), "rival_top": top(wanted, theirs[best]), "note": note,
            "ratio": (folder / "int8.onnx").stat().st_size / source.stat().st_size,
            "bytes": same_bytes(octet, folder / "int8.onnx", name, test)}


def compare_widths(models, octet, folder, extra, seeds):
    """The table of wide.py."""
    print(wide.HEADER, flush=True)
    for model in models:
        rows, place = [], folder / f"{model}_wide"
        for seed in range(seeds):
            source, cal, test = prepare(model, place, seed)
            if cal is None:
                break
            source = quantize(octet, place, source, cal, ["--observer", "minmax"])  # with its shape fixed, if need be
            rows.append(wide.compare(octet, place, source, test, extra, decibel))
            if seeds > 1:
                print(wide.line(f"{model}, seed {seed}", rows[-1:]), flush=True)
        if rows:
            print(wide.line(model, rows), flush=True)


def row(r):
    if "octet_db" not in r:
        return f"| {r['model']} | - | - | - | - | - | - | {r['note']} |"
    return (f"| {r['model']} | {r['octet_db']:.2f} | {r['rival_db']:.2f} ({r['method']}) | {r['octet_top']:.2%} | "
            f"{r['rival_top']:.2%} | {r['ratio']:.3f} | {r['bytes']} | {r['note']} |")


def spread(results, key):
    values = np.array([r[key] for r in results])
    return f"{values.mean():.2f} ± {values.std(ddof=1):.2f}"


def mean_row(results):
    """Means over seeds, with the standard deviation of one."""
    tops = [f"{np.mean([r[key] for r in results]):.2%}" for key in ("octet_top", "rival_top")]
    same = sum(r["bytes"] == "identical" for r in results)
    return (f"| {results[0]['model']}, {len(results)} seeds | {spread(results, 'octet_db')} | {spread(results, 'rival_db')} | "
            f"{tops[0]} | {tops[1]} | {np.mean([r['ratio'] for r in results]):.3f} | {same} of {len(results)} | |")


def measure(model, octet, folder, extra, seeds):
    """The rows of one model, printed as they come; is it at least as near to float as the rival, in the mean?"""
    results = []
    for seed in range(seeds):
        results.append(compare(model, octet, folder, extra, seed))
        print(row(results[-1]), flush=True)
        if "octet_db" not in results[-1]:
            return [row(results[-1])], True
    rows = [row(r) for r in results]
    if seeds > 1:
        rows.append(mean_row(results))
        print(rows[-1], flush=True)
    return rows, np.mean([r["octet_db"] - r["rival_db"] for r in results]) >= 0


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", nargs="+", default=list(MODELS), choices=list(MODELS))
    parser.add_argument("--octet", default=str(TOP / "build/release/octet"))
    parser.add_argument("--octet-args", default="", help="more options for `octet quantize`")
    parser.add_argument("--seeds", type=int, default=1, help="repeat with other samples, so often; means and spread")
    parser.add_argument("--wide", action="store_true", help="8-bit activations beside 16-bit ones instead, both of Octet")
    parser.add_argument("--folder", default=str(TOP / "build/quant"))
    arguments = parser.parse_args()
    folder, octet = pathlib.Path(arguments.folder), Octet(arguments.octet)
    if arguments.wide:
        compare_widths(arguments.models, octet, folder, arguments.octet_args.split(), arguments.seeds)
        return
    lines = ["| model | Octet dB | ONNX Runtime dB | Octet top-1 | ONNX Runtime top-1 | bytes of float | same bytes | |",
             "|---|---|---|---|---|---|---|---|"]
    worse = []
    for model in arguments.models:
        try:
            rows, good = measure(model, octet, folder, arguments.octet_args.split(), arguments.seeds)
        except subprocess.CalledProcessError as refusal:  # of pip
            print(f"{model} cannot be had: {refusal}")
            sys.exit(77)
        lines += rows
        if not good:
            worse.append(model)
    (folder / "report.md").write_text("\n".join(lines) + "\n")
    if worse:
        sys.exit(f"further from float than ONNX Runtime's quantizer: {', '.join(worse)}")


if __name__ == "__main__":
    main()
