"""Results of earlier runs and this one, in build/nets: report.json, and report.md made from it."""
import json

import check
import memory
import timing


def record(folder, kind, result):
    """Keep a result in place of an earlier one on the same model."""
    path = folder / "report.json"
    every = json.loads(path.read_text()) if path.exists() else {}
    every.setdefault(kind, {})[f"{result['net']}/{result['form']}"] = result
    path.write_text(json.dumps(every, indent=1))
    (folder / "report.md").write_text(text(every))


def text(every):
    parts = ["# Whole networks: Octet beside ONNX Runtime"]
    if "check" in every:
        parts += ["## Bytes", "| network | form | verdict | values | differ | by at most | int8 | in float in ONNX Runtime |\n"
                  "|---|---|---|---|---|---|---|---|\n" + "\n".join(check.row(r) for r in every["check"].values())]
    if "time" in every:
        parts += ["## Time", timing.table(every["time"].values())]
    if "memory" in every:
        parts += ["## Memory", "\n\n".join(memory.lines(r) for r in every["memory"].values())]
    return "\n\n".join(parts) + "\n"
