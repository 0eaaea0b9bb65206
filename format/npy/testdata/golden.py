"""Writes the golden .npy and .npz files of this folder. Python 3.11, numpy 2.4.6.

    python golden.py
"""
import pathlib

import numpy as np
from numpy.lib import format as npyformat

here = pathlib.Path(__file__).parent
rng = np.random.default_rng(0)

arrays = {}
for code in ["f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"]:
    for order in "<>":
        arrays[f"{code}_{'le' if order == '<' else 'be'}"] = (np.arange(12).reshape(3, 4) * 3 - (0 if code[0] == "u" else 7)).astype(order + code)
arrays["fortran"] = np.asfortranarray(np.arange(24, dtype="<i4").reshape(2, 3, 4))
arrays["bool"] = np.array([[True, False], [False, True], [True, True]])
arrays["text_le"] = np.array(["Cora", "", "Zürich", "日本"], dtype="<U6")
arrays["text_be"] = np.array(["Cora", "", "Zürich", "日本"], dtype=">U6")
arrays["scalar"] = np.array(2.5, dtype="<f4")
arrays["empty"] = np.zeros((0, 5), dtype="<f4")
arrays["object"] = np.array([{"a": 1}], dtype=object)
# Every kind of half: normal, subnormal, smallest, largest, zeros, infinities, NaN.
arrays["halves"] = np.array([0x0000, 0x8000, 0x0001, 0x03FF, 0x0400, 0x3C00, 0xC000, 0x7BFF, 0x7C00, 0xFC00, 0x7E00], dtype="<u2").view("<f2")

np.savez(here / "stored.npz", **arrays)
np.savez_compressed(here / "deflated.npz", **arrays)
for version in [(1, 0), (2, 0), (3, 0)]:
    with open(here / f"version{version[0]}.npy", "wb") as f:
        npyformat.write_array(f, np.arange(6, dtype="<f4").reshape(2, 3), version=version)
