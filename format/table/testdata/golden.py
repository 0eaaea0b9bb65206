"""Writes the golden files of this folder. Python 3.11 (its csv and gzip modules).

    python golden.py

All of them hold the same rows; expected.json says which, in the form that the table has: numbers, text, null.
"""
import csv
import gzip
import io
import json
import pathlib

here = pathlib.Path(__file__).parent
rows = [
    ["id", "x", "y", "colour", "class"],
    ["1", "0.5", "3", "red", "b"],
    ["2", "-1e-3", "", "a \"quoted\", word", "a"],
    ["3", "", "-7", "two\nlines", "b"],
    ["4", "12", "9007199254740993", " Zürich; tab\there ", "a"],
    ["5", "1.5E+2", "0", "", "c"],
]


def text(**dialect):
    out = io.StringIO(newline="")
    csv.writer(out, **dialect).writerows(rows)
    return out.getvalue().encode()


(here / "rfc4180.csv").write_bytes(text())
(here / "unix.csv").write_bytes(text(lineterminator="\n", quoting=csv.QUOTE_ALL)[:-1])  # no line end at the end
(here / "semicolon.csv").write_bytes(b"\xef\xbb\xbf" + text(delimiter=";"))
(here / "tabs.tsv").write_bytes(text(delimiter="\t", lineterminator="\n"))
(here / "packed.csv.gz").write_bytes(gzip.compress(text(), mtime=0) + gzip.compress(b"", mtime=0))
expected = {
    "id": [1, 2, 3, 4, 5], "x": [0.5, -1e-3, None, 12, 1.5e2], "y": [3, None, -7, 9007199254740993, 0],
    "colour": [row[3] or None for row in rows[1:]], "class": [row[4] for row in rows[1:]],
}
(here / "expected.json").write_text(json.dumps(expected, ensure_ascii=False) + "\n")
