"""Writes the golden files of this folder. Python 3.11, numpy 2.4.6, pyarrow 26.0.1.

    python golden.py

All of them hold the same ten rows; expected.json says which, in the form that the table has: numbers, text, null.
"""
import datetime
import decimal
import json
import math
import pathlib

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

here = pathlib.Path(__file__).parent
n = 10
days = [datetime.date(1970, 1, 1) + datetime.timedelta(days=100 * i - 50) for i in range(n)]
times = [datetime.datetime(2000, 1, 1) + datetime.timedelta(hours=i, microseconds=i) for i in range(n)]
epoch = datetime.datetime(1970, 1, 1)
words = ["red", "green", "blue", "Zürich/日本", ""]

columns = {  # name: (arrow array, values in the table)
    "int": (pa.array([3 * i - 7 for i in range(n)], pa.int64()), [3 * i - 7 for i in range(n)]),
    "int8": (pa.array([i - 5 for i in range(n)], pa.int8()), [i - 5 for i in range(n)]),
    "uint32": (pa.array([(1 << 32) - 1 - i for i in range(n)], pa.uint32()), [(1 << 32) - 1 - i for i in range(n)]),
    "gaps": (pa.array([None if i % 3 == 1 else i for i in range(n)], pa.int32()), [None if i % 3 == 1 else i for i in range(n)]),
    "none": (pa.array([None] * n, pa.float64()), [None] * n),
    "float": (pa.array([i / 8 - 0.5 for i in range(n)], pa.float32()), [i / 8 - 0.5 for i in range(n)]),
    "double": (pa.array([math.nan if i == 4 else i / 3 for i in range(n)], pa.float64()), [None if i == 4 else i / 3 for i in range(n)]),
    "half": (pa.array(np.arange(n, dtype=np.float16) / 4), [i / 4 for i in range(n)]),
    "bool": (pa.array([i % 4 == 0 for i in range(n)]), [int(i % 4 == 0) for i in range(n)]),
    "text": (pa.array([None if i == 6 else words[i % 5] for i in range(n)]), [None if i == 6 else words[i % 5] for i in range(n)]),
    "category": (pa.array([words[i % 2] for i in range(n)]).dictionary_encode(), [words[i % 2] for i in range(n)]),
    "date": (pa.array(days), [100 * i - 50 for i in range(n)]),
    "time": (pa.array(times, pa.timestamp("us")), [(t - epoch) // datetime.timedelta(microseconds=1) for t in times]),
    "price": (pa.array([decimal.Decimal(i * 1001 - 3003) / 1000 for i in range(n)], pa.decimal128(12, 3)), [(i * 1001 - 3003) / 1000 for i in range(n)]),
}
table = pa.table({name: array for name, (array, _) in columns.items()})
# The column that says nothing of nulls is written as required.
table = table.set_column(0, pa.field("int", pa.int64(), nullable=False), table.column("int"))
(here / "expected.json").write_text(json.dumps({name: values for name, (_, values) in columns.items()}, ensure_ascii=False) + "\n")

for name, options in {
    "snappy": dict(compression="snappy"),
    "gzip": dict(compression="gzip", row_group_size=4, write_page_checksum=True),
    "zstd": dict(compression="zstd", data_page_version="2.0", row_group_size=3),
    "plain": dict(compression="none", use_dictionary=False, version="1.0"),
    "plain2": dict(compression="snappy", use_dictionary=False, data_page_version="2.0", write_page_checksum=True),
    "legacy": dict(compression="none", use_deprecated_int96_timestamps=True, store_decimal_as_integer=True),
    "pages": dict(compression="snappy", data_page_size=1, write_batch_size=2),
    "delta": dict(compression="none", use_dictionary=False, column_encoding={
        "int": "DELTA_BINARY_PACKED", "int8": "DELTA_BINARY_PACKED", "uint32": "DELTA_BINARY_PACKED", "gaps": "DELTA_BINARY_PACKED",
        "text": "DELTA_BYTE_ARRAY", "category": "DELTA_LENGTH_BYTE_ARRAY", "float": "BYTE_STREAM_SPLIT", "double": "BYTE_STREAM_SPLIT",
        "bool": "RLE", "price": "DELTA_BYTE_ARRAY", "half": "BYTE_STREAM_SPLIT", "time": "DELTA_BINARY_PACKED"}),
}.items():
    pq.write_table(table, here / f"{name}.parquet", **options)

pq.write_table(pa.table({"flat": [1, 2], "list": [[1], [2, 3]], "group": [{"a": 1, "b": [2]}, {"a": 3, "b": []}]}), here / "nested.parquet")
pq.write_table(pa.table({"x": pa.array([], pa.int64()), "s": pa.array([], pa.string())}), here / "empty.parquet")
pq.write_table(pa.table({"x": [1, 2]}), here / "brotli.parquet", compression="brotli")
pq.write_table(pa.table({"x": [1, 2], "blob": [b"\xff\xfe", b"\x00"]}), here / "blob.parquet")
