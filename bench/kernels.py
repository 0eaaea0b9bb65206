"""Numeric kernels, one core and two: Seraph beside NumPy (OpenBLAS), PyTorch (MKL, oneDNN), SciPy and a C STREAM triad.

    python bench/kernels.py [--repeats 15] [--threads 1,2] [--only f32,skinny,bf16,spmm,stream]

Figures are GFLOP/s for products (2mnk operations) and GB/s for streaming kernels, where only what the operation must read and
write is counted: 12 bytes an element for the triad, 28 a parameter for AdamW, 8 an element for softmax and layer-norm.
"""
import argparse
import os
import time

import numpy as np
import scipy.sparse
import threadpoolctl
import torch

import side

PRODUCTS = [(1024, 1024, 1024), (4096, 512, 512), (2048, 768, 3072)]  # m, n, k
SKINNY = [(1, 768, 768), (8, 768, 768), (64, 768, 768)]
GRAPHS = {"photo-like": (7_650, 238_162), "cs-like": (18_333, 163_788), "arxiv-like": (169_343, 2_315_598)}  # nodes, entries
WIDTH = 128
PARAMETERS = 1 << 24        # 64 MiB a tensor, four tensors
ROWS, COLUMNS = 16384, 1024  # 64 MiB in, 64 MiB out
TRIAD = 1 << 24             # 64 MiB an array, three arrays


def timed(f):
    """A side from a function without arguments; one call before the clock starts wakes its threads."""
    def run(calls):
        f()
        start = time.perf_counter()
        for _ in range(calls):
            f()
        return (time.perf_counter() - start) / calls
    return run


def products(results, seraph, threads, repeats, shapes, name, target):
    rng = np.random.default_rng(1)
    for m, n, k in shapes:
        a, b = rng.standard_normal((m, k), np.float32), rng.standard_normal((k, n), np.float32)
        c = np.empty((m, n), np.float32)
        ta, tb, tc = torch.from_numpy(a), torch.from_numpy(b), torch.empty(m, n)
        measure(results, f"{name} {m}x{n}x{k}", threads, repeats, 2e-9 * m * n * k, "GFLOP/s", target, {
            "seraph": lambda calls: seraph.ask("matmul", "f32", m, n, k, threads, calls),
            "numpy": timed(lambda: np.matmul(a, b, out=c)),
            "torch": timed(lambda: torch.mm(ta, tb, out=tc)),
        })


def products_bf16(results, seraph, threads, repeats):
    target = 0.7 if "amx_bf16" in results.head["machine"]["features"] else 0.9
    for m, n, k in PRODUCTS:
        ta, tb = torch.randn(m, k).bfloat16(), torch.randn(k, n).bfloat16()
        tc = torch.empty(m, n, dtype=torch.bfloat16)
        measure(results, f"bf16 product {m}x{n}x{k}", threads, repeats, 2e-9 * m * n * k, "GFLOP/s", target, {
            "seraph": lambda calls: seraph.ask("matmul", "bf16", m, n, k, threads, calls),
            "torch": timed(lambda: torch.mm(ta, tb, out=tc)),
        })


