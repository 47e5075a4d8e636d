"""Octet beside ONNX Runtime on whole networks.

    run [--nets a,b] [--forms x,y] [--check]      the same bytes? (the default)
    run --per-node NET FORM                       which node differs, given equal inputs
    run --time                                    latency of both, in turns
    run --memory                                  what VGG-16 (or --nets) moves and holds

Models are made when they are not there. Reports go to build/nets: report.json, report.md."""
import argparse
import pathlib
import sys

import builder
import check
import forms
import make
import memory
import nets
import per_node
import report
import runtimes
import timing

TOP = forms.HERE.parent.parent


def picture(size, index):
    """One of the pictures that --check compares on."""
    return builder.pictures(builder.TEST, 1, size, index)


def check_all(options, octet):
    bad = 0
    for name, path in make.models(options):
        result = check.compare(octet, name, path, nets.ALL[name], options.inputs)
        if result["verdict"] in (check.NEAR, check.FAR) and result["float_nodes"]:
            print(f"{name}/{path.stem}: {result['differ']} of {result['values']} values differ; node by node:")
            blamed, result["near_nodes"] = per_node.explain(octet, path, picture(*result["first_different"]))
            if result["verdict"] == check.FAR and blamed == 0 and result["near_nodes"]:
                result["verdict"] = check.NODES
        print(check.line(result), flush=True)
        report.record(options.dir, "check", result)
        bad += result["verdict"] not in check.GOOD
    print(f"{bad} models are refused or differ" if bad else "all models give ONNX Runtime's bytes, or as told above")
    return 1 if bad else 0


def node_by_node(options, octet):
    name, form = options.per_node
    path = forms.make(name, form, options.dir)
    blamed, _ = per_node.explain(octet, path, picture(nets.ALL[name].size, options.picture), options.keep)
    return 0 if blamed == 0 else 1


def time_all(options, octet):
    rows = []
    for name, path in make.models(options):
        rows.append(timing.measure(octet, name, path, nets.ALL[name].size))
        print(timing.line(rows[-1]), flush=True)
        report.record(options.dir, "time", rows[-1])
    print(timing.table(rows))
    return 1 if any("message" in r for r in rows) else 0


def memory_all(options, octet):
    bad = 0
    for name, path in make.models(options, ["vgg16"]):
        result = memory.measure(octet, name, path, nets.ALL[name].size)
        print(memory.lines(result), flush=True)
        report.record(options.dir, "memory", result)
        bad += "message" in result or not all(holds for _, _, holds in result["limits"])
    return 1 if bad else 0


def main():
    parser = argparse.ArgumentParser(prog="bench/nets/run", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    make.arguments(parser)
    parser.add_argument("--check", action="store_true", help="compare outputs; the default")
    parser.add_argument("--time", action="store_true", help="latency beside ONNX Runtime's")
    parser.add_argument("--memory", action="store_true", help="bytes moved, memory held")
    parser.add_argument("--per-node", nargs=2, metavar=("NET", "FORM"), help="find the node that differs")
    parser.add_argument("--picture", type=int, default=0, help="with --per-node: which of the random pictures (0)")
    parser.add_argument("--keep", type=pathlib.Path, help="with --per-node: a folder for the edited models")
    parser.add_argument("--inputs", type=int, default=16, help="random pictures per model (16)")
    parser.add_argument("--octet", default=TOP / "build" / "octet", help="the command (build/octet)")
    parser.add_argument("--device", help="its --device")
    options = parser.parse_args()
    octet = runtimes.Octet(options.octet, options.device)
    if options.per_node:
        return node_by_node(options, octet)
    tasks = [task for wanted, task in ((options.check, check_all), (options.time, time_all), (options.memory, memory_all))
             if wanted] or [check_all]
    return max([task(options, octet) for task in tasks])


if __name__ == "__main__":
    sys.exit(main())
