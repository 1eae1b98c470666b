"""PyTorch's times of the workloads of the benchmark for one GPU: eager, torch.compile (max-autotune) and, of what is many small
kernels, one CUDA graph; attention is SDPA, and a bare product is cuBLAS'. Called by gpu_run where PyTorch is installed.

In: gpu_workloads.h's sizes, random inputs. Out: a row for each by `gpu_bench report`, which writes JSON and the table's.
Invariant: what fails costs its own row alone. Nothing but PyTorch and Python's own library is imported.
"""

import argparse
import pathlib
import statistics
import subprocess
import time

import torch
import torch.nn.functional as F

BENCH = pathlib.Path(__file__).resolve().parent / "gpu_bench"
WIDTH, INNER, LAYERS, HEADS, KEY_HEADS, HEAD, TOKENS = 4096, 14336, 32, 32, 8, 128, 128  # Llama 3 8B


def half(*shape, scale=1.0):
    return torch.randn(*shape, device="cuda", dtype=torch.float16) * scale


def weight(inputs, outputs):
    return half(inputs, outputs, scale=inputs**-0.5)


def gemm_gelu():
    w, b = weight(4096, 4096), half(4096)
    return lambda x: F.gelu(torch.addmm(b, x, w)), [half(4096, 4096)]


def gemm():
    w = weight(8192, 8192)
    return lambda x: x @ w, [half(8192, 8192)]


def swiglu(tokens):
    gate, up, down = weight(WIDTH, INNER), weight(WIDTH, INNER), weight(INNER, WIDTH)
    return lambda x: (F.silu(x @ gate) * (x @ up)) @ down, [half(tokens, WIDTH)]


def normalized(x, scale):
    y = x.float()
    return (y * torch.rsqrt(y.square().mean(-1, keepdim=True) + 1e-5)).half() * scale


def rms_norm():
    scale = half(4096)

    def run(x, residual):
        total = x + residual
        return normalized(total, scale), total

    return run, [half(8192, 4096), half(8192, 4096)]


def softmax():
    return lambda x: torch.softmax(x, -1), [half(8192, 8192)]


def attention():
    q, k, v = (half(1, 32, 4096, 128) for _ in range(3))
    return lambda q, k, v: F.scaled_dot_product_attention(q, k, v, is_causal=True), [q, k, v]


def chain():
    def run(x):
        x = ((x * 1.5 + 0.25).clamp_min(-1.0) * 0.75).clamp_max(1.0) - 0.5
        x = x.abs()
        return x * x

    return run, [half(1 << 12, 1 << 16)]


def tiny():
    weights = [weight(16, 16) for _ in range(500)]

    def run(x):
        for w in weights:
            x = torch.tanh(x @ w)
        return x

    return run, [half(1, 16)]


