"""Writes ind.tiny.*, a planetoid data set of eight nodes in which node 6 is missing from test.index. Python 3.11,
numpy 2.4.6. The pickles use protocol 3 and the module names of the libraries of 2016.

    python tiny.py
"""
import collections
import pathlib
import pickle
import sys
import types

import numpy as np

here = pathlib.Path(__file__).parent


class csr_matrix:
    pass


csr_matrix.__module__ = "scipy.sparse.csr"
csr_matrix.__qualname__ = "csr_matrix"
module = types.ModuleType("scipy.sparse.csr")
module.csr_matrix = csr_matrix
for name in ["scipy", "scipy.sparse"]:
    sys.modules.setdefault(name, types.ModuleType(name))
sys.modules["scipy.sparse.csr"] = module


def csr(dense):
    dense = np.array(dense, dtype="<f4")
    m = csr_matrix()
    rows, cols = np.nonzero(dense)
    indptr = np.zeros(len(dense) + 1, dtype="<i4")
    np.cumsum(np.bincount(rows, minlength=len(dense)), out=indptr[1:])
    m.__dict__.update({"_shape": dense.shape, "maxprint": 50, "format": "csr", "data": dense[rows, cols], "indices": cols.astype("<i4"), "indptr": indptr})
    return m


def write(ext, value):
    raw = pickle.dumps(value, protocol=3)
    raw = raw.replace(b"numpy._core.multiarray\n", b"numpy.core.multiarray\n").replace(b"cbuiltins\n", b"c__builtin__\n")
    (here / f"ind.tiny.{ext}").write_bytes(raw)


def one_hot(labels):
    return np.eye(2, dtype="<i4")[labels]


allx = [[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0]]
tx = [[0, 0, 7], [0, 0, 4], [5, 0, 0]]  # of nodes 7, 4 and 5
write("x", csr(allx[:2]))
write("allx", csr(allx))
write("tx", csr(tx))
write("y", one_hot([0, 1]))
write("ally", one_hot([0, 1, 1, 0]))
write("ty", one_hot([1, 0, 1]))
write("graph", collections.defaultdict(list, {0: [1, 2], 1: [0], 2: [0, 2], 3: [], 4: [5, 5], 5: [4, 4], 6: [7], 7: [6]}))
(here / "ind.tiny.test.index").write_bytes(b"7\r\n4\r\n5\r\n")
