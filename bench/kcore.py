"""Core numbers of R-MAT graphs: `seraph kcore` beside NetworKit, igraph, GBBS and the code of PKC's authors.

    python bench/kcore.py whole [--scale 20] [--threads 1,2] [--repeats 3]
    python bench/kcore.py parse [--scale 20] [--threads 1,2] [--repeats 3]
    python bench/kcore.py decompose [--scale 20] [--threads 1,2] [--repeats 5] [--pkc EXE] [--gbbs EXE] [--order input,permuted]

whole: from text to core numbers. Seraph's figures are those of the process, from start to end; NetworKit's are its calls to read,
to simplify and to decompose, the start of Python and the import without, and the peak memory of its process.

parse: the text alone, from the page cache, to pairs of ids that nobody keeps; there is no peer. A reader cuts the text into chunks beside
the threads that parse, so the figure a core is that of the processor's time.

decompose: the decomposition alone, from graphs in memory, in the order of the text and with the vertices permuted. igraph has one
thread. NetworKit's figure is the better one of its two algorithms. GBBS and PKC are timed by their own programs:

    https://github.com/ParAlg/gbbs at f0d292da (the last before it needs Bazel for Abseil), parlaylib at 5101769:
        g++ -std=c++17 -march=native -mcx16 -O3 -DNDEBUG -DGBBSLONG -DAMORTIZEDPD -DUSEMALLOC -I. -IPARLAYLIB/include -o EXE
            benchmarks/KCore/JulienneDBS17/KCore.cc gbbs/*.cc gbbs/encodings/*.cc gbbs/helpers/*.cc -lpthread
    https://github.com/humayunk1/PKC at 91b78f4: gcc -fopenmp -std=c99 -O3 -march=native -o EXE pkc.c

All sides run by turns and must agree on the core numbers (GBBS and PKC do not print them).
"""
import argparse
import hashlib
import os
import re
import statistics
import subprocess
import sys

import side

PEERS = os.path.join(side.BENCH, "kcore_peers.py")


def graph_text(program, scale):
    path = os.path.join(side.build_dir(), f"rmat{scale}.txt")
    side.run_process([program, "make", "graph", "--rmat", str(scale), "--edge-factor", "16", "--seed", "1", "--out", path])
    return path


def whole(args, program, results):
    text, nodes = args.text or graph_text(program, args.scale), 1 << args.scale
    out = os.path.join(side.build_dir(), "core.npy")
    for threads in args.threads:
        ours, theirs = [], []
        for _ in range(args.repeats):
            seconds, peak, printed = side.run_process([program, "kcore", text, "--vertices", str(nodes), "--threads", str(threads), "--out", out, "--json", "--quiet"])
            with open(out, "rb") as f:
                core = f.read()[-4 * nodes:]
            ours.append((seconds, peak, side.last_json(printed)["seconds"]))
            _, _, printed = side.run_process([sys.executable, PEERS, "whole", text, str(nodes), str(threads)])
            theirs.append(side.last_json(printed))
            if theirs[-1]["sha256"] != hashlib.sha256(core).hexdigest():
                raise RuntimeError("NetworKit has other core numbers")
        case = f"R-MAT {args.scale}, text to core numbers, {threads} threads"
        nk = [t["read"] + t["decompose"] for t in theirs]
        results.add(case, {"seraph": statistics.median(s for s, _, _ in ours), "networkit": statistics.median(nk)}, "s",
                    {"networkit": statistics.median(n / s for n, (s, _, _) in zip(nk, ours))}, 8, stages=[s for _, _, s in ours], peer=theirs)
        results.add(case + ", peak", {"seraph": max(p for _, p, _ in ours) / 2**20, "networkit": max(t["peak"] for t in theirs) / 2**20}, "MiB",
                    {"networkit": statistics.median(t["peak"] / p for t, (_, p, _) in zip(theirs, ours))}, 3)


def parse(args, program, results):
    text = args.text or graph_text(program, args.scale)
    ours, size = side.Worker([side.build_go("bench/kcorebench")]), os.path.getsize(text)
    for threads in args.threads:
        ours.ask("parse", text, threads, 1)
        rates, cores = [], []
        for _ in range(args.repeats):
            before = processor_seconds(ours.process.pid)
            rates.append(size / ours.ask("parse", text, threads, 1) / 1e6)
            cores.append(size / max(processor_seconds(ours.process.pid) - before, 0.01) / 1e6)
        results.add(f"R-MAT {args.scale}, parsing, {threads} threads", {"seraph": statistics.median(rates), "a core": statistics.median(cores)}, "MB/s", {}, 300)
    ours.close()


