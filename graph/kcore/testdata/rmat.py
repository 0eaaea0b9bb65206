"""Core numbers of the R-MAT graphs of rmat_test.go: edges, degeneracy and SHA-256 of the core numbers of vertices 0 … n-1 as little-endian
uint32, by igraph and NetworKit, which agree.

    python graph/kcore/testdata/rmat.py 10 14 16        (igraph 1.0.0, networkit 11.3, numpy 2.4.6)

Of scale 20 NetworKit's graph takes some minutes to fill here; bench/kcore.py has a faster way.
"""
import hashlib
import sys

import igraph
import networkit
import numpy as np

FACTOR, SEED, GOLDEN = 16, 1, 0x9E3779B97F4A7C15
A, B, C = int(.57 * 2**32), int(.19 * 2**32), int(.19 * 2**32)


def samples(scale):
    """Splitmix64 of a counter chooses a quadrant a level."""
    e = np.arange(FACTOR << scale, dtype=np.uint64)
    u, v = np.zeros(len(e), dtype=np.int64), np.zeros(len(e), dtype=np.int64)
    for level in range(scale):
        x = np.uint64(SEED * GOLDEN % 2**64) + (e * np.uint64(scale) + np.uint64(level + 1)) * np.uint64(GOLDEN)
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        r = ((x ^ (x >> np.uint64(31))) >> np.uint64(32)).astype(np.int64)
        u = 2 * u + (r >= A + B)
        v = 2 * v + ((r >= A) & (r < A + B) | (r >= A + B + C))
    return u, v


for scale in map(int, sys.argv[1:]):
    n = 1 << scale
    u, v = samples(scale)
    edges = np.unique(np.minimum(u, v) * n + np.maximum(u, v), sorted=True)
    edges = np.stack([edges // n, edges % n], axis=1)
    edges = edges[edges[:, 0] != edges[:, 1]]
    core = np.array(igraph.Graph(n=n, edges=edges).coreness(), dtype="<u4")
    graph = networkit.Graph(n)
    for a, b in edges.tolist():
        graph.addEdge(a, b)
    other = np.array(networkit.centrality.CoreDecomposition(graph).run().scores()).astype("<u4")
    assert (core == other).all()
    print(scale, len(edges), core.max(), hashlib.sha256(core.tobytes()).hexdigest())
