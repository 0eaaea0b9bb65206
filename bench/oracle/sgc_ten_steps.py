"""Ten training steps of SGC: a small graph, weights, and the losses that Seraph must reproduce.

    python bench/oracle/sgc_ten_steps.py      # rewrites testdata/sgc

SGC is softmax regression on S^K X with S = (D+I)^(-1/2) (A+I) (D+I)^(-1/2); full batch over the training nodes, Adam
with L2 weight decay added to the gradient of weight and bias alike (torch.optim.Adam). Writes
    data.safetensors    edge_index int64 [2, m] (both directions), features float32 [n, d], labels int64 [n],
                        train int64 ids, propagated float64 [n, d]
    init.safetensors    lin.weight float32 [classes, d], lin.bias float32 [classes]
    losses.json         settings, losses in float32 and float64, gradient norms, the last step's weights
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
OUT = os.path.join(HERE, "testdata", "sgc")
NODES, FEATURES, CLASSES, HOPS, STEPS = 97, 23, 5, 2, 10
SETTINGS = dict(optimizer="adam", lr=0.2, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=5e-4)


def graph(rng):
    """A block-model graph; node 0 is left without neighbours."""
    labels = rng.integers(0, CLASSES, NODES, dtype=np.int64)
    same = labels[:, None] == labels[None, :]
    upper = np.triu(rng.random((NODES, NODES)) < np.where(same, 0.15, 0.02), 1)
    upper[0, :] = False
    u, v = np.nonzero(upper)
    edges = np.stack([np.concatenate([u, v]), np.concatenate([v, u])]).astype(np.int64)
    centres = rng.standard_normal((CLASSES, FEATURES))
    features = (0.5 * centres[labels] + rng.standard_normal((NODES, FEATURES))).astype(np.float32)
    train = np.sort(rng.permutation(NODES)[:35]).astype(np.int64)
    return edges, features, labels, train


def propagate(edges, features):
    a = np.eye(NODES)
    a[edges[0], edges[1]] = 1
    scale = 1 / np.sqrt(a.sum(1))
    s = scale[:, None] * a * scale[None, :]
    x = features.astype(np.float64)
    for _ in range(HOPS):
        x = s @ x
    return x


def run(x, labels, weights, dtype):
    lin = torch.nn.Linear(FEATURES, CLASSES).to(dtype)
    lin.load_state_dict({k.removeprefix("lin."): torch.from_numpy(v) for k, v in weights.items()})
    opt = torch.optim.Adam(lin.parameters(), lr=SETTINGS["lr"], betas=(SETTINGS["beta1"], SETTINGS["beta2"]),
                           eps=SETTINGS["eps"], weight_decay=SETTINGS["weight_decay"])
    x, labels = torch.from_numpy(x).to(dtype), torch.from_numpy(labels)
    losses, norms = [], []
    for _ in range(STEPS):
        loss = F.cross_entropy(lin(x), labels)
        opt.zero_grad()
        loss.backward()
        norms.append({"lin." + n: p.grad.norm().item() for n, p in lin.named_parameters()})
        opt.step()
        losses.append(loss.item())
    final = {"lin." + n: p.detach().flatten().tolist() for n, p in lin.named_parameters()}
    return losses, norms, final


def main():
    torch.set_num_threads(1)
    os.makedirs(OUT, exist_ok=True)
    rng = np.random.Generator(np.random.PCG64(31))
    edges, features, labels, train = graph(rng)
    propagated = propagate(edges, features)
    weights = {
        "lin.weight": (0.3 * rng.standard_normal((CLASSES, FEATURES))).astype(np.float32),
        "lin.bias": (0.1 * rng.standard_normal(CLASSES)).astype(np.float32),
    }
    data = dict(edge_index=edges, features=features, labels=labels, train=train, propagated=propagated)
    for name, tensors in (("data", data), ("init", weights)):
        with open(os.path.join(OUT, name + ".safetensors"), "wb") as f:
            f.write(save(tensors))
    losses32, _, _ = run(propagated[train], labels[train], weights, torch.float32)
    losses64, norms64, final64 = run(propagated[train], labels[train], weights, torch.float64)
    with open(os.path.join(OUT, "losses.json"), "w") as f:
        json.dump({
            "script": "bench/oracle/sgc_ten_steps.py",
            "versions": {"python": platform.python_version(), "torch": torch.__version__.split("+")[0], "numpy": np.__version__},
            "hops": HOPS,
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
