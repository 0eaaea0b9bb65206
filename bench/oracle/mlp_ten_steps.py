"""Ten training steps of an MLP with two hidden layers: data, weights, and the losses that Seraph must reproduce.

    python bench/oracle/mlp_ten_steps.py      # rewrites testdata/mlp

Linear - ReLU - Linear - ReLU - Linear - cross-entropy, Adam; step i takes rows i*batch .. (i+1)*batch-1. Writes
    data.safetensors    features float32 [steps*batch, 20], labels int64 [steps*batch]
    init.safetensors    layers.{0,1,2}.weight float32 [out, in], layers.{0,1,2}.bias
    losses.json         settings, losses in float32 and float64, gradient norms, the last step's biases
Versions: ../requirements.txt.
"""
import json
import os
import platform

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.numpy import save

HERE = os.path.dirname(os.path.abspath(__file__))
OUT = os.path.join(HERE, "testdata", "mlp")
WIDTHS, BATCH, STEPS = (20, 33, 17, 5), 32, 10
SETTINGS = dict(optimizer="adam", lr=0.01, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.0)


class MLP(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = torch.nn.ModuleList(torch.nn.Linear(a, b) for a, b in zip(WIDTHS, WIDTHS[1:]))

    def forward(self, x):
        for layer in self.layers[:-1]:
            x = F.relu(layer(x))
        return self.layers[-1](x)


def run(x, labels, weights, dtype):
    model = MLP().to(dtype)
    model.load_state_dict({k: torch.from_numpy(v) for k, v in weights.items()})
    opt = torch.optim.Adam(model.parameters(), lr=SETTINGS["lr"], betas=(SETTINGS["beta1"], SETTINGS["beta2"]), eps=SETTINGS["eps"])
    x, labels = torch.from_numpy(x).to(dtype), torch.from_numpy(labels)
    losses, norms = [], []
    for i in range(STEPS):
        rows = slice(i * BATCH, (i + 1) * BATCH)
        loss = F.cross_entropy(model(x[rows]), labels[rows])
        opt.zero_grad()
        loss.backward()
        norms.append({n: p.grad.norm().item() for n, p in model.named_parameters()})
        opt.step()
        losses.append(loss.item())
    final = {n: p.detach().tolist() for n, p in model.named_parameters() if n.endswith("bias")}
    return losses, norms, final


def main():
    torch.set_num_threads(1)
    os.makedirs(OUT, exist_ok=True)
    rng = np.random.Generator(np.random.PCG64(37))
    rows = BATCH * STEPS
    labels = rng.integers(0, WIDTHS[-1], rows, dtype=np.int64)
    centres = rng.standard_normal((WIDTHS[-1], WIDTHS[0]))
    features = (0.7 * centres[labels] + rng.standard_normal((rows, WIDTHS[0]))).astype(np.float32)
    weights = {}
    for i, (a, b) in enumerate(zip(WIDTHS, WIDTHS[1:])):
        weights[f"layers.{i}.weight"] = (rng.standard_normal((b, a)) * np.sqrt(2 / a)).astype(np.float32)
        weights[f"layers.{i}.bias"] = (0.1 * rng.standard_normal(b)).astype(np.float32)
    for name, tensors in (("data", dict(features=features, labels=labels)), ("init", weights)):
        with open(os.path.join(OUT, name + ".safetensors"), "wb") as f:
            f.write(save(tensors))
    losses32, _, _ = run(features, labels, weights, torch.float32)
    losses64, norms64, final64 = run(features, labels, weights, torch.float64)
    with open(os.path.join(OUT, "losses.json"), "w") as f:
        json.dump({
            "script": "bench/oracle/mlp_ten_steps.py",
            "versions": {"python": platform.python_version(), "torch": torch.__version__.split("+")[0], "numpy": np.__version__},
            "widths": WIDTHS,
            "batch": BATCH,
            "training": SETTINGS,
            "losses_float32": losses32,
            "losses_float64": losses64,
            "first_gradient_norm_float64": norms64[0],
            "final_float64": final64,
        }, f, indent=1)
        f.write("\n")
    worst = max(abs(a - b) / b for a, b in zip(losses32, losses64))
    print(f"{OUT}: {losses64[0]:.4f} -> {losses64[-1]:.4f} nats, float32 within {worst:.1e} of float64")


if __name__ == "__main__":
    main()
