"""PyTorch in float16 and float32 on the GPU, one line of JSON each: torch_rival.py SHAPES-FILE products; torch_rival.py --nets
the networks that Octet runs in 8 bits, from torchvision, with random weights, one picture at a time."""
import json
import re
import sys

import torch


def median(run):
    """Milliseconds."""
    start, stop = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    times = []
    for i in range(13):
        start.record()
        run()
        stop.record()
        torch.cuda.synchronize()
        if i >= 3:
            times.append(start.elapsed_time(stop))
    return sorted(times)[len(times) // 2]


def product(m, n, k, dtype):
    a = torch.randn(m, k, device="cuda", dtype=dtype)
    b = torch.randn(k, n, device="cuda", dtype=dtype)
    return median(lambda: a @ b)


def network(build, dtype):
    """As a graph that is replayed, so that launches do not count."""
    model = build(weights=None).eval().to("cuda", dtype, memory_format=torch.channels_last)
    picture = torch.randn(1, 3, 224, 224, device="cuda", dtype=dtype).to(memory_format=torch.channels_last)
    side = torch.cuda.Stream()
    with torch.no_grad(), torch.cuda.stream(side):
        for _ in range(3):
            model(picture)
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.no_grad(), torch.cuda.graph(graph):
        model(picture)
    return median(graph.replay)


def networks():
    from torchvision import models
    torch.backends.cudnn.benchmark = True
    for name, build in (("vgg16", models.vgg16), ("resnet50", models.resnet50), ("mobilenetv2", models.mobilenet_v2)):
        print(json.dumps({"net": name, "fp16_ms": network(build, torch.float16), "fp32_ms": network(build, torch.float32)}),
              flush=True)


def products():
    with open(sys.argv[1]) as f:
        shapes = dict.fromkeys(tuple(map(int, found.groups())) for line in f
                               if (found := re.match(r"(\d+)x(\d+)x(\d+)", line)))
    for m, n, k in shapes:
        print(json.dumps({"m": m, "n": n, "k": k, "fp16_ms": product(m, n, k, torch.float16),
                          "fp32_ms": product(m, n, k, torch.float32)}), flush=True)


def main():
    # float32 is float32: no rounding of its operands to 10 bits.
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    if sys.argv[1] == "--nets":
        networks()
    else:
        products()


main()
