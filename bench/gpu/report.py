"""One table of a run of bench/gpu/run: report.py DIR OUT reads what its steps left in DIR and writes results.json, results.md
and results.svg into OUT. What a step did not leave is absent, never guessed."""
import argparse
import datetime
import json
from pathlib import Path

ABSENT = "absent"


def read(path):
    """JSON; of a list that was cut off, or of an object a line, the lines that are whole; None where there is nothing."""
    try:
        text = path.read_text()
    except OSError:
        return None
    try:
        return json.loads(text)
    except ValueError:
        whole = [line.rstrip(",") for line in text.splitlines() if line.startswith("{")]
        return [json.loads(line) for line in whole if line.endswith("}")] or None


def lines(path):
    """Of a file with an object a line."""
    found = read(path) or []
    return [found] if isinstance(found, dict) else found


def rows_of(folder):
    rivals = {}
    for name in ("cublaslt", "torch"):
        for path in sorted(folder.glob(name + "_*.json")):
            for row in lines(path):
                rivals.setdefault((row["m"], row["n"], row["k"]), {}).update(row)
    rows = []
    for path in sorted(folder.glob("gemm_*.json")):
        for row in lines(path):
            other = rivals.get((row["m"], row["n"], row["k"]), {})
            out = "s8_ms" if row["types"].endswith(("s8", "u8")) else "s32_ms"
            rows.append({**row, "list": path.stem[5:], "cublaslt_ms": other.get(out) or None,
                         "fp16_ms": other.get("fp16_ms"), "fp32_ms": other.get("fp32_ms")})
    return rows


def cell(value, form="{:.4g}"):
    return ABSENT if value is None else form.format(value)


def gbps(row):
    """B once, A and C once."""
    wide = {"s32": 4, "f32": 4}.get(row["types"][4:], 1)
    return (row["n"] * row["k"] + row["m"] * row["k"] + wide * row["m"] * row["n"]) / row["median_ms"] * 1e-6


def table(head, rows):
    text = ["", "| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return text + ["| " + " | ".join(map(str, row)) + " |" for row in rows]


def share(part, whole):
    return part / whole if part and whole else None


def markdown(result):
    copies = result["copies"] or {}
    within, pinned = copies.get("within"), copies.get("up_pinned")
    ceiling = max((row["ceiling_gops"] for row in result["gemm"] if row["ceiling_gops"]), default=None)
    text = ["# Octet on " + result["device"], "",
             f"Driver {result['driver']}, {result['date']}, commit {result['commit']}, {result['seconds']} s so far. Medians; "
             "random data; operands on the device."]
    text += table(("ceiling", "measured"), [
        *((name, cell(copies.get(key))) for key, name in (
            ("up", "copy up, ordinary memory, GB/s"), ("up_pinned", "copy up, pinned, GB/s"),
            ("down_pinned", "copy down, pinned, GB/s"), ("within", "copy within the device, read and written, GB/s"))),
        ("int8 dot product, GOPS", cell(ceiling)), ("tests on the device", result["tests"] or ABSENT),
        *(("failed", name) for name in result["failed"])])
    text += table(
        ("list", "m x n x k", "types", "variant", "ms", "GOPS", "of the ceiling", "GB/s", "of copies", "cuBLASLt int8 ms",
         "PyTorch fp16 ms", "fp32 ms"),
        [(row["list"], f"{row['m']} x {row['n']} x {row['k']}", row["types"], row["variant"], cell(row["median_ms"]),
          cell(row["gops"]), cell(share(row["gops"], row["ceiling_gops"]), "{:.1%}"), cell(gbps(row)),
          cell(share(gbps(row), within), "{:.1%}"), cell(row["cublaslt_ms"]), cell(row["fp16_ms"]), cell(row["fp32_ms"]))
         for row in result["gemm"]] or [(ABSENT,) + ("",) * 11])
    text += table(
        ("network", "median ms", "GOPS", "bytes as PoCL's", "weights, MB", "sent and packed, ms", "GB/s", "of pinned copies",
         "PyTorch fp16 ms", "fp32 ms"),
        [(name, cell(net["latency_ms"]["median"]), cell(net.get("gops")), net["same"] or ABSENT,
          cell(net["weight_bytes_up"] * 1e-6), cell(net["load_ms"]), cell(upload(net)),
          cell(share(upload(net), pinned), "{:.1%}"), cell(net["fp16_ms"]), cell(net["fp32_ms"]))
         for name, net in result["nets"].items()] or [(ABSENT,) + ("",) * 9])
    text += table(
        ("tuned", "variant", "ms", "estimated best, ms", "dropped"),
        [(row["problem"], row["variant"] + (f" in {row['spread']}" if row["spread"] else ""), cell(row["seconds"] * 1e3),
          cell(row["usual_seconds"] * 1e3), row["dropped"]) for row in result["tuned"]] or [(ABSENT, "", "", "", "")])
    return "\n".join(text) + "\n"


def upload(net):
    """GB/s."""
    return net["weight_bytes_up"] / net["load_ms"] * 1e-6 if net["load_ms"] else None


def svg(rows):
    """A bar a product: GOPS."""
    top = max((row["gops"] for row in rows), default=1) or 1
    height = 22 * len(rows) + 30
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="760" height="{height}" font-family="sans-serif" '
             f'font-size="12"><text x="8" y="16">GOPS</text>']
    for i, row in enumerate(rows):
        y = 26 + 22 * i
        width = 400 * row["gops"] / top
        parts.append(f'<text x="8" y="{y + 12}">{row["m"]} x {row["n"]} x {row["k"]} {row["types"]}</text>'
                     f'<rect x="250" y="{y}" width="{width:.1f}" height="16" fill="#36c"/>'
                     f'<text x="{255 + width:.1f}" y="{y + 12}">{row["gops"]:.0f}</text>')
    return "".join(parts) + "</svg>\n"


def nets_of(folder):
    rivals = {row["net"]: row for row in lines(folder / "torchnet.json")}
    nets = {}
    for path in sorted(folder.glob("net_*.json")):
        name, net = path.stem[4:], read(path)
        if net:
            other, same = rivals.get(name, {}), folder / f"same_{name}.txt"
            net.update(fp16_ms=other.get("fp16_ms"), fp32_ms=other.get("fp32_ms"),
                       same=same.read_text().split()[-1] if same.exists() and same.read_text() else None)
            nets[name] = net
    return nets


def text_of(path):
    return path.read_text().strip() if path.exists() else ""


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("out", type=Path)
    for name in ("device", "driver", "commit", "seconds"):
        parser.add_argument("--" + name, default="?")
    options = parser.parse_args()
    folder = options.folder
    result = {"device": options.device.strip(), "driver": options.driver.strip(), "commit": options.commit,
              "date": datetime.date.today().isoformat(), "seconds": int(options.seconds),
              "copies": read(folder / "copies.json"), "gemm": rows_of(folder), "tests": text_of(folder / "tests.txt"),
              "failed": text_of(folder / "failed.txt").splitlines(),
              "tuned": [row for path in sorted(folder.glob("tuned_*.json"))
                        for row in (read(path) or {}).get("problems", [])],
              "nets": nets_of(folder), "machine": text_of(folder / "nvidia-smi.txt")}
    (options.out / "results.json").write_text(json.dumps(result, indent=1) + "\n")
    (options.out / "results.md").write_text(markdown(result))
    (options.out / "results.svg").write_text(svg(result["gemm"]))


main()
