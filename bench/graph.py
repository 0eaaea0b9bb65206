"""SGC and SIGN on real graphs, from process start to printed result: `seraph train` beside PyTorch Geometric.

    python bench/graph.py [--repeats 3] [--only "sgc Cora,sign Photo"] [--threads 2]

Both sides: the same hops, width, dropout, learning rate, weight decay, epochs and seeds; features divided by the sum of their
row; every epoch trains once on all training nodes and evaluates the validation nodes; the test nodes once, with the weights
of the best epoch. Seraph runs with --tune 0. The sides run by turns, each in a fresh process, PyG on raw files that it has
read before. Figures are seconds, and the peak resident memory of the process.
"""
import argparse
import os
import shutil
import statistics
import sys

import side

PLANETOID = "data/graph/planetoid"
ZIPS = {"Photo": "amazon-photo", "CS": "coauthor-cs"}
# model, data, hops, lr, weight decay, epochs, seeds, target, more arguments of the peer
CASES = [
    ("sgc", "Cora", 2, 0.2, 5e-6, 200, 3, "8", []),
    ("sgc", "Photo", 2, 0.2, 1e-5, 200, 3, "8", []),
    ("sgc", "CS", 2, 0.2, 5e-6, 200, 3, "8", []),
    ("sgc", "CS", 2, 0.2, 5e-6, 200, 3, "none: the leaner program that an expert would write", ["--rows"]),
    ("sign", "Cora", 3, 0.01, 5e-4, 100, 3, "8", []),
    ("sign", "Photo", 3, 0.01, 1e-5, 100, 3, "1.3", []),
    ("sign", "CS", 3, 0.01, 5e-6, 100, 3, "1.3", []),
]


def prepare(root):
    """The raw files where PyG looks for them."""
    os.makedirs(os.path.join(root, "Cora", "raw"))
    for part in ("x", "y", "tx", "ty", "allx", "ally", "graph", "test.index"):
        shutil.copy(side.shared(f"{PLANETOID}/ind.cora.{part}"), os.path.join(root, "Cora", "raw"))
    import zipfile
    for name, member in (("Photo", "amazon_electronics_photo.npz"), ("CS", "ms_academic_cs.npz")):
        raw = os.path.join(root, name, "raw")
        os.makedirs(raw)
        with zipfile.ZipFile(side.shared(f"data/graph/{ZIPS[name]}.zip")) as z:
            inner = next(n for n in z.namelist() if n.endswith(".npz"))
            with z.open(inner) as source, open(os.path.join(raw, member), "wb") as target:
                shutil.copyfileobj(source, target)


def seraph_command(program, out, case, threads):
    model, data, hops, lr, decay, epochs, seeds = case[:7]
    path = f"{PLANETOID}/ind.cora" if data == "Cora" else f"data/graph/{ZIPS[data]}.zip"
    folder = os.path.join(side.SHARED, path)
    command = [program, "train", model, "--data", folder, "--out", out, "--tune", "0", "--hops", str(hops), "--lr", str(lr),
               "--weight-decay", str(decay), "--epochs", str(epochs), "--seeds", str(seeds), "--scaling", "l1",
               "--threads", str(threads), "--json", "--quiet"]
    if data != "Cora":
        command += ["--split", "file:" + side.shared(f"data/graph/splits/{data.lower()}.npz")]
    if model == "sign":
        command += ["--hidden", "64", "--dropout", "0.5"]
    return command


def torch_command(root, case, threads):
    model, data, hops, lr, decay, epochs, seeds, _, more = case
    command = [sys.executable, os.path.join(side.BENCH, "graph_pyg.py"), model, "--data", data, "--root", root, "--hops", str(hops),
               "--lr", str(lr), "--weight-decay", str(decay), "--epochs", str(epochs), "--seeds", str(seeds), "--threads", str(threads), *more]
    if data != "Cora":
        command += ["--split", side.shared(f"data/graph/splits/{data.lower()}.npz")]
    return command


def main():
    ap = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ap.add_argument("--repeats", type=int, default=3)
    ap.add_argument("--threads", type=int, default=2)
    ap.add_argument("--only", default="")
    args = ap.parse_args()
    wanted = [c for c in args.only.split(",") if c]
    results = side.Results("graph", side.versions("torch", "torch-geometric"))
    program, root = side.build_go("cmd/seraph"), os.path.join(side.build_dir(), "pyg")
    prepare(root)
    try:
        for case in CASES:
            if wanted and f"{case[0]} {case[1]}" not in wanted:
                continue
            seconds, peaks, accuracy = {"seraph": [], "torch": []}, {"seraph": 0, "torch": 0}, {}
            side.run_process(torch_command(root, case[:5] + (1, 1) + case[7:], args.threads))  # PyG keeps what it has read
            for r in range(args.repeats):
                commands = {"seraph": seraph_command(program, os.path.join(side.build_dir(), f"{case[0]}-{case[1]}-{len(case[8])}-{r}"), case, args.threads),
                            "torch": torch_command(root, case, args.threads)}
                for name in sorted(commands, reverse=r % 2 == 1):
                    taken, rss, output = side.run_process(commands[name])
                    result = side.last_json(output)
                    seconds[name].append(taken)
                    peaks[name] = max(peaks[name], rss)
                    accuracy[name] = result["metrics"]["test_accuracy"] if name == "seraph" else result["test_accuracy"]
            label = f"{case[0]} on {case[1]}, {case[5]} epochs, {case[6]} seeds{' ' + case[8][0] if case[8] else ''}"
            results.add(label, {n: statistics.median(s) for n, s in seconds.items()}, "s", {"torch": side.paired(seconds, "seraph", "torch")},
                        case[7], accuracy=accuracy, threads=args.threads)
            results.add(f"{label}, peak resident", {n: p / 2**20 for n, p in peaks.items()}, "MiB", {"torch": peaks["seraph"] / peaks["torch"]},
                        accuracy=accuracy, threads=args.threads)
    finally:
        side.clean()


if __name__ == "__main__":
    main()
