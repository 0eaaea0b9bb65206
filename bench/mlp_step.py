"""A training step of an MLP 500-512-512-40 at batch 4,096 with Adam: Seraph beside PyTorch eager, float32 and bfloat16.

    python bench/mlp_step.py [--repeats 11] [--threads 2] [--precision f32,bf16]

Both sides: Linear-ReLU-Linear-ReLU-Linear-cross-entropy, fresh random batches chosen by turns from eight that stay in memory,
gradients, Adam (fused on PyTorch's side, its fastest on a CPU). bfloat16 on PyTorch's side is torch.autocast. Figures are samples a second.
"""
import argparse
import time

import torch
import torch.nn as nn
import torch.nn.functional as F

import side

WIDTHS, BATCH, BATCHES = (500, 512, 512, 40), 4096, 8
TARGETS = {"f32": 1.05, "bf16": 1.15}


def peer(precision, fused):
    torch.manual_seed(0)
    layers = []
    for a, b in zip(WIDTHS, WIDTHS[1:]):
        layers += [nn.Linear(a, b), nn.ReLU()]
    model = nn.Sequential(*layers[:-1])
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, fused=fused)
    data = [(torch.randn(BATCH, WIDTHS[0]), torch.randint(WIDTHS[-1], (BATCH,))) for _ in range(BATCHES)]
    turn = 0

    def steps(count):
        nonlocal turn
        for _ in range(count):
            x, y = data[turn % BATCHES]
            turn += 1
            with torch.autocast("cpu", dtype=torch.bfloat16, enabled=precision == "bf16"):
                loss = F.cross_entropy(model(x), y)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()

    def run(calls):
        steps(1)
        start = time.perf_counter()
        steps(calls)
        return (time.perf_counter() - start) / calls

    return run


def main():
    ap = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ap.add_argument("--repeats", type=int, default=11)
    ap.add_argument("--threads", type=int, default=2)
    ap.add_argument("--precision", default="f32,bf16")
    args = ap.parse_args()
    torch.set_num_threads(args.threads)
    results = side.Results("mlp_step", side.versions("torch"))
    seraph = side.Worker([side.build_go("bench/mlpstep")])
    try:
        for precision in args.precision.split(","):
            medians, times = side.interleave({
                "seraph": lambda calls: seraph.ask(precision, args.threads, calls),
                "torch": peer(precision, fused=True),
                "torch, default Adam": peer(precision, fused=None),
            }, args.repeats, block_seconds=1.0)
            results.add(f"{precision}, {args.threads} threads", {n: BATCH / t for n, t in medians.items()}, "samples/s",
                        side.against_peers(times), TARGETS[precision], threads=args.threads)
    finally:
        side.clean()


if __name__ == "__main__":
    main()
