"""Ten training steps of a small GPT: weights, batches and the losses that `seraph train lm --init --batches` must reproduce.

    python bench/oracle/lm_ten_steps.py                                        # rewrites testdata/lm
    python bench/oracle/lm_ten_steps.py --preset char-cpu --text FILE --out DIR  # the full preset, too large to check in

Writes into the folder
    text.txt            the corpus (with --text: not written)
    init.safetensors    float32 weights before the first step
    batches.npy         int64 [steps, batch]: where in the training part each window starts
    losses.json         settings, losses in float32 and float64, norms of the gradients, learning rates
Versions: ../requirements.txt.
"""
import argparse
import json
import os
import platform

import numpy as np
import torch
from safetensors.numpy import save

import gpt

HERE = os.path.dirname(os.path.abspath(__file__))
SMALL = dict(layers=2, heads=2, width=32, block=16, batch=4, dropout=0.0)
STEPS = 10


def small_text(rng, sentences=120):
    """Grammar text; two letters outside ASCII pin down that a character is a code point, not a byte."""
    subjects = ["the mill", "a crow", "Zoë", "the old clock", "her café", "Tom"]
    verbs = ["turns", "waits", "sings", "falls asleep", "forgets"]
    places = ["by the river", "at noon", "under seven stars", "again"]
    lines = []
    for _ in range(sentences):
        line = f"{rng.choice(subjects)} {rng.choice(verbs)} {rng.choice(places)}"
        lines.append(line[0].upper() + line[1:] + rng.choice([".", "!", "?"]))
    return "\n".join(lines) + "\n"


def random_weights(shape, std, rng):
    """Weights under every name, norms' gains included, so that a wrong wiring cannot hide behind ones."""
    model = gpt.GPT(**shape)
    weights = {}
    for name, p in model.named_parameters():
        if p.ndim == 1:
            value = 1 + 0.1 * rng.standard_normal(p.shape)
        else:
            value = std * rng.standard_normal(p.shape)
            if name.endswith("c_proj.weight"):
                value /= np.sqrt(2 * shape["layers"])
        weights[name] = value.astype(np.float32)
    return weights


def run(shape, settings, weights, ids, validation, batches, dtype):
    model = gpt.GPT(**shape).to(dtype)
    model.load_state_dict({k: torch.from_numpy(v) for k, v in weights.items()})
    optimizer = gpt.adamw(model, settings)
    losses, norms, tensor_norms = [], [], {}
    for step, offsets in enumerate(batches):
        x, y = gpt.windows(ids, offsets, shape["block"])
        if step == 0:
            model(x, y).backward()
            tensor_norms = {n: float(p.grad.norm()) for n, p in model.named_parameters()}
        loss, norm = gpt.train_step(model, optimizer, x, y, gpt.learning_rate(step, settings), settings)
        losses.append(float(loss))
        norms.append(float(norm))
    return losses, norms, tensor_norms, gpt.validation_loss(model, validation, shape["block"])


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--preset", choices=sorted(gpt.PRESETS))
    ap.add_argument("--text")
    ap.add_argument("--out", default=os.path.join(HERE, "testdata", "lm"))
    args = ap.parse_args()
    if bool(args.preset) != bool(args.text):
        ap.error("--preset and --text go together")
    torch.set_num_threads(1)
    os.makedirs(args.out, exist_ok=True)
    rng = np.random.Generator(np.random.PCG64(20240517))
    if args.preset:
        with open(args.text, encoding="utf-8", newline="") as f:
            text = f.read()
        shape, settings, std = dict(gpt.PRESETS[args.preset], dropout=0.0), dict(gpt.TRAINING), 0.02
    else:
        text = small_text(rng)
        with open(os.path.join(args.out, "text.txt"), "w", encoding="utf-8", newline="") as f:
            f.write(text)
        # Weights so large that attention is far from uniform; warm-up and decay within the ten steps.
        std = 0.15
        shape, settings = dict(SMALL), dict(gpt.TRAINING, lr=3e-3, min_lr=3e-4, warmup=3, steps=STEPS)
    train, validation, alphabet = gpt.characters(text)
    shape["vocab"] = len(alphabet)
    weights = random_weights(shape, std, rng)
    batches = rng.integers(0, len(train) - shape["block"], size=(STEPS, shape["batch"]), dtype=np.int64)
    with open(os.path.join(args.out, "init.safetensors"), "wb") as f:
        f.write(save(weights))
    np.save(os.path.join(args.out, "batches.npy"), batches)

    losses32, norms32, _, val32 = run(shape, settings, weights, train, validation, batches, torch.float32)
    losses64, norms64, tensors64, val64 = run(shape, settings, weights, train, validation, batches, torch.float64)
    with open(os.path.join(args.out, "losses.json"), "w") as f:
        json.dump({
            "script": "bench/oracle/lm_ten_steps.py",
            "versions": {"python": platform.python_version(), "torch": torch.__version__.split("+")[0], "numpy": np.__version__},
            "model": shape,
            "training": settings,
            "characters": len(text),
            "training_characters": len(train),
            "learning_rates": [gpt.learning_rate(i, settings) for i in range(STEPS)],
            "losses_float32": losses32,
            "losses_float64": losses64,
            "gradient_norms_float32": norms32,
            "gradient_norms_float64": norms64,
            "first_gradient_norm_float64": tensors64,
            "validation_loss_float32": val32,
            "validation_loss_float64": val64,
            "validation_tokens": len(validation) - 1,
        }, f, indent=1)
        f.write("\n")
    worst = max(abs(a - b) / b for a, b in zip(losses32, losses64))
    print(f"{args.out}: {losses64[0]:.4f} -> {losses64[-1]:.4f} nats, float32 within {worst:.1e} of float64")


if __name__ == "__main__":
    main()
