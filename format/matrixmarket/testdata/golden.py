"""Writes one matrix in the coordinate formats of SciPy's writer. Python 3.11, scipy 1.17.1, numpy 2.4.6.

    python golden.py
"""
import pathlib

import numpy as np
import scipy.io
import scipy.sparse

here = pathlib.Path(__file__).parent
general = np.array([[0, 2, 0, 0], [0, 0, 0, 1], [4, 0, 0, 0], [0, 0, 0, 3]])
symmetric = np.array([[5, 0, 1.5, 0], [0, 0, 0, 0], [1.5, 0, 0, -2], [0, 0, -2, 0]])
skew = np.array([[0, 1, 0], [-1, 0, 2.5], [0, -2.5, 0]])
scipy.io.mmwrite(here / "general.mtx", scipy.sparse.coo_matrix(general), comment="four nodes")
scipy.io.mmwrite(here / "pattern.mtx", scipy.sparse.coo_matrix(general), field="pattern")
scipy.io.mmwrite(here / "symmetric.mtx", scipy.sparse.coo_matrix(symmetric), symmetry="symmetric")
scipy.io.mmwrite(here / "skew.mtx", scipy.sparse.coo_matrix(skew), symmetry="skew-symmetric")
