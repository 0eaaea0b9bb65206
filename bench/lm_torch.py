"""Trains the GPT of oracle/gpt.py with PyTorch eager and prints one JSON line: the peer's side of lm.py.

    python bench/lm_torch.py --preset char-cpu --text FILE --steps 2000 --seed 0 [--precision bf16] [--threads 2] [--validate]

tokens_per_second covers the training steps after the second; peak_rss_bytes is VmHWM.
"""
import argparse
import contextlib
import json
import sys
import time

import numpy as np
import torch

sys.path.insert(0, __file__.rsplit("/", 1)[0] + "/oracle")
import gpt  # noqa: E402

WARM = 2


def peak_rss():
    with open("/proc/self/status") as f:
        return next(int(line.split()[1]) * 1024 for line in f if line.startswith("VmHWM"))


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--preset", choices=sorted(gpt.PRESETS), required=True)
    ap.add_argument("--text", required=True)
    ap.add_argument("--steps", type=int, required=True)
    ap.add_argument("--seed", type=int, default=0)
    ap.add_argument("--precision", choices=["f32", "bf16"], default="f32")
    ap.add_argument("--threads", type=int, default=2)
    ap.add_argument("--validate", action="store_true")
    args = ap.parse_args()
    start = time.perf_counter()
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    rng = np.random.default_rng(args.seed)
    shape, s = gpt.PRESETS[args.preset], gpt.TRAINING
    with open(args.text, encoding="utf-8", newline="") as f:
        train, validation, alphabet = gpt.characters(f.read())
    model = gpt.GPT(vocab=len(alphabet), **shape)
    optimizer = gpt.adamw(model, s, fused=True)  # its fastest on a CPU
    context = contextlib.nullcontext
    if args.precision == "bf16":
        def context():
            return torch.autocast("cpu", dtype=torch.bfloat16)
    clock = time.perf_counter()
    for step in range(args.steps):
        if step == WARM:
            clock = time.perf_counter()
        offsets = rng.integers(0, len(train) - shape["block"], shape["batch"])
        x, y = gpt.windows(train, offsets, shape["block"])
        gpt.train_step(model, optimizer, x, y, gpt.learning_rate(step, s), s, context)
    counted = args.steps - WARM if args.steps > WARM else args.steps
    rate = counted * shape["batch"] * shape["block"] / (time.perf_counter() - clock)
    training_peak = peak_rss()
    loss = gpt.validation_loss(model, validation, shape["block"], context=context) if args.validate else None
    print(json.dumps(dict(tokens_per_second=rate, val_loss=loss, peak_rss_bytes=training_peak, seconds=time.perf_counter() - start)))


if __name__ == "__main__":
    main()
