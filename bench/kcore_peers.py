"""The peers of bench/kcore.py: NetworKit and igraph.

    python bench/kcore_peers.py whole TEXT NODES THREADS     NetworKit from text to core numbers; a JSON line
    python bench/kcore_peers.py worker networkit|igraph EDGES NODES
                                                             a graph of pairs of int32, asked through side.Worker:
                                                             "run VARIANT THREADS CALLS" seconds, "hash VARIANT THREADS"
"""
import hashlib
import json
import sys
import time

import numpy as np


def sha256(core):
    return hashlib.sha256(np.asarray(core, dtype="<u4").tobytes()).hexdigest()


def networkit_core(nk, graph, buckets=False):
    return nk.centrality.CoreDecomposition(graph, enforceBucketQueueAlgorithm=buckets).run()


def whole(path, nodes, threads):
    import networkit as nk
    nk.setNumberOfThreads(threads)
    start = time.perf_counter()
    graph = nk.graphio.EdgeListReader(" ", 0, continuous=True, directed=False).read(path)
    graph.removeMultiEdges()
    graph.removeSelfLoops()
    read = time.perf_counter()
    core = networkit_core(nk, graph)
    end = time.perf_counter()
    found = np.zeros(nodes, dtype="<u4")
    scores = np.array(core.scores())
    found[:len(scores)] = scores
    with open("/proc/self/status") as f:
        peak = next(int(line.split()[1]) * 1024 for line in f if line.startswith("VmHWM"))
    print(json.dumps(dict(read=read - start, decompose=end - read, peak=peak, sha256=sha256(found))))


class NetworKit:
    def __init__(self, pairs, nodes):
        import networkit as nk
        self.nk = nk
        u, v = np.ascontiguousarray(pairs[:, 0]).astype(np.uint64), np.ascontiguousarray(pairs[:, 1]).astype(np.uint64)
        self.graph = nk.GraphFromCoo((u, v), n=nodes, weighted=False, directed=False)
        assert self.graph.numberOfEdges() == len(pairs)

    def core(self, variant, threads):
        self.nk.setNumberOfThreads(threads)
        return networkit_core(self.nk, self.graph, variant == "buckets")

    @staticmethod
    def numbers(result):
        return result.scores()


class IGraph:
    def __init__(self, pairs, nodes):
        import igraph
        self.graph = igraph.Graph(n=nodes, edges=pairs, directed=False)

    def core(self, variant, threads):
        return self.graph.coreness()

    @staticmethod
    def numbers(result):
        return result


def worker(kind, path, nodes):
    peer = dict(networkit=NetworKit, igraph=IGraph)[kind](np.fromfile(path, dtype="<i4").reshape(-1, 2), nodes)
    for line in sys.stdin:
        request, variant, threads, *calls = line.split()
        if request == "hash":
            print(json.dumps(sha256(peer.numbers(peer.core(variant, int(threads))))), flush=True)
            continue
        start = time.perf_counter()
        for _ in range(int(calls[0])):
            peer.core(variant, int(threads))
        print(json.dumps((time.perf_counter() - start) / int(calls[0])), flush=True)


if __name__ == "__main__":
    if sys.argv[1] == "whole":
        whole(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
    else:
        worker(sys.argv[2], sys.argv[3], int(sys.argv[4]))
