"""What a network moves and holds: Octet's counters, and the peak resident memory of `octet run` over `octet devices`."""
import os
import subprocess
import sys
import tempfile

import numpy as np

import builder
import runtimes

# The child of a child: RUSAGE_CHILDREN is the greatest of all children, so each measurement gets its own parent.
MEASURE = ("import resource, subprocess, sys; code = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL).returncode; "
           "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024); sys.exit(code)")


def peak_resident(command):
    done = subprocess.run([sys.executable, "-c", MEASURE, *command], capture_output=True, text=True)
    if done.returncode != 0:
        raise runtimes.Failed(done.stderr.strip()[-300:])
    return int(done.stdout)


def limits(name, r):
    """What issue 4 asks of VGG-16: a sentence, the figure, whether it holds."""
    float_bytes = 4 * 138357544
    return [("weights sent, at most 139.5 MB", r["weight_bytes_up"], r["weight_bytes_up"] <= 139_500_000),
            ("float32 over that, at least 3.96", round(float_bytes / r["weight_bytes_up"], 3),
             float_bytes / r["weight_bytes_up"] >= 3.96),
            ("bytes up a run, 150,528 or 602,112", r["run_bytes_up"], r["run_bytes_up"] in (150_528, 602_112)),
            ("bytes down a run, 1,000 or 4,000", r["run_bytes_down"], r["run_bytes_down"] in (1000, 4000)),
            ("transfers a run", r["transfers"], r["transfers"] == 2),
            ("waits a run", r["waits"], r["waits"] == 1),
            ("arena, at most 8 MB", r["arena_bytes"], r["arena_bytes"] <= 8_000_000),
            ("resident over devices / file, at most 1.3", round(r["resident_ratio"], 3), r["resident_ratio"] <= 1.3),
            ("the same bytes with --memory-limit 64M", r["limited"], r["limited"] == "same")] if name == "vgg16" else []


def limited(octet, path, feed):
    """Does a run with little memory give the same bytes?"""
    try:
        free = octet.run(path, feed, ["output"])["output"]
        tight = octet.run(path, feed, ["output"], ("--memory-limit", "64M"))["output"]
        return "same" if free.tobytes() == tight.tobytes() else "DIFFERENT"
    except (runtimes.Refused, runtimes.Failed) as error:
        return str(error)


def measure(octet, name, path, size):
    """A dict of counters and memory; "limits" is a list of (what, figure, holds)."""
    feed = {"input": builder.pictures(builder.TEST, 1, size)}
    try:
        r = octet.json("bench", str(path), "--seconds", "0")
        with tempfile.TemporaryDirectory(prefix="octet-nets-") as folder:
            picture = os.path.join(folder, "input.npy")
            np.save(picture, feed["input"])
            idle = peak_resident([octet.command, "devices"])
            busy = peak_resident([octet.command, "run", str(path), *octet.device, "--input", f"input={picture}", "--quiet",
                                  "--output", folder])
    except (runtimes.Refused, runtimes.Failed) as error:
        return {"net": name, "form": path.stem, "message": str(error)}
    r.update(net=name, form=path.stem, file_bytes=path.stat().st_size, idle_bytes=idle, resident_bytes=busy)
    r["resident_ratio"] = (busy - idle) / r["file_bytes"]
    r["limited"] = limited(octet, path, feed)
    r["limits"] = limits(name, r)
    return r


def lines(r):
    if "message" in r:
        return f"{r['net']}/{r['form']}: {r['message']}"
    text = [f"{r['net']}/{r['form']}: weights up {r['weight_bytes_up']:,}; a run {r['run_bytes_up']:,} up, "
            f"{r['run_bytes_down']:,} down, {r['transfers']} transfers, {r['waits']} waits; arena {r['arena_bytes']:,}; "
            f"resident {r['resident_bytes']:,}, devices alone {r['idle_bytes']:,}, file {r['file_bytes']:,}: "
            f"{r['resident_ratio']:.2f} of the file; with 64 MB: {r['limited']}"]
    text += [f"  {'holds' if ok else 'DOES NOT HOLD'}: {what}: {figure}" for what, figure, ok in r["limits"]]
    return "\n".join(text)
