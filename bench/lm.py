"""Training a small language model on tinyshakespeare: `seraph train lm` beside PyTorch eager.

    python bench/lm.py speed [--preset char-cpu|char-gpu] [--precision f32|bf16] [--repeats 3] [--steps N] [--threads 2]
    python bench/lm.py loss [--seeds 3] [--precision f32|bf16]    char-cpu in full: validation loss after 2,000 steps
    python bench/lm.py steps                                      char-cpu: ten losses from the same weights and batches

speed runs the two programs by turns, each in a fresh process, and compares the tokens a second of the training steps and
peak resident memory. loss trains both sides to the end: validation in nats a character over windows side by side.
"""
import argparse
import json
import os
import statistics
import sys

import side

TEXT = "data/language/tinyshakespeare.txt"
STEPS = {"char-cpu": 300, "char-gpu": 4}
SPEED_TARGETS = {("char-cpu", "f32"): 1.4, ("char-cpu", "bf16"): 1.4, ("char-gpu", "f32"): 1.3, ("char-gpu", "bf16"): 1.6}


def seraph_run(seraph, out, text, args, *more):
    """One training; returns (result line, peak resident bytes as the kernel counted them)."""
    command = [seraph, "train", "lm", "--data", text, "--out", out, "--precision", args.precision, "--threads", str(args.threads),
               "--json", "--quiet", *more]
    _, rss, output = side.run_process(command)
    return side.last_json(output), rss


def torch_run(text, args, *more):
    command = [sys.executable, os.path.join(side.BENCH, "lm_torch.py"), "--text", text, "--precision", args.precision,
               "--threads", str(args.threads), *more]
    _, _, output = side.run_process(command)
    result = side.last_json(output)
    return result, result["peak_rss_bytes"]


def speed(results, seraph, text, args):
    steps = str(args.steps or STEPS[args.preset])
    rates, peaks = {"seraph": [], "torch": []}, {"seraph": [], "torch": []}
    for r in range(args.repeats):
        runs = {
            "seraph": lambda: seraph_run(seraph, os.path.join(side.build_dir(), f"speed-{r}"), text, args,
                                         "--preset", args.preset, "--steps", steps, "--seed", str(r)),
            "torch": lambda: torch_run(text, args, "--preset", args.preset, "--steps", steps, "--seed", str(r)),
        }
        for name in (sorted(runs) if r % 2 else sorted(runs, reverse=True)):
            result, rss = runs[name]()
            rates[name].append(result["metrics"]["tokens_per_second"] if name == "seraph" else result["tokens_per_second"])
            peaks[name].append(rss)
    case = f"{args.preset} {args.precision}, {args.threads} threads"
    ratio = statistics.median(s / t for s, t in zip(rates["seraph"], rates["torch"]))
    results.add(f"{case}, speed", {n: statistics.median(v) for n, v in rates.items()}, "tokens/s", {"torch": ratio},
                SPEED_TARGETS[args.preset, args.precision], steps=int(steps))
    memory = {n: max(v) / 2**30 for n, v in peaks.items()}
    results.add(f"{case}, peak resident", memory, "GiB", {"torch": memory["seraph"] / memory["torch"]},
                "a third of torch" if args.preset == "char-gpu" else None, steps=int(steps))


def loss(results, seraph, text, args):
    losses = {"seraph": [], "torch": []}
    for seed in range(args.seeds):
        result, _ = seraph_run(seraph, os.path.join(side.build_dir(), f"loss-{seed}"), text, args, "--preset", "char-cpu", "--seed", str(seed))
        losses["seraph"].append(result["metrics"]["val_loss"])
        result, _ = torch_run(text, args, "--preset", "char-cpu", "--steps", "2000", "--seed", str(seed), "--validate")
        losses["torch"].append(result["val_loss"])
    means = {n: statistics.mean(v) for n, v in losses.items()}
    results.add(f"char-cpu {args.precision}, validation loss, {args.seeds} seeds", means, "nats",
                {"torch": means["seraph"] / means["torch"]}, "at most 1.91", each=losses)


def ten_steps(results, seraph, text, args):
    folder, out = os.path.join(side.build_dir(), "oracle"), os.path.join(side.build_dir(), "ten")
    side.run_process([sys.executable, os.path.join(side.BENCH, "oracle", "lm_ten_steps.py"), "--preset", "char-cpu", "--text", text, "--out", folder])
    with open(os.path.join(folder, "losses.json")) as f:
        golden = json.load(f)
    # The schedule is that of 2,000 steps; the ten batches end the run early.
    seraph_run(seraph, out, text, args, "--preset", "char-cpu", "--init", os.path.join(folder, "init.safetensors"),
               "--batches", os.path.join(folder, "batches.npy"))
    with open(os.path.join(out, "metrics.jsonl")) as f:
        lines = [json.loads(line) for line in f]
    ours = [line["loss"] for line in lines if "loss" in line][:len(golden["losses_float32"])]
    for step, (a, b) in enumerate(zip(ours, golden["losses_float32"], strict=True)):
        print(f"  step {step}: seraph {a:.7f}  torch {b:.7f}  {abs(a - b) / b:.1e}")
    worst = max(abs(a - b) / b for a, b in zip(ours, golden["losses_float32"], strict=True))
    results.add("char-cpu, ten losses, largest relative difference", {"seraph": worst}, "", {}, "1e-5")


def main():
    ap = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ap.add_argument("part", choices=["speed", "loss", "steps"])
    ap.add_argument("--preset", choices=sorted(STEPS), default="char-cpu")
    ap.add_argument("--precision", choices=["f32", "bf16"], default="f32")
    ap.add_argument("--repeats", type=int, default=3)
    ap.add_argument("--steps", type=int)
    ap.add_argument("--seeds", type=int, default=3)
    ap.add_argument("--threads", type=int, default=2)
    args = ap.parse_args()
    results = side.Results("lm", side.versions("torch"))
    seraph, text = side.build_go("cmd/seraph"), side.shared(TEXT)
    try:
        {"speed": speed, "loss": loss, "steps": ten_steps}[args.part](results, seraph, text, args)
    finally:
        side.clean()


if __name__ == "__main__":
    main()
