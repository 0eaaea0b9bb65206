"""Local smoothing iterations of NDLS by features, in SciPy: the figures of localsteps_test.go.

    python graph/testdata/localsteps.py FOLDER/ind.citeseer        (numpy 2.4.6, scipy 1.17.1)

Prints, for the global stationary state and for that of each component, how many nodes never come within 0.03 in 200 steps, the mean
number of steps, and the quantiles 0, 10, 25, 50, 75, 90, 100 %. Self-loops of the file are dropped; with --self-loops they stay, as in
the released code of the paper.
"""
import pickle
import sys

import numpy as np
import scipy.sparse as sp
from scipy.sparse.csgraph import connected_components

EPSILON, KMAX = 0.03, 200


def read(prefix, self_loops):
    load = lambda part: pickle.load(open(f"{prefix}.{part}", "rb"), encoding="latin1")
    known, test, neighbours = load("allx"), load("tx").tolil(), load("graph")
    n = len(neighbours)
    x = sp.lil_matrix((n, known.shape[1]), dtype=np.float32)
    x[: known.shape[0]] = known
    for i, line in enumerate(open(f"{prefix}.test.index")):
        x[int(line)] = test[i]
    x = x.tocsr()
    sums = np.asarray(x.sum(1)).ravel()
    x = sp.diags(np.where(sums > 0, 1 / np.maximum(sums, 1e-30), 0)) @ x
    ends = [(u, v) for u, row in neighbours.items() for v in row if self_loops or u != v]
    a = sp.coo_matrix((np.ones(len(ends)), tuple(zip(*ends))), shape=(n, n)).tocsr()
    a.data[:] = 1
    return a.maximum(a.T), x.toarray().astype(np.float32)


def steps(a, x, by_component):
    n = a.shape[0]
    tilde = a + sp.eye(n)
    d = np.asarray(tilde.sum(1)).ravel()
    operator = sp.csr_matrix(sp.diags(1 / d) @ tilde, dtype=np.float32)
    count, of = connected_components(a) if by_component else (1, np.zeros(n, int))
    mass = sp.coo_matrix((d, (of, np.arange(n))), shape=(count, n)).tocsr()
    limit = (sp.diags(1 / np.asarray(mass.sum(1)).ravel()) @ mass @ x)[of]
    k_of = np.full(n, -1)
    for k in range(KMAX):
        k_of[(k_of < 0) & (np.linalg.norm(x - limit, axis=1) < EPSILON)] = k
        x = operator @ x
    never = int((k_of < 0).sum())
    k_of[k_of < 0] = KMAX - 1
    return never, round(float(k_of.mean()), 4), np.quantile(k_of, [0, 0.1, 0.25, 0.5, 0.75, 0.9, 1])


prefix = sys.argv[1]
graph, features = read(prefix, "--self-loops" in sys.argv)
for by_component in (False, True):
    print("component" if by_component else "global", *steps(graph, features, by_component))