def processor_seconds(pid):
    with open(f"/proc/{pid}/stat") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def pkc(program, edges, threads):
    """The best of the authors' algorithms, by their own clock: sequential ones with a thread, parallel ones with more."""
    printed = subprocess.run([program, edges], env=dict(os.environ, OMP_NUM_THREADS=str(threads), NUM_THREADS=str(threads)), capture_output=True, text=True, check=True)
    times = dict(re.findall(r"(\S[\w -]*?) time:\s*([\d.]+) sec", printed.stdout + printed.stderr))
    return min(float(t) for name, t in times.items() if "MPM" not in name)


def gbbs(program, graph, threads):
    printed = subprocess.run([program, "-s", "-b", "-rounds", "2", graph], env=dict(os.environ, PARLAY_NUM_THREADS=str(threads)), capture_output=True, text=True, check=True)
    return min(float(t) for t in re.findall(r"Running Time: ([\d.e+-]+)", printed.stdout))


def write_text(edges, nodes, path):
    """What PKC reads: vertices and edges, then the edges."""
    import numpy as np
    pairs = np.fromfile(edges, dtype="<i4").reshape(-1, 2)
    with open(path, "w") as f:
        f.write(f"{nodes} {len(pairs)}\n")
        for begin in range(0, len(pairs), 1 << 20):
            f.write("\n".join(f"{u} {v}" for u, v in pairs[begin:begin + (1 << 20)].tolist()) + "\n")


def decompose(args, program, results):
    text, nodes = args.text or graph_text(program, args.scale), 1 << args.scale
    ours = side.Worker([side.build_go("bench/kcorebench")])
    ours.ask("read", text, nodes)
    for order in args.order:
        base = os.path.join(side.build_dir(), order)
        ours.ask("edges", order, base + ".edges")
        peers = {name: side.Worker([sys.executable, PEERS, "worker", name, base + ".edges", str(nodes)]) for name in args.peers if name in ("networkit", "igraph")}
        if args.pkc:
            write_text(base + ".edges", nodes, base + ".txt")
        if args.gbbs:
            ours.ask("csr", order, base + ".csr")
        for threads in args.threads:
            want = ours.ask("hash", order, threads)
            sides = {"seraph": lambda calls: ours.ask("run", order, threads, calls)}
            if "networkit" in peers:
                nk = peers["networkit"]
                sides["networkit"] = lambda calls: min(nk.ask("run", variant, threads, 1) for variant in ("park", "buckets"))
            if "igraph" in peers and threads == 1:
                sides["igraph"] = lambda calls: peers["igraph"].ask("run", "coreness", 1, 1)
            for name in sides.keys() & peers.keys():
                if peers[name].ask("hash", "park", threads) != want:
                    raise RuntimeError(name + " has other core numbers")
            if args.pkc:
                sides["pkc"] = lambda calls: pkc(args.pkc, base + ".txt", threads)
            if args.gbbs:
                sides["gbbs"] = lambda calls: gbbs(args.gbbs, base + ".csr", threads)
            if threads > 1:
                sides["seraph, one thread"] = lambda calls: ours.ask("run", order, 1, calls)
            medians, times = side.interleave(sides, args.repeats)
            more = {}
            if threads > 1:
                more["ours_on_one"] = side.paired(times, "seraph", "seraph, one thread")
                print(f"    {more['ours_on_one']:.2f} times our own on one thread")
                del times["seraph, one thread"]
            results.add(f"R-MAT {args.scale}, {order} order, decomposition, {threads} threads", medians, "s", side.against_peers(times), 2, **more)
        for peer in peers.values():
            peer.close()
    ours.close()


def main():
    ap = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ap.add_argument("what", choices=["whole", "parse", "decompose"])
    ap.add_argument("--scale", type=int, default=20)
    ap.add_argument("--threads", type=lambda s: [int(t) for t in s.split(",")], default=[1, 2])
    ap.add_argument("--order", type=lambda s: s.split(","), default=["input", "permuted"])
    ap.add_argument("--peers", type=lambda s: s.split(","), default=["networkit", "igraph"])
    ap.add_argument("--repeats", type=int, default=3)
    ap.add_argument("--pkc")
    ap.add_argument("--gbbs")
    ap.add_argument("--text", help="the text of the graph, where it was made before")
    ap.add_argument("--seraph", help="a built program, else it is built")
    args = ap.parse_args()
    results = side.Results("kcore", side.versions("networkit", "igraph", "numpy"))
    program = args.seraph or side.build_go("cmd/seraph")
    try:
        dict(whole=whole, parse=parse, decompose=decompose)[args.what](args, program, results)
    finally:
        side.clean()


if __name__ == "__main__":
    main()