class Bottleneck(torch.nn.Module):
    def __init__(self, inputs, width, stride):
        super().__init__()
        sizes = [(inputs, width, 1, 1), (width, width, 3, stride), (width, 4 * width, 1, 1)]
        self.convs = torch.nn.ModuleList(torch.nn.Conv2d(i, o, k, s, k // 2) for i, o, k, s in sizes)
        changes = stride != 1 or inputs != 4 * width
        self.shortcut = torch.nn.Conv2d(inputs, 4 * width, 1, stride) if changes else torch.nn.Identity()

    def forward(self, x):
        y = F.relu(self.convs[1](F.relu(self.convs[0](x))))
        return F.relu(self.convs[2](y) + self.shortcut(x))


def resnet50(batch):
    """Batch norms are folded into the convolutions, as Tuff folds them."""
    blocks, inputs = [], 64
    for stage, count in enumerate((3, 4, 6, 3)):
        for i in range(count):
            blocks.append(Bottleneck(inputs, 64 << stage, 2 if stage > 0 and i == 0 else 1))
            inputs = 256 << stage
    first = [torch.nn.Conv2d(3, 64, 7, 2, 3), torch.nn.ReLU(), torch.nn.MaxPool2d(3, 2, 1)]
    last = [torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), torch.nn.Linear(2048, 1000)]
    net = torch.nn.Sequential(*first, *blocks, *last).cuda().half().to(memory_format=torch.channels_last).eval()
    return net, [half(batch, 3, 224, 224).to(memory_format=torch.channels_last)]


def decode():
    """One token, caches of 128, sums by rows of products with weights of their own: 15 GB."""
    layers = [
        dict(
            qkv=weight(WIDTH, (HEADS + 2 * KEY_HEADS) * HEAD),
            out=weight(HEADS * HEAD, WIDTH),
            gate=weight(WIDTH, INNER),
            up=weight(WIDTH, INNER),
            down=weight(INNER, WIDTH),
            keys=half(1, KEY_HEADS, TOKENS, HEAD),
            values=half(1, KEY_HEADS, TOKENS, HEAD),
            scale=half(2, WIDTH),
        )
        for _ in range(LAYERS)
    ]
    head = weight(WIDTH, 128256)
    angle = torch.arange(HEAD // 2, device="cuda").float()
    cosine, sine = (torch.cat([f(angle)] * 2).half() for f in (torch.cos, torch.sin))

    def rotated(x):
        first, second = x.chunk(2, -1)
        return x * cosine + torch.cat([-second, first], -1) * sine

    def run(x):
        for w in layers:
            qkv = (normalized(x, w["scale"][0]) @ w["qkv"]).view(1, 1, -1, HEAD).transpose(1, 2)
            q, k, v = qkv.split([HEADS, KEY_HEADS, KEY_HEADS], 1)
            w["keys"][:, :, 9:10] = rotated(k)
            w["values"][:, :, 9:10] = v
            keys, values = (w[c].repeat_interleave(HEADS // KEY_HEADS, 1) for c in ("keys", "values"))
            y = F.scaled_dot_product_attention(rotated(q), keys, values)
            x = x + y.transpose(1, 2).reshape(1, WIDTH) @ w["out"]
            y = normalized(x, w["scale"][1])
            x = x + (F.silu(y @ w["gate"]) * (y @ w["up"])) @ w["down"]
        return x @ head

    return run, [half(1, WIDTH)]


# Name: (what makes its function and inputs, its ways). Compiling a decoder would take longer than all the others.
WORKLOADS = {
    "gemm_gelu": (gemm_gelu, ("eager", "compile")),
    "gemm": (gemm, ("cuBLAS",)),
    "swiglu_1": (lambda: swiglu(1), ("eager", "compile")),
    "swiglu_512": (lambda: swiglu(512), ("eager", "compile")),
    "rms_norm": (rms_norm, ("eager", "compile")),
    "softmax": (softmax, ("eager", "compile")),
    "attention": (attention, ("SDPA",)),
    "chain": (chain, ("eager", "compile")),
    "tiny": (tiny, ("eager", "graph")),
    "resnet50_1": (lambda: resnet50(1), ("eager", "graph")),
    "resnet50_64": (lambda: resnet50(64), ("eager", "graph")),
    "decode": (decode, ("eager", "graph")),
}


def in_graph(function, inputs):
    """The same as one CUDA graph, captured behind three runs on a stream of their own."""
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(3):
            function(*inputs)
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        function(*inputs)
    return lambda *_: graph.replay()


def device_times(function, inputs, count):
    """Milliseconds between events, all of them queued ahead: the device does not wait for the host to launch, if it can."""
    pairs = [[torch.cuda.Event(enable_timing=True) for _ in range(2)] for _ in range(count)]
    for _ in range(10):
        function(*inputs)
    for begin, end in pairs:
        begin.record()
        function(*inputs)
        end.record()
    torch.cuda.synchronize()
    return [begin.elapsed_time(end) for begin, end in pairs]


def host_times(function, inputs, count):
    """Milliseconds from a call to the end of what it launched."""
    times = []
    for _ in range(count):
        begin = time.perf_counter()
        function(*inputs)
        torch.cuda.synchronize()
        times.append(1e3 * (time.perf_counter() - begin))
    return times


def medians(function, inputs, count):
    function(*inputs)
    torch.cuda.synchronize()
    return [statistics.median(times(function, inputs, count)) for times in (device_times, host_times)]


def measure(name, way, options):
    build, _ = WORKLOADS[name]
    with torch.inference_mode():
        function, inputs = build()
        if way == "compile":
            function = torch.compile(function, mode="max-autotune")
        if way == "graph":
            function = in_graph(function, inputs)
        twice = [medians(function, inputs, options.runs) for _ in range(2)]
    pairs = zip(("--device-ms", "--host-ms"), zip(*twice))
    return [word for option, values in pairs for word in (option, ",".join(f"{value:.6f}" for value in values))]


def main():
    parser = argparse.ArgumentParser()
    for option in ("--json", "--rows", "--commit", "--command", "--only"):
        parser.add_argument(option, required=True)
    parser.add_argument("--runs", type=int, required=True)
    options = parser.parse_args()
    same = ["--json", options.json, "--rows", options.rows, "--commit", options.commit, "--command", options.command]
    if not torch.cuda.is_available():
        print("PyTorch sees no GPU: none of its rows.", flush=True)
        return
    same += ["--on", torch.cuda.get_device_name(), "--driver", f"CUDA {torch.version.cuda}", "--runs", str(options.runs)]
    torch.manual_seed(1)
    for name in options.only.split():
        for way in WORKLOADS.get(name, (None, ()))[1]:
            try:
                found = measure(name, way, options)
            except Exception as error:
                found = ["--why", f"{type(error).__name__}: {error}"[:300]]
            torch.cuda.empty_cache()
            subprocess.run([BENCH, "report", name, "--engine", f"torch {way}", *found, *same])


if __name__ == "__main__":
    main()
