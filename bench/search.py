"""The search of PaSca on Cora, seconds an evaluation: `seraph search pasca` beside the evaluation of PKU-DAIR/SGL's own search.

    python bench/search.py --sgl CHECKOUT [--evaluations 40] [--designs 6] [--threads 2]

CHECKOUT is a clone of https://github.com/PKU-DAIR/SGL at 69cb324. Seraph draws random designs and trains each for 200 epochs; of them the
first that SGL can express are evaluated by SGL's SearchManager with 10 × 20 epochs, as many, and once with the 10 × 200 that its example has.
Both sides: hidden width 128, lr 0.01, weight decay 5e-4, two threads. Seraph's figure has everything in it from process start to
report, divided by the evaluations; SGL's the evaluations alone, without the suggestions, which its program cannot make at this commit.
"""
import argparse
import json
import os
import statistics
import sys

import search_sgl
import side


def main():
    ap = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ap.add_argument("--sgl", required=True)
    ap.add_argument("--evaluations", type=int, default=40)
    ap.add_argument("--designs", type=int, default=6)
    ap.add_argument("--shipped", action="store_true", help="also 10 × 200 epochs, of the first design")
    ap.add_argument("--threads", type=int, default=2)
    ap.add_argument("--seraph", help="a built program, else it is built")
    args = ap.parse_args()
    results = side.Results("search", side.versions("torch", "scipy", "numpy"))
    program = args.seraph or side.build_go("cmd/seraph")
    data, out = side.shared("data/graph/planetoid/ind.cora.x")[:-2], os.path.join(side.build_dir(), "search")
    try:
        taken, _, _ = side.run_process([program, "search", "pasca", "--data", data, "--strategy", "random", "--evaluations", str(args.evaluations),
                                        "--threads", str(args.threads), "--out", out, "--json", "--quiet"])
        with open(os.path.join(out, "trials.jsonl")) as f:
            designs = [line["told"] for line in map(json.loads, f) if "told" in line]
        designs = [d for d in designs if search_sgl.arch(d)][:args.designs]
        listed = os.path.join(side.build_dir(), "designs")

        def sgl(some, epochs):
            with open(listed, "w") as f:
                f.writelines(d + "\n" for d in some)
            _, _, output = side.run_process([sys.executable, os.path.join(side.BENCH, "search_sgl.py"), "--sgl", args.sgl, "--data", data,
                                             "--designs", listed, "--epochs", str(epochs), "--threads", str(args.threads)])
            return side.last_json(output)["seconds"]

        ours, theirs = taken / args.evaluations, statistics.mean(sgl(designs, 20))
        results.add("PaSca's search on Cora, 200 epochs, an evaluation", {"seraph": ours, "sgl": theirs}, "s", {"sgl": theirs / ours}, 10,
                    evaluations=args.evaluations, designs=designs)
        if args.shipped:
            theirs = statistics.mean(sgl(designs[:1], 200))
            results.add("the same, SGL with the 10 × 200 epochs of its example", {"seraph": ours, "sgl": theirs}, "s", {"sgl": theirs / ours}, 10)
    finally:
        side.clean()


if __name__ == "__main__":
    main()
