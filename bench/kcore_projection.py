"""What a graph far larger than this machine would take: `seraph kcore` on R-MAT graphs that grow, and what follows from their figures.

    python bench/kcore_projection.py [--scales 16,18,20] [--edges 136e9] [--vertices 2e9] [--memory 64] [--result FILE]

On disk, each graph is divided within a budget that grows with it. With 16 ranks (goroutines: what they exchange is counted, not sent) it is
divided as the paper does. The core numbers of both must be the same. Figures an edge that do not grow with the scale can be multiplied;
project() says how.
"""
import argparse
import json
import os

import side
from kcore import graph_text

RANKS = 16


def decompose(program, text, *flags):
    _, peak, printed = side.run_process([program, "kcore", text, "--threads", "2", "--json", "--quiet", *flags])
    result = side.last_json(printed)
    result["resident"] = peak
    return result


def on_disk(program, text, folder, memory):
    """One decomposition on disk, and what it came to an edge."""
    r = decompose(program, text, "--engine", "divide", "--memory", memory, "--disk", folder + ":40GB")
    return dict(of_an_edge(r), memory=memory, resident=r["resident"], text=os.path.getsize(text) / r["edges"])


def of_an_edge(r):
    """What a result event of a decomposition on disk comes to an edge."""
    edges = r["edges"]
    return dict(edges=edges, vertices=r["vertices"], sha256=r["coreness_sha256"], parts=len(r["progress"]["stages"]), sweeps=r["progress"]["sweeps"],
                read=r["bytes_read"] / edges, written=r["bytes_written"] / edges,
                sort=r["seconds"]["sort"] / edges, divide=r["seconds"]["decompose"] / edges)


def over_ranks(program, text):
    r = decompose(program, text, "--engine", "ranks", "--ranks", str(RANKS))
    stages = r["progress"]["stages"]
    return dict(edges=r["edges"], vertices=r["vertices"], sha256=r["coreness_sha256"], messages=r["messages"] / r["edges"],
                rounds=sum(s.get("rounds", 0) for s in stages), updates=sum(s.get("updates", 0) for s in stages) / r["edges"],
                widest=max(s["edges"] for s in stages) / r["edges"], seconds=r["seconds"]["decompose"] / r["edges"])


def project(disk, ranks, edges, vertices, memory):
    """Bytes and seconds at that size, by proportion to the edges.

    One machine holds 4 bytes a vertex and 12 for 64 of them; the rest of its memory is the part. Rows of 2 to 4 bytes an entry, two entries
    an edge: 2.2 were measured at scale 24, and 4 is what gaps of random ids take. Every part reads all rows at worst, and holds at most
    its memory in rows. Sorting writes and reads runs about as large as the rows, once where memory / 1 MiB runs can be merged at a time.
    A rank holds its share of the rows as int32, 4 bytes of every vertex, and 9 of its own; a message has 8 bytes. A rank has one core.
    """
    vectors = (4 + 12 / 64) * vertices
    part = memory - vectors
    for width in (2, 4):
        rows = 2 * width * edges
        passes = disk["sweeps"] + max(1, -(-rows // part))
        per_pass = disk["divide"] / (disk["sweeps"] + disk["parts"])
        print(f"one machine, {memory / 2**30:.0f} GiB, {width} bytes an entry: vectors {vectors / 1e9:.1f} GB, rows {rows / 1e12:.2f} TB, at most {passes:.0f} passes, "
              f"{passes * rows / 1e12:.1f} TB read, sort {disk['sort'] * edges / 3600:.1f} h, divide {passes * per_pass * edges / 3600:.1f} h on two cores")
    rank = (4 * 2 * edges + 8 * vertices) / RANKS + 4 * vertices + 9 * vertices / RANKS
    sent = 8 * ranks["messages"] * edges
    print(f"{RANKS} ranks: {rank / 1e9:.0f} GB each, {sent / 1e12:.2f} TB of messages, {sent / RANKS / 1e9:.0f} GB a rank, "
          f"{2 * ranks['seconds'] * edges / RANKS / 3600:.1f} h of a core each")


def main():
    ap = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ap.add_argument("--scales", type=lambda s: [int(x) for x in s.split(",")], default=[16, 18, 20])
    ap.add_argument("--budgets", type=lambda s: s.split(","), help="a budget a scale, else 48 MiB and 2 bytes an edge sample")
    ap.add_argument("--result", help="what `seraph kcore --json` printed of a larger graph on disk, to project from instead of the last one")
    ap.add_argument("--seraph", help="a built program, else it is built")
    ap.add_argument("--edges", type=float, default=136e9)
    ap.add_argument("--vertices", type=float, default=2e9)
    ap.add_argument("--memory", type=float, default=64, help="of the one machine, GiB")
    args = ap.parse_args()
    results = side.Results("kcore_projection", side.versions())
    program = args.seraph or side.build_go("cmd/seraph")
    try:
        for i, scale in enumerate(args.scales):
            text = graph_text(program, scale)
            memory = args.budgets[i] if args.budgets else f"{48 + 32 * 2**scale // 2**20}MiB"
            disk = on_disk(program, text, side.build_dir(), memory)
            ranks = over_ranks(program, text)
            if disk["sha256"] != ranks["sha256"]:
                raise RuntimeError("ranks have other core numbers than parts on disk")
            print(f"scale {scale} on disk:", json.dumps(disk), flush=True)
            print(f"scale {scale}, {RANKS} ranks:", json.dumps(ranks), flush=True)
            results.add(f"R-MAT {scale}, on disk", {k: disk[k] for k in ("read", "written", "text")}, "bytes an edge", {}, disk=disk, ranks=ranks)
            os.remove(text)
        if args.result:
            with open(args.result) as f:
                disk = of_an_edge(side.last_json(f.read()))
        project(disk, ranks, args.edges, args.vertices, args.memory * 2**30)
    finally:
        side.clean()


if __name__ == "__main__":
    main()
