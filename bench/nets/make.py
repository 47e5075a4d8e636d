"""Make the quantized networks: build/nets/NAME/FORM.onnx. What is there and fits the scripts is kept."""
import argparse
import pathlib

import forms
import nets

ROOT = forms.HERE.parent.parent / "build" / "nets"


def chosen(text, usual, every, what):
    """The names of a comma list, checked against `every`; those of `usual` when text is None."""
    names = list(usual) if text is None else text.split(",")
    unknown = [n for n in names if n not in every]
    if unknown:
        raise SystemExit(f"no {what} {', '.join(unknown)}; there are {', '.join(every)}")
    return names


def models(options, usual=nets.NETS):
    """(name, path) of the models that are asked for, made if need be."""
    for name in chosen(options.nets, usual, nets.ALL, "network"):
        for form in chosen(options.forms, nets.FORMS, nets.ALL_FORMS, "form"):
            yield name, forms.make(name, form, options.dir)


def arguments(parser):
    """The options that make and run share."""
    parser.add_argument("--nets", metavar="A,B", help=f"of {', '.join(nets.NETS)}; also {', '.join(nets.SMALL)}")
    parser.add_argument("--forms", metavar="X,Y", help=f"of {', '.join(nets.FORMS)}; also "
                        f"{', '.join(nets.EXTRA_FORMS)}")
    parser.add_argument("--dir", type=pathlib.Path, default=ROOT, help="where the models are (build/nets)")


def main():
    parser = argparse.ArgumentParser(prog="bench/nets/make", description=__doc__)
    arguments(parser)
    options = parser.parse_args()
    for _, path in models(options):
        print(f"{path} {path.stat().st_size}")


if __name__ == "__main__":
    main()
