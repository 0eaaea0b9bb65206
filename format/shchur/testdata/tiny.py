"""Writes one graph of four nodes in the three layouts. Python 3.11, numpy 2.4.6. The pickle uses protocol 3 and the module
names of the libraries of 2020.

    python tiny.py
"""
import io
import pathlib
import pickle
import sys
import types
import zipfile

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

# Row 0 unsorted, a self-loop at 2, a stored zero 3 → 0, a weight of 2 at 3 → 2.
adj = {"data": [1, 1, 1, 1, 0, 2], "indices": [2, 1, 0, 2, 0, 2], "indptr": [0, 2, 3, 4, 6], "shape": (4, 4)}
attr = {"data": [1, 0.5, 3], "indices": [1, 0, 2], "indptr": [0, 1, 2, 2, 3], "shape": (4, 3)}
labels = [0, 1, -1, 1]


def arrays(prefix, m):
    return {
        prefix + "data": np.array(m["data"], dtype="<f4"),
        prefix + "indices": np.array(m["indices"], dtype="<i4"),
        prefix + "indptr": np.array(m["indptr"], dtype="<i4"),
        prefix + "shape": np.array(m["shape"], dtype="<i8"),
    }


np.savez(here / "benchmark.npz", **arrays("adj_", adj), **arrays("attr_", attr), labels=np.array(labels, dtype="<i8"), class_names=np.array(["red", "blue"]), node_names=np.array(["a", "b", "c", "d"], dtype=object))
np.savez_compressed(here / "ppnp.npz", **arrays("adj_matrix.", adj), **arrays("attr_matrix.", attr), labels=np.array(labels, dtype="|i1"))


def pickled(m):
    matrix = csr_matrix()
    parts = arrays("", m)
    matrix.__dict__.update({"_shape": m["shape"], "maxprint": 50, "indices": parts["indices"], "indptr": parts["indptr"], "data": parts["data"]})
    array = np.empty((), dtype=object)
    array[()] = matrix
    raw = pickle.dumps(array, protocol=3).replace(b"numpy._core.multiarray\n", b"numpy.core.multiarray\n")
    head = b"{'descr': '|O', 'fortran_order': False, 'shape': (), }"
    head += b" " * (117 - len(head)) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(head).to_bytes(2, "little") + head + raw


def plain(values):
    out = io.BytesIO()
    np.save(out, values)
    return out.getvalue()


with zipfile.ZipFile(here / "pickled.npz", "w", zipfile.ZIP_DEFLATED) as z:
    for member, content in {"adj_matrix": pickled(adj), "node_attr": pickled(attr), "node_label": plain(np.array([1, 2, 1, 2], dtype="<i4"))}.items():
        z.writestr(zipfile.ZipInfo(member + ".npy"), content, zipfile.ZIP_DEFLATED)
with zipfile.ZipFile(here / "nested.zip", "w") as z:
    z.writestr(zipfile.ZipInfo("benchmark.npz"), (here / "benchmark.npz").read_bytes(), zipfile.ZIP_DEFLATED)
