"""Writes a heterogeneous graph in the layout of ogbn-mag: papers with features and classes, authors, institutions and fields without
features; authors write, papers cite and have topics mostly within their class. numpy alone; the same seed gives the same files.

    python bench/hetero.py OUT --papers 100000
"""
import argparse
import gzip
import pathlib

import numpy as np

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("out", type=pathlib.Path)
parser.add_argument("--papers", type=int, default=10_000)
parser.add_argument("--classes", type=int, default=10)
parser.add_argument("--features", type=int, default=64)
parser.add_argument("--signal", type=float, default=1.0, help="length of the mean of a class's features, beside noise of 1 in every column")
parser.add_argument("--homophily", type=float, default=0.7, help="share of edges within a class")
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()

random = np.random.default_rng(args.seed)
counts = {"author": 3 * args.papers // 2, "field_of_study": args.papers // 10, "institution": max(args.papers // 80, args.classes), "paper": args.papers}
classes = {kind: random.integers(args.classes, size=n) for kind, n in counts.items()}
members = {kind: [np.flatnonzero(c == k) for k in range(args.classes)] for kind, c in classes.items()}


def save(name, rows, fmt="%d", header=""):
    path = args.out / (name + ".csv.gz")
    path.parent.mkdir(parents=True, exist_ok=True)
    with gzip.GzipFile(path, "wb", compresslevel=1, mtime=0) as f:
        if header:
            f.write((header + "\n").encode())
        np.savetxt(f, np.atleast_1d(rows), fmt=fmt, delimiter=",")


def edges(source, relation, target, n):
    ends = random.integers(counts[source], size=n), random.integers(counts[target], size=n)
    same = random.random(n) < args.homophily
    for k in range(args.classes):
        of = np.flatnonzero(same & (classes[source][ends[0]] == k))
        if len(members[target][k]):
            ends[1][of] = random.choice(members[target][k], size=len(of))
    folder = f"raw/relations/{source}___{relation}___{target}/"
    save(folder + "edge", np.stack(ends, 1))
    save(folder + "num-edge-list", [n])
    return [source, relation, target]


n = args.papers
triplets = [edges("author", "affiliated_with", "institution", 3 * n // 2), edges("author", "writes", "paper", 10 * n),
            edges("paper", "cites", "paper", 7 * n), edges("paper", "has_topic", "field_of_study", 10 * n)]
save("raw/triplet-type-list", np.array(triplets), "%s")
save("raw/num-node-dict", np.array([list(counts.values())]), header=",".join(counts))
means = random.standard_normal((args.classes, args.features))
means *= args.signal / np.linalg.norm(means, axis=1, keepdims=True)
save("raw/node-feat/paper/node-feat", means[classes["paper"]] + random.standard_normal((n, args.features)), "%.4f")
save("raw/node-label/paper/node-label", classes["paper"])
parts = np.split(random.permutation(n), [n // 10, n // 5])
for part, ids in zip(["train", "valid", "test"], parts):
    save("split/random/paper/" + part, ids)
