"""Writes the golden pickles of this folder: what SciPy and NumPy of 2016 to 2020 wrote with protocol 3.
Python 3.11, numpy 2.4.6; newer libraries name their modules otherwise, so the old names are put back.

    python golden.py
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


def csr(shape, indptr, indices, data):
    m = csr_matrix()
    m.__dict__.update({
        "_shape": shape, "maxprint": 50, "format": "csr",
        "data": np.array(data, dtype="<f4"), "indices": np.array(indices, dtype="<i4"), "indptr": np.array(indptr, dtype="<i4"),
    })
    return m


def write(name, value):
    raw = pickle.dumps(value, protocol=3)
    raw = raw.replace(b"numpy._core.multiarray\n", b"numpy.core.multiarray\n").replace(b"cbuiltins\n", b"c__builtin__\n")
    (here / name).write_bytes(raw)


write("csr.pickle", csr((3, 4), [0, 2, 2, 3], [1, 3, 0], [1, 2, 3]))
write("array.pickle", np.asfortranarray(np.arange(6, dtype=">i2").reshape(2, 3)))
write("graph.pickle", collections.defaultdict(list, {0: [1, 2], 1: [0, 300, 70000], 2: [0]}))
write("plain.pickle", {"a": [None, True, False, -1, 255, 65535], "b": (1, "é", b"xy"), "c": ()})
