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
import speech
import wide
import wide_time
from fetch import OCR, OCR_NETWORKS, VAD, fetch

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parent.parent
sys.path.insert(0, str(HERE.parent / "nets"))
from runtimes import Failed, Octet, Refused, session  # noqa: E402

SR = {"sr": np.array(16000)}
MODELS = {  # package, path in it, samples, how many to calibrate and to measure on, inputs that are fixed
    "det": (OCR, OCR_NETWORKS["det"], data.drawn(data.det), 12, 8, {}),
    "cls": (OCR, OCR_NETWORKS["cls"], data.drawn(data.cls), 64, 256, {}),
    "rec": (OCR, OCR_NETWORKS["rec"], data.drawn(data.rec), 24, 16, {}),
    "nude": ("nudenet==3.4.2", "nudenet/320n.onnx", data.drawn(data.nude), 12, 8, {}),
    "vad": (VAD, "silero_vad/data/silero_vad.onnx", speech.windows, 192, 384, SR),
    "vad_parts": (VAD, "silero_vad/data/silero_vad_op18_ifless.onnx", speech.windows, 192, 384, SR),
}
DRAWN = [m for m in MODELS if MODELS[m][2] is not speech.windows]
# What the rival gets instead: ONNX Runtime 1.32 cannot put the branches of this one in the place of its Ifs.
FOR_RIVAL = {"vad": "silero_vad/data/silero_vad_16k_op15.onnx"}


def with_shapes(source, sample, fixed, target):
    """The network at the shapes of a sample, what it computes of them folded, and the branches it takes in the place of
    Ifs."""
    model = onnx.load(str(source))
    for given in [i for i in model.graph.input if i.name in fixed]:
        model.graph.input.remove(given)
        model.graph.initializer.append(onnx.numpy_helper.from_array(fixed[given.name], given.name))
    for given in model.graph.input:
        shape = sample[given.name].shape
        del given.type.tensor_type.shape.dim[:]
        for size in shape:
            given.type.tensor_type.shape.dim.add().dim_value = size
    settings = onnxruntime.SessionOptions()
    settings.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    settings.optimized_model_filepath = str(target)
    settings.log_severity_level = 3
    onnxruntime.InferenceSession(model.SerializeToString(), settings, providers=["CPUExecutionProvider"])
    return target


def feed(runner, sample, fixed):
    return {i.name: sample[i.name] if i.name in sample else fixed[i.name] for i in runner.get_inputs()}


def outputs_of(path, samples, fixed):
    runner = session(path)
    runs = [runner.run(None, feed(runner, s, fixed)) for s in samples]
    return [np.concatenate([r[k] for r in runs]) for k in range(len(runs[0]))]


def save_samples(samples, folder):
    """As `octet quantize --calibrate` reads them: an array, or a file a sample where there are several inputs."""
    if len(samples[0]) == 1:
        np.save(folder / "calibration.npy", np.concatenate([x for s in samples for x in s.values()]))
        return folder / "calibration.npy"
    (folder / "calibration").mkdir(exist_ok=True)
    for i, sample in enumerate(samples):
        np.savez(folder / "calibration" / f"{i:04}.npz", **sample)
    return folder / "calibration"


def decibel(wanted, given):
    """The mean over outputs of signal to noise."""
    ratios = [10 * np.log10(np.square(a, dtype=np.float64).sum() / max(np.square(a - b, dtype=np.float64).sum(), 1e-30))
              for a, b in zip(wanted, given) if a.dtype == np.float32]
    return float(np.mean(ratios))


def top(wanted, given):
    """How often the highest score is at the same place, or one score on the same side of a half."""
    a, b = wanted[0], given[0]
    return float((a.argmax(-1) == b.argmax(-1) if a.shape[-1] > 1 else (a > 0.5) == (b > 0.5)).mean())


def same_bytes(octet, path, sample):
    """On one sample: "identical", or how far apart."""
    runner = session(path)
    names = [o.name for o in runner.get_outputs()]
    wanted = runner.run(None, feed(runner, sample, {}))
    given = octet.run(path, feed(runner, sample, {}), names)
    worst = max(float(np.abs(a - given[n]).max()) for a, n in zip(wanted, names))
    return "identical" if all(a.tobytes() == given[n].tobytes() for a, n in zip(wanted, names)) else f"within {worst:.1g}"


def prepare(model, folder, seed):
    """Source, samples to calibrate on and to measure on, and the inputs that are fixed. Those of each seed are others."""
    package, member, make, calibration, held_out, fixed = MODELS[model]
    folder.mkdir(parents=True, exist_ok=True)
    source = fetch(package, member, folder)
    return source, make(source, calibration, 2 * seed + 1), make(source, held_out, 2 * seed + 2), fixed


