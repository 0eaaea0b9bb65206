"""What weights of hops add: the settings that a search chose, trained again with the mean of the hops in place of the weights.

    python bench/ablation.py RUN...

RUN is the directory of a `seraph train gmlp|gamlp-jk|gamlp-r … --seeds N` that has searched (tune.json). Printed for each are the mean
test accuracy of RUN and of the same settings with messages=mean, both over the seeds of RUN, and the difference with its
standard error over pairs of the same seed and split. The second training is kept in RUN/selection/mean and is not made twice.
"""
import argparse
import json
import os
import statistics

import selection
import side


def accuracies(run, seeds):
    """Test accuracies by seed, in %."""
    found = []
    for seed in seeds:
        with open(os.path.join(run, "seeds", str(seed), "trial.json")) as f:
            found += [100 * m["value"] for m in json.load(f)["metrics"] if m["name"] == "test_accuracy"]
    return found


def main():
    ap = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ap.add_argument("runs", nargs="+")
    ap.add_argument("--program", default="", help="seraph; built when none is given")
    args = ap.parse_args()
    program = args.program or side.build_go("cmd/seraph")
    for run in args.runs:
        model, settings = selection.settings_of(run)
        with open(os.path.join(run, "tune.json")) as f:
            record = json.load(f)
        chosen = dict(record["candidates"][record["chosen"]]["settings"], messages="mean")
        mean = selection.train(program, run, "mean", {"settings": chosen}, model, settings)
        seeds = range(settings["seed"], settings["seed"] + settings["seeds"])
        a, b = accuracies(run, seeds), accuracies(mean, seeds)
        d = [x - y for x, y in zip(a, b)]
        print(f"{os.path.basename(run):12s} {statistics.fmean(a):.2f} ± {statistics.stdev(a):.2f}, mean of hops {statistics.fmean(b):.2f} ± {statistics.stdev(b):.2f}, "
              f"adds {statistics.fmean(d):+.2f} ± {statistics.stdev(d) / len(d) ** .5:.2f}", flush=True)


if __name__ == "__main__":
    main()
