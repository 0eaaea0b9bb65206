"""Writes a data set of five nodes in OGB's layout, as its authors do (pandas), and reads it back with OGB's own reader.
Python 3.11, pandas 3.1.1, numpy 2.4.6, ogb 1.3.6.

    python tiny.py         write ./tiny
    python tiny.py DIR     check that OGB's reader finds the same graph in DIR, for example one that TestWriter kept
"""
import pathlib
import sys

import numpy as np
import pandas as pd
from ogb.io.read_graph_raw import read_csv_graph_raw

edge = np.array([[0, 1], [1, 2], [1, 2], [3, 3], [4, 0], [2, 4]])  # twice 1 → 2, a loop, node 3 alone but for it
feat = np.array([[0.5, -1, 0], [1e-7, 3.4028235e38, 0.1], [0, 0, 0], [-0.057943, 1, 2], [16777217.0, 1 / 3, -2]], dtype=np.float32)
label = np.array([2.0, 0.0, np.nan, 2.0, 1.0])
split = {"train": [4, 0], "valid": [1], "test": [3]}


def write(folder):
    for name, values in {
        "raw/edge": edge, "raw/node-feat": feat, "raw/node-label": label, "raw/num-node-list": [len(feat)], "raw/num-edge-list": [len(edge)],
        "raw/node_year": [2010, 2011, 2012, 2013, 2014], "raw/edge_reltype": [0, 0, 1, 1, 0, 0],
        "split/time/train": split["train"], "split/time/valid": split["valid"], "split/time/test": split["test"],
    }.items():
        path = folder / (name + ".csv.gz")
        path.parent.mkdir(parents=True, exist_ok=True)
        pd.DataFrame(values).to_csv(path, header=False, index=False, na_rep="nan", compression={"method": "gzip", "mtime": 0})


def check(folder):
    (graph,) = read_csv_graph_raw(str(folder / "raw"))
    assert graph["num_nodes"] == len(feat) and (graph["edge_index"] == edge.T).all()
    assert graph["node_feat"].dtype == np.float32 and (graph["node_feat"] == feat).all(), graph["node_feat"]
    read = lambda name: pd.read_csv(folder / (name + ".csv.gz"), header=None).values.T[0]
    np.testing.assert_array_equal(read("raw/node-label"), label)
    for part, ids in split.items():
        np.testing.assert_array_equal(read("split/time/" + part), ids)


folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pathlib.Path(__file__).parent / "tiny"
if len(sys.argv) == 1:
    write(folder)
check(folder)
