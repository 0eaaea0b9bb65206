"""Evaluates designs of PaSca's space as the search of PKU-DAIR/SGL does: its SearchModel and SearchManager, unchanged.

    python bench/search_sgl.py --sgl CHECKOUT --data ind.cora --designs FILE --epochs E

FILE holds a design a line, as in trials.jsonl of seraph search. Prints a JSON line with the seconds of each. Commit 69cb324 of SGL is
meant: its search_config.py has unresolved merge conflicts, so OpenBox's loop around the evaluation is left out. SearchManager
trains 10 × E epochs and evaluates validation and test nodes in each.
"""
import argparse
import contextlib
import io
import json
import os
import pickle
import sys
import tempfile
import time
import types

import numpy as np
import scipy.sparse as sp
import torch

AGGREGATORS = {"aug-na": 1, "ppr-0.1": 2, "ppr-0.2": 3, "ppr-0.3": 4}
MESSAGES = {"none": 0, "concatenate": 1, "mean": 2, "max": 4, "weighted": 6, "adaptive": 7}


def arch(design):
    """The design as SGL's list, or None where SGL has no such: triangles, no steps."""
    d = dict(part.split("=") for part in design.split(","))
    if d.get("ga_pre") not in AGGREGATORS or d.get("ga_post") not in AGGREGATORS:
        return None
    return [int(d["k_pre"]), AGGREGATORS[d["ga_pre"]], MESSAGES[d["ma"]], int(d["k_trans"]), int(d["k_post"]), AGGREGATORS[d["ga_post"]], 0]


class Planetoid:
    """What SearchManager asks a data set for: the public split of raw planetoid files."""

    def __init__(self, path):
        parts = {}
        for name in ("x", "y", "tx", "ty", "allx", "ally", "graph"):
            with open(f"{path}.{name}", "rb") as f:
                parts[name] = pickle.load(f, encoding="latin1")
        with open(f"{path}.test.index") as f:
            test = np.array([int(line) for line in f])
        x = sp.vstack([parts["allx"], parts["tx"]]).tolil()
        y = np.vstack([parts["ally"], parts["ty"]])
        x[test], y[test] = x[np.sort(test)], y[np.sort(test)]
        x = sp.diags(1 / np.maximum(np.asarray(x.sum(1)).ravel(), 1e-12)) @ x
        rows = [u for u, near in parts["graph"].items() for _ in near]
        cols = [v for near in parts["graph"].values() for v in near]
        adj = sp.csr_matrix((np.ones(len(rows), np.float32), (rows, cols)), shape=(len(y),) * 2)
        adj = ((adj + adj.T) > 0).astype(np.float32).tolil()
        adj.setdiag(0)
        self.adj = adj.tocsr()
        self.adj.eliminate_zeros()
        self.x = np.ascontiguousarray(x.todense(), dtype=np.float32)
        self.y = torch.tensor(y.argmax(1))
        n = len(parts["y"])
        self.train_idx, self.val_idx, self.test_idx = range(n), range(n, n + 500), np.sort(test)
        self.num_node, self.num_features, self.num_classes = len(y), self.x.shape[1], y.shape[1]


def main():
    ap = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ap.add_argument("--sgl", required=True)
    ap.add_argument("--data", required=True)
    ap.add_argument("--designs", required=True)
    ap.add_argument("--epochs", type=int, default=20)
    ap.add_argument("--threads", type=int, default=2)
    args = ap.parse_args()
    os.environ["TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD"] = "1"  # SGL keeps its best model whole
    sys.path.insert(0, args.sgl)
    readers = types.ModuleType("sgl.dataset")  # of data sets, which need torch_sparse and more: only what lies below is needed
    readers.__path__ = [os.path.join(args.sgl, "sgl", "dataset")]
    sys.modules["sgl.dataset"] = readers
    from sgl.search.auto_search import SearchManager
    from sgl.search.search_models import SearchModel

    torch.set_num_threads(args.threads)
    data, device = Planetoid(args.data), torch.device("cpu")
    with open(args.designs) as f:
        archs = [arch(line.strip()) for line in f]
    os.chdir(tempfile.mkdtemp(prefix="sgl-"))
    seconds, accuracy = [], []
    for a in archs:
        start = time.perf_counter()
        with contextlib.redirect_stdout(io.StringIO()):
            model = SearchModel(a, data.num_features, data.num_classes, 128)
            best, _ = SearchManager(data, model, lr=1e-2, weight_decay=5e-4, epochs=args.epochs, device=device)._execute()
        seconds.append(time.perf_counter() - start)
        accuracy.append(best)
    print(json.dumps(dict(seconds=seconds, test_accuracy=accuracy)))


if __name__ == "__main__":
    main()
