"""Are Octet's outputs those of ONNX Runtime? One model, some random pictures, a verdict."""
import collections
import contextlib
import re

import numpy as np

import builder
import graph
import runtimes

BATCH = 16         # pictures at once in Octet
LEAST_DISTINCT = 20  # an output with fewer values than this compares nothing

# The verdicts, best first. "within 1" and "node by 1" need nodes that ONNX Runtime computes in float: there the sums are
# rounded in an order that is its own. Within 1: so is the output. Node by 1: the output differs by more, because a
# difference of 1 grew on the way, but every node gives the runtime's bytes, or within 1 for those in float, when it is
# given the runtime's inputs.
IDENTICAL, NEAR, NODES, FAR, REFUSED, FAILED = "identical", "within 1", "node by 1", "DIFFERENT", "refused", "FAILED"
GOOD = (IDENTICAL, NEAR, NODES)


@contextlib.contextmanager
def optimized(path, without=()):
    """The model as ONNX Runtime runs it (a graph.Graph), and the session; without: optimizers to leave out."""
    folder = runtimes.scratch()
    try:
        session = runtimes.session(path, folder / "optimized.onnx", without=without)
        yield graph.Graph(folder / "optimized.onnx"), session
    finally:
        runtimes.done(folder)


def difference(want, got, step):
    """How many values differ, and by how many steps of quantization the most (for floats without one: by how much)."""
    if want.shape != got.shape or want.dtype != got.dtype:
        raise runtimes.Failed(f"output is {got.dtype}{list(got.shape)}, expected {want.dtype}{list(want.shape)}")
    bits = {1: np.uint8, 2: np.uint16, 4: np.uint32, 8: np.uint64}[want.itemsize]
    count = int((want.view(bits) != got.view(bits)).sum())
    if not count:
        return 0, 0
    gap = float(np.abs(want.astype(np.float64) - got.astype(np.float64)).max())
    return count, round(gap / step) if step else gap


def reference(path, feed):
    """ONNX Runtime's outputs, by name, one picture at a time; and its nodes in float."""
    with optimized(path) as (seen, session):
        names = [o.name for o in session.get_outputs()]
        parts = [session.run(names, {"input": feed[i:i + 1]}) for i in range(len(feed))]
        want = {o: np.concatenate([p[i] for p in parts]) for i, o in enumerate(names)}
        return want, [f"{n.op_type} {n.name}" for n in seen.float_nodes()]


def outputs(octet, path, feed, names):
    """Octet's outputs: in batches, and the first picture alone, which must give the same."""
    parts = [octet.run(path, {"input": feed[i:i + BATCH]}, names) for i in range(0, len(feed), BATCH)]
    got = {o: np.concatenate([p[o] for p in parts]) for o in names}
    alone = octet.run(path, {"input": feed[:1]}, names)
    if any(alone[o].tobytes() != got[o][:1].tobytes() for o in names):
        raise runtimes.Failed("a picture alone gives other bytes than in a batch")
    return got


def int8_share(octet, path):
    """What `octet inspect` says of the multiply-adds in int8, in percent."""
    found = re.search(r"^int8 .* ([0-9.]+)% of", octet.call("inspect", str(path)), re.MULTILINE)
    return float(found.group(1)) if found else None


def joined(a, b):
    """One after the other, as rows of values when the shapes differ."""
    return b if a is None else np.concatenate([a.reshape(-1), b.reshape(-1)])


def compare(octet, name, path, entry, count):
    """A dict: the verdict and what it rests on. Networks of dynamic height and width run at a second size too."""
    result = {"net": name, "form": path.stem, "inputs": count}
    want, got = {}, {}
    try:
        for size in [entry.size] + [entry.size * 3 // 2] * entry.free:
            feed = builder.pictures(builder.TEST, count, size)
            wanted, result["float_nodes"] = reference(path, feed)
            poor = [o for o, w in wanted.items() if len(np.unique(w)) < LEAST_DISTINCT]
            if poor:
                raise SystemExit(f"{path}: the output {poor[0]} has hardly any distinct values; mend the network")
            want = {o: joined(want.get(o), w) for o, w in wanted.items()}
            given = outputs(octet, path, feed, list(want))
            if "first_different" not in result:
                where = [i for i in range(count) if any(given[o][i].tobytes() != w[i].tobytes() for o, w in wanted.items())]
                result.update({"first_different": [size, where[0]]} if where else {})
            got = {o: joined(got.get(o), g) for o, g in given.items()}
        result["int8_percent"] = int8_share(octet, path)
        model = graph.Graph(path)
        steps = {o: model.step_of(o) if w.dtype == np.float32 else 1 for o, w in want.items()}
        found = {o: difference(w, got[o], steps[o]) for o, w in want.items()}
        result.update(values=sum(w.size for w in want.values()), differ=sum(f[0] for f in found.values()),
                      most=max(f[1] for f in found.values()))
        near = all(f[1] <= (1 if steps[o] else 1e-4 * np.abs(want[o]).max()) for o, f in found.items())
        result["verdict"] = IDENTICAL if not result["differ"] else NEAR if near and result["float_nodes"] else FAR
    except runtimes.Refused as error:
        result.update(verdict=REFUSED, message=str(error))
    except runtimes.Failed as error:
        result.update(verdict=FAILED, message=str(error))
    return result


def line(r):
    """One result for people."""
    text = f"{r['verdict']:9} {r['net']}/{r['form']}"
    if "message" in r:
        return f"{text}: {r['message']}"
    if r["verdict"] == IDENTICAL:
        return f"{text}: {r['values']} values"
    return f"{text}: {r['differ']} of {r['values']} values differ, by {r['most']} at most; {floats(r)}"


def floats(r):
    """The nodes in float in ONNX Runtime: those that made a difference, when that is known, else how many of which."""
    if r.get("near_nodes"):
        return "within 1 alone: " + ", ".join(r["near_nodes"])
    kinds = collections.Counter(n.split()[0] for n in r["float_nodes"])
    return ", ".join(f"{n} {op}" for op, n in kinds.items())


def row(r):
    """One row of the report's table."""
    if "message" in r:
        return f"| {r['net']} | {r['form']} | {r['verdict']}: {r['message']} |" + " |" * 5
    share = "" if r.get("int8_percent") is None else f"{r['int8_percent']:.2f}%"
    return (f"| {r['net']} | {r['form']} | {r['verdict']} | {r['values']} | {r['differ']} | {r['most']} | {share} | "
            f"{floats(r)} |")
