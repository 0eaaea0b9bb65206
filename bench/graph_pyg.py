"""SGC and SIGN with PyTorch Geometric, from process start to printed result: the peer's side of graph.py.

    python bench/graph_pyg.py sgc --data Cora --root DIR [--split FILE.npz] --hops 2 --epochs 200 --seeds 3 [--rows]

Reads the data set from DIR as PyG's own classes do (raw files in place; the first run leaves its processed copy there).
Every epoch trains once on all training nodes and evaluates the validation nodes; the test nodes are evaluated once, with the
weights of the best epoch. Prints one JSON line.

sgc is written as PyG documents it: SGConv(cached=True) over all nodes, one model a seed. With --rows it is the leaner program
that an expert would write: propagate once for all seeds, then train a Linear layer on the rows that are needed. sign follows PyG's
example: the SIGN transform once, then a Linear layer a hop on the rows that are needed.
"""
import argparse
import copy
import json
import statistics
import time

start = time.perf_counter()
import numpy as np  # noqa: E402
import torch  # noqa: E402
import torch.nn.functional as F  # noqa: E402
import torch_geometric.transforms as T  # noqa: E402
from torch_geometric.datasets import Amazon, Coauthor, Planetoid  # noqa: E402
from torch_geometric.nn import SGConv  # noqa: E402

imports = time.perf_counter() - start


class SIGN(torch.nn.Module):
    def __init__(self, features, hidden, classes, hops, dropout):
        super().__init__()
        self.lins = torch.nn.ModuleList(torch.nn.Linear(features, hidden) for _ in range(hops + 1))
        self.out = torch.nn.Linear((hops + 1) * hidden, classes)
        self.dropout = dropout

    def forward(self, xs):
        h = torch.cat([F.dropout(F.relu(lin(x)), self.dropout, self.training) for lin, x in zip(self.lins, xs)], dim=1)
        return self.out(h)


def load(args):
    """data (features row-normalised, largest component where a split file is given) and a function seed -> (train, val, test) ids"""
    if args.data == "Cora" or args.data == "CiteSeer":
        data = Planetoid(args.root, args.data, transform=T.NormalizeFeatures())[0]
        ids = tuple(m.nonzero().flatten() for m in (data.train_mask, data.val_mask, data.test_mask))
        return data, lambda run: ids
    source = Amazon if args.data == "Photo" else Coauthor
    data = source(args.root, args.data, transform=T.NormalizeFeatures())[0]
    data = T.LargestConnectedComponents()(data)
    with np.load(args.split) as f:
        train, val = f["train"].astype(np.int64), f["val"].astype(np.int64)

    def split(run):
        test = np.ones(data.num_nodes, bool)
        test[train[run]] = test[val[run]] = False
        return torch.from_numpy(train[run]), torch.from_numpy(val[run]), torch.from_numpy(test.nonzero()[0])

    return data, split


def fit(model, args, labels, ids, forward):
    """forward(rows) -> logits of those nodes. Returns the test accuracy of the best validation epoch."""
    train, val, test = ids
    optimizer = torch.optim.Adam(model.parameters(), lr=args.lr, weight_decay=args.weight_decay)
    best, best_weights = -1.0, None
    for _ in range(args.epochs):
        model.train()
        optimizer.zero_grad()
        F.cross_entropy(forward(train), labels[train]).backward()
        optimizer.step()
        model.eval()
        with torch.no_grad():
            accuracy = (forward(val).argmax(1) == labels[val]).float().mean().item()
        if accuracy > best:
            best, best_weights = accuracy, copy.deepcopy(model.state_dict())
    model.load_state_dict(best_weights)
    with torch.no_grad():
        return (forward(test).argmax(1) == labels[test]).float().mean().item()


def sgc(args, data, split):
    classes = int(data.y.max()) + 1
    if not args.rows:
        for seed in range(args.seeds):
            torch.manual_seed(seed)
            conv = SGConv(data.num_features, classes, K=args.hops, cached=True)
            yield fit(conv, args, data.y, split(seed), lambda rows: conv(data.x, data.edge_index)[rows])
        return
    conv = SGConv(data.num_features, classes, K=args.hops, cached=True)
    with torch.no_grad():
        conv(data.x, data.edge_index)
    x = conv._cached_x
    for seed in range(args.seeds):
        torch.manual_seed(seed)
        lin, ids = torch.nn.Linear(data.num_features, classes), split(seed)
        parts = {id(rows): x[rows] for rows in ids}
        yield fit(lin, args, data.y, ids, lambda rows: lin(parts[id(rows)]))


def sign(args, data, split):
    classes = int(data.y.max()) + 1
    data = T.SIGN(args.hops)(data)
    xs = [data.x] + [data[f"x{i}"] for i in range(1, args.hops + 1)]
    for seed in range(args.seeds):
        torch.manual_seed(seed)
        model, ids = SIGN(data.num_features, args.hidden, classes, args.hops, args.dropout), split(seed)
        parts = {id(rows): [x[rows] for x in xs] for rows in ids}
        yield fit(model, args, data.y, ids, lambda rows: model(parts[id(rows)]))


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("model", choices=["sgc", "sign"])
    ap.add_argument("--data", choices=["Cora", "CiteSeer", "Photo", "CS"], required=True)
    ap.add_argument("--root", required=True)
    ap.add_argument("--split")
    ap.add_argument("--hops", type=int, required=True)
    ap.add_argument("--hidden", type=int, default=64)
    ap.add_argument("--dropout", type=float, default=0.5)
    ap.add_argument("--epochs", type=int, required=True)
    ap.add_argument("--lr", type=float, required=True)
    ap.add_argument("--weight-decay", type=float, required=True)
    ap.add_argument("--seeds", type=int, required=True)
    ap.add_argument("--threads", type=int, default=2)
    ap.add_argument("--rows", action="store_true")
    args = ap.parse_args()
    torch.set_num_threads(args.threads)
    data, split = load(args)
    loaded = time.perf_counter() - start
    accuracies = list({"sgc": sgc, "sign": sign}[args.model](args, data, split))
    with open("/proc/self/status") as f:
        peak = next(int(line.split()[1]) * 1024 for line in f if line.startswith("VmHWM"))
    print(json.dumps(dict(test_accuracy=statistics.mean(accuracies), seconds_imports=imports, seconds_load=loaded - imports,
                          seconds=time.perf_counter() - start, peak_rss_bytes=peak)))


if __name__ == "__main__":
    main()
