"""Products by PyTorch in float16 and float32 on the GPU: torch_rival.py SHAPES-FILE, one line of JSON a shape."""
import json
import re
import sys

import torch


def milliseconds(m, n, k, dtype):
    a = torch.randn(m, k, device="cuda", dtype=dtype)
    b = torch.randn(k, n, device="cuda", dtype=dtype)
    start, stop = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    times = []
    for run in range(13):
        start.record()
        a @ b
        stop.record()
        torch.cuda.synchronize()
        if run >= 3:
            times.append(start.elapsed_time(stop))
    return sorted(times)[len(times) // 2]


def main():
    with open(sys.argv[1]) as f:
        shapes = dict.fromkeys(tuple(map(int, found.groups())) for line in f
                               if (found := re.match(r"(\d+)x(\d+)x(\d+)", line)))
    for m, n, k in shapes:
        print(json.dumps({"m": m, "n": n, "k": k, "fp16_ms": milliseconds(m, n, k, torch.float16),
                          "fp32_ms": milliseconds(m, n, k, torch.float32)}), flush=True)


main()
