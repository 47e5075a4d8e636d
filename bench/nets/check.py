"""Are Octet's outputs those of ONNX Runtime? One model, some random pictures, a verdict."""
import contextlib

import numpy as np

import builder
import graph
import runtimes

BATCH = 16            # pictures at once in Octet, fewer where a picture is dear
DEAR = 400_000_000    # float bytes of the largest activations of a batch, roughly

# The verdicts, best first; the first two are what the project promises.
IDENTICAL, NEAR, FAR, REFUSED, FAILED = "identical", "within 1", "DIFFERENT", "refused", "FAILED"


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


def compare(octet, name, path, size, count, dear=False):
    """A dict: the verdict and what it rests on."""
    result = {"net": name, "form": path.stem, "inputs": count}
    feed = builder.pictures(5000, count, size)
    try:
        with optimized(path) as (seen, session):
            names = [o.name for o in session.get_outputs()]
            want = [np.concatenate(part) for part in
                    zip(*(session.run(names, {"input": feed[i:i + 1]}) for i in range(count)))]
            result["float_nodes"] = [f"{n.op_type} {n.name}" for n in seen.float_nodes()]
        model = graph.Graph(path)
        steps = [model.step_of(o) if w.dtype == np.float32 else 1 for o, w in zip(names, want)]
        batch = BATCH if not dear else 4
        got = [octet.run(path, {"input": feed[i:i + batch]}, names) for i in range(0, count, batch)]
        got = [np.concatenate([part[o] for part in got]) for o in names]
        alone = octet.run(path, {"input": feed[:1]}, names)
        if any(alone[o].tobytes() != g[:1].tobytes() for o, g in zip(names, got)):
            raise runtimes.Failed("a picture alone gives other bytes than in a batch")
        found = [difference(w, g, s) for w, g, s in zip(want, got, steps)]
        result.update(values=sum(w.size for w in want), differ=sum(f[0] for f in found), most=max(f[1] for f in found),
                      distinct=min(len(np.unique(w)) for w in want))
        near = all(f[1] <= (1 if s else 1e-4 * np.abs(w).max()) for f, s, w in zip(found, steps, want))
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
    return (f"{text}: {r['differ']} of {r['values']} values differ, by {r['most']} at most; in float in ONNX Runtime: "
            f"{len(r['float_nodes'])} nodes")
