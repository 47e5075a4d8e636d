"""Which node is to blame? Every 8-bit tensor inside a model, Octet beside ONNX Runtime, in two ways:

connected: the model with all its 8-bit tensors as outputs; differences spread downstream;
alone:     the model cut at every 8-bit tensor, each group of nodes given ONNX Runtime's own inputs.

A group that differs alone is to blame: by any amount when the runtime computes it in integers, by more than 1 when it
computes it in float. The runtime's values come from its own optimized graph, run as it is."""
import numpy as np
import onnx

import check
import graph
import runtimes

LAYOUT = ("NhwcTransformer",)  # it renames most tensors; integers do not care about layout, and the outputs are compared


def reference(path, feed):
    """The 8-bit tensors that the model and the runtime's optimized form of it share: name -> array; and that form."""
    model = graph.Graph(path)
    with check.optimized(path, LAYOUT) as (seen, session):
        common = [n for n in model.activations() if n in seen.types and seen.types[n] == model.types[n]]
        exposed = graph.expose(seen.model, common, seen.types)
        outputs = [o.name for o in session.get_outputs()]
        want = runtimes.session(path).run(outputs, {"input": feed})
        inside = runtimes.session(exposed.SerializeToString(), optimize=False)
        values = dict(zip(common + outputs, inside.run(common + outputs, {"input": feed})))
        if any(values[o].tobytes() != w.tobytes() for o, w in zip(outputs, want)):
            print("note: ONNX Runtime's graph gives other bytes as a whole than with its inner tensors shown")
    return model, seen, {n: values[n] for n in common}, {o: values[o] for o in outputs}


def attempt(octet, folder, what, model, inputs, outputs):
    """Octet's tensors, or None with the reason said."""
    path = folder / f"{what}.onnx"
    onnx.save(model, str(path))
    try:
        return octet.run(path, inputs, outputs)
    except (runtimes.Refused, runtimes.Failed) as error:
        print(f"{what}: {error}")
        return None


def explain(octet, path, feed, keep=None):
    """Print every group that differs. Returns the number of groups to blame, or None when the cut model did not run, and
    the names of the nodes that ONNX Runtime computes in float and that differ by 1."""
    model, seen, values, outputs = reference(path, feed)
    steps = {o: model.step_of(o) for o in outputs}
    wanted = {**values, **outputs}
    folder = keep or runtimes.scratch()
    try:
        connected = attempt(octet, folder, "connected", graph.expose(model.model, values, model.types), {"input": feed},
                            wanted)
        severed = graph.cut(model.model, values)
        inputs = {i.name: feed if i.name == "input" else values[i.name.removesuffix("__in")]
                  for i in severed.graph.input if i.name in ("input", *(n + "__in" for n in values))}
        alone = attempt(octet, folder, "alone", severed, inputs, wanted)
    finally:
        if keep is None:
            runtimes.done(folder)
    if connected is None and alone is None:
        return None, []
    return tell(model, seen, wanted, steps, connected, alone)


def tell(model, seen, wanted, steps, connected, alone):
    stops = {n for n in wanted if n in seen.types}
    blamed, near, first = 0, [], True
    for name, want in wanted.items():
        step = steps.get(name) or (1 if want.itemsize == 1 else None)
        found = [(kind, values[name], *check.difference(want, values[name], step))
                 for kind, values in (("connected", connected), ("alone", alone)) if values is not None]
        if not any(count for _, _, count, _ in found):
            continue
        inside = [n for n in seen.group(name, stops)[0] if seen.is_float(n)]
        kind, _, count, most = found[-1]
        guilty = kind == "alone" and count > 0
        blame = guilty and (most > 1 or not inside)
        blamed += blame
        if guilty and not blame:
            near += [n.name for n in inside]
        if guilty or first:
            print(f"{'BLAME' if blame else 'first' if first else 'near '} {describe(name, model, inside, stops)}")
            for kind, got, count, most in found:
                print(f"        {kind}: {count} of {want.size} differ, by {most} at most{example(want, got)}")
        first = False
    print(f"{len(wanted)} tensors compared: {blamed} groups to blame, {len(near)} within 1 where ONNX Runtime computes in "
          "float" + ("" if alone is not None else "; cut model did not run"))
    return (blamed if alone is not None else None), near


def describe(name, model, inside, stops):
    nodes, read = model.group(name, stops)
    names = ", ".join(n.name for n in nodes if n.op_type not in ("QuantizeLinear", "DequantizeLinear"))
    return (f"{name}: {graph.ops(nodes)} ({names}) in ONNX Runtime {'float ' + graph.ops(inside) if inside else 'integer'}; "
            f"reads {', '.join(read) or 'the input'}")


def example(want, got):
    """The first difference."""
    different = (want != got).reshape(-1)
    at = int(different.argmax())
    spot = [int(i) for i in np.unravel_index(at, want.shape)]
    return f"; at {spot} of {list(want.shape)}: {want.flat[at]} expected, got {got.flat[at]}" if different.any() else ""
