"""One table of a run of bench/gpu/run: report.py DIR reads what its steps left there and writes results.json,
results.md and results.svg. What a step did not leave is absent, never guessed."""
import json
import sys
from pathlib import Path

ABSENT = "absent"


def read(path):
    """JSON, or JSON lines; None where the file is not there or not whole."""
    try:
        text = path.read_text()
        try:
            return json.loads(text)
        except ValueError:
            return [json.loads(line) for line in text.splitlines() if line.startswith("{")] or None
    except (OSError, ValueError):
        return None


def rows_of(folder):
    rivals = {}
    for name in ("cublaslt", "torch"):
        for path in sorted(folder.glob(name + "_*.json")):
            for row in read(path) or []:
                rivals.setdefault((row["m"], row["n"], row["k"]), {}).update(row)
    rows = []
    for path in sorted(folder.glob("gemm_*.json")):
        for row in read(path) or []:
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


def markdown(result):
    lines = ["# Octet on " + result["device"], "", "Driver " + result["driver"] + ", " + result["date"] +
             ". Medians; random data; operands on the device.", "", "| ceiling | measured |", "|---|---|"]
    copies = result["copies"] or {}
    for key, name in (("up", "copy up, ordinary memory, GB/s"), ("up_pinned", "copy up, pinned, GB/s"),
                      ("down_pinned", "copy down, pinned, GB/s"), ("within", "copy within the device, GB/s")):
        lines.append(f"| {name} | {cell(copies.get(key))} |")
    ceilings = [row["ceiling_gops"] for row in result["gemm"] if row["ceiling_gops"]]
    lines.append(f"| int8 dot product, GOPS | {cell(max(ceilings, default=None))} |")
    lines.append(f"| tests on the device | {result['tests'] or ABSENT} |")
    lines += ["", "| list | m x n x k | types | variant | ms | GOPS | of the ceiling | GB/s | cuBLASLt int8 ms | "
              "PyTorch fp16 ms | fp32 ms |", "|---|---|---|---|---|---|---|---|---|---|---|"]
    for row in result["gemm"]:
        share = row["gops"] / row["ceiling_gops"] if row["ceiling_gops"] else None
        lines.append(f"| {row['list']} | {row['m']} x {row['n']} x {row['k']} | {row['types']} | {row['variant']} | "
                     f"{cell(row['median_ms'])} | {cell(row['gops'])} | {cell(share, '{:.1%}')} | "
                     f"{cell(gbps(row))} | {cell(row['cublaslt_ms'])} | {cell(row['fp16_ms'])} | "
                     f"{cell(row['fp32_ms'])} |")
    if result["tuned"]:
        lines += ["", "| tuned | variant | ms | estimated best, ms | dropped |", "|---|---|---|---|---|"]
    for row in result["tuned"]:
        spread = f" in {row['spread']}" if row["spread"] else ""
        lines.append(f"| {row['problem']} | {row['variant']}{spread} | {cell(row['seconds'] * 1e3)} | "
                     f"{cell(row['usual_seconds'] * 1e3)} | {row['dropped']} |")
    lines += ["", "| network | median ms | GOPS | device |", "|---|---|---|---|"]
    for name, net in result["nets"].items():
        lines.append(f"| {name} | {cell(net['latency_ms']['median'])} | {cell(net.get('gops'))} | {net['device']} |")
    if not result["nets"]:
        lines.append(f"| {ABSENT} | | | |")
    return "\n".join(lines) + "\n"


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


def main():
    folder = Path(sys.argv[1])
    about = read(folder / "about.json") or {}
    tests = folder / "tests.txt"
    result = {"device": about.get("device", "?"), "driver": about.get("driver", "?"), "date": about.get("date", "?"),
              "commit": about.get("commit", "?"), "seconds": about.get("seconds"),
              "copies": read(folder / "copies.json"), "gemm": rows_of(folder),
              "tests": tests.read_text().strip() if tests.exists() else None,
              "tuned": [row for path in sorted(folder.glob("tuned_*.json")) for row in (read(path) or {}).get("problems", [])],
              "nets": {path.stem[4:]: net for path in sorted(folder.glob("net_*.json")) if (net := read(path))}}
    (folder / "results.json").write_text(json.dumps(result, indent=1) + "\n")
    (folder / "results.md").write_text(markdown(result))
    (folder / "results.svg").write_text(svg(result["gemm"]))


main()
