"""The two runtimes: ONNX Runtime's CPU provider in this process, the command octet as a child."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile

import numpy as np

import exact

THREADS = 2
TIMEOUT = 600  # seconds for one call of octet


class Refused(Exception):
    """Octet does not take the model: its message."""


class Failed(Exception):
    """Octet took the model and then did not finish."""


def session(model, optimized=None, optimize=True, without=(), timed=False):
    """A session of ONNX Runtime as every comparison here uses it; model: a path or serialized bytes; optimized: where to
    save the graph as it runs; without: optimizers by name; timed: as users have it (exact.py)."""
    return exact.session(model, [("session.qdqisint8allowed", "1")], THREADS, optimized, optimize, without, timed)


class Octet:
    def __init__(self, command, device=None):
        self.command = str(command)
        self.device = ["--device", device] if device else []
        if not pathlib.Path(self.command).exists():
            raise SystemExit(f"no {self.command}: build Octet first, or name the command with --octet")

    def call(self, *arguments, timeout=TIMEOUT):
        """Standard output; the first line of standard error in an exception otherwise."""
        try:
            done = subprocess.run([self.command, *arguments[:1], *self.device, *arguments[1:]], capture_output=True,
                                  text=True, timeout=timeout)
        except subprocess.TimeoutExpired:
            raise Failed(f"no result in {timeout} s") from None
        if done.returncode == 0:
            return done.stdout
        said = next((line for line in done.stderr.splitlines() if line.startswith("octet: ")), done.stderr.strip()[-300:])
        if done.returncode < 0:
            raise Failed(f"killed by signal {-done.returncode}; {said}")
        # A refusal is what `octet inspect` would say too: it comes before any device is looked at.
        refused = subprocess.run([self.command, "inspect", arguments[1]], capture_output=True, text=True)
        if refused.returncode != 0 or "refused" in refused.stdout or "not supported" in said:
            raise Refused(said.removeprefix("octet: "))
        raise Failed(said.removeprefix("octet: "))

    def run(self, model, inputs, outputs, extra=()):
        """The named outputs for a dict of inputs."""
        with tempfile.TemporaryDirectory(prefix="octet-nets-") as folder:
            arguments = ["run", str(model), "--output", folder, "--quiet", *extra]
            for i, (name, value) in enumerate(inputs.items()):
                path = os.path.join(folder, f"in{i}.input")
                with open(path, "wb") as file:
                    np.save(file, value)
                os.rename(path, path[:-5] + "npy")
                arguments += ["--input", f"{name}={path[:-5]}npy"]
            self.call(*arguments)
            return {o: np.load(os.path.join(folder, re.sub(r"[^A-Za-z0-9.\-_]", "_", o) + ".npy")) for o in outputs}

    def json(self, *arguments):
        """What a command writes with --json."""
        with tempfile.TemporaryDirectory(prefix="octet-nets-") as folder:
            path = os.path.join(folder, "figures.json")
            self.call(*arguments, "--json", path)
            with open(path) as file:
                return json.load(file)


def scratch():
    """A folder for models that are looked at and thrown away; removed by the caller with done()."""
    return pathlib.Path(tempfile.mkdtemp(prefix="octet-nets-"))


def done(folder):
    shutil.rmtree(folder, ignore_errors=True)
