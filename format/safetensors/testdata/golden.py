"""Writes the golden files of this folder. Python 3.11, numpy 2.4.6, safetensors 0.8.0.

    python golden.py
"""
import json
import pathlib

import numpy as np
from safetensors.numpy import save_file

here = pathlib.Path(__file__).parent

tensors = {
    "w": np.arange(6, dtype="<f4").reshape(2, 3) - 2.5,
    "half": np.array([1, -0.5, 65504], dtype="<f2"),
    "double": np.array(3.25, dtype="<f8"),
    "ids": np.array([-1, 1 << 40], dtype="<i8"),
    "bytes": np.arange(5, dtype="u1"),
    "flags": np.array([True, False, True]),
    "none": np.zeros((0, 4), dtype="<f4"),
    "Zürich/日本 \"<&>\"": np.array([7], dtype="<i4"),
}
save_file(tensors, here / "golden.safetensors", metadata={"format": "np"})
save_file({"a": tensors["w"], "b": tensors["ids"]}, here / "model-00001-of-00002.safetensors")
save_file({"c": tensors["half"], "extra": tensors["bytes"]}, here / "model-00002-of-00002.safetensors")
index = {"metadata": {"total_size": 46}, "weight_map": {"a": "model-00001-of-00002.safetensors", "b": "model-00001-of-00002.safetensors", "c": "model-00002-of-00002.safetensors"}}
(here / "model.safetensors.index.json").write_text(json.dumps(index, indent=2) + "\n")