def quantize(octet, folder, source, cal, fixed, extra):
    """The file that was quantized to int8.onnx, with the shape of the samples where it is refused as it is."""
    command = ["--calibrate", str(save_samples(cal, folder)), "-o", str(folder / "int8.onnx"), "--quiet", *extra]
    try:
        octet.call("quantize", str(source), *command, *(f"--fix={n}={v}" for n, v in fixed.items()))
    except (Refused, Failed):
        if fixed:
            raise
        source = with_shapes(source, cal[0], fixed, folder / "fixed.onnx")
        octet.call("quantize", str(source), *command)
    return source


def for_rival(model, folder, source, cal, wanted, test, fixed):
    """The file that ONNX Runtime's quantizer gets: the same, or with the inputs fixed and without Ifs."""
    if not fixed:
        return source
    package, member = MODELS[model][:2]
    given = with_shapes(fetch(package, FOR_RIVAL.get(model, member), folder), cal[0], fixed, folder / "rival_source.onnx")
    if decibel(wanted, outputs_of(given, test, fixed)) < 80:
        raise SystemExit(f"{model}: what the rival gets is another network")
    return given


def compare(model, octet, folder, extra, seed):
    """One row."""
    folder = folder / model
    whole, cal, test, fixed = prepare(model, folder, seed)
    source, made = quantize(octet, folder, whole, cal, fixed, extra), folder / "int8.onnx"
    note = "" if source == whole else "shape fixed"
    wanted, ours = outputs_of(source, test, fixed), outputs_of(made, test, fixed)
    given = for_rival(model, folder, source, cal, wanted, test, fixed)
    with contextlib.redirect_stdout(io.StringIO()):
        theirs = {m: outputs_of(p, test, fixed) for m, p in rival.quantize(given, folder, cal).items()}
    best = max(theirs, key=lambda m: decibel(wanted, theirs[m]))
    return {"model": model, "octet_db": decibel(wanted, ours), "rival_db": decibel(wanted, theirs[best]), "method": best,
            "octet_top": top(wanted, ours), "rival_top": top(wanted, theirs[best]), "note": note,
            "ratio": made.stat().st_size / source.stat().st_size, "bytes": same_bytes(octet, made, test[0])}


def compare_widths(models, octet, folder, extra, seeds):
    """The table of wide.py."""
    print(wide.HEADER, flush=True)
    for model in models:
        rows, place = [], folder / f"{model}_wide"
        for seed in range(seeds):
            source, cal, test, fixed = prepare(model, place, seed)
            source = quantize(octet, place, source, cal, fixed, ["--observer", "minmax"])  # with its shape fixed, if need be
            rows.append(wide.compare(octet, place, source, save_samples(cal, place), test, extra, decibel))
            if seeds > 1:
                print(wide.line(f"{model}, seed {seed}", rows[-1:]), flush=True)
        print(wide.line(model, rows), flush=True)


def row(r):
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
    rows = [row(r) for r in results]
    if seeds > 1:
        rows.append(mean_row(results))
        print(rows[-1], flush=True)
    return rows, np.mean([r["octet_db"] - r["rival_db"] for r in results]) >= 0


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", nargs="+", choices=sorted({*MODELS, *wide_time.NETWORKS}))
    parser.add_argument("--time", type=int, metavar="TURNS", help="what 16-bit activations cost, in so many turns with 8-bit ones")
    parser.add_argument("--octet", default=str(TOP / "build/release/octet"))
    parser.add_argument("--octet-args", default="", help="more options for `octet quantize`; with --wide and --time of the 16-bit network")
    parser.add_argument("--seeds", type=int, default=1, help="repeat with other samples, so often; means and spread")
    parser.add_argument("--wide", action="store_true", help="8-bit activations beside 16-bit ones instead, both of Octet")
    parser.add_argument("--folder", default=str(TOP / "build/quant"))
    arguments = parser.parse_args()
    folder, octet = pathlib.Path(arguments.folder), Octet(arguments.octet)
    known = wide_time.NETWORKS if arguments.time else DRAWN if arguments.wide else list(MODELS)
    if not {*(arguments.models or [])} <= {*known}:
        parser.error(f"--models takes {', '.join(known)} here")
    if arguments.time:
        wide_time.table(arguments.models or known, octet, folder, arguments.octet_args.split(), arguments.time)
        return
    if arguments.wide:
        compare_widths(arguments.models or known, octet, folder, arguments.octet_args.split(), arguments.seeds)
        return
    lines = ["| model | Octet dB | ONNX Runtime dB | Octet top-1 | ONNX Runtime top-1 | bytes of float | same bytes | |",
             "|---|---|---|---|---|---|---|---|"]
    worse = []
    for model in arguments.models or known:
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
