"""Ten training steps of GCN and GAT: the graph of sgc_ten_steps.py, weights, and the losses that Seraph must reproduce.

    python bench/oracle/gnn_ten_steps.py      # rewrites testdata/gnn

The layers are torch_geometric's GCNConv and GATConv, two of each, as in its examples; full batch, no dropout, cross-entropy
on the training nodes, Adam with L2 weight decay added to the gradients: of GCN's first layer alone, of all of GAT (2 heads
of 4, then 3 heads whose mean is the result). Writes
    gcn.safetensors, gat.safetensors    initial weights under the names and in the shapes that Seraph gives them
    losses.json                         settings, losses in float32 and float64
Versions: ../requirements.txt, and torch_geometric 2.8.1.
"""
import json
import os
import platform

import numpy as np
import torch
import torch.nn.functional as F
import torch_geometric
from safetensors.numpy import load_file, save
from torch_geometric.nn import GATConv, GCNConv

HERE = os.path.dirname(os.path.abspath(__file__))
OUT = os.path.join(HERE, "testdata", "gnn")
STEPS = 10
SETTINGS = {
    "gcn": dict(lr=0.01, weight_decay=5e-4, hidden=6),
    "gat": dict(lr=0.005, weight_decay=5e-4, hidden=4, heads=2, out_heads=3),
}


class GCN(torch.nn.Module):
    def __init__(self, features, classes, s):
        super().__init__()
        self.layers = torch.nn.ModuleList([GCNConv(features, s["hidden"]), GCNConv(s["hidden"], classes)])

    def forward(self, x, edges):
        return self.layers[1](F.relu(self.layers[0](x, edges)), edges)

    def groups(self, decay):
        first, second = self.layers
        return [dict(params=first.parameters(), weight_decay=decay), dict(params=second.parameters(), weight_decay=0)]


class GAT(torch.nn.Module):
    def __init__(self, features, classes, s):
        super().__init__()
        self.layers = torch.nn.ModuleList([
            GATConv(features, s["hidden"], heads=s["heads"]),
            GATConv(s["heads"] * s["hidden"], classes, heads=s["out_heads"], concat=False),
        ])

    def forward(self, x, edges):
        return self.layers[1](F.elu(self.layers[0](x, edges)), edges)

    def groups(self, decay):
        return [dict(params=self.parameters(), weight_decay=decay)]


NAMES = {"lin.weight": "weight", "bias": "bias", "att_dst": "left", "att_src": "right"}  # u attends to v: v is the source


def named(model):
    for i, layer in enumerate(model.layers):
        for name, p in layer.named_parameters():
            yield f"{i}.{NAMES[name]}", p


def run(kind, data, weights, dtype):
    s = SETTINGS[kind]
    x, labels = torch.from_numpy(data["features"]).to(dtype), torch.from_numpy(data["labels"])
    edges, train = torch.from_numpy(data["edge_index"]), torch.from_numpy(data["train"])
    model = {"gcn": GCN, "gat": GAT}[kind](x.shape[1], int(labels.max()) + 1, s).to(dtype)
    with torch.no_grad():
        for name, p in named(model):
            p.copy_(torch.from_numpy(weights[name]).reshape(p.shape))
    opt = torch.optim.Adam(model.groups(s["weight_decay"]), lr=s["lr"])
    losses = []
    for _ in range(STEPS):
        loss = F.cross_entropy(model(x, edges)[train], labels[train])
        opt.zero_grad()
        loss.backward()
        opt.step()
        losses.append(loss.item())
    return losses


def main():
    torch.set_num_threads(1)
    os.makedirs(OUT, exist_ok=True)
    data = load_file(os.path.join(HERE, "testdata", "sgc", "data.safetensors"))
    rng = np.random.Generator(np.random.PCG64(41))
    result = {
        "script": "bench/oracle/gnn_ten_steps.py",
        "versions": {"python": platform.python_version(), "torch": torch.__version__.split("+")[0],
                     "torch_geometric": torch_geometric.__version__, "numpy": np.__version__},
    }
    for kind, s in SETTINGS.items():
        shapes = {"gcn": GCN, "gat": GAT}[kind](data["features"].shape[1], int(data["labels"].max()) + 1, s)
        weights = {n: (0.3 * rng.standard_normal([d for d in p.shape if d > 1 or p.dim() < 3])).astype(np.float32)
                   for n, p in named(shapes)}
        with open(os.path.join(OUT, kind + ".safetensors"), "wb") as f:
            f.write(save(weights))
        losses64 = run(kind, data, weights, torch.float64)
        result[kind] = {"training": s, "losses_float32": run(kind, data, weights, torch.float32), "losses_float64": losses64}
        worst = max(abs(a - b) / b for a, b in zip(result[kind]["losses_float32"], losses64))
        print(f"{kind}: {losses64[0]:.4f} -> {losses64[-1]:.4f} nats, float32 within {worst:.1e} of float64")
    with open(os.path.join(OUT, "losses.json"), "w") as f:
        json.dump(result, f, indent=1)
        f.write("\n")


if __name__ == "__main__":
    main()
