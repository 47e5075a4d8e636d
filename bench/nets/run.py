"""Octet beside ONNX Runtime on whole networks.

    run [--nets a,b] [--forms x,y] [--check]      the same bytes? (the default)
    run --per-node NET FORM                       which node differs, given equal inputs
    run --time                                    latency of both, in turns
    run --memory                                  what VGG-16 moves and holds

Models are made when they are not there. Reports go to build/nets: report.json, report.md."""
import argparse
import json
import pathlib
import sys

import check
import forms
import make
import nets
import per_node
import runtimes

TOP = forms.HERE.parent.parent


def record(folder, kind, key, value):
    """Keep a result beside those of earlier runs."""
    path = folder / "report.json"
    every = json.loads(path.read_text()) if path.exists() else {}
    every.setdefault(kind, {})[key] = value
    path.write_text(json.dumps(every, indent=1))
    return every


def check_all(options, octet):
    bad = 0
    for name in make.chosen(options.nets, nets.NETS, "network"):
        for form in make.chosen(options.forms, nets.FORMS, "form"):
            path = forms.make(name, form, options.dir)
            result = check.compare(octet, name, path, nets.ALL[name].size, options.inputs)
            print(check.line(result), flush=True)
            record(options.dir, "check", f"{name}/{form}", result)
            bad += result["verdict"] not in (check.IDENTICAL, check.NEAR)
    print(f"{bad} models are refused or differ" if bad else "all models give ONNX Runtime's bytes")
    return 1 if bad else 0


def node_by_node(options, octet):
    name, form = options.per_node
    path = forms.make(name, form, options.dir)
    blamed = per_node.explain(octet, path, nets.ALL[name].size, min(options.inputs, 2), options.keep)
    return 0 if blamed == 0 else 1


def main():
    parser = argparse.ArgumentParser(prog="bench/nets/run", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    make.arguments(parser)
    parser.add_argument("--check", action="store_true", help="compare outputs; the default")
    parser.add_argument("--per-node", nargs=2, metavar=("NET", "FORM"))
    parser.add_argument("--keep", type=pathlib.Path, help="with --per-node: a folder for the edited models")
    parser.add_argument("--inputs", type=int, default=16, help="random pictures per model (16)")
    parser.add_argument("--octet", default=TOP / "build" / "octet", help="the command (build/octet)")
    parser.add_argument("--device", help="its --device")
    options = parser.parse_args()
    octet = runtimes.Octet(options.octet, options.device)
    if options.keep:
        options.keep.mkdir(parents=True, exist_ok=True)
    return node_by_node(options, octet) if options.per_node else check_all(options, octet)


if __name__ == "__main__":
    sys.exit(main())