def random_graph(nodes, entries):
    """A symmetric graph with heavy-tailed degrees, in CSR; about as many entries as asked for."""
    rng = np.random.default_rng(2)
    weight = rng.pareto(2.0, nodes) + 1
    u, v = (rng.choice(nodes, entries // 2, p=weight / weight.sum()) for _ in range(2))
    a = scipy.sparse.coo_array((np.ones(entries // 2, np.float32), (u, v)), shape=(nodes, nodes)).tocsr()
    a = scipy.sparse.csr_array(a + a.T)
    a.data = rng.random(a.nnz, np.float32)
    return a


def spmm(results, seraph, threads, repeats):
    for name, (nodes, entries) in GRAPHS.items():
        a = random_graph(nodes, entries)
        x = np.random.default_rng(3).standard_normal((nodes, WIDTH), np.float32)
        folder = os.path.join(side.build_dir(), name)
        os.makedirs(folder, exist_ok=True)
        for part, array in (("indptr", a.indptr.astype("<i8")), ("indices", a.indices.astype("<i4")), ("values", a.data.astype("<f4"))):
            array.tofile(os.path.join(folder, part))
        ta = torch.sparse_csr_tensor(torch.from_numpy(a.indptr.astype(np.int64)), torch.from_numpy(a.indices.astype(np.int64)),
                                     torch.from_numpy(a.data), size=a.shape)
        tx = torch.from_numpy(x)
        measure(results, f"CSR x dense, {name}, {a.nnz} entries, {WIDTH} columns", threads, repeats, 2e-9 * a.nnz * WIDTH, "GFLOP/s",
                "1.5 of scipy, 1.0 of torch", {
                    "seraph": lambda calls: seraph.ask("spmm", folder, WIDTH, threads, calls),
                    "scipy": timed(lambda: a @ x),
                    "torch": timed(lambda: ta @ tx),
                })


def streams(results, seraph, triad, threads, repeats):
    def per_gb(f, nbytes):
        return lambda calls: f(calls) / (nbytes * 1e-9)

    yard = per_gb(lambda calls: triad.ask(TRIAD, threads, calls), 12 * TRIAD)
    x = torch.randn(ROWS, COLUMNS)
    out, gain, shift = torch.empty_like(x), torch.ones(COLUMNS), torch.zeros(COLUMNS)
    p = torch.nn.Parameter(torch.randn(PARAMETERS))
    p.grad = torch.randn(PARAMETERS)
    optimizer = torch.optim.AdamW([p], lr=1e-4, fused=True)
    cases = {
        "AdamW step": (28 * PARAMETERS, lambda calls: seraph.ask("adamw", PARAMETERS, threads, calls), optimizer.step),
        "softmax": (8 * ROWS * COLUMNS, lambda calls: seraph.ask("softmax", ROWS, COLUMNS, threads, calls),
                    lambda: torch.softmax(x, 1, out=out)),
        "layer-norm": (8 * ROWS * COLUMNS, lambda calls: seraph.ask("layernorm", ROWS, COLUMNS, threads, calls),
                       lambda: torch.nn.functional.layer_norm(x, (COLUMNS,), gain, shift)),
    }
    with torch.no_grad():
        for name, (nbytes, ours, theirs) in cases.items():
            measure(results, name, threads, repeats, 1, "GB/s", "0.8 of the triad", {
                "seraph": per_gb(ours, nbytes),
                "triad": yard,
                "torch": per_gb(timed(theirs), nbytes),
            }, better=False)


def measure(results, case, threads, repeats, work, unit, target, sides, better=True):
    """work: what one call does, in unit-seconds."""
    torch.set_num_threads(threads)
    with threadpoolctl.threadpool_limits(threads, user_api="blas"):
        medians, times = side.interleave(sides, repeats)
    ratios = side.against_peers(times)
    if not better:
        ratios.pop("better of them", None)
    results.add(f"{case}, {threads} threads", {n: work / t for n, t in medians.items()}, unit, ratios, target, threads=threads)


def main():
    ap = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ap.add_argument("--repeats", type=int, default=15)
    ap.add_argument("--threads", default="1,2")
    ap.add_argument("--only", default="f32,skinny,bf16,spmm,stream")
    args = ap.parse_args()
    parts = args.only.split(",")
    results = side.Results("kernels", side.versions("numpy", "torch", "scipy"))
    seraph = side.Worker([side.build_go("bench/kernelbench")])
    triad = side.Worker([side.build_c("stream.c")]) if "stream" in parts else None
    print(f"  kernels: {seraph.ask('level')}")
    try:
        for threads in map(int, args.threads.split(",")):
            if "f32" in parts:
                products(results, seraph, threads, args.repeats, PRODUCTS, "f32 product", "0.95 of the better")
            if "skinny" in parts:
                products(results, seraph, threads, args.repeats, SKINNY, "f32 skinny product", "1.0 of the better")
            if "bf16" in parts:
                products_bf16(results, seraph, threads, args.repeats)
            if "spmm" in parts:
                spmm(results, seraph, threads, args.repeats)
            if "stream" in parts:
                streams(results, seraph, triad, threads, args.repeats)
    finally:
        side.clean()


if __name__ == "__main__":
    main()
