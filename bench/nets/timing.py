"""Latency of Octet and ONNX Runtime on the same threads, in turns, so that what else happens on the machine hits both; and
the counters of Octet."""
import os
import statistics
import time

import numpy as np

import builder
import runtimes

ROUNDS = 5
SECONDS = 1.0  # a turn


def turn(session, feed):
    """Milliseconds of every run in one turn, after one that does not count."""
    session.run(None, feed)
    times, end = [], time.perf_counter() + SECONDS
    while len(times) < 3 or time.perf_counter() < end:
        start = time.perf_counter()
        session.run(None, feed)
        times.append((time.perf_counter() - start) * 1e3)
    return times


def measure(octet, name, path, size):
    """A dict: medians over all turns of each turn's median, the ratio, Octet's counters."""
    session = runtimes.session(path, timed=True)
    feed = {"input": builder.pictures(builder.TEST, 1, size)}
    ours, theirs, counters = [], [], {}
    try:
        for _ in range(ROUNDS):
            counters = octet.json("bench", str(path), "--seconds", str(int(SECONDS)), "--shape", f"1x3x{size}x{size}")
            ours.append(counters["latency_ms"]["median"])
            theirs.append(statistics.median(turn(session, feed)))
    except (runtimes.Refused, runtimes.Failed) as error:
        return {"net": name, "form": path.stem, "message": str(error)}
    octet_ms, other_ms = statistics.median(ours), statistics.median(theirs)
    ratios = sorted(a / b for a, b in zip(ours, theirs))
    return {"net": name, "form": path.stem, "octet_ms": octet_ms, "onnxruntime_ms": other_ms,
            "ratio": octet_ms / other_ms, "ratios": [round(r, 3) for r in ratios], "load": os.getloadavg()[0],
            "file_bytes": path.stat().st_size, **{k: v for k, v in counters.items() if k != "latency_ms"}}


def line(r):
    if "message" in r:
        return f"{r['net']}/{r['form']}: {r['message']}"
    return (f"{r['net']}/{r['form']}: Octet {r['octet_ms']:.2f} ms, ONNX Runtime {r['onnxruntime_ms']:.2f} ms, ratio "
            f"{r['ratio']:.2f} (turns {r['ratios'][0]:.2f} to {r['ratios'][-1]:.2f})")


def table(rows):
    """Markdown for docs/benchmarks.md."""
    text = ["| network | form | Octet ms | ONNX Runtime ms | ratio | GOPS | of the ceiling | weights up | run up | run down | "
            "launches | waits | arena |", "|---|---|---|---|---|---|---|---|---|---|---|---|---|"]
    for r in rows:
        if "message" in r:
            text.append(f"| {r['net']} | {r['form']} | {r['message']} |" + " |" * 10)
            continue
        share = r["gops"] / r["ceiling_gops"] if r.get("ceiling_gops") else float("nan")
        text.append(f"| {r['net']} | {r['form']} | {r['octet_ms']:.2f} | {r['onnxruntime_ms']:.2f} | {r['ratio']:.2f} | "
                    f"{r['gops']:.0f} | {share:.0%} | {r['weight_bytes_up']:,} | {r['run_bytes_up']:,} | "
                    f"{r['run_bytes_down']:,} | {r['launches']} | {r['waits']} | {r['arena_bytes']:,} |")
    good = [r["ratio"] for r in rows if "ratio" in r]
    if good:
        text.append(f"\nGeometric mean of the ratios: {np.exp(np.mean(np.log(good))):.2f}; greatest {max(good):.2f}.")
    return "\n".join(text)
