#!/usr/bin/env python3
"""Writes example.sgraph from docs/formats.md alone. Python 3, standard library only.

    python3 example.py example.sgraph
"""
import struct
import sys

BLOCK, PAYLOAD = 65536, 65528


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


assert crc32c(b"123456789") == 0xE3069283


def uvarint(x):
    out = b""
    while x >= 128:
        out += bytes([x & 127 | 128])
        x >>= 7
    return out + bytes([x])


def rows(lists, values=None):
    out, index, entries = b"", b"", 0
    for i, row in enumerate(lists):
        if i % 256 == 0:
            index += struct.pack("<QQ", len(out), entries)
        out += uvarint(len(row))
        for before, column in zip([0] + row, row):
            out += uvarint(column - before)
        if values:
            out += struct.pack("<%df" % len(row), *values[i])
        entries += len(row)
    return out, index + struct.pack("<QQ", len(out), entries)


def example():
    edges, edge_index = rows([[1], [2], [0]], [[1], [2], [3]])
    features, feature_index = rows([[1], [], [0]])
    names = b"".join(uvarint(len(name)) + name for name in (b"red", b"blue"))
    sections = [
        (1, edges), (2, edge_index), (3, features), (4, feature_index),
        (6, struct.pack("<3i", 0, -1, 1)), (7, struct.pack("<3q", 5, 6, 9)), (8, names),
        (9, struct.pack("<Q", 0)), (10, b""), (11, struct.pack("<Q", 2)),
    ]
    stream = b"\x89SGRAPH\n" + struct.pack("<II", 1, BLOCK)
    table = b""
    for kind, content in sections:
        stream += bytes(-len(stream) % 8)
        table += struct.pack("<IIQQ", kind, 0, len(stream), len(content))
        stream += content
    stream += bytes(-len(stream) % 8)
    flags = 1  # weights
    stream += table + struct.pack("<7QIIQ", 3, 3, 1, 2, 2, 1, 2, flags, len(sections), 0) + b"ENDGRAPH"
    assert len(stream) <= PAYLOAD
    block = stream + struct.pack("<I", 0)
    return block + struct.pack("<I", crc32c(block))


if __name__ == "__main__":
    with open(sys.argv[1], "wb") as out:
        out.write(example())
