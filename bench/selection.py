"""What a search on validation found, beside what others would have found: analysis, from which nothing is chosen.

    python bench/selection.py RUN [--best 8] [--draws 400] [--jobs 1]

RUN is the directory of a `seraph train … --seeds N` that has searched (tune.json). Its candidates (--best: only those that the
search ranks first) are trained again with --tune 0 on all seeds of RUN, and this is printed:

- the mean test accuracy of the candidate that the search chose, of the settings as they are by default, and of the candidate
  that the *test* nodes would have chosen: what a figure is worth that somebody chose by its test set;
- without --best, what ways to choose would have chosen of the same trainings: the mean over --draws random orders of the seeds
  of the test accuracy, its standard deviation, and the mean distance from the best candidate. Of use on graphs that no result is
  reported of: a way to choose is itself chosen, and must not be by the test nodes of the graphs in the tables.

Finished trainings are kept in RUN/selection, so that it can be stopped and started again.
"""
import argparse
import concurrent.futures
import json
import os
import random
import statistics
import subprocess
import tomllib

import side

NOT_PASSED = {"memory", "disk", "threads", "tune"}


def settings_of(run):
    with open(os.path.join(run, "config.toml"), "rb") as f:
        config = tomllib.load(f)
    settings = {k: v for k, v in config["settings"].items() if k not in NOT_PASSED and v != ""}
    return config["model"], settings


def train(program, run, index, candidate, model, settings):
    """Trains a candidate unless that has been done; returns its directory."""
    out = os.path.join(run, "selection", str(index))
    if not os.path.exists(os.path.join(out, "result.json")):
        command = [program, "train", model, "--out", out, "--tune", "0", "--threads", "1", "--quiet"]
        for key, value in {**settings, **candidate["settings"]}.items():
            command.append(f"--{key}={str(value).lower() if isinstance(value, bool) else value}")
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"candidate {index}: {done.stderr}")
    return out


def curves(out, seeds):
    """Validation accuracies by seed and epoch."""
    all_seeds = []
    for seed in seeds:
        folder = os.path.join(out, "seeds", str(seed)) if len(seeds) > 1 else out
        with open(os.path.join(folder, "metrics.jsonl")) as f:
            all_seeds.append([json.loads(line)["val_accuracy"] for line in f])
    return all_seeds


def score(curve, window, patience):
    """The best mean of so many epochs in a row, until it has not risen for patience epochs."""
    best, stale = 0.0, 0
    for e in range(len(curve)):
        mean, stale = statistics.fmean(curve[max(0, e - window + 1):e + 1]), stale + 1
        if mean > best:
            best, stale = mean, 0
        if stale == patience:
            break
    return best


def choose(scores, order, rounds):
    """The candidate that halving finds: rounds are (seeds, share of the candidates that go on)."""
    left = list(range(len(scores)))
    for seeds, keep in rounds:
        mean = {c: statistics.fmean(scores[c][s] for s in order[:seeds]) for c in left}
        left = sorted(left, key=lambda c: -mean[c])[:max(3, round(keep * len(scores)))]
    return left[0]


WAYS = [  # name, epochs averaged, patience, rounds
    ("best epoch, one seed", 1, 30, [(1, 0)]),
    ("best epoch, a quarter on three seeds", 1, 30, [(1, 1 / 4), (3, 0)]),
    ("best epoch, thirds on three and ten", 1, 60, [(1, 1 / 3), (3, 1 / 9), (10, 0)]),
    ("ten epochs, a quarter on three seeds", 10, 60, [(1, 1 / 4), (3, 0)]),
    ("ten epochs, thirds on three and ten (seraph)", 10, 60, [(1, 1 / 3), (3, 1 / 9), (10, 0)]),
    ("ten epochs, halves", 10, 60, [(1, 1 / 2), (3, 1 / 6), (10, 0)]),
    ("ten epochs, all on ten", 10, 1000, [(10, 0)]),
]


def main():
    ap = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ap.add_argument("run")
    ap.add_argument("--best", type=int, default=0)
    ap.add_argument("--draws", type=int, default=400)
    ap.add_argument("--jobs", type=int, default=1)
    ap.add_argument("--program", default="", help="seraph; built when none is given")
    args = ap.parse_args()
    program = args.program or side.build_go("cmd/seraph")
    model, settings = settings_of(args.run)
    with open(os.path.join(args.run, "tune.json")) as f:
        record = json.load(f)
    candidates = record["candidates"]
    scores = [c["val_accuracy"] or [] for c in candidates]  # none: the mean of hops stood in and was not good enough
    ranked = sorted((i for i in range(len(candidates)) if scores[i]), key=lambda i: (-len(scores[i]), -statistics.fmean(scores[i])))
    taken = ranked[:args.best] if args.best else ranked
    taken += [0] if 0 not in taken else []
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        outs = list(pool.map(lambda i: train(program, args.run, i, candidates[i], model, settings), taken))
    test = {}
    for i, out in zip(taken, outs):
        with open(os.path.join(out, "result.json")) as f:
            metrics = json.load(f)["metrics"]
        test[i] = 100 * metrics["test_accuracy"], 100 * metrics.get("test_accuracy_std", 0)
    best = max(test, key=lambda i: test[i][0])
    for name, i in (("chosen on validation", record["chosen"]), ("as they are by default", 0), ("test nodes would choose", best)):
        described = " ".join(f"{k}={v}" for k, v in candidates[i]["settings"].items())
        print(f"{name:24s} {test[i][0]:.2f} ± {test[i][1]:.2f}  {described}")
    if args.best:
        return
    seeds = [settings["seed"] + k for k in range(settings["seeds"])]
    val = [curves(out, seeds) for out in outs]
    means = [test[i][0] for i in taken]
    for name, window, patience, rounds in WAYS:
        scores = [[score(curve, window, patience) for curve in c] for c in val]
        rng, found = random.Random(0), []
        for _ in range(args.draws):
            found.append(means[choose(scores, rng.sample(range(len(seeds)), len(seeds)), rounds)])
        print(f"{name:46s} {statistics.fmean(found):.2f} ± {statistics.pstdev(found):.2f}, {max(means) - statistics.fmean(found):.2f} below the best")


if __name__ == "__main__":
    main()
